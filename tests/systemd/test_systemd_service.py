"""The promise under real systemd: installed, started, reloaded, killed, stopped, booted."""

from __future__ import annotations

import re
import time
from contextlib import nullcontext
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from systemd_machine import OLDER_MEMORY, PROGRAM, Host, little_memory

from desk import wait_for
from flytesched.service.unit import NOTIFY_RELOAD

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from systemd_machine import Machine

pytestmark = [pytest.mark.systemd, pytest.mark.timeout(900)]

BROKEN = "[schedules.tick\n"
#: Writes down each slot that it was started for.
TICK = """
[schedules.tick]
every = "1s"
command = "echo $FLYTESCHED_SCHEDULED_AT_EPOCH >> /srv/ticks"
"""
#: Falls due in no test's time; once triggered, it waits to be let go and ends with 7.
LONG = """
[schedules.long]
at = 2999-01-01T00:00:00
timezone = "UTC"
command = "echo $$ > /srv/began; while [ ! -e /srv/go ]; do sleep 0.1; done; exit 7"
"""


#: Kills every process of the session that a process belongs to, the session's leader first.
KILL_SESSION = """
import contextlib, os, sys
def session(pid):
    with contextlib.suppress(ProcessLookupError):
        return os.getsid(pid)
mine = session(int(sys.argv[1]))
os.kill(mine, 9)
for pid in [int(name) for name in os.listdir("/proc") if name.isdigit()]:
    with contextlib.suppress(ProcessLookupError):
        if session(pid) == mine:
            os.kill(pid, 9)
"""


def start(host: Host, name: str) -> str:
    """Let the scheduler start a command that tells when it began; return the id of its run."""
    host.machine.flytesched("trigger", name, "--detach")
    wait_for("the command", lambda: host.lines("began"))
    runs = host.machine.json("ps")["runs"]
    return next(run["id"] for run in runs if run["schedule"] == name)


def start_long(host: Host) -> str:
    """Let the scheduler start the long command; return the id of its run."""
    return start(host, "long")


def let_go(host: Host) -> None:
    (host.evidence / "go").touch()


def lives(host: Host) -> bool:
    """Tell whether the long command runs."""
    (pid,) = host.lines("began")
    return host.machine.ask("test", "-e", f"/proc/{pid}").returncode == 0


def ends_with_7(host: Host, run: str) -> None:
    """Hold the long command to its true exit code, once."""
    assert lives(host)
    let_go(host)
    entry = host.wait_for_verdict(run)
    assert (entry["status"], entry["exit_code"], entry["attempt"]) == ("failed", 7, 1)
    assert len(host.lines("began")) == 1


def ticked(host: Host, more: int = 2) -> None:
    """Wait for further slots to be carried out."""
    before = len(host.lines("ticks"))
    wait_for("further slots", lambda: len(host.lines("ticks")) >= before + more)


def judge(host: Host) -> None:
    """Hold slots, rows and evidence against each other: nothing lost, nothing doubled."""
    host.systemctl("stop", host.unit)
    entries = host.entries("tick")
    slots = sorted(_epoch(entry) for entry in entries)
    assert slots == list(range(slots[0], slots[-1] + 1))
    started = sorted(int(line) for line in host.lines("ticks"))
    assert started == sorted(_epoch(e) for e in entries if e["status"] == "succeeded")
    assert {e["status"] for e in entries} <= {"succeeded", "skipped", "missed"}


def _epoch(entry: dict[str, Any]) -> int:
    return int(datetime.fromisoformat(entry["scheduled_at"]).timestamp())


# -- install ------------------------------------------------------------------------------------


