"""What must hold of the small files that the program reads back: env_file, records, the lock's."""

from __future__ import annotations

import fcntl
import os
import re
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING

from places import desk

from flytesched import linux
from flytesched.core.runs import AttemptKey
from flytesched.core.schedule import Schedule
from flytesched.errors import StartError
from flytesched.executors.environment import base_environment
from flytesched.executors.record import Record, Records, Taken
from flytesched.lock import Holder, SchedulerLock

if TYPE_CHECKING:
    from pathlib import Path

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
#: The largest process id there can be (proc(5)).
_MAX_PID = 2**22
_ATTEMPT = re.compile(rb"A ([^\n]*)\.([1-9][0-9]{0,3})")
#: What divides the input into one record after the other.
NEXT = b"---\n"


def env_files(data: bytes) -> None:
    """Variables that a program can be started with; or one sentence that tells no value."""
    path = desk() / "env"
    path.write_bytes(data)
    try:
        found = _variables(path)
    except StartError as error:
        _tells_no_value(error, path)
        return
    for name, value in found.items():
        assert _VARIABLE.fullmatch(name)
        assert "\0" not in value
        assert "\n" not in value
        assert os.fsencode(value) in data.replace(b"\\", b"") or b"\\" in data
    again = "".join(f"export {name}='{value}'\n" for name, value in found.items())
    path.write_bytes(os.fsencode(again))
    assert _variables(path) == found


def _tells_no_value(error: StartError, path: Path) -> None:
    line = f"env_file {str(path)!r}, line "
    assert str(error).startswith(line)
    assert re.fullmatch(r"[0-9]+: not KEY=VALUE", str(error).removeprefix(line))


def _variables(path: Path) -> dict[str, str]:
    """Return what a file says, beside a HOME that every command has."""
    schedule = Schedule("a", every="1m", command="true", env_file=str(path))
    found = base_environment(schedule, {"HOME": "/nowhere"})
    return {name: value for name, value in found.items() if (name, value) != ("HOME", "/nowhere")}


def records(data: bytes) -> None:
    """Whatever stands in the records: what an attempt is said to be is possible, and it has one.

    The input is the content of one record after the other, divided by ``---``.
    """
    folder = desk() / "active"
    folder.mkdir()
    pieces = data.split(NEXT)[:4]
    for number, piece in enumerate(pieces):
        (folder / str(number)).write_bytes(piece)
    keys = [AttemptKey("sched-a-60", 1), *_named(pieces)]
    seen = {key: Records(str(folder)).look(key) for key in keys}
    for key, record in seen.items():
        if record is not None:
            _possible(record)
            assert not record.held
        _claimed_once(folder, key, record)
    ours = Records(str(folder))
    ours.sweep([])
    assert [ours.look(key) for key in keys] == [None] * len(keys)


def _named(pieces: list[bytes]) -> list[AttemptKey]:
    """Return the attempts that the records name, if they can be named."""
    found = []
    for piece in pieces:
        for match in _ATTEMPT.finditer(piece[:512]):
            with suppress(UnicodeDecodeError):
                found.append(AttemptKey(match[1].decode(), int(match[2])))
    return list(dict.fromkeys(found))[:4]


def _possible(record: Record) -> None:
    assert record.pid is None or 1 <= record.pid <= _MAX_PID
    assert record.code is None or 0 <= record.code <= 255


def _claimed_once(folder: Path, key: AttemptKey, record: Record | None) -> None:
    """An attempt whose record says a word of a start is never given another one."""
    try:
        fd = Records(str(folder)).claim(key)
    except Taken:
        assert record is not None
        assert not record.unused
        return
    assert record is None or record.unused
    try:
        again = Records(str(folder)).look(key)
        assert again is not None
        assert (again.held, again.pid, again.code) == (True, None, None)
        assert not _claims(folder, key)
    finally:
        os.close(fd)


def _claims(folder: Path, key: AttemptKey) -> bool:
    try:
        os.close(Records(str(folder)).claim(key))
    except Taken:
        return False
    return True


@cache
def _truth() -> dict[bytes, bytes]:
    pid = os.getpid()
    return {
        b"BOOT": linux.boot_id().encode(), b"PID": str(pid).encode(),
        b"START": str(linux.process_start(pid)).encode(),
    }  # fmt: skip


def lock_notes(data: bytes) -> None:
    """Whoever is said to hold or to want the lock: an answer, and never a process that is not it.

    ``BOOT``, ``PID`` and ``START`` stand for what is true of this very process.
    """
    folder = desk()
    for word, said in _truth().items():
        data = data.replace(word, said)
    for name in ("scheduler.json", "scheduler.want"):
        (folder / name).write_bytes(data)
    (folder / "scheduler.lock").touch()
    lock = SchedulerLock(folder)
    assert lock.holder() is None
    with (folder / "scheduler.lock").open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        holder = lock.holder()
        assert holder is not None
        if holder.pid:
            assert holder.started is not None
            assert holder.started == linux.process_start(holder.pid)
            assert holder.boot_id == linux.boot_id()
        else:
            assert holder == Holder(pid=0, started=None, boot_id="", kind="unknown")
        assert lock.wanted() == (holder.pid != 0)
