"""What a command sees: its environment and its directory."""

from __future__ import annotations

import functools
import os
import re
import stat
from typing import TYPE_CHECKING

from flytesched.core.instants import rfc3339, rfc3339_local, to_utc
from flytesched.errors import StartError
from flytesched.executors.delays import start_error

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flytesched.core.protocols import Order
    from flytesched.core.schedule import Schedule

#: What a service manager tells the scheduler, and the scheduler alone.
_SERVICE = frozenset({"NOTIFY_SOCKET", "INVOCATION_ID"})
_SERVICE_PREFIXES = ("WATCHDOG_", "LISTEN_")
#: What a run is told; a scheduler that was itself started by a run passes none of it on.
_RUN = frozenset(
    f"FLYTESCHED_{word}"
    for word in (
        "RUN_ID", "SCHEDULE", "SCHEDULED_AT", "SCHEDULED_AT_LOCAL", "SCHEDULED_AT_EPOCH",
        "KICKOFF_AT", "ATTEMPT", "ORIGIN",
    )
)  # fmt: skip
#: Files of variables are small; a device or a log given by mistake is not.
_ENV_FILE_LIMIT = 2**20
_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)", re.DOTALL)
_ESCAPED = re.compile(r'\\(["\\$`])')


def inherited(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what of the scheduler's environment its commands may see.

    A system service has no HOME (systemd.exec(5)), and much that people run does without it badly.
    """
    found = {
        name: value
        for name, value in environ.items()
        if name not in _SERVICE and name not in _RUN and not name.startswith(_SERVICE_PREFIXES)
    }
    found.setdefault("HOME", _home(environ))
    return found


def base_environment(schedule: Schedule, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of everything a schedule starts, hooks too.

    That is the scheduler's without what its service manager told it, then ``env_file``, then
    ``env``.

    Raises:
        StartError: ``env_file`` is missing or is not understood.
        StartDelayed: it cannot be read now.
    """
    return _beyond(inherited(environ), schedule)


def _beyond(environ: Mapping[str, str], schedule: Schedule) -> dict[str, str]:
    """Return what is inherited, and what the schedule says itself."""
    found = dict(environ)
    if schedule.env_file is not None:
        cwd = working_directory(schedule, environ)
        found.update(_read_env_file(_below(cwd, schedule.env_file, _home(environ))))
    found.update(schedule.env)
    return found


def command_environment(
    order: Order, environ: Mapping[str, str], *, state_dir: str, manifest: str
) -> dict[str, str]:
    """Return the environment of an attempt: the base, then what it is told of its run.

    A run without a slot is told the moment it was asked for.

    Args:
        environ: what ``inherited`` returns, the same for all attempts.

    Raises:
        StartError: ``env_file`` is missing or is not understood.
        StartDelayed: it cannot be read now.
    """
    run, schedule = order.run, order.schedule
    found = _beyond(environ, schedule)
    slot = int(run.created) if run.scheduled_at is None else run.scheduled_at
    utc, local = _texts(slot, schedule.timing.timezone)
    found["FLYTESCHED_RUN_ID"] = run.id
    found["FLYTESCHED_SCHEDULE"] = schedule.name
    found["FLYTESCHED_SCHEDULED_AT"] = utc
    found["FLYTESCHED_SCHEDULED_AT_LOCAL"] = local
    found["FLYTESCHED_SCHEDULED_AT_EPOCH"] = str(slot)
    found["FLYTESCHED_KICKOFF_AT"] = kickoff_text(order)
    found["FLYTESCHED_ATTEMPT"] = str(order.attempt.attempt)
    found["FLYTESCHED_ORIGIN"] = run.origin.value
    found["FLYTESCHED_STATE_DIR"] = state_dir
    found["FLYTESCHED_MANIFEST"] = manifest
    return found


def kickoff_text(order: Order) -> str:
    """Return the kickoff time of an attempt, RFC 3339 in UTC."""
    if order.kickoff_at is not None:
        return rfc3339(order.kickoff_at)
    slot = order.run.scheduled_at
    return rfc3339(order.run.created if slot is None else slot)


def working_directory(schedule: Schedule, environ: Mapping[str, str]) -> str:
    """Return the absolute directory a schedule's commands run in; a relative one is below home."""
    home = _home(environ)
    return home if schedule.cwd is None else _below(home, schedule.cwd, home)


def _below(folder: str, path: str, home: str) -> str:
    """Return ``path`` as an absolute one: below ``folder``, or for ``~`` below ``home``."""
    if path == "~" or path.startswith("~/"):
        return home + path[1:]
    return path if path.startswith("/") else f"{folder}/{path}"


def _home(environ: Mapping[str, str]) -> str:
    home = environ.get("HOME", "")
    return home if home.startswith("/") else _home_of_user()


@functools.cache
def _home_of_user() -> str:
    """Return the home of the password database; services often have no HOME."""
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return "/"


@functools.lru_cache(maxsize=64)
def _texts(slot: int, zone: str | None) -> tuple[str, str]:
    """Return a slot in UTC and on its schedule's clock; cached, since slots come in bursts.

    A timetable without a wall clock is shown on the machine's.
    """
    if zone is None:
        return rfc3339(slot), to_utc(slot).astimezone().isoformat()
    return rfc3339(slot), rfc3339_local(slot, zone)


def _read_env_file(path: str) -> dict[str, str]:
    """Read ``KEY=VALUE`` lines.

    Blank lines and lines that begin with ``#`` or ``;`` are left out, and ``export`` in front of
    a name is allowed. A value in single quotes is taken as it is; in double quotes ``\\`` keeps
    the next of ``"\\$``` from ending or meaning anything. Nothing is expanded. Values never stand
    in errors.
    """
    try:
        text = _content(path)
    except OSError as error:
        what = f"cannot read env_file {path!r}"
        raise start_error(what, error) from error
    return dict(_variables(path, text))


def _content(path: str) -> str:
    # Without O_NONBLOCK the open of a FIFO would wait for a writer.
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(fd, "rb") as file:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            msg = f"env_file {path!r} is not a file"
            raise StartError(msg)
        data = file.read(_ENV_FILE_LIMIT + 1)
    if len(data) > _ENV_FILE_LIMIT:
        msg = f"env_file {path!r} is over 1 MiB"
        raise StartError(msg)
    return os.fsdecode(data)


def _variables(path: str, text: str) -> Iterator[tuple[str, str]]:
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        if not line or line[0] in "#;":
            continue
        match = _LINE.fullmatch(line)
        if match is None or "\0" in line:
            msg = f"env_file {path!r}, line {number}: not KEY=VALUE"
            raise StartError(msg)
        yield match[1], _unquoted(match[2])


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"":
        inner = value[1:-1]
        return inner if value[0] == "'" else _ESCAPED.sub(r"\1", inner)
    return value