def test_an_installed_unit_is_what_systemd_has_and_finds_nothing_wrong_with(host: Host) -> None:
    """Read at once, neither enabled nor started, and known to `systemd-analyze`."""
    host.write(TICK)
    host.install()
    path = f"/etc/systemd/system/{host.unit}"
    assert (host.machine.root / path[1:]).stat().st_mode & 0o777 == 0o644
    assert host.fact("FragmentPath") == path
    assert host.fact("LoadState") == "loaded"
    assert host.systemctl("is-enabled", host.unit, code=1) == "disabled\n"
    assert host.active == "inactive"
    assert host.machine.ask("systemd-analyze", "verify", "--man=no", path).stderr == ""
    version = int(host.machine.run("systemctl", "--version").split()[1])
    assert host.fact("Type") == ("notify-reload" if version >= NOTIFY_RELOAD else "notify")
    assert f"path={PROGRAM} " in host.fact("ExecStart")
    assert host.fact("TasksMax") == "infinity"
    host.install()
    assert host.machine.flytesched("service", "print") == (host.machine.root / path[1:]).read_text()


def test_install_now_enables_and_starts(host: Host) -> None:
    """And leaves one alone that runs with this very unit; another unit restarts it."""
    host.write(TICK)
    host.install("--now")
    assert host.systemctl("is-enabled", host.unit) == "enabled\n"
    assert host.active == "active"
    pid = host.pid
    host.install("--now")
    assert host.pid == pid
    host.write('[settings]\nshutdown_grace = "30s"\n' + TICK)
    host.install("--now")
    assert host.pid != pid
    assert host.fact("TimeoutStopUSec") == "2min"


def test_a_changed_a_foreign_and_a_masked_unit_are_left_alone(host: Host) -> None:
    """--force replaces the first two."""
    machine = host.machine
    path = machine.root / f"etc/systemd/system/{host.unit}"
    host.install()
    ours = path.read_text()
    for text, why in ((ours + "# mine\n", "was changed"), ("[Unit]\n", "was not made")):
        path.write_text(text)
        assert why in machine.refused("service", "install", "--yes", code=4)
        assert why in machine.refused("service", "uninstall", "--yes", code=4)
        assert path.read_text() == text
        host.install("--force")
        assert path.read_text() == ours
    machine.flytesched("service", "uninstall", "--yes")
    host.systemctl("mask", host.unit)
    said = machine.refused("service", "install", "--yes", "--force", code=4)
    assert "is masked" in said
    assert f"systemctl unmask {host.unit}" in said
    machine.run("rm", f"/etc/systemd/system/{host.unit}")


def test_a_service_is_not_started_beside_another_scheduler(host: Host) -> None:
    """Nothing is changed; without --now it is a matter of later."""
    host.write(TICK)
    host.install("--name", "flytesched-other", "--now")
    said = host.machine.refused("service", "install", "--now", "--yes", code=6)
    assert str(Host.fact(_other(host), "MainPID")) in said
    assert not (host.machine.root / f"etc/systemd/system/{host.unit}").exists()


def _other(host: Host) -> Host:
    other = object.__new__(Host)
    other.machine, other.unit = host.machine, "flytesched-other.service"
    return other


def test_a_unit_that_systemd_does_not_take_is_not_left_behind(host: Host) -> None:
    """One with the same name in a stronger place wins over ours."""
    host.machine.run("mkdir", "-p", "/etc/systemd/system.control")
    host.machine.run("ln", "-s", "/dev/null", f"/etc/systemd/system.control/{host.unit}")
    try:
        said = host.machine.refused("service", "install", "--yes", code=1)
    finally:
        host.machine.run("rm", "-r", "/etc/systemd/system.control")
    assert "does not take" in said
    assert not (host.machine.root / f"etc/systemd/system/{host.unit}").exists()


