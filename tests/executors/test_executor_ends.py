"""How attempts end, with a supervisor and without one."""

from __future__ import annotations

import os
import resource
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flytesched.core.runs import End
from flytesched.errors import StartDelayed, StartError

if TYPE_CHECKING:
    from executors_desk import Desk

BOTH = pytest.mark.parametrize("survive", [True, False], ids=["supervised", "child"])


@BOTH
@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("true", 0),
        ("exit 3", 3),
        ("exit 255", 255),
        (["/bin/false"], 1),
        (["sh", "-c", "exit 7"], 7),
        ("nosuchcommand; true", 0),
        ("nosuchcommand", 127),
        ("if then", 2),
        ("kill -KILL $$", 137),
        ("kill -TERM $$", 143),
        ("kill -INT $$", 130),
        ("kill -SEGV $$", 139),
        ("kill -USR1 $$; sleep 9", 138),
        ("exec sh -c 'exit 4'", 4),
        ("trap 'exit 5' TERM; kill -TERM $$; sleep 9", 5),
    ],
)
def test_the_exit_code_of_a_command_is_reported_and_a_signal_is_128_and_its_number(
    desk: Desk, command: str, code: int, *, survive: bool
) -> None:
    """The same table holds with and without a supervisor."""
    outcome, _ = desk.run(command, survive=survive)

    assert (outcome.end, outcome.exit_code) == (End.EXITED, code)


@BOTH
def test_a_signal_to_the_whole_group_ends_the_command_and_not_its_supervisor(
    desk: Desk, *, survive: bool
) -> None:
    """``kill 0`` is common in scripts."""
    outcome, _ = desk.run("kill -TERM 0; sleep 9", survive=survive)

    assert outcome.exit_code == 143


@BOTH
def test_output_and_errors_go_to_the_log_in_their_order(desk: Desk, *, survive: bool) -> None:
    """Both share one open file."""
    _, log = desk.run("echo one; echo two >&2; echo three", survive=survive)

    assert log == "one\ntwo\nthree\n"


@BOTH
def test_a_command_finds_no_input(desk: Desk, *, survive: bool) -> None:
    """Its input is /dev/null."""
    outcome, log = desk.run("wc -c; readlink /proc/$$/fd/0", survive=survive)

    assert (outcome.exit_code, log) == (0, "0\n/dev/null\n")


@BOTH
def test_a_command_inherits_no_descriptor_but_the_standard_three(
    desk: Desk, tmp_path: Path, *, survive: bool
) -> None:
    """Not even one that this process opened carelessly before the launcher was made."""
    careless = os.open(tmp_path, os.O_RDONLY)
    os.set_inheritable(careless, True)
    other = desk.successor()

    _, log = other.run(["ls", "/proc/self/fd"], survive=survive)

    assert log.split() == ["0", "1", "2", "3"]  # 3 is the listing's own
    os.close(careless)
    other.launcher.close()


