"""What machines, people and other programs do to a scheduler, each thing a function of the stage.

A fault leaves the stage with a scheduler that is well, or will be in a moment.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from chaos.stage import PROGRAM, Stuck, wait_for
from chaos.windows import WINDOWS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

    from chaos.stage import Stage


def near_a_slot(chance: Random) -> None:
    """Return around a whole second, where every schedule has its slots."""
    moment = int(time.time()) + 1 + chance.uniform(-0.05, 0.12)
    time.sleep(max(0.0, moment - time.time()))


# -- ends of the scheduler ----------------------------------------------------------------------


def kill(stage: Stage, chance: Random) -> None:
    """SIGKILL around a slot, and a quick restart."""
    near_a_slot(chance)
    _met(stage, "while running", times=int(bool(_running(stage))))
    stage.kill()
    time.sleep(chance.choice([0.0, 0.2, 1.0]))
    stage.start()


def storm_of_kills(stage: Stage, chance: Random) -> None:
    """SIGKILL again and again, also amid the start."""
    for _ in range(chance.randint(4, 8)):
        stage.kill()
        stage.launch()
        time.sleep(chance.uniform(0.05, 0.8))
    stage.kill()
    stage.start()


def outage(stage: Stage, chance: Random) -> None:
    """No scheduler for longer than a slot may be late."""
    near_a_slot(chance)
    stage.kill()
    time.sleep(chance.uniform(11.5, 14))  # the next slot may be claimed already
    stage.start()


def terminate(stage: Stage, chance: Random) -> None:
    """An orderly stop and start."""
    near_a_slot(chance)
    _expect(stage, signal.SIGTERM, 0)
    stage.start()


def interrupt(stage: Stage, chance: Random) -> None:
    """Ctrl-C."""
    near_a_slot(chance)
    _expect(stage, signal.SIGINT, 130)
    stage.start()


def _expect(stage: Stage, number: signal.Signals, code: int) -> None:
    if (left := stage.kill(number)) != code:
        msg = f"{number.name} ended the scheduler with {left}"
        raise Stuck(msg)


def freeze(stage: Stage, chance: Random) -> None:
    """SIGSTOP, for a moment or for longer than a slot may be late."""
    with stage.troubled():
        near_a_slot(chance)
        os.kill(stage.pid, signal.SIGSTOP)
        time.sleep(chance.choice([0.2, 2.0, 5.0, 11.0]))
        os.kill(stage.pid, signal.SIGCONT)
        time.sleep(0.2)


def window(stage: Stage, chance: Random) -> None:
    """Death at a named moment, one that was tried least often so far."""
    fewest = min(stage.windows.get(name, 0) for name in WINDOWS)
    name = chance.choice([w for w in WINDOWS if stage.windows.get(w, 0) == fewest])
    # One that was not met counts too, or it would be tried for ever; the report tells them apart.
    stage.windows[name] = stage.windows.get(name, 0) + 1
    die_in(stage, chance, name, chance.randint(1, WINDOWS[name]))


def each_window(stage: Stage, chance: Random, names: Sequence[str]) -> None:
    """Death in window after window, in each until it was met, three times at most."""
    for name in names:
        for count in (chance.randint(1, WINDOWS[name]), 1, 1):
            if die_in(stage, chance, name, count):
                break


def die_in(stage: Stage, chance: Random, name: str, count: int) -> bool:
    """Let a scheduler die in a window; tell whether it came through."""
    stage.kill()
    if name.startswith("gap"):
        time.sleep(10.5)  # nothing is missed before that
    loop = stage.launch(die=f"{name}:{count}")
    with suppress(subprocess.TimeoutExpired):
        loop.wait(0.8)
    if name.startswith(("intent", "reload", "other")) and stage.alive:
        _wish(stage, chance)
        edits(stage, chance)
    with suppress(subprocess.TimeoutExpired):
        loop.wait(10)
    stage.kill()
    met = stage.said(b"CHAOS died at " + name.encode())
    _met(stage, name, times=int(met))
    stage.start()
    return met


def _met(stage: Stage, name: str, *, times: int = 1) -> None:
    stage.met[name] = stage.met.get(name, 0) + times


# -- system calls -------------------------------------------------------------------------------

#: Calls at which a scheduler dies, and how often each is made in some seconds of its life.
_CALLS = {
    "fdatasync": 60, "pwrite64": 400, "openat": 2500, "flock": 120, "write": 120, "clone3": 60,
    "clone": 60, "vfork": 60, "close": 2500, "chdir": 60, "fchdir": 60, "epoll_wait": 400,
    "pidfd_open": 60, "wait4": 60, "fcntl": 800, "ftruncate": 4, "mmap": 600, "unlink": 4,
    "rename": 2, "read": 1500, "lseek": 900, "timerfd_settime": 200,
}  # fmt: skip


def _strace(inject: str, *more: str) -> list[str]:
    calls = inject.partition(":")[0]
    return ["strace", *more, "-qqq", "-o", "/dev/null", "-e", f"trace={calls}", "-e",
            f"inject={inject}"]  # fmt: skip


def nth_call(stage: Stage, chance: Random) -> None:
    """Death at the n-th system call of a kind."""
    stage.kill()
    call = chance.choice(list(_CALLS))
    count = chance.randint(1, _CALLS[call])
    loop = stage.launch(before=_strace(f"{call}:signal=KILL:when={count}"))
    try:
        loop.wait(chance.uniform(4, 8))
    except subprocess.TimeoutExpired:
        stage.kill()
    else:
        stage.gone()
    stage.start()


def amid_checkpoint(stage: Stage, chance: Random) -> None:
    """Death, or a full disk and then death, while a checkpoint fills the database file.

    The first quiet moment after a start brings a checkpoint, and an orderly end another.
    """
    stage.kill()
    damage = chance.choice(["signal=KILL", "error=ENOSPC", "error=EIO"])
    inject = f"pwrite64:{damage}:when={chance.randint(1, 30)}+"
    stage.launch(before=_strace(inject, "-P", str(stage.database)))
    with suppress(subprocess.TimeoutExpired):
        stage.loop.wait(chance.uniform(2, 5))
    stage.kill(chance.choice([signal.SIGTERM, signal.SIGKILL]))
    stage.start()


def fork_fails(stage: Stage, chance: Random) -> None:
    """No process can be had for a while."""
    span = _stretch(chance, 1, 12, 20)
    _under(stage, chance, f"clone3,clone,vfork:error={chance.choice(['EAGAIN', 'ENOMEM'])}", span)


def sync_fails(stage: Stage, chance: Random) -> None:
    """The disk has trouble with what must be durable."""
    span = _stretch(chance, 8, 40, 20)
    _under(stage, chance, f"fdatasync:error={chance.choice(['EIO', 'ENOSPC'])}", span)


def write_fails(stage: Stage, chance: Random) -> None:
    """The disk is full for some writes, and not for others."""
    span = _stretch(chance, 40, 200, 60)
    _under(stage, chance, f"pwrite64:error={chance.choice(['EIO', 'ENOSPC'])}", span)


def open_fails(stage: Stage, chance: Random) -> None:
    """Files cannot be opened for a while."""
    span = _stretch(chance, 1900, 2400, 200)
    _under(stage, chance, f"openat:error={chance.choice(['EMFILE', 'EIO', 'ENOMEM'])}", span)


def slow_disk(stage: Stage, chance: Random) -> None:
    """Each sync takes a while, and then the scheduler dies in one."""
    _under(stage, chance, f"fdatasync:delay_enter={chance.choice([50, 300])}000", "1+")


def _stretch(chance: Random, first: int, last: int, most: int) -> str:
    """Return which calls of a kind fail, as strace wants it: ``FROM..TO``."""
    begin = chance.randint(first, last)
    return f"{begin}..{begin + chance.randint(1, most)}"


def _under(stage: Stage, chance: Random, inject: str, when: str) -> None:
    stage.kill()
    loop = stage.launch(before=_strace(f"{inject}:when={when}"))
    with suppress(subprocess.TimeoutExpired):
        code = loop.wait(chance.uniform(5, 9))
        # At its start a scheduler may say what is wrong and leave; later it has to stay.
        if stage.said(b" ready ") or code not in {1, 5}:
            msg = f"the scheduler left with {code} because of {inject}"
            raise Stuck(msg)
    stage.kill()
    stage.start()


def between_fork_and_exec(stage: Stage, chance: Random) -> None:
    """Death while a child is there that has not become its command yet."""
    stage.kill()
    stage.launch(before=_strace("execve:delay_enter=400000", "-f"))
    with suppress(Stuck):
        wait_for("a child", lambda: _unborn(stage.pid), patience=15)
        time.sleep(chance.uniform(0, 0.3))
        _met(stage, "between fork and exec")
    stage.kill()
    stage.start()


def _unborn(pid: int) -> list[int]:
    """Return children that still look like their parent."""
    with suppress(OSError):
        mine = Path(f"/proc/{pid}/cmdline").read_bytes()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if b"chaos.program" in mine and b"run" in mine:
            return [int(c) for c in children if Path(f"/proc/{c}/cmdline").read_bytes() == mine]
    return []


# -- means --------------------------------------------------------------------------------------


def no_descriptors(stage: Stage, chance: Random) -> None:
    """The scheduler may open nothing, or next to nothing, for a while."""
    with stage.troubled():
        near_a_slot(chance)
        have = len(list(Path(f"/proc/{stage.pid}/fd").iterdir()))
        stage.limit(resource.RLIMIT_NOFILE, max(3, have + chance.randint(-3, 3)))
        time.sleep(chance.choice([1.0, 4.0, 11.0]))
        stage.limit(resource.RLIMIT_NOFILE, None)
        time.sleep(1.0)


def locked(stage: Stage, chance: Random) -> None:
    """An outsider holds the run log's lock."""
    with stage.troubled(), closing(sqlite3.connect(stage.database, timeout=20)) as outsider:
        near_a_slot(chance)
        outsider.isolation_level = None
        outsider.execute("PRAGMA wal_autocheckpoint = 0")
        outsider.execute("BEGIN IMMEDIATE")
        time.sleep(chance.choice([0.3, 1.0, 3.0, 11.0]))
        outsider.execute("ROLLBACK")
        time.sleep(0.5)