def test_paths_of_all_kinds_and_variables_are_carried_over(host: Host) -> None:
    """Spaces, quotes, percent and dollar signs reach the program as they are."""
    odd = "/srv/a 'b' \"c\" 100%h $HOME \\n;"
    host.write(TICK + 'timezone = "Asia/Tokyo"\n')
    host.machine.run("mkdir", "-p", odd)
    host.machine.run("cp", "/etc/flytesched/schedules.toml", f"{odd}/x.toml")
    given = ("--manifest", f"{odd}/x.toml", "--state-dir", f"{odd}/state")
    host.machine.run(
        "env", "FLYTESCHED_START_RATE=2.5", PROGRAM, *given, "service", "install", "--now", "--yes"
    )
    wait_for("a run", lambda: host.lines("ticks"))
    status = host.machine.json(*given, "status")
    assert (status["manifest"], status["state_dir"]) == (given[1], given[3])
    assert status["scheduler"]["pid"] == host.pid
    assert "FLYTESCHED_START_RATE=2.5" in host.fact("Environment")


# -- start and reload ---------------------------------------------------------------------------


def test_start_returns_once_slots_are_decided(host: Host) -> None:
    """STATUS says how it stands, and health is content at once."""
    host.write(TICK + LONG)
    host.install()
    host.systemctl("start", host.unit)
    assert host.active == "active"
    assert host.machine.json("health")["status"] == "healthy"
    assert re.fullmatch(r"2 schedules, \d running", host.fact("StatusText"))
    ticked(host)
    judge(host)


def test_a_start_on_a_broken_manifest_waits_until_it_is_mended(host: Host) -> None:
    """Activating, whatever the time; what is waited for stands in the status."""
    host.write(BROKEN)
    host.install("--now")
    wait_for("the reason", lambda: "waiting for the manifest" in host.fact("StatusText"))
    assert host.active == "activating"
    assert host.fact("TimeoutStartUSec") == "infinity"
    assert "schedules.toml:2" in host.fact("StatusText")
    host.write(TICK)
    wait_for("active", lambda: host.active == "active")
    assert host.fact("NRestarts") == "0"
    ticked(host)


def test_reload_takes_an_edit_into_force_and_a_broken_one_ends_too(host: Host) -> None:
    """The last good schedules go on, and the status says so until the manifest is mended."""
    host.write(TICK)
    host.install("--now")
    pid = host.pid
    host.write(TICK + LONG)
    host.systemctl("reload", host.unit)
    wait_for("the edit", lambda: host.fact("StatusText").startswith("2 schedules"))
    host.write(BROKEN)
    host.systemctl("reload", host.unit)
    wait_for("the fault", lambda: "the last good one is in force" in host.fact("StatusText"))
    assert host.active == "active"
    ticked(host)
    host.write(TICK)
    host.systemctl("reload", host.unit)
    wait_for("the mended one", lambda: re.fullmatch("1 schedule, . running", _status(host)))
    assert host.pid == pid
    judge(host)


def _status(host: Host) -> str:
    return host.fact("StatusText")


# -- commands outlive it ------------------------------------------------------------------------


def test_running_commands_outlive_a_restart(host: Host) -> None:
    """The next scheduler adopts them and has their true exit codes."""
    host.write(TICK + LONG)
    host.install("--now")
    run = start_long(host)
    pid = host.pid
    host.systemctl("restart", host.unit)
    assert host.restarted(pid)
    assert host.said("adopted")
    ticked(host)
    ends_with_7(host, run)
    judge(host)


def test_a_killed_scheduler_is_restarted_and_loses_nothing(host: Host) -> None:
    """Five times in a row, which a limit of starts would not survive."""
    host.write(TICK + LONG)
    host.install("--now")
    run = start_long(host)
    for _ in range(5):
        pid = host.kill("KILL")
        host.restarted(pid)
        ticked(host, 1)
    assert host.fact("NRestarts") == "5"
    ends_with_7(host, run)
    judge(host)


def test_a_stop_leaves_commands_running_for_the_next_start(host: Host) -> None:
    """One that ends in between is recorded by the next start, with its true exit code."""
    host.write(LONG)
    host.install("--now")
    run = start_long(host)
    host.systemctl("stop", host.unit)
    assert host.active == "inactive"
    assert host.fact("Result") == "success"
    assert host.said(f"left running, to be adopted run={run}")
    assert lives(host)
    let_go(host)
    wait_for("its end", lambda: not lives(host))
    host.systemctl("start", host.unit)
    entry = host.wait_for_verdict(run)
    assert (entry["status"], entry["exit_code"]) == ("failed", 7)


