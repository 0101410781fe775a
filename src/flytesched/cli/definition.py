"""An option for every key of a schedule, made from the table of keys; shared by add and set."""

import inspect
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import typer

from flytesched.cli.call import Call
from flytesched.core.keys import ALL_KEYS, KEYS, TIMETABLES, TIMING_HELP
from flytesched.core.schedule import Schedule
from flytesched.core.words import parse_list
from flytesched.errors import Invalid, InvalidSchedule, UsageError

#: Keys that are not options: the command stands behind ``--``, and verbs switch ``enabled``.
_APART = ("command", "enabled")
#: Keys beside those of the table that take several values.
_SEVERAL = ("daily", "hourly", "calendars")
#: Keys whose values may be given in words of people.
_WORDED = frozenset({"at", "start", "end", "anchor", "paused_until", "daily", "cron"})
#: Slots shown after an edit.
_SHOWN = 3


def flag(key: str) -> str:
    """Return the option that sets a key."""
    return "--" + key.replace("_", "-")


def _described(key: str) -> tuple[str, str, bool]:
    """Return placeholder, help and whether an option may be given several times."""
    if key in TIMING_HELP:
        return *TIMING_HELP[key], key in _SEVERAL
    return KEYS[key].metavar, KEYS[key].help, KEYS[key].many


def _option(key: str) -> inspect.Parameter:
    metavar, said, many = _described(key)
    kind: Any = (list[str] if many else str) | None
    option = typer.Option(flag(key), metavar=metavar, help=said, show_default=False)
    return inspect.Parameter(
        key, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind, option]
    )


#: The options, in the order in which keys are written.
OPTIONS = [_option(key) for key in ALL_KEYS if key not in _APART]

#: What to run; Typer lets words that follow ``--`` through as they are.
Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="-- COMMAND",
        help="One word is a shell string, several are a program and its arguments.",
        show_default=False,
    ),
]


def raw(
    call: Call, given: Mapping[str, str | list[str] | None], zone: Callable[[], str]
) -> dict[str, Any]:
    """Return raw values, as TOML would hold them, of the options that were given.

    Args:
        call: when it is.
        given: words by key; None for an option that was not given.
        zone: returns the zone whose clock local times in words are on.

    Raises:
        InvalidSchedule: one cannot be read at all.
    """
    found = _values(given)
    if found.keys().isdisjoint(_WORDED):
        return found
    from flytesched.cli.wording import spelled

    return spelled(found, now=call.now, zone=zone)


def _values(given: Mapping[str, str | list[str] | None]) -> dict[str, Any]:
    """Return values of options as they were typed."""
    found = {}
    for key in ALL_KEYS:
        if (words := given.get(key)) is None or words == []:
            continue
        try:
            found[key] = _value(key, [words] if isinstance(words, str) else words)
        except Invalid as error:
            from flytesched.errors import Fault

            fault = Fault(key=key, what=error.message, instead=error.hint)
            raise InvalidSchedule([fault]) from None
    return found


def _value(key: str, words: Sequence[str]) -> Any:
    if key == "calendars":
        return parse_list(words)
    if key in _SEVERAL:
        values = [part.strip() for word in words for part in word.split(",")]
        numbers = [int(v.lstrip(":")) if re.fullmatch(r":?[0-9]{1,4}", v) else v for v in values]
        chosen: list[Any] = numbers if key == "hourly" else list(values)
        return chosen[0] if len(chosen) == 1 else chosen
    if key == "seconds":
        return {"true": True, "false": False}.get(words[-1], words[-1])
    if key in TIMETABLES or key in TIMING_HELP:
        return words[-1]
    return KEYS[key].parse(words)


def command(call: Call, words: Sequence[str] | None, verb: str) -> str | list[str] | None:
    """Return the command behind ``--``; None if there is none.

    Raises:
        UsageError: the words do not stand behind ``--``, or the name does.
    """
    words = list(words or ())
    if len(words) > (call.behind or 0):
        msg = f"{words[0]!r} is one word too many: the command has to stand behind --"
        hint = f"write: flytesched {verb} NAME [options] -- COMMAND..."
        raise UsageError(msg, hint=_as_option(words[0]) or hint)
    if call.behind is not None and len(words) < call.behind:
        msg = "the name is missing in front of --"
        raise UsageError(msg, hint=f"write: flytesched {verb} NAME [options] -- COMMAND...")
    if call.behind == 0:
        msg = "there is nothing behind --"
        raise UsageError(msg, hint="write the command there")
    if not words:
        return None
    return words[0] if len(words) == 1 else words


def _as_option(word: str) -> str | None:
    """Say how ``timeout=5s`` has to be written; None for a word of another kind."""
    key, equals, value = word.partition("=")
    key = key.lstrip("-").replace("-", "_")
    if not equals or key not in ALL_KEYS or key in _APART:
        return None
    return f"write it as an option: {flag(key)} {shlex.quote(value)}"


def foresee(call: Call, schedule: Schedule) -> None:
    """Show the next slots of a schedule on its own clock."""
    if not schedule.enabled:
        call.line("  it is disabled: no slot falls due")
        return
    found = foreseen(call, schedule)
    for slot in found:
        call.line(f"  {slot}")
    if not found:
        call.talk(f"flytesched: {schedule.name} has no slot to come")


def foreseen(call: Call, schedule: Schedule) -> list[str]:
    """Return the next slots of a schedule, as its own clock shows them."""
    from flytesched.cli.times import clock_of
    from flytesched.service.listing import first

    show = clock_of("UTC" if call.utc else schedule.timing.timezone or call.zone)
    return [show(slot) for slot in first(schedule, call.now, _SHOWN)]


def say_if_nobody_runs(call: Call) -> None:
    """Say so when no scheduler is there to see an edit."""
    holder = call.site.scheduler()
    if holder is None or holder.kind != "run":
        call.talk("no scheduler is running; start one with: flytesched run")
