"""Doctor: examinations of a site, each of which says what it found and what to do about it.

An examination is a function in a list; one that cannot be carried out is a finding too.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from flytesched.errors import FlyteschedError, Unhealthy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from flytesched.bootstrap import Site


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """One thing that a doctor looks at."""

    #: The word that its findings go by.
    about: str
    #: Looks at it, and changes nothing.
    look: Callable[[Site], Iterable[Finding]]


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
    findings = (finding for each in examinations for finding in _carry_out(each, site))
    return Diagnosis(findings=tuple(findings))


def _carry_out(examination: Examination, site: Site) -> Iterator[Finding]:
    try:
        yield from examination.look(site)
    except (FlyteschedError, OSError) as error:
        said = str(error) if isinstance(error, FlyteschedError) else error.strerror or str(error)
        yield Finding(
            about=examination.about, level=Level.PROBLEM, what=f"cannot be examined: {said}",
            do=getattr(error, "hint", None),
        )  # fmt: skip