def test_a_stop_may_take_longer_than_the_unit_says(host: Host) -> None:
    """`shutdown_grace` was edited since: the scheduler asks for the time it needs."""
    host.write(LONG)
    host.install("--now")
    host.drop_in("[Service]\nTimeoutStopSec=1s\n")
    host.write('[settings]\nshutdown_grace = "1h"\n' + LONG + TICK)
    wait_for("the edit", lambda: _status(host).startswith("2 schedules"))
    run = start_long(host)
    host.systemctl("stop", "--no-block", host.unit)
    wait_for("stopping", lambda: host.active == "deactivating")
    elapsed = "systemctl show -P StateChangeTimestampMonotonic flytesched"
    host.machine.run("sh", "-c", f"since=$({elapsed}); sleep 3; [ $since = $({elapsed}) ]")
    let_go(host)
    wait_for("the end", lambda: host.active == "inactive")
    assert host.fact("Result") == "success"
    assert host.wait_for_verdict(run)["exit_code"] == 7


def test_a_scheduler_that_hangs_is_killed_by_the_watchdog_and_restarted(host: Host) -> None:
    """What it started is adopted."""
    host.write(TICK + LONG)
    host.install("--now")
    host.drop_in("[Service]\nWatchdogSec=3s\n")
    host.systemctl("restart", host.unit)
    run = start_long(host)
    pid = host.kill("STOP")
    host.restarted(pid)
    assert any("atchdog timeout" in line for line in host.said("timeout"))
    ends_with_7(host, run)
    judge(host)


def test_a_command_killed_with_its_whole_session_is_interrupted(host: Host) -> None:
    """The scheduler does not notice but for the verdict."""
    host.write(TICK + LONG)
    host.install("--now")
    run = start_long(host)
    pid = host.pid
    host.machine.run("python3", "-c", KILL_SESSION, *host.lines("began"))
    entry = host.wait_for_verdict(run)
    assert entry["status"] == "interrupted"
    ticked(host)
    assert host.pid == pid
    judge(host)


HOG = """
[schedules.hog]
at = 2999-01-01T00:00:00
timezone = "UTC"
command = "echo $$ > /srv/began; while [ ! -e /srv/go ]; do sleep 0.1; done;\
 /usr/bin/python3 -c 'x = bytes(1) * 2**30'"
"""


def test_a_command_that_runs_out_of_memory_fails_alone(host: Host) -> None:
    """`OOMPolicy=continue`: the kernel kills the command, systemd leaves the service alone."""
    host.write(HOG + TICK)
    host.install("--now")
    if "memory" in host.machine.run("cat", "/sys/fs/cgroup/cgroup.controllers").split():
        host.drop_in("[Service]\nMemoryMax=200M\nMemorySwapMax=0\n")
        limit: AbstractContextManager[None] = nullcontext()
        run = start(host, "hog")
    elif (OLDER_MEMORY / "memory.limit_in_bytes").exists():
        run = start(host, "hog")
        limit = little_memory(host.machine.outside(int(host.lines("began")[0])), 64 * 2**20)
    else:
        pytest.skip("no hierarchy of cgroups bounds memory here")
    pid = host.pid
    with limit:
        let_go(host)
        entry = host.wait_for_verdict(run)
    assert (entry["status"], entry["exit_code"]) == ("failed", 137)
    ticked(host)
    assert host.pid == pid
    assert host.active == "active"