@BOTH
def test_signals_are_at_their_defaults_and_unblocked_in_a_command(
    desk: Desk, *, survive: bool
) -> None:
    """Whatever the scheduler ignores or blocks, and whatever the supervisor catches."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
    try:
        _, log = desk.run(["cat", "/proc/self/status"], survive=survive)
    finally:
        signal.signal(signal.SIGHUP, before)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR2])

    said = dict(line.split(":\t") for line in log.splitlines() if line.startswith("Sig"))
    blocked, ignored, caught = (int(said[name], 16) for name in ("SigBlk", "SigIgn", "SigCgt"))
    # 32 and 33 belong to the C library: posix_spawn(3) leaves them ignored, and they are unused.
    assert (blocked, ignored & ~0x1_8000_0000, caught) == (0, 0, 0)


@BOTH
def test_a_command_leads_a_session_away_from_the_terminal(desk: Desk, *, survive: bool) -> None:
    """A Ctrl-C for the scheduler is none for its commands."""
    _, log = desk.run("cut -d' ' -f6 /proc/$$/stat", survive=survive)

    assert int(log) not in {0, os.getsid(0)}


def test_a_string_has_the_shell_to_itself(desk: Desk) -> None:
    """Process id, parameters and name are those of ``sh -c``, supervisor or not."""
    _, log = desk.run('test $$ = "$(cut -d" " -f4 /proc/self/stat)" && echo "$0 $#"; :')

    assert log == "/bin/sh 0\n"


def test_a_string_is_read_by_the_shell_it_asks_for(desk: Desk) -> None:
    """Here one that has arrays."""
    keys = {"shell": "/bin/bash"}

    _, log = desk.run("a=(1 2); echo ${#a[@]}", **keys)

    assert log == "2\n"


@BOTH
def test_arguments_reach_a_command_as_they_are(desk: Desk, *, survive: bool) -> None:
    """No shell looks at a list."""
    argv = ["printf", "[%s]", "a b", "$HOME", "*", "'", '"', "\\", "", "-n", "ü\n"]

    _, log = desk.run(argv, survive=survive)

    assert log == "[a b][$HOME][*]['][\"][\\][][-n][ü\n]"


@BOTH
@pytest.mark.parametrize("name", ["exit", "cd", "trap", "exec", "echo"])
def test_a_list_never_means_a_word_of_the_shell(desk: Desk, name: str, *, survive: bool) -> None:
    """A program of that name is run, though the supervisor is a shell."""
    program = desk.state / name
    program.write_text('#!/bin/sh\necho "program $*"\n')
    program.chmod(0o755)

    outcome, log = desk.run([name, "0"], survive=survive, env={"PATH": f"{desk.state}:/bin"})

    assert (outcome.exit_code, log) == (0, "program 0\n")


@BOTH
def test_a_script_without_a_first_line_is_read_by_the_shell(desk: Desk, *, survive: bool) -> None:
    """As execvp(3) and every shell do it."""
    script = desk.state / "script"
    script.write_text('echo "hello $1"\n')
    script.chmod(0o755)

    _, log = desk.run([str(script), "you"], survive=survive)

    assert log == "hello you\n"


@BOTH
@pytest.mark.parametrize(
    ("command", "keys", "why"),
    [
        (["nosuchcommand"], {}, "no such command 'nosuchcommand'"),
        (["./nosuch"], {}, "'./nosuch' does not exist"),
        (["/etc/passwd"], {}, "'/etc/passwd' is not executable"),
        (["/etc"], {}, "'/etc' is not executable"),
        (["true"], {"cwd": "/nosuch"}, "cannot enter the directory '/nosuch': no such file"),
        (["true"], {"cwd": "/etc/passwd"}, "'/etc/passwd': not a directory"),
        ("true", {"shell": "/nosuch/sh"}, "'/nosuch/sh' does not exist"),
        ("true", {"env_file": "/nosuch.env"}, "env_file '/nosuch.env': no such file"),
        (["echo", "x" * 3_000_000], {}, "argument list too long"),
        (["true"], {"env": {"PATH": "/nosuch"}}, "no such command 'true'"),
    ],
)
def test_what_can_never_start_is_refused_with_the_reason(
    desk: Desk, command: str, keys: dict[str, str], why: str, *, survive: bool
) -> None:
    """Nothing is started, and no record is left that says so."""
    order = desk.order(command, survive=survive, **keys)

    with pytest.raises(StartError) as raised:
        desk.launcher.start(order)

    assert why in raised.value.message
    assert not isinstance(raised.value, StartDelayed)
    assert desk.launcher.collect() == []


def test_the_launcher_stays_in_its_directory(desk: Desk) -> None:
    """Though commands are started in theirs."""
    here = Path.cwd()

    desk.run("pwd", cwd="/")
    with pytest.raises(StartError):
        desk.launcher.start(desk.order("true", cwd="/nosuch"))

    assert Path.cwd() == here


@BOTH
def test_without_descriptors_a_start_waits_and_then_works(desk: Desk, *, survive: bool) -> None:
    """At every number of free descriptors: nothing started, or everything in order."""
    marker = desk.state / "started"
    order = desk.order(["sh", "-c", f"echo x >>{marker}"], survive=survive)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = max(int(path.name) for path in Path("/proc/self/fd").iterdir()) + 1
    delays = 0
    fillers = [os.open("/dev/null", os.O_RDONLY)]
    while max(fillers) < used:
        fillers.append(os.open("/dev/null", os.O_RDONLY))
    for limit in range(used, used + 12):
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
        try:
            desk.launcher.start(order)
        except StartDelayed:
            delays += 1
        else:
            break
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    assert delays
    assert desk.outcome().exit_code == 0
    assert marker.read_text() == "x\n"
    for fd in fillers:
        os.close(fd)


def test_what_a_run_cost_is_reported(desk: Desk) -> None:
    """CPU seconds, and peak memory where it exceeds what a fork inherits."""
    # Whatever other tests have made of this process meanwhile.
    more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10) + (100 << 20)
    outcome, _ = desk.run(
        ["python3", "-c", f"b = b'1' * {more}; [i for i in range(10**6)]"], survive=False
    )

    assert outcome.cpu is not None
    assert outcome.cpu > 0.01
    assert outcome.max_rss is not None
    assert outcome.max_rss > more >> 10


def test_an_attempt_that_was_started_is_not_started_again(desk: Desk) -> None:
    """Not by the same launcher, and not by the next one."""
    marker = desk.state / "started"
    order = desk.order(f"echo x >>{marker}; sleep 0.3")

    first = desk.launcher.start(order)
    again = desk.launcher.start(order)
    other = desk.successor()
    try:
        third = other.launcher.start(order)
    except StartDelayed:  # its supervisor has not said its first word yet
        third = None

    assert again.pid == first.pid
    assert third is None or third.pid == first.pid
    desk.outcome()
    assert marker.read_text() == "x\n"
    other.launcher.close()


@BOTH
@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_files_are_for_our_eyes_only(desk: Desk, umask: int, *, survive: bool) -> None:
    """Whatever the umask, which commands find as it was."""
    before = os.umask(umask)
    try:
        outcome, log = desk.run("umask", survive=survive)
    finally:
        os.umask(before)

    made = [path for path in desk.state.rglob("*") if path.name != "m.toml"]
    modes = {path.stat().st_mode & 0o7777 for path in made if path.is_file()}
    folders = {path.stat().st_mode & 0o7777 for path in made if path.is_dir()}
    assert (modes, folders) == ({0o600}, {0o700})
    assert int(log, 8) == umask
    assert outcome.exit_code == 0


def test_a_log_is_not_opened_through_a_symbolic_link(desk: Desk, tmp_path: Path) -> None:
    """It might lead anywhere."""
    order = desk.order("echo secret")
    target = tmp_path / "target"
    assert order.attempt.log is not None
    log = desk.state / order.attempt.log
    log.parent.mkdir(parents=True)
    log.symlink_to(target)

    with pytest.raises(StartError):
        desk.launcher.start(order)

    assert not target.exists()