def full_disk(stage: Stage, chance: Random) -> None:
    """No byte is left on the disk of the state directory: for stages on a small one."""
    with stage.troubled():
        near_a_slot(chance)
        filler = stage.state / "filler"
        _fill(filler)
        time.sleep(chance.choice([1.0, 4.0, 11.0]))
        if chance.random() < 0.4:  # and a restart meanwhile
            stage.kill()
            stage.launch()
            time.sleep(2)
        filler.unlink()
        if not stage.alive:
            stage.start()
        stage.well()


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file, suppress(OSError):
        for size in (65536, 4096, 512, 1):
            with suppress(OSError):
                while True:
                    file.write(bytes(size))


# -- people -------------------------------------------------------------------------------------


def second_scheduler(stage: Stage, _: Random) -> None:
    """Others are started beside it, and refused."""
    words = [*PROGRAM, "--", "run"]
    others = [
        subprocess.Popen(words, env=stage.environ, cwd=stage.home, stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    for other in others:
        _, said = other.communicate(timeout=60)
        if other.returncode != 6 or str(stage.pid).encode() not in said:
            msg = f"a second scheduler was not refused: {other.returncode} {said!r}"
            raise Stuck(msg)


def two_at_once(stage: Stage, chance: Random) -> None:
    """Several are started at the same moment, and one of them wins."""
    stage.kill()
    said_before = stage.log.stat().st_size
    loops = []
    for _ in range(3):
        loops.append(stage.launch())
        time.sleep(chance.uniform(0, 0.05))
    losers = wait_for("one winner", lambda: _settled(loops))
    for loser in losers:
        if loser.returncode != 6:
            msg = f"a second scheduler left with {loser.returncode}"
            raise Stuck(msg)
    (stage.loop,) = [loop for loop in loops if loop not in losers]
    stage.said_since(said_before)
    stage.well()


def _settled(loops: list[subprocess.Popen[bytes]]) -> list[subprocess.Popen[bytes]]:
    gone = [loop for loop in loops if loop.poll() is not None]
    return gone if len(gone) == len(loops) - 1 else []


def hand_over(stage: Stage, chance: Random) -> None:
    """A command that does its own work without a scheduler meets one that starts."""
    stage.kill()
    words = [*PROGRAM, *stage.plant, "--", "trigger", chance.choice(["second", "slow", "child"])]
    command = subprocess.Popen(
        words, env=stage.environ, cwd=stage.home, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    time.sleep(chance.uniform(0, 1.2))
    if chance.random() < 0.3:
        command.kill()
    stage.start()
    command.wait(60)


def wishes(stage: Stage, chance: Random) -> None:
    """People trigger, retry, cancel, catch up and fill up, several at once."""
    for _ in range(chance.randint(1, 4)):
        _wish(stage, chance)


def _wish(stage: Stage, chance: Random) -> None:
    runs = stage.json("ps")["runs"]
    wish = chance.choice(["trigger", "cancel", "catchup", "retry", "backfill"])
    if wish == "cancel" and runs:
        run = chance.choice(runs)["id"]
        stage.cancelled.add(run)
        stage.killed.add(run)
        stage.ask("cancel", run, codes=(0, 1, 3, 4, 7))
    elif wish == "retry":
        failed = stage.json("history", "second", "--status", "failed", "-n", "1")["entries"]
        stage.ask("retry", *[entry["id"] for entry in failed], codes=(0, 1, 2, 4, 7))
    elif wish == "catchup":
        stage.ask("catchup", "--yes", "--limit", "3", codes=(0, 1, 7))
    elif wish == "backfill":
        past = int(time.time()) - 7200 - 60 * chance.randint(0, 100)
        since, until = (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(past + s)) for s in (0, 65))
        words = ("backfill", "minute", "--from", since, "--until", until, "--yes")
        stage.ask(*words, codes=(0, 1, 4, 7))
    else:
        stage.ask("trigger", "second", "--detach", codes=(0, 8))


def edits(stage: Stage, chance: Random) -> None:
    """A schedule is edited by command while it fires; nothing may happen but that."""
    for _ in range(chance.randint(1, 4)):
        stage.ask("set", "edited", "--description", f"edit {chance.random()}")


def pause(stage: Stage, chance: Random) -> None:
    """A schedule is disabled and enabled again, maybe with a restart between."""
    before = time.time()
    stage.due_until("paused", before - 0.001)
    stage.ask("disable", "paused")
    wait_for("disabled", lambda: _enabled(stage) is False)
    stage.maybe("paused", before - 2, time.time())
    time.sleep(chance.uniform(1.5, 3))
    if chance.random() < 0.5:
        kill(stage, chance)
    before = time.time()
    stage.ask("enable", "paused")
    wait_for("enabled", lambda: _enabled(stage) is True)
    stage.maybe("paused", before, time.time())
    stage.due_from("paused", time.time())


def _enabled(stage: Stage) -> bool | None:
    with (
        suppress(sqlite3.Error),
        closing(sqlite3.connect(f"file:{stage.database}?mode=ro", uri=True)) as reader,
    ):
        sql = "SELECT enabled FROM schedules WHERE name = 'paused'"
        return bool(reader.execute(sql).fetchone()[0])
    return None


def broken_manifest(stage: Stage, chance: Random) -> None:
    """The manifest is broken, torn or missing for a while, while it is watched: nothing changes."""
    _broken(stage, chance, lambda: time.sleep(chance.uniform(0.5, 2.5)))


def start_broken(stage: Stage, chance: Random) -> None:
    """A start on a broken manifest plans nothing until it is mended."""
    stage.kill()

    def start() -> None:
        stage.launch()
        time.sleep(chance.uniform(0.5, 2.5))

    _broken(stage, chance, start)
    stage.well()


def _broken(stage: Stage, chance: Random, meanwhile: Callable[[], None]) -> None:
    good = stage.manifest.read_bytes()
    kind = chance.choice(["junk", "torn", "empty", "missing", "directory"])
    aside = stage.home / "aside"
    if kind == "torn":
        # Within a line: what ends between two tables is a manifest, of fewer schedules.
        ends = [found.end() for found in re.finditer(rb"\n\w+ = ", good)]
        with stage.manifest.open("r+b") as file:
            file.truncate(chance.choice(ends))
    else:
        stage.manifest.rename(aside)
        if kind == "junk":
            stage.manifest.write_bytes(b"version = \x00\xff [[")
        elif kind == "empty":
            stage.manifest.write_bytes(b"version = 99\n")
        elif kind == "directory":
            stage.manifest.mkdir()
    meanwhile()
    if kind == "directory":
        stage.manifest.rmdir()
    aside.write_bytes(good)
    aside.replace(stage.manifest)


def reloads(stage: Stage, chance: Random) -> None:
    """SIGHUP, many times."""
    for _ in range(chance.randint(1, 10)):
        os.kill(stage.pid, signal.SIGHUP)
        time.sleep(chance.uniform(0, 0.2))


# -- commands -----------------------------------------------------------------------------------


def job_killed(stage: Stage, chance: Random) -> None:
    """Somebody kills a command, its supervisor, or the whole of it."""
    running = _running(stage)
    if not running:
        return
    run, pid, parent = chance.choice(running)
    stage.killed.add(run)
    target = chance.choice([pid, parent, -parent])
    with suppress(ProcessLookupError, PermissionError):
        os.kill(target, signal.SIGKILL)


def supervisor_stopped(stage: Stage, chance: Random) -> None:
    """A command ends while its supervisor is stopped, so it is after the end, before the record.

    The scheduler dies meanwhile; then the supervisor goes on, or dies too.
    """
    running = _running(stage)
    if not running:
        return
    run, pid, parent = chance.choice(running)
    stage.killed.add(run)
    with suppress(ProcessLookupError):
        os.kill(parent, signal.SIGSTOP)
        os.kill(pid, signal.SIGKILL)
        stage.kill()
        if chance.random() < 0.5:
            stage.start()
        os.kill(parent, chance.choice([signal.SIGCONT, signal.SIGKILL]))
        _met(stage, "after exit before the record")
    if not stage.alive:
        stage.start()


def _running(stage: Stage) -> list[tuple[str, int, int]]:
    """Return run, command and supervisor of attempts that live under a supervisor."""
    supervised = {job.name for job in stage.jobs if job.survive}
    found = []
    for line in stage.evidence.read_text().splitlines()[-200:]:
        match = re.fullmatch(r"B (\S+) (\d+) \S+ (\d+) (\d+) (\S+) .*", line)
        if match is None or match[5] not in supervised:
            continue
        pid, mark = int(match[3]), f"FLYTESCHED_RUN_ID={match[1]}\0".encode()
        with suppress(OSError):
            if mark in Path(f"/proc/{pid}/environ").read_bytes():
                found.append((match[1], pid, int(match[4])))
    return found


# -- the clock ----------------------------------------------------------------------------------


def clock_step(stage: Stage, chance: Random) -> None:
    """The wall clock is set forward and back: for machines that are nobody's but the test's."""
    with stage.troubled():
        seconds = chance.choice([-40, -5, 5, 40])
        begin = time.time()
        for step in (seconds, -seconds):
            before = time.time()
            time.clock_settime(time.CLOCK_REALTIME, before + step)
            for job in stage.jobs:
                stage.maybe(job.name, min(before, before + step), max(before, before + step) + 5)
            time.sleep(chance.uniform(2, 5))
        stage.notes.append(f"clock {seconds:+d} s at {begin:.0f}")


#: What every story does, and how often.
EVERYWHERE: dict[str, tuple[Callable[[Stage, Random], None], int]] = {
    work.__name__.replace("_", " "): (work, weight)
    for work, weight in (
        (kill, 6), (storm_of_kills, 3), (outage, 1), (terminate, 2), (interrupt, 1), (freeze, 2),
        (window, 8), (no_descriptors, 2), (locked, 2), (second_scheduler, 1),
        (two_at_once, 1), (hand_over, 2), (wishes, 3), (edits, 2), (pause, 2),
        (broken_manifest, 2), (start_broken, 1), (reloads, 1), (job_killed, 3),
        (supervisor_stopped, 2),
    )
}  # fmt: skip
#: What needs strace.
TRACED: dict[str, tuple[Callable[[Stage, Random], None], int]] = {
    work.__name__.replace("_", " "): (work, weight)
    for work, weight in (
        (nth_call, 6), (amid_checkpoint, 2), (fork_fails, 1), (sync_fails, 1), (write_fails, 1),
        (open_fails, 1), (slow_disk, 1), (between_fork_and_exec, 2),
    )
}  # fmt: skip
#: What needs a stage or a machine of its own: done only when named.
APART: dict[str, tuple[Callable[[Stage, Random], None], int]] = {
    "full disk": (full_disk, 3), "clock step": (clock_step, 3),
}  # fmt: skip
ALL = EVERYWHERE | TRACED | APART


#: What a soak can do without: schedules that are edited and wished for.
_PEOPLE = frozenset({"edits", "pause", "wishes", "window", "hand over"})


def usual(*, soak: bool = False) -> list[str]:
    """Return the faults that can be had on this machine without a stage of their own."""
    names = [*EVERYWHERE, *(TRACED if shutil.which("strace") else ())]
    return [name for name in names if not (soak and name in _PEOPLE)]