def test_commands_inherit_no_limit_and_nothing_of_the_service_manager(host: Host) -> None:
    """What systemd tells the scheduler is for it alone."""
    host.write(
        '[schedules.look]\nevery = "1s"\n'
        'command = "env > /srv/env; cat /proc/self/status > /srv/status;'
        ' cat /proc/self/limits > /srv/limits"\n'
    )
    host.install("--now")
    wait_for("the command", lambda: host.lines("limits"))
    names = {line.partition("=")[0] for line in host.lines("env")}
    assert not {n for n in names if n.startswith(("NOTIFY_", "WATCHDOG_", "LISTEN_", "INVOCATION"))}
    facts = dict(line.split(":\t", 1) for line in host.lines("status") if ":\t" in line)
    assert facts["NoNewPrivs"] == "0"
    assert facts["Seccomp"] == "0"
    # 32 and 33 are the C library's own, which it lets no one set.
    assert int(facts["SigIgn"], 16) & 0x7FFFFFFF == 0
    assert int(facts["SigBlk"], 16) == 0
    outside = host.machine.run("cat", "/proc/1/status")
    assert f"CapBnd:\t{facts['CapBnd']}" in outside


# -- journal ------------------------------------------------------------------------------------


def test_the_journal_has_one_line_per_event_with_level_and_one_time(host: Host) -> None:
    """`journalctl -p` finds errors; the journal writes the time itself."""
    host.write(TICK)
    host.install("--now")
    host.write(BROKEN)
    wait_for("the fault", lambda: host.said("not readable"))
    host.write(TICK)
    wait_for("the end of it", lambda: host.said("readable again"))
    own = [e for e in host.journal() if e["SYSLOG_IDENTIFIER"] == "flytesched"]
    levels = {"info": "6", "warning": "4", "error": "3"}
    for entry in own:
        level = str(entry["MESSAGE"]).split()[0]
        assert entry["PRIORITY"] == levels[level], entry
        assert not re.match(r"<\d>|\d{4}-", str(entry["MESSAGE"]))
    events = [" ".join(str(entry["MESSAGE"]).split()[1:2]) for entry in own]
    assert events.count("ready") == 1
    assert events.count("starting") == 1
    found = host.machine.run("journalctl", "--priority=err", "--unit", host.unit, "-o", "cat")
    assert "schedules.toml:2" in found


# -- sandbox, users -----------------------------------------------------------------------------


def test_a_hardened_service_runs_commands_in_its_sandbox(host: Host) -> None:
    """They can leave evidence, and cannot change the system; systemd finds it less exposed."""
    host.write(
        TICK + '[schedules.try]\nevery = "1s"\n'
        'command = "touch /usr/tried /etc/tried /root/tried; unshare --mount true;'
        ' cat /proc/self/status > /srv/status"\n'
    )
    host.install()
    open_one = _exposure(host)
    said = host.machine.ask(PROGRAM, "service", "install", "--harden", "--now", "--yes").stderr
    assert "every command inherits the sandbox" in said
    ticked(host)
    wait_for("the try", lambda: "NoNewPrivs:\t1" in host.lines("status"))
    wait_for("its end", lambda: [e for e in host.entries("try") if e["ended_at"]])
    assert "Seccomp:\t2" in host.lines("status")
    for folder in ("usr", "etc", "root"):
        assert not (host.machine.root / folder / "tried").exists()
    assert _exposure(host) < open_one - 3.0
    pid = host.kill("KILL")
    host.restarted(pid)
    ticked(host)
    judge(host)


#: Notes the path and the first line of what it is sent, and takes it.
SERVER = """
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        with open("/srv/told", "a") as told:
            print(self.path, *body.splitlines()[:1], file=told)
        self.send_response(204)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", 8000), Handler).serve_forever()
"""


