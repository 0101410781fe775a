"""The error tree. Each class owns its exit code; each error is one sentence, maybe with a hint.

FlyteschedError (1)          the operation failed
├── UsageError (2)           a wrong option or argument
├── NotFound (3)             no such schedule or run
├── Conflict (4)             it collides with what already is
├── Invalid (5)              a bad manifest or expression
│   ├── InvalidTimetable     one expression
│   ├── InvalidSchedule      one definition; also a ValueError
│   ├── InvalidChannel       one way to be told
│   └── InvalidManifest      a file, with every fault in it
├── SchedulerRunning (6)     another scheduler holds the lock
├── Unhealthy (7)            unhealthy, interrupted or refused in part
├── NoScheduler (8)          a scheduler is needed and none runs
├── RunLogError (1)          the run log cannot be used at all
│   └── RunLogBusy (1)       it cannot be used right now; trying again may work
├── StateDirBusy (1)         the state directory cannot be used right now
└── StartError (1)           a command can never start as it is defined
    └── StartDelayed (1)     it cannot start right now (no memory, no descriptors)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


#: Characters of a sentence: what somebody wrote may stand in it, and be of any length.
_SENTENCE = 1000
#: Faults of a manifest that are told in one message; ``lines`` has them all.
_FAULTS_SAID = 50


def shortened(said: str) -> str:
    """Return a sentence without the middle of one that nobody would read to its end."""
    if len(said) <= _SENTENCE:
        return said
    kept = _SENTENCE // 2
    return f"{said[:kept]} [...] {said[-kept:]}"


#: Characters of a name, and of what is wrong, that are said of a fault.
_MOST = 400


class FlyteschedError(Exception):
    """Base of every error that the program raises on purpose."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        """Keep the sentence, and a hint that says what to do about it."""
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(FlyteschedError):
    """A wrong option or argument."""

    exit_code = 2


class NotFound(FlyteschedError):  # noqa: N818  it is the field's word, as in HTTP
    """No schedule or run has that name."""

    exit_code = 3


class Conflict(FlyteschedError):  # noqa: N818  see NotFound
    """The wish collides with what already is."""

    exit_code = 4


class Invalid(FlyteschedError, ValueError):  # noqa: N818  see NotFound
    """A manifest, a definition or an expression that cannot be used."""

    exit_code = 5


class InvalidTimetable(Invalid):
    """An expression that names no usable timetable."""

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        field: str | None = None,
        position: int | None = None,
    ) -> None:
        """Keep which field of the expression is wrong, and its 1-based column."""
        super().__init__(message, hint=hint)
        self.field = field
        self.position = position


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing wrong with a definition."""

    #: Dotted key inside the schedule, such as ``retry.delay``; empty for the whole.
    key: str
    #: What is wrong, without the key.
    what: str
    #: What to write instead, if that can be said.
    instead: str | None = None
    #: Path of table names in front of the key, such as ``("schedules", "backup")``.
    table: tuple[str, ...] = ()
    #: 1-based line in the manifest, where known.
    line: int | None = None

    def __str__(self) -> str:
        """Say it as ``key: what, and what instead``."""
        table = self.table[1:] if self.table[:1] == ("schedules",) else self.table
        where = _short(".".join((*table, self.key) if self.key else table))
        said = "; ".join(_short(text) for text in (self.what, self.instead) if text)
        return f"{where}: {said}" if where else said


def _short(text: str) -> str:
    """Leave out the middle of a text that quotes a value of a file's length."""
    return text if len(text) <= _MOST else f"{text[: _MOST // 2]} ... {text[-_MOST // 4 :]}"


class InvalidSchedule(Invalid):
    """A definition that breaks a rule; carries every fault, not only the first."""

    def __init__(self, faults: Iterable[Fault], *, name: str | None = None) -> None:
        """Make one sentence of all faults."""
        self.faults = tuple(faults)
        self.name = name
        said = "; ".join(str(fault) for fault in self.faults)
        super().__init__(f"schedule {name!r}: {said}" if name else said)


class InvalidChannel(Invalid):
    """A table ``[channels.NAME]`` that breaks a rule; carries every fault, not only the first."""

    def __init__(self, faults: Iterable[Fault], *, name: str) -> None:
        """Make one sentence of all faults."""
        self.faults = tuple(faults)
        self.name = name
        super().__init__(f"channel {name!r}: " + "; ".join(str(fault) for fault in self.faults))


class InvalidManifest(Invalid):
    """A manifest with faults; each is said with file and line."""

    def __init__(self, path: str, faults: Iterable[Fault]) -> None:
        """Keep the file's name and every fault."""
        self.path = path
        self.faults = tuple(faults)
        lines = self.lines()
        if more := len(lines) - _FAULTS_SAID:
            lines[_FAULTS_SAID:] = [f"{path}: and {more:,} more faults"] if more > 0 else []
        super().__init__("\n".join(lines))

    def lines(self) -> list[str]:
        """Return one ``file:line: key: what`` per fault."""
        return [
            shortened(
                f"{self.path}:{fault.line}: {fault}" if fault.line else f"{self.path}: {fault}"
            )
            for fault in self.faults
        ]


class SchedulerRunning(FlyteschedError):  # noqa: N818  see NotFound
    """Another scheduler holds the lock."""

    exit_code = 6


class Unhealthy(FlyteschedError):  # noqa: N818  see NotFound
    """Unhealthy, interrupted, or refused in part."""

    exit_code = 7


class NoScheduler(FlyteschedError):  # noqa: N818  see NotFound
    """A scheduler is needed and none runs."""

    exit_code = 8


class RunLogError(FlyteschedError):
    """The run log cannot be used: foreign, newer than the program, corrupt or unreadable."""


class RunLogBusy(RunLogError):  # noqa: N818  a state that passes
    """The run log cannot be used right now: locked by another, full disk, no descriptors."""


class StateDirBusy(FlyteschedError):  # noqa: N818  a state that passes
    """The state directory cannot be used right now: full, read-only, no descriptors."""


class StartError(FlyteschedError):
    """A command can never start as it is defined: no such directory, file or module."""


class StartDelayed(StartError):  # noqa: N818  a state that passes
    """A command cannot start right now (no memory, no process, no descriptor); try again."""
