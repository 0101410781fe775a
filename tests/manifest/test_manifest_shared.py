"""What schedules share: calendars and channels by name, and defaults that count where they can."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from flytesched.errors import InvalidManifest
from flytesched.manifest import parse
from flytesched.manifest.edit import put, put_all, remove, rename, update

if TYPE_CHECKING:
    from collections.abc import Callable

    from flytesched.core.schedule import Schedule

WORK = '[calendars.work]\nweekdays = ["sat", "sun"]\n'
OFFICE = '[calendars.office]\ndates = { 12-24 = "Christmas Eve" }\nexcept = [2026-12-24]\n'
CHAT = '[channels.chat]\nkind = "webhook"\nurl = "https://example.org/x"\n'


def made(keys: str, *, shared: str = WORK + OFFICE + CHAT) -> Schedule:
    """Return the schedule with some keys, in a manifest with some tables."""
    text = f'version = 1\n{shared}[schedules.a]\ncommand = "x"\n{keys}'
    return parse(text, Path("m")).schedules["a"]


def days_off(schedule: Schedule) -> dict[str, Any]:
    """Return what a schedule keeps of calendars; nothing if it names none."""
    found: dict[str, Any] = json.loads(schedule.timing.days_off or "{}")
    return found


def names(schedule: Schedule) -> list[str]:
    return [each["name"] for each in days_off(schedule).get("calendars", ())]


def test_names_become_calendars() -> None:
    """In the order in which they are named; a single one may stand without brackets."""
    both = made('daily = "09:00"\ncalendars = ["office", "work"]\non_holiday = "next"\n')

    assert days_off(both) == {
        "on_holiday": "next",
        "calendars": [
            {"name": "office", "dates": {"12-24": "Christmas Eve"}, "except_": ["2026-12-24"]},
            {"name": "work", "weekdays": ["sat", "sun"]},
        ],
        "zone": "UTC",
    }
    assert names(made('every = "1h"\ncalendars = "work"\n')) == ["work"]


def test_names_of_channels_stay_names() -> None:
    """Another address of a channel is no change of a schedule."""
    text = f'version = 1\n{CHAT}[schedules.a]\nevery = "1h"\ncommand = "x"\nnotify = "chat"\n'
    before = parse(text, Path("m"))
    after = parse(text.replace("org/x", "org/y"), Path("m"))

    assert before.schedules == after.schedules
    assert before.schedules["a"].notify == ("chat",)
    assert before.channels.keys() == {"chat"}
    assert before.channels != after.channels


def test_what_nobody_names_is_no_fault() -> None:
    """It is there for the next one."""
    manifest = parse(f"version = 1\n{WORK}{CHAT}", Path("m"))

    assert (list(manifest.calendars), list(manifest.channels)) == (["work"], ["chat"])


EVERY_KIND = {
    "cron": 'cron = "0 2 * * *"\n', "aws_cron": 'aws_cron = "0 10 ? * MON-FRI *"\n',
    "every": 'every = "1h"\n', "daily": 'daily = "02:00"\n', "hourly": "hourly = 5\n",
    "at": "at = 2998-12-24T18:00:00\n", "@every": 'cron = "@every 5m"\n',
    "rate": 'aws_cron = "rate(5 minutes)"\n',
}  # fmt: skip
#: Kinds of elapsed time, which has no days that a slot could move to.
ELAPSED = {"every", "@every", "rate"}
DEFAULTS = '[defaults]\ncalendars = "work"\non_holiday = "previous"\n'


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_calendars_of_the_defaults_count_for_every_kind(kind: str) -> None:
    """What is done with days off, for those that can do it."""
    schedule = made(EVERY_KIND[kind], shared=DEFAULTS + WORK)

    assert names(schedule) == ["work"]
    assert days_off(schedule)["on_holiday"] == ("skip" if kind in ELAPSED else "previous")


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_what_a_schedule_says_itself_it_has_to_be_able_to(kind: str) -> None:
    """Nobody shall believe that a fixed rate moves."""
    keys = EVERY_KIND[kind] + 'on_holiday = "next"\n'
    if kind not in ELAPSED:
        assert days_off(made(keys, shared=DEFAULTS + WORK))["on_holiday"] == "next"
        return
    with pytest.raises(InvalidManifest, match=r"m:10: a\.on_holiday: "):
        made(keys, shared=DEFAULTS + WORK)


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_a_default_for_days_off_counts_only_where_there_are_some(kind: str) -> None:
    """A schedule without calendars is none the worse for it, and one with an own is meant."""
    shared = WORK + '[defaults]\non_holiday = "next"\n'

    assert not days_off(made(EVERY_KIND[kind], shared=shared))
    own = days_off(made(EVERY_KIND[kind] + 'calendars = "work"\n', shared=shared))
    assert own["on_holiday"] == ("skip" if kind in ELAPSED else "next")


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_a_schedule_may_do_without_the_calendars_of_the_defaults(kind: str) -> None:
    """By naming none."""
    assert not days_off(made(EVERY_KIND[kind] + "calendars = []\n", shared=DEFAULTS + WORK))
    assert made(EVERY_KIND[kind] + "notify = []\n", shared=f'{CHAT}[defaults]\nnotify = "chat"\n')


# -- edits --------------------------------------------------------------------------------------

TABLE = '[schedules.a]\nevery = "1h"\ncommand = "x"\n'
#: A manifest in parts: what stands before the schedule "a", its table, and what stands behind.
PLACES = {
    "before": (f"version = 1\n{WORK}# mine\n{CHAT}", TABLE, ""),
    "behind": (
        "version = 1 # one\n", TABLE,
        f"\n# days\n{WORK}\n{CHAT}[channels.chat.headers]\nX = 'y' # no key\n",
    ),
    "between": (
        "version = 1\n[schedules.z]\nevery = '2h'\ncommand = 'z'\n"
        "[calendars.a]\ndates = ['12-25']\n", TABLE,
        f"[calendars.work]\n[calendars.work.dates]\n12-24 = '''\n[schedules.a]'''\n\n{CHAT}",
    ),
    "dotted": (
        "version = 1\ncalendars.a.dates = ['12-25']\ncalendars . work . weekdays = ['sun']\n"
        "channels.'chat'.kind = 'mail'\nchannels.chat.to = ['x']\n",
        TABLE, "# end",
    ),
    "inline": (
        "version = 1\ncalendars = { a = { dates = [ # no key }\n  '12-25' ]}, "
        "work = {weekdays=['sun']}}\n"
        "[channels]\r\nchat = {kind='mail',to='a'}\n[schedules]\n",
        'a = { every = "1h", command = "x" }\n', "\n[settings]\n",
    ),
    "quoted": (
        "version = 1\n[ 'calendars' . \"work\" ] # a\nweekdays = ['sun']\n[\"channels\".'chat']\n"
        "kind = 'mail'\nto = ['[schedules.a]']\n",
        '[schedules."a"]\nevery = "1h"\ncommand = "x"\n', "[calendars.'a.b'.dates]\n12-24 = 'x'\n",
    ),
}  # fmt: skip
NAMING = {"calendars": ["work"], "notify": ["chat"]}
NEW = {"daily": "02:00", "command": "new", **NAMING}
#: Every edit, and the schedules that there are then.
EDITS: dict[str, tuple[Callable[[Path], object], Callable[[dict[str, Any]], dict[str, Any]]]] = {
    "set": (
        lambda path: update(path, {"a": NAMING}), lambda was: {**was, "a": {**was["a"], **NAMING}},
    ),
    "add": (lambda path: put(path, "n", NEW), lambda was: {**was, "n": NEW}),
    "import": (
        lambda path: put_all(path, {"n": NEW, "m": NEW}), lambda was: {**was, "n": NEW, "m": NEW},
    ),
    "replace": (lambda path: put(path, "a", NEW, replace=True), lambda was: {**was, "a": NEW}),
    "rename": (
        lambda path: rename(path, "a", "work"),
        lambda was: {"work" if name == "a" else name: table for name, table in was.items()},
    ),
    "remove": (
        lambda path: remove(path, ["a"]),
        lambda was: {name: table for name, table in was.items() if name != "a"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize(("before", "table", "behind"), PLACES.values(), ids=PLACES)
def test_an_edit_leaves_calendars_and_channels_as_they_are(
    tmp_path: Path, before: str, table: str, behind: str, edit: str
) -> None:
    """Each byte of them, wherever and however they are written."""
    path = tmp_path / "m.toml"
    path.write_bytes((before + table + behind).encode())
    model = tomllib.loads(before + table + behind)
    carry_out, meant = EDITS[edit]

    carry_out(path)

    text = path.read_bytes().decode()
    wanted = {**model, "schedules": meant(model["schedules"])}
    assert {"schedules": {}, **tomllib.loads(text)} == wanted
    assert text.startswith(before)
    assert behind in text
    assert parse(text, path).channels == parse(before + table + behind, path).channels


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"calendars": ["wrok"]}, "no calendar is named 'wrok'; did you mean 'work'"),
        ({"notify": "caht"}, "no channel is named 'caht'; did you mean 'chat'"),
        ({"calendars": ["broken"]}, "calendars.broken.weekdays: 'x' is not a weekday"),
        ({"notify": ["mute"]}, "channels.mute.kind: is missing"),
    ],
    ids=str,
)
def test_an_edit_that_names_what_is_not_there_is_refused(
    tmp_path: Path, keys: dict[str, Any], told: str
) -> None:
    """Before anything is written; what is wrong elsewhere is no reason."""
    text = f"version = 1\n{WORK}{CHAT}[calendars.broken]\nweekdays = ['x']\n[channels.mute]\n"
    path = tmp_path / "m.toml"
    path.write_text(text)

    with pytest.raises(InvalidManifest) as caught:
        put(path, "a", {"every": "1h", "command": "x", **keys})

    assert told in caught.value.message
    assert path.read_text() == text
    put(path, "a", {"every": "1h", "command": "x", **NAMING})
    rename(path, "a", "b")
    remove(path, ["b"])
    assert path.read_text().rstrip() == text.rstrip()