def test_a_hardened_service_tells_its_channels(host: Host) -> None:
    """The sandbox leaves the network to the sender, and a stop leaves no sender behind."""
    machine = host.machine
    (machine.root / "srv/server.py").write_text(SERVER)
    machine.run("systemd-run", "--unit=server", "/opt/flytesched/bin/python", "/srv/server.py")
    try:
        host.write(
            TICK + '[channels.chat]\nkind = "webhook"\nformat = "text"\n'
            'url = "http://127.0.0.1:8000/chat"\n'
            '[schedules.fails]\nevery = "1s"\ncommand = "echo oops; exit 3"\n'
            'notify = ["chat"]\nping_url = "http://127.0.0.1:8000/ping"\n'
        )
        machine.ask(PROGRAM, "service", "install", "--harden", "--now", "--yes")
        for said in ("/ping/start?rid=", "/ping/3?rid=", "/chat"):
            wait_for(said, lambda said=said: [e for e in host.lines("told") if said in e])
        assert any("fails" in line for line in host.lines("told") if line.startswith("/chat"))
        wait_for("a notice that is sent", lambda: sent(machine))
        look = "grep -las 'flytesched.hooks.sende[r]' /proc/[0-9]*/cmdline"
        assert machine.ask("sh", "-c", look).stdout
        machine.run("systemctl", "stop", host.unit)
        wait_for("the end of the sender", lambda: not machine.ask("sh", "-c", look).stdout)
    finally:
        machine.ask("systemctl", "stop", "server")
    judge(host)


def sent(machine: Machine) -> bool:
    """Tell whether the channel's newest notice, or one before it, has arrived."""
    notices = machine.json("notify", "history", "chat")["notices"]
    return any(notice["status"] == "sent" for notice in notices)


def _exposure(host: Host) -> float:
    said = host.machine.run("systemd-analyze", "security", "--no-pager", host.unit)
    return float(re.findall(r"exposure level for \S+: ([\d.]+)", said)[0])


@pytest.fixture
def alice(host: Host) -> Iterator[Machine]:
    """Give a user whose services run without a login."""
    machine = host.machine
    machine.run("loginctl", "enable-linger", "alice")
    wait_for(
        "her manager",
        lambda: (
            machine.ask("systemctl", "--user", "is-system-running", user="alice").stdout
            in {"running\n", "degraded\n"}
        ),
    )
    yield machine
    machine.ask("systemctl", "--user", "stop", "flytesched", user="alice")
    machine.run("loginctl", "disable-linger", "alice")
    machine.ask("systemctl", "stop", "user@1000.service")
    machine.run("sh", "-c", "rm -rf /home/alice/.config /home/alice/.local /home/alice/slots")


def test_a_user_has_a_service_of_her_own(alice: Machine) -> None:
    """Her manifest, her state directory, her manager; sandboxed, too."""

    def systemctl(*words: str) -> str:
        return alice.run("systemctl", "--user", *words, user="alice")

    alice.run("chmod", "1777", "/srv")
    evidence = "echo $FLYTESCHED_SCHEDULED_AT_EPOCH $(id -un) >> ~/slots"
    alice.flytesched("add", "own", "--every", "1s", "--", evidence, user="alice")
    install = ("service", "install", "--user", "--now", "--yes")
    done = alice.ask(PROGRAM, *install, user="alice")
    assert done.returncode == 0, done.stderr
    assert "linger" not in done.stderr
    slots = alice.root / "home/alice/slots"
    wait_for("her run", lambda: slots.exists() and slots.read_text().endswith("alice\n"))
    assert systemctl("is-enabled", "flytesched") == "enabled\n"
    assert alice.json("health", user="alice")["status"] == "healthy"
    pid = systemctl("show", "-P", "MainPID", "flytesched")
    alice.run("sh", "-c", f"kill -KILL {pid}", user="alice")
    wait_for("another", lambda: systemctl("show", "-P", "NRestarts", "flytesched") == "1\n")
    alice.flytesched(*install, "--harden", user="alice")
    before = slots.stat().st_size
    wait_for("a sandboxed run", lambda: slots.stat().st_size > before)
    alice.flytesched("service", "uninstall", "--user", "--yes", user="alice")
    assert not (alice.root / "home/alice/.config/systemd/user/flytesched.service").exists()


