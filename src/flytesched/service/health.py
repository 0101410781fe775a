"""Health: whether slots are being decided, and what is wrong if not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flytesched.core.instants import rfc3339
from flytesched.errors import NoScheduler, Unhealthy
from flytesched.service.overview import CLOCK_BEHIND, overview

if TYPE_CHECKING:
    from flytesched.bootstrap import Site
    from flytesched.service.overview import Overview


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that a doctor would mention."""

    #: A word for programs: ``overdue``, ``manifest``, ``clock``, ``failing``, ``channel``...
    check: str
    #: A sentence for people.
    what: str
    #: Whether it makes the whole unhealthy.
    counts: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The verdict on a site."""

    #: Whether a scheduler runs.
    running: bool
    #: What was found.
    findings: tuple[Finding, ...]

    @property
    def status(self) -> str:
        """``healthy``, ``unhealthy``, or ``stopped`` where no scheduler runs."""
        if not self.running:
            return "stopped"
        return "unhealthy" if any(finding.counts for finding in self.findings) else "healthy"

    @property
    def exit_code(self) -> int:
        """0 healthy, 7 unhealthy, 8 no scheduler."""
        codes = {"healthy": 0, "unhealthy": Unhealthy.exit_code, "stopped": NoScheduler.exit_code}
        return codes[self.status]


def health(site: Site, *, strict: bool = False) -> Health:
    """Examine a site.

    Args:
        site: what to examine.
        strict: whether failing schedules and channels, and missed slots, count too.
    """
    seen = overview(site, write=True)
    return Health(
        running=seen.scheduler is not None,
        findings=(*_serious(seen), *_shown(seen, strict=strict)),
    )


def _serious(seen: Overview) -> list[Finding]:
    """Return what keeps slots from being decided."""
    found = []
    if seen.manifest_error:
        said = seen.manifest_error.partition("\n")[0]
        found.append(("manifest", f"the manifest is broken: {said}"))
    if why := seen.run_log_error or seen.write_error:
        found.append(("run_log", f"the run log is not usable: {why}"))
    if seen.lock_error:
        found.append(("lock", f"the lock cannot be looked at: {seen.lock_error}"))
    if seen.clock_behind > CLOCK_BEHIND:
        hours = int(seen.clock_behind // 3600)
        found.append(("clock", f"the clock is {hours} h behind the newest slot decided"))
    found += [
        ("overdue", f"{name}: the slot {rfc3339(slot)} is overdue")
        for name, slot in seen.overdue.items()
    ]
    return [Finding(check=check, what=what, counts=True) for check, what in found]


def _shown(seen: Overview, *, strict: bool) -> list[Finding]:
    """Return what commands and channels did badly, which is not the scheduler's fault."""
    found = [
        ("failing", f"{name}: the last run {run.id} {run.verdict()}")
        for name, run in seen.failing.items()
    ]
    found += [
        ("missed", f"{name}: {count:,} missed {'slot is' if count == 1 else 'slots are'} open")
        for name, count in seen.missed.items()
        if name in seen.schedules
    ]
    found += [
        ("channel", f"channel {name}: it fails since {rfc3339(since)}: {why}")
        for name, (since, why) in seen.failing_channels.items()
    ]
    return [Finding(check=check, what=what, counts=strict) for check, what in found]
