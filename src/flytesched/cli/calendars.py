"""flytesched calendars: which days are off, and what says so."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, Any

import typer

from flytesched.cli import render
from flytesched.cli.call import Call
from flytesched.cli.verb import verb
from flytesched.core.calendars import Calendar
from flytesched.core.instants import rfc3339_local
from flytesched.errors import UsageError
from flytesched.service.calendars import (
    YEAR,
    Day,
    Described,
    Stretch,
    dates_of,
    days_of,
    described,
    folded,
)
from flytesched.service.selection import named

_HEADS = ("CALENDAR", "MADE OF", "SCHEDULES", "A YEAR", "NEXT", "HOLIDAY")
_FIT: render.Fit = {"elastic": ("MADE OF", "SCHEDULES", "HOLIDAY"), "if_need_be": ("SCHEDULES",)}
_DAY_HEADS = ("DAY", "CALENDAR", "HOLIDAY", "FROM")
_NONE = "there is no calendar; add a table [calendars.NAME] with: flytesched edit"
#: Schedules and dates that are named where others are counted.
_NAMED = 2


@verb(reads=True)
def command(
    call: Call,
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="CALENDAR", help="Calendars, or patterns such as 'de-*'."),
    ] = None,
    *,
    start: Annotated[
        str | None,
        typer.Option("--from", metavar="TIME", help="Days from this one on; today if not given."),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="TIME", help="Days before this one; a year if not given."),
    ] = None,
) -> None:
    """Show calendars; with names, their days off.

    Which days of the coming year are off, what they are called, and what says so: public holidays,
    dates, or weekdays.
    """
    manifest, today = call.site.manifest(), _date(call, call.now)
    known = manifest.calendars
    if not (names or start or until):
        _list(call, described(known.values(), manifest.schedules.values(), today))
        return
    chosen = [known[name] for name in named(known, names or [*known], thing="calendar")]
    _show(call, chosen, *_stretch(call, start, until, today))


def _show(call: Call, chosen: Sequence[Calendar], since: date, before: date) -> None:
    """Show the days off of calendars in ``[since, before)``."""
    days = days_of(chosen, since, before)
    if call.json:
        shape = {"from": str(since), "until": str(before), "days": [*map(_day, days)]}
        call.answer("days-off", shape)
    elif days:
        places = {each.name: _place(each) for each in chosen}
        rows = [_row(each, places) for each in folded(days)]
        call.table(_DAY_HEADS, rows, elastic=("HOLIDAY", "CALENDAR"))
    elif not chosen:
        call.talk(_NONE)
    else:
        said = ", ".join(each.name for each in chosen)
        call.talk(f"{said}: no day is off from {since} on, and before {before}")


def _date(call: Call, epoch: float) -> date:
    return datetime.fromisoformat(rfc3339_local(epoch, call.zone)).date()


def _stretch(call: Call, start: str | None, until: str | None, today: date) -> tuple[date, date]:
    """Return the first day that is shown, and the first one after them."""
    begin = call.moment("--from", start, ahead=True)
    end = call.moment("--until", until, ahead=True)
    since = today if begin is None else _date(call, begin)
    if end is None:
        return since, _later(since, YEAR)
    # A day that has begun by then is one of them.
    before = _later(_date(call, end - 1), 1)
    if before <= since:
        msg = "--until is not after --from"
        raise UsageError(msg, hint="--from is included, --until is not")
    return since, before


def _later(day: date, days: int) -> date:
    """Return a day so many days later; none lies behind the year 9999."""
    return min(day, date.max - timedelta(days=days)) + timedelta(days=days)


# -- calendars ------------------------------------------------------------------------------------


def _list(call: Call, found: Sequence[Described]) -> None:
    if call.json:
        call.answer("calendars", {"calendars": [*map(_shape, found)]})
    elif found:
        rows = [_described(each) for each in found]
        call.table(_HEADS, rows, right=("A YEAR",), **_FIT)
        if call.looked_at:
            call.talk("see the days off of one with: flytesched calendars CALENDAR")
    else:
        call.talk(_NONE)


def _described(each: Described) -> tuple[object, ...]:
    return (
        each.calendar.name,
        _made_of(each.calendar),
        _few(each.schedules),
        each.ahead,
        None if each.next is None else f"{each.next.date:%a %Y-%m-%d}",
        None if each.next is None else each.next.holiday,
    )


def _made_of(calendar: Calendar) -> str:
    """Say in short what makes days off."""
    said = []
    if calendar.country:
        kinds = f" ({', '.join(calendar.categories)})" if calendar.categories else ""
        said.append(f"holidays of {_place(calendar)}{kinds}")
    if calendar.weekdays:
        said.append(", ".join(calendar.weekdays))
    if dates := [*dates_of(calendar)]:
        said.append(_few(dates, "dates"))
    if calendar.except_:
        said.append(f"except {_few([*map(str, calendar.except_)], 'dates')}")
    return "; ".join(said)


def _place(calendar: Calendar) -> str:
    return "/".join(part for part in (calendar.country, calendar.subdivision) if part)


def _few(words: Sequence[str], things: str = "schedules") -> str:
    """Return some words, or how many there are."""
    return ", ".join(words) if len(words) <= _NAMED else f"{len(words):,} {things}"


def _shape(each: Described) -> dict[str, Any]:
    calendar = each.calendar
    return {
        "name": calendar.name,
        "description": calendar.description,
        "country": calendar.country,
        "subdivision": calendar.subdivision,
        "categories": [*calendar.categories],
        "language": calendar.language,
        "dates": [{"day": day, "holiday": name} for day, name in dates_of(calendar).items()],
        "weekdays": [*calendar.weekdays],
        "except": [*calendar.except_],
        "schedules": [*each.schedules],
        "days_off_ahead": each.ahead,
        "next": None if each.next is None else _day(each.next),
    }


# -- days -----------------------------------------------------------------------------------------


def _row(each: Stretch, places: Mapping[str, str]) -> tuple[object, ...]:
    first, *more = each.days
    said = first.holiday
    if more:
        said = f"{len(each.days):,} days until {more[-1].date:%a %Y-%m-%d}"
    elif first.worked:
        said = "worked" if said is None else f"worked: {said}"
    sources = ["except"] if first.worked else [*first.sources]
    place = places[first.calendar]
    by = ", ".join(place if source == "country" else source for source in sources)
    return f"{first.date:%a %Y-%m-%d}", first.calendar, said, by


def _day(day: Day) -> dict[str, Any]:
    return {
        "date": str(day.date),
        "weekday": f"{day.date:%a}".lower(),
        "calendar": day.calendar,
        "holiday": day.holiday,
        "sources": [*day.sources],
        "worked": day.worked,
    }