def test_what_cannot_be_installed_is_refused_in_a_sentence(host: Host) -> None:
    """No rights, no manager, nowhere to write, nothing to uninstall."""
    machine = host.machine
    said = machine.refused("service", "install", "--yes", code=1, user="alice")
    assert "only root may change the services of the machine" in said
    said = machine.refused("service", "install", "--user", "--yes", code=1, user="alice")
    assert "no manager for services of your own" in said
    said = machine.refused("service", "uninstall", "--yes", code=3)
    assert "no service is installed" in said
    machine.run("mount", "--bind", "/etc/systemd", "/etc/systemd")
    try:
        machine.run("mount", "-o", "remount,bind,ro", "/etc/systemd")
        said = machine.refused("service", "install", "--yes", code=1)
    finally:
        machine.run("umount", "/etc/systemd")
    assert "Read-only file system" in said
    assert not (machine.root / f"etc/systemd/system/{host.unit}").exists()


# -- uninstall ----------------------------------------------------------------------------------


def test_uninstall_takes_the_service_away_and_nothing_else(host: Host) -> None:
    """What runs goes on, and a scheduler in the foreground adopts it."""
    host.write(LONG)
    host.install("--now")
    run = start_long(host)
    done = host.machine.ask(PROGRAM, "service", "uninstall", "--yes")
    assert done.returncode == 0, done.stderr
    assert "1 command goes on and is adopted by the next scheduler;" in done.stderr
    assert host.fact("LoadState") == "not-found"
    assert host.machine.ask("systemctl", "is-enabled", host.unit).returncode != 0
    assert host.manifest.exists()
    assert lives(host)
    let_go(host)
    wait_for("its end", lambda: not lives(host))
    host.machine.flytesched("run", "--once")
    entry = host.wait_for_verdict(run)
    assert (entry["status"], entry["exit_code"]) == ("failed", 7)


# -- boot ---------------------------------------------------------------------------------------


def test_an_enabled_service_starts_at_boot_and_catches_up(host: Host) -> None:
    """After a power cut: slots missed are run or shown; what ran is interrupted."""
    host.write(
        '[settings]\nmissed_after = "1s"\n'
        + TICK
        + 'catchup = "all"\ncatchup_limit = 1000\n'
        + TICK.replace("tick]", "late]").replace("ticks", "late")
        + 'catchup = "latest"\n'
        + LONG
    )
    host.install("--now")
    run = start_long(host)
    ticked(host)
    machine = host.machine
    machine.pull_the_plug()
    down = len(host.lines("ticks"))
    last = int(host.lines("ticks")[-1])
    let_go(host)
    wait_for("slots to be missed", lambda: time.time() > last + 5)
    machine.boot()
    wait_for("active", lambda: host.active == "active")
    wait_for("catching up", lambda: len(host.lines("ticks")) > down + 5)
    entry = host.wait_for_verdict(run)
    assert entry["status"] == "interrupted"
    wait_for("the last of it", lambda: not _open(host, "tick"))
    assert {e["origin"] for e in host.entries("tick") if e["status"] == "succeeded"} == {
        "schedule",
        "catchup",
    }
    late = host.entries("late")
    assert [e for e in late if e["status"] == "missed"]
    assert len([e for e in late if e["origin"] == "catchup"]) == 1
    judge(host)


def _open(host: Host, name: str) -> list[str]:
    """Return the statuses of slots of the past that have no verdict or were missed."""
    return [
        entry["status"]
        for entry in host.entries(name)
        if entry["origin"] == "catchup" and not entry["ended_at"]
    ]


def test_a_broken_manifest_holds_up_no_boot(host: Host) -> None:
    """The unit waits for it to be mended; the machine does not.

    A command that took the TERM of the shutdown has its true exit code.
    """
    host.write(LONG)
    host.install("--now")
    run = start_long(host)
    host.write(BROKEN)
    machine = host.machine
    machine.shut_down()
    machine.boot()
    assert host.active == "activating"
    assert machine.run("systemctl", "is-active", "multi-user.target") == "active\n"
    host.write(TICK + LONG)
    wait_for("active", lambda: host.active == "active")
    ticked(host)
    entry = host.wait_for_verdict(run)
    assert (entry["status"], entry["exit_code"]) == ("failed", 143)
