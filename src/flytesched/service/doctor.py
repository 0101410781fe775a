"""Doctor: examinations of a site, each of which says what it found and what to do about it.

An examination is a function in a list; one that cannot be carried out is a finding too.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from flytesched import linux
from flytesched.errors import FlyteschedError, Unhealthy
from flytesched.service.overview import overview

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from flytesched.bootstrap import Site
    from flytesched.core.schedule import Schedule
    from flytesched.service.overview import Overview


class Level(StrEnum):
    """How bad a finding is."""

    #: As it should be.
    OK = "ok"
    #: It works, and may not go on working.
    WARNING = "warning"
    #: It does not work, or not as promised.
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one examination found."""

    #: A word for programs: ``run_log``, ``wal``, ``disk``, ``modes``...
    about: str
    #: How bad it is.
    level: Level
    #: A sentence for people.
    what: str
    #: What to do about it; None where nothing is to be done.
    do: str | None = None


class Patient:
    """A site, and what several examinations ask of it, each looked up once."""

    def __init__(self, site: Site) -> None:
        """Begin with nothing looked up."""
        self.site = site

    @cached_property
    def seen(self) -> Overview:
        """The whole at one look, whatever is broken."""
        return overview(self.site)

    @cached_property
    def due(self) -> list[Schedule]:
        """The schedules of a manifest in force whose slots fall due now."""
        if self.seen.manifest_error is not None:
            return []
        return [each for each in self.seen.schedules.values() if each.due_at(self.seen.now)]

    @cached_property
    def environ(self) -> Mapping[str, str]:
        """The environment of the scheduler that runs, where it can be read, else our own."""
        return self.site.environ if self._scheduler is None else self._scheduler

    @property
    def knows_scheduler(self) -> bool:
        """Whether that environment is the scheduler's."""
        return self._scheduler is not None

    @cached_property
    def _scheduler(self) -> Mapping[str, str] | None:
        holder = self.seen.scheduler
        return None if holder is None else linux.process_environment(holder.pid)


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """One thing that a doctor looks at."""

    #: The word that its findings go by.
    about: str
    #: Looks at it, and changes nothing.
    look: Callable[[Patient], Iterable[Finding]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """All findings."""

    #: In the order of the examinations.
    findings: tuple[Finding, ...]

    @property
    def exit_code(self) -> int:
        """0 without a problem, else 7."""
        sick = any(finding.level is Level.PROBLEM for finding in self.findings)
        return Unhealthy.exit_code if sick else 0


def doctor(site: Site, examinations: Iterable[Examination]) -> Diagnosis:
    """Carry out examinations of a site, and change nothing."""
    patient = Patient(site)
    findings = (finding for each in examinations for finding in _carry_out(each, patient))
    return Diagnosis(findings=tuple(findings))


def found(about: str, level: Level, what: str, do: str | None = None) -> Finding:
    """Return a finding."""
    return Finding(about=about, level=level, what=what, do=do)


def such(names: Sequence[str], things: str = "schedules") -> str:
    """Return the only name, or how many there are and the first one."""
    return names[0] if len(names) == 1 else f"{len(names):,} {things}, such as {names[0]}"


def _carry_out(examination: Examination, patient: Patient) -> Iterator[Finding]:
    try:
        yield from examination.look(patient)
    except (FlyteschedError, OSError) as error:
        said = str(error) if isinstance(error, FlyteschedError) else error.strerror or str(error)
        yield Finding(
            about=examination.about, level=Level.PROBLEM, what=f"cannot be examined: {said}",
            do=getattr(error, "hint", None),
        )  # fmt: skip
