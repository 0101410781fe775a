"""The account of slots: what must have been decided, and what was not."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from core_makers import MIDNIGHT, TUESDAY, T, schedule
from hypothesis import given
from hypothesis import strategies as st

from flytesched.core.gaps import gaps_of
from flytesched.core.runs import Gap
from flytesched.core.sight import removed, see
from flytesched.core.sizes import format_size
from flytesched.core.tally import (
    Mismatch,
    Stretch,
    beside,
    compare,
    is_of,
    may_move,
    miscounted,
    parts,
    stretch,
)
from flytesched.core.timetables.parse import make_timing, slots, timetable

MINUTELY = make_timing("every", "1m", timezone=None)
TABLE = timetable(MINUTELY)
#: A slot of that timetable.
M = T // 60 * 60
#: A timing whose zone has left the machine.
ON_MARS = '{"kind": "daily", "expression": "02:00", "timezone": "Mars/Olympus"}'
#: Later than anything.
LATE = 2 * T


def seen(at=T, cursor=T + 3_600, of=None, **fields):
    """Return what is remembered of a schedule that was seen at one moment and decided since."""
    state = see(of or schedule(every="1m"), None, at).state
    return replace(state, **{"cursor": cursor, **fields})


def gap(after, until, **fields):
    """Return a gap of minutely slots."""
    count = TABLE.count(after, until)
    given = {"count": count, "reason": "late", "timing": MINUTELY.text, **fields}
    return Gap(schedule="job", after=after, until=until, **given)


class TestStretch:
    """Which slots must all have been decided."""

    def test_it_goes_from_the_first_sight_to_the_cursor(self):
        assert stretch(seen(at=T + 0.9), decided=LATE) == Stretch(
            timing=MINUTELY, after=T, until=T + 3_600
        )

    def test_it_begins_later_where_verdicts_were_pruned(self):
        assert stretch(seen(), decided=LATE, forgotten=T + 60.5).after == T + 60

    def test_it_begins_with_the_end_of_a_pause(self):
        paused = schedule(every="1m", paused_until="2023-11-15T00:00:00Z")
        state = seen(of=paused, enabled=True, cursor=1_700_010_000)
        assert stretch(state, decided=LATE).after == 1_700_006_400 - 1

    def test_it_begins_behind_what_was_decided_while_the_clock_was_ahead(self):
        assert stretch(seen(), decided=LATE, ahead=T + 600).after == T + 600

    def test_it_ends_with_the_last_decision_while_the_clock_is_behind_the_cursor(self):
        assert stretch(seen(), decided=T + 90).until == T + 90

    def test_it_may_be_empty(self):
        assert stretch(seen(), decided=LATE, forgotten=T + 9_000) == Stretch(
            timing=MINUTELY, after=T + 3_600, until=T + 3_600
        )

    @pytest.mark.parametrize(
        ("fields", "why"),
        [
            ({"enabled": False}, "not enabled"),
            ({"definition": "{"}, "its definition cannot be read"),
            ({"timing": ON_MARS, "definition": json.dumps({"timing": ON_MARS})}, "Mars/Olympus"),
        ],
    )
    def test_nobody_can_tell_of_some(self, fields, why):
        assert why in stretch(seen(**fields), decided=LATE)

    def test_nobody_can_tell_of_one_that_was_removed(self):
        gone, _ = removed(seen(), T + 7_200)
        assert stretch(gone, decided=LATE) == "removed"


class TestParts:
    """Slots that run and slots that are left out, each with the gaps that decide them."""

    def test_without_calendars_there_is_one_part(self):
        whole = Stretch(timing=MINUTELY, after=M, until=M + 600)
        (part,) = parts(whole, [gap(M, M + 60)])
        assert (part.table, part.gaps, part.has(M)) == (TABLE, [gap(M, M + 60)], True)

    def test_a_gap_decides_only_slots_of_its_part(self):
        timing = schedule(every="1m", calendars=[TUESDAY]).timing
        gaps = gaps_of("job", timing, MIDNIGHT - 600, MIDNIGHT + 600, now=0.0, reason="")
        whole = Stretch(timing=timing, after=MIDNIGHT - 600, until=MIDNIGHT + 600)
        runs, left_out = parts(whole, gaps)
        assert (runs.gaps, left_out.gaps) == ([gaps[0]], [gaps[1]])
        assert (runs.has(MIDNIGHT), left_out.has(MIDNIGHT)) == (True, False)
        assert (runs.has(MIDNIGHT - 60), left_out.has(MIDNIGHT - 60)) == (False, True)
        both = [part.table.count(whole.after, whole.until) for part in (runs, left_out)]
        assert both == [11, 9]

    def test_a_run_at_no_slot_at_all_is_of_the_first_part(self):
        timing = schedule(every="1m", calendars=[TUESDAY]).timing
        runs, left_out = parts(Stretch(timing=timing, after=M, until=M + 600), [])
        assert (runs.has(M + 1), left_out.has(M + 1)) == (True, False)

    def test_both_gaps_of_a_stretch_are_of_its_timing(self):
        timing = schedule(every="1m", calendars=[TUESDAY]).timing
        gaps = gaps_of("job", timing, MIDNIGHT - 600, MIDNIGHT + 600, now=0.0, reason="")
        assert [is_of(one, timing.text) for one in gaps] == [True, True]
        other = schedule(every="1m", calendars=[TUESDAY], start="2023-01-01").timing
        assert [is_of(one, other.text) for one in gaps] == [False, False]
        assert [is_of(one, "{}") for one in gaps] == [False, False]
        assert not is_of(gap(M, M + 60), timing.text)


class TestBeside:
    """The parts of a stretch that lie in no gap."""

    @pytest.mark.parametrize(
        ("gaps", "parts"),
        [
            ([], [(M, M + 600)]),
            ([(M + 60, M + 120)], [(M, M + 60), (M + 120, M + 600)]),
            ([(M - 600, M + 60)], [(M + 60, M + 600)]),
            ([(M + 540, M + 900)], [(M, M + 540)]),
            ([(M, M + 600)], []),
            ([(M - 600, M - 60)], [(M, M + 600)]),
            ([(M + 900, M + 960)], [(M, M + 600)]),
            ([(M + 60, M + 240), (M + 120, M + 180)], [(M, M + 60), (M + 240, M + 600)]),
            ([(M, M + 60), (M + 60, M + 120)], [(M + 120, M + 600)]),
        ],
    )
    def test_gaps_are_left_out(self, gaps, parts):
        whole = Stretch(timing=MINUTELY, after=M, until=M + 600)
        assert list(beside(whole, [gap(*ends) for ends in gaps])) == parts

    @given(
        ends=st.lists(st.tuples(st.integers(-50, 150), st.integers(1, 40)), max_size=6),
        length=st.integers(0, 100),
    )
    def test_every_second_lies_in_a_gap_or_in_a_part(self, ends, length):
        gaps = sorted((M + a, M + a + n) for a, n in ends)
        whole = Stretch(timing=MINUTELY, after=M, until=M + length)
        parts = list(beside(whole, [gap(*pair) for pair in gaps]))
        assert parts == sorted(parts)
        for second in range(M + 1, M + length + 1):
            in_gap = any(a < second <= b for a, b in gaps)
            assert sum(a < second <= b for a, b in parts) == (not in_gap)


class TestCompare:
    """Slots against runs."""

    @pytest.mark.parametrize(
        ("ran", "lost", "strange"),
        [
            ([60, 120, 180], None, None),
            ([], 60, None),
            ([60, 180], 120, None),
            ([60, 120], 180, None),
            ([61, 120, 180], 60, None),
            ([60, 120, 125, 130, 180], None, 125),
            ([60, 120, 180, 185], None, 185),
            ([30, 60, 120, 180, 185], None, 30),
            ([61, 121, 181], 60, None),
            ([30, 31, 120, 180], 60, 30),
        ],
    )
    def test_it_tells_what_does_not_belong_together(self, ran, lost, strange):
        found = compare(TABLE, M, M + 200, iter([M + at for at in ran]))
        lost, strange = (at and M + at for at in (lost, strange))
        assert found == Mismatch(lost=lost, strange=strange)

    @given(taken=st.sets(st.integers(0, 29)), more=st.sets(st.integers(1, 1_800)))
    def test_nothing_is_lost_just_when_every_slot_has_a_run(self, taken, more):
        every = list(slots(TABLE, M, M + 1_800))
        ran = {every[n] for n in taken} | {M + second for second in more}
        found = compare(TABLE, M, M + 1_800, iter(sorted(ran)))
        assert found.lost == next((slot for slot in every if slot not in ran), None)
        if found.lost is None:
            assert found.strange == min(ran - set(every), default=None)


class TestMiscounted:
    """The count of a gap."""

    def test_a_right_one_is_none(self):
        assert miscounted(gap(M, M + 600)) is None

    def test_a_wrong_one_is_told_right(self):
        assert miscounted(gap(M, M + 600, count=11)) == 10


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"), (2**20, "1.0 MiB"),
        (10 * 2**30, "10.0 GiB"), (3 * 2**40, "3.0 TiB"), (5000 * 2**40, "5,000.0 TiB"),
    ],
)  # fmt: skip
def test_sizes_are_said_in_their_unit(count, said):
    assert format_size(count) == said


@pytest.mark.parametrize(
    ("keys", "may"),
    [
        ({"every": "1m"}, False),
        ({"cron": "0 2 * * *"}, False),
        ({"cron": "0 2 * * *", "timezone": "Europe/Berlin"}, True),
        ({"every": "1m", "calendars": [TUESDAY]}, False),
        ({"every": "1m", "calendars": [TUESDAY], "timezone": "Europe/Berlin"}, True),
    ],
)
def test_rules_of_a_zone_may_move_slots_and_dates_that_are_written_down_do_not(keys, may):
    assert may_move(schedule(**keys).timing) == may


def test_public_holidays_may_move_slots():
    """They are those of the package installed, whose next release may know better."""
    days_off = '{"on_holiday":"skip","calendars":[{"name":"de","country":"DE"}],"zone":"UTC"}'
    assert may_move(replace(MINUTELY, days_off=days_off))
