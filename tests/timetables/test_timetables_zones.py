"""Zones as runs of constant offset: all changes are found, whatever is asked first."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from wall_oracle import SCALE

from flytesched.core.instants import parse_instant, rfc3339
from flytesched.core.timetables import zones
from flytesched.core.timetables.zones import HORIZON, PROBE, Zone, tz, zone
from flytesched.errors import InvalidTimetable

DAY = 86_400
START, END = parse_instant("1970-01-02", "UTC"), parse_instant("2038-01-01", "UTC")


def runs(of, start, end):
    """Return the runs from `start` on as (start, offset), walking from end to end."""
    found = [of.at(start)]
    while found[-1].end < end:
        run = of.at(found[-1].end)
        found[-1:] = [run] if run.start == found[-1].start else [found[-1], run]
    return [(run.start, run.offset) for run in found]


def daily_changes(name):
    """Return the days since 1970 at whose start the offset differs from the day before."""
    clock = ZoneInfo(name)
    offsets = [
        datetime.fromtimestamp(day * DAY, clock).utcoffset()
        for day in range(START // DAY, END // DAY)
    ]
    return [i + START // DAY for i in range(1, len(offsets)) if offsets[i] != offsets[i - 1]]


ODD = ["America/Boa_Vista", "Asia/Gaza", "Africa/Casablanca", "Africa/El_Aaiun", "Pacific/Apia"]
#: A long run (see `wall_oracle.SCALE`) looks at all six hundred.
NAMES = sorted({*sorted(available_timezones())[:: 40 if SCALE == 1 else 1], *ODD})


@pytest.mark.parametrize("name", NAMES)
def test_no_clock_change_is_missed_between_two_probes(name):
    found = runs(Zone(tz(name), fixed_time=True), START, END)
    assert [-(-start // DAY) for start, _ in found if START < start < END - DAY] == [
        day for day in daily_changes(name) if day < END // DAY
    ]


def test_a_change_is_found_to_the_second():
    spring = parse_instant("2025-03-09T07:00:00Z", "UTC")
    before, after = zone("America/New_York").at(spring - 1), zone("America/New_York").at(spring)
    assert (before.end, before.offset) == (spring, -5 * 3600)
    assert (after.start, after.offset) == (spring, -4 * 3600)


@pytest.mark.parametrize("seed", range(5))
def test_what_is_known_does_not_depend_on_what_was_asked_first(seed):
    instants = [random.Random(seed).randrange(0, HORIZON // 40) for _ in range(20)]
    asked = Zone(tz("America/Santiago"), fixed_time=True)
    for instant in instants:
        run = asked.at(instant)
        fresh = Zone(tz("America/Santiago"), fixed_time=True).at(instant)
        assert run.start <= instant < run.end
        assert (run.offset, run.first, run.made_up) == (fresh.offset, fresh.first, fresh.made_up)


def test_both_ends_of_time_are_known():
    everywhere = Zone(tz("Europe/Berlin"), fixed_time=True)
    assert everywhere.at(HORIZON - 1).end == HORIZON
    assert everywhere.at(0).start < 0
    assert everywhere.at(0).offset == 3600
    assert HORIZON % PROBE == 0


def test_a_zone_without_changes_is_one_run():
    assert len(runs(Zone(tz("Asia/Kathmandu"), fixed_time=True), 2 * 10**9, 4 * 10**9)) == 1


INSTANTS = [
    ("Europe/Berlin", "2026-06-01T12:00", "2026-06-01T10:00:00Z"),
    ("Europe/Berlin", "2026-03-29T02:30", "2026-03-29T01:00:00Z"),  # skipped
    ("Europe/Berlin", "2026-10-25T02:30", "2026-10-25T00:30:00Z"),  # shown twice
    ("Pacific/Apia", "2011-12-29T23:59", "2011-12-30T09:59:00Z"),
    ("Pacific/Apia", "2011-12-31T00:00", "2011-12-30T10:00:00Z"),
    ("Pacific/Apia", "2011-12-30T12:00", None),  # never shown
]


@pytest.mark.parametrize(("name", "local", "wanted"), INSTANTS)
def test_a_local_time_is_found_on_the_zones_clock(name, local, wanted):
    seconds = (datetime.fromisoformat(local) - datetime(1970, 1, 1)) // timedelta(seconds=1)  # noqa: DTZ001
    found = zone(name).instant(seconds)
    assert (found if found is None else rfc3339(found)) == wanted


UNKNOWN = [
    ("Europe/Berln", "did you mean Europe/Berlin?"),
    ("europe/berlin", "did you mean Europe/Berlin?"),
    ("Berlin", "did you mean Europe/Berlin?"),
    ("New York", "did you mean America/New_York?"),
    ("utc", "did you mean UTC?"),
    ("", "write a name such as"),
    ("Qqqqqq/Xxxxxx", "write a name such as"),
    ("Europe", None),
    ("../etc/passwd", None),
    ("/etc/passwd", None),
    ("Europe/Berlin\0", None),
    ("Zürich", None),
    ("posixrules", None),
    ("right/UTC", None),
    ("tzdata.zi", None),
]


@pytest.mark.parametrize(("name", "hint"), UNKNOWN)
def test_an_unknown_zone_is_refused_with_the_nearest_name(name, hint):
    with pytest.raises(InvalidTimetable, match="unknown time zone") as caught:
        zone(name)
    assert caught.value.field == "timezone"
    assert hint is None or hint in caught.value.hint


def test_utc_needs_no_database_and_its_absence_is_named(monkeypatch):
    # The machine's zone database cannot be taken away for a test.
    monkeypatch.setattr(zones, "available_timezones", set)
    assert zone("UTC").at(0).offset == 0
    with pytest.raises(InvalidTimetable) as caught:
        zone("Europe/Atlantis")
    assert "install tzdata" in caught.value.hint


def test_wildcards_see_the_same_clock_without_holding_back_or_making_up():
    spring = parse_instant("2025-03-09T07:00:00Z", "UTC")
    autumn = parse_instant("2025-11-02T06:00:00Z", "UTC")
    fixed, plain = (zone("America/New_York", fixed_time=flag) for flag in (True, False))
    assert (fixed.at(spring).made_up, plain.at(spring).made_up) == (spring, -1)
    assert (fixed.at(autumn).first, plain.at(autumn).first) == (autumn + 3600, autumn)
