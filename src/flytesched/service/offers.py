"""Offers: words that may stand next on a command line, for a shell that completes it.

Asked at each press of a key, so each kind looks at as little as it can. What is broken offers less,
and never complains: nobody asked a question yet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flytesched.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from flytesched.bootstrap import Site

#: A word, and what it is; empty where there is nothing to say.
Offer = tuple[str, str]

#: Runs that are offered, the newest ones.
_RECENT = 50
#: Common forms of expressions, by the option that takes them.
FORMS: dict[str, tuple[Offer, ...]] = {
    "cron": (
        ("0 2 * * *", "every day at 02:00"),
        ("*/15 * * * *", "every quarter of an hour"),
        ("0 9 * * mon-fri", "weekdays at 09:00"),
        ("30 3 * * sun", "Sundays at 03:30"),
        ("0 0 1 * *", "the first of each month"),
        ("0 0 L * *", "the last day of each month"),
        ("@hourly", "every full hour"),
        ("@daily", "every midnight"),
        ("@weekly", "Sundays at midnight"),
        ("@monthly", "the first of each month, at midnight"),
    ),
    "aws_cron": (
        ("0 2 * * ? *", "every day at 02:00"),
        ("0/15 * * * ? *", "every quarter of an hour"),
        ("0 9 ? * MON-FRI *", "weekdays at 09:00"),
        ("0 0 L * ? *", "the last day of each month"),
        ("rate(5 minutes)", "every five minutes"),
    ),
    "every": (
        ("30s", "twice a minute"), ("5m", "every five minutes"), ("15m", "four times an hour"),
        ("1h", "once an hour"), ("12h", "twice a day"), ("1d", "once in 24 hours"),
    ),
    "daily": (
        ("02:00", "at night"), ("09:00", "in the morning"), ("18:00", "in the evening"),
        ("09:00,17:00", "twice a day"),
    ),
    "hourly": (("0", "at the full hour"), ("30", "at half past"), ("0,30", "twice an hour")),
}  # fmt: skip


def offers(site: Site, kind: str, words: Sequence[str]) -> Iterable[Offer]:
    """Return what may stand next; nothing for a kind that nobody knows.

    Args:
        site: whose schedules and runs.
        kind: what is wanted, such as ``names`` or ``labels``.
        words: the command line so far.
    """
    if kind in FORMS:
        return FORMS[kind]
    look = _KINDS.get(kind)
    return () if look is None else look(site, words)


def _names(site: Site, _: Sequence[str]) -> Iterator[Offer]:
    """Yield schedules, as far as a broken manifest lets them be known."""
    try:
        schedules = site.manifest().schedules
    except Invalid:
        from flytesched.service.selection import known

        yield from ((name, "") for name in known(site))
        return
    from flytesched.core.timetables.parse import describe_kind

    for name, each in schedules.items():
        yield name, each.description or describe_kind(each.timing)


def _labels(site: Site, _: Sequence[str]) -> Iterator[Offer]:
    having: dict[str, list[str]] = {}
    for name, each in site.manifest().schedules.items():
        for key, value in each.labels.items():
            having.setdefault(f"{key}={value}", []).append(name)
    for label, names in having.items():
        more = f" and {len(names) - 1:,} more" if len(names) > 1 else ""
        yield label, f"{names[0]}{more}"


def _active(site: Site, _: Sequence[str]) -> Iterator[Offer]:
    """Yield runs that have no verdict."""
    if (reader := site.reader()) is not None:
        with reader:
            yield from ((run.id, run.status.value) for run in reader.active())


def _recent(site: Site, _: Sequence[str]) -> Iterator[Offer]:
    """Yield runs that have a verdict, the newest first."""
    from flytesched.core.runs import VERDICTS

    if (reader := site.reader()) is not None:
        with reader:
            entries = reader.history(statuses=[*VERDICTS], limit=_RECENT)
        # A declined slot reads as skipped, and has no run.
        yield from ((each.id, each.said()) for each in entries if each.seq)


def _runs(site: Site, words: Sequence[str]) -> Iterator[Offer]:
    yield from _active(site, words)
    yield from _recent(site, words)


def _named(site: Site, words: Sequence[str]) -> Iterator[Offer]:
    """Yield what a name or a run can be."""
    yield from _names(site, words)
    yield from _runs(site, words)


def _zones(_: Site, __: Sequence[str]) -> Iterator[Offer]:
    from zoneinfo import available_timezones

    yield from ((zone, "") for zone in sorted(available_timezones()))


def _statuses(_: Site, __: Sequence[str]) -> Iterator[Offer]:
    from flytesched.core.runs import RunStatus

    yield from ((status.value, "") for status in RunStatus)
    yield "missed", "slots that have no run"


def _settings(site: Site, _: Sequence[str]) -> Iterator[Offer]:
    from flytesched.service.configuration import configuration

    yield from ((each.name, each.help) for each in configuration(site).values)


def _revisions(site: Site, words: Sequence[str]) -> Iterator[Offer]:
    """Yield the revisions of the schedule that stands on the command line, the newest first."""
    from flytesched.core.instants import rfc3339

    if (reader := site.reader()) is None:
        return
    with reader:
        known = reader.states()
        name = next((word for word in words if word in known), "")
        found = reader.revisions(name)
    for each in reversed(found):
        yield str(each.number), f"of {rfc3339(each.seen_at)}"


def _calendars(site: Site, _: Sequence[str]) -> Iterator[Offer]:
    """Yield calendars, and what their days off come from."""
    from flytesched.core.spelling import spelled_calendar

    for name, each in site.manifest().calendars.items():
        place = "/".join(part for part in (each.country, each.subdivision) if part)
        dates = spelled_calendar(each).get("dates", ())
        days = ", ".join((*([place] if place else ()), *each.weekdays, *dates))
        yield name, each.description or days


def _channels(site: Site, _: Sequence[str]) -> Iterator[Offer]:
    """Yield channels, and how they reach people."""
    yield from ((name, each.kind.value) for name, each in site.manifest().channels.items())


def _expressions(site: Site, words: Sequence[str]) -> Iterator[Offer]:
    """Yield forms of expressions, and the schedules whose own may be meant."""
    yield from FORMS["cron"]
    yield from FORMS["every"]
    yield from _names(site, words)


_KINDS: dict[str, Callable[[Site, Sequence[str]], Iterable[Offer]]] = {
    "names": _names,
    "labels": _labels,
    "active": _active,
    "recent": _recent,
    "named": _named,
    "zones": _zones,
    "statuses": _statuses,
    "settings": _settings,
    "revisions": _revisions,
    "calendars": _calendars,
    "channels": _channels,
    "expressions": _expressions,
}
#: Every kind there is.
KINDS = (*FORMS, *_KINDS)
