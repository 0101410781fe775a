"""Lanes under any order of events, held against the rules of PRODUCT, written out naively."""

from __future__ import annotations

from dataclasses import replace

from core_makers import T
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from flytesched.core.lanes import MAKING_UP, RANK, Bucket, Lanes
from flytesched.core.runs import IN_PLACE, STARTED, Origin, Run, RunStatus

NAMES = ["a", "b", "c"]
RATE, BURST = 0.5, 2
WAITING = {RunStatus.QUEUED, RunStatus.RETRY_WAIT}


class LanesMachine(RuleBasedStateMachine):
    """Runs come, start, end, retry, are cancelled and read again; schedules change."""

    def __init__(self):
        super().__init__()
        self.now = float(T)
        self.known, self.allowed = set(NAMES), {"c"}
        self.places = 3
        self.bucket = Bucket(RATE, BURST)
        self.lanes = Lanes(
            places=self.places, bucket=self.bucket, beside=self.allowed.__contains__,
            known=self.known.__contains__,
        )  # fmt: skip
        self.serial = self.made_up = 0

    # -- events -----------------------------------------------------------------------------

    @rule(
        name=st.sampled_from(NAMES), origin=st.sampled_from(Origin), wait=st.integers(0, 20),
        parallel=st.sampled_from([1, 1, 1, 2, 3]), forced=st.booleans(),
    )  # fmt: skip
    def queue(self, name, origin, wait, parallel, forced):
        self.serial += 1
        if origin is Origin.MANUAL and forced:
            parallel = 0
        elif origin is not Origin.BACKFILL:
            parallel = 1
        one = Run(
            id=f"{origin}-{self.serial}", schedule=name, scheduled_at=T + self.serial,
            origin=origin, status=RunStatus.QUEUED, created=self.now, parallel=parallel,
            not_before=self.now + wait if wait > 10 else 0.0,
        )  # fmt: skip
        self.lanes.put(one)

    @rule(passed=st.floats(0, 30))
    def time_passes(self, passed):
        self.now += passed

    @precondition(lambda self: self.some(IN_PLACE))
    @rule(data=st.data(), again=st.booleans())
    def attempt_ends(self, data, again):
        one = data.draw(st.sampled_from(self.some(IN_PLACE)))
        if again:
            self.lanes.put(one.move(RunStatus.RETRY_WAIT, not_before=self.now + 5))
        else:
            self.lanes.put(one.move(RunStatus.FAILED))

    @precondition(lambda self: self.some(WAITING))
    @rule(data=st.data())
    def cancel(self, data):
        one = data.draw(st.sampled_from(self.some(WAITING)))
        self.lanes.put(one.move(RunStatus.CANCELLED))

    @rule(name=st.sampled_from(NAMES))
    def definition_comes_or_goes(self, name):
        self.known ^= {name}
        self.lanes.touch_all()

    @rule(name=st.sampled_from(NAMES))
    def overlap_changes(self, name):
        self.allowed ^= {name}
        self.lanes.touch_all([name])

    @rule()
    def read_again(self):
        for one in self.some(WAITING):
            self.serial += 1
            self.lanes.put(replace(one, seq=self.serial))

    # -- choosing ---------------------------------------------------------------------------

    @rule()
    def choose(self):
        before = self.look()
        self.lanes.give_back(self.lanes.choose(self.now))
        assert self.look() == before
        wake_at = self.lanes.next_at(self.now)
        chosen = self.lanes.choose(self.now)
        self.lanes.give_back(chosen)
        assert (self.look(), self.lanes.next_at(self.now)) == (before, wake_at)
        assert self.lanes.choose(self.now) == chosen, "giving back changed who goes next"
        self.check_order(chosen)
        self.check_rules(before[0], chosen)
        self.check_nobody_is_forgotten()

    def look(self):
        lanes = self.lanes
        return lanes.all(), [lanes.of(name) for name in NAMES], self.bucket.ready_at(self.now)

    def check_order(self, chosen):
        ranks = [RANK[claimed.origin] for _, claimed in chosen]
        assert ranks == sorted(ranks), "a better rank went later"

    def check_rules(self, before, chosen):
        """Every claim was allowed by what had started before it, and by the tokens there were."""
        self.made_up += sum(RANK[claimed.origin] >= MAKING_UP for _, claimed in chosen)
        assert self.made_up <= BURST + RATE * (self.now - T) + 0.001
        world = {one.id: one for one in before}
        for waiting, claimed in chosen:
            assert waiting == world[waiting.id]
            assert waiting.not_before <= self.now
            assert waiting.schedule in self.known
            assert self.lane_allows(waiting, world.values())
            world[waiting.id] = claimed

    def check_nobody_is_forgotten(self):
        """Whoever still waits has a reason to."""
        runs = self.lanes.all()
        if sum(one.status in IN_PLACE for one in runs) >= self.places:
            return
        no_token = self.bucket.ready_at(self.now) > self.now
        for one in self.first_of_lines(runs):
            blocked = not self.lane_allows(one, runs)
            assert blocked or (RANK[one.origin] >= MAKING_UP and no_token), f"{one.id} could start"

    def first_of_lines(self, runs):
        """Yield the due runs that stand first in their lane, or mind no line."""
        due = [one for one in runs if one.status in WAITING and one.not_before <= self.now]
        for name in self.known:
            mine = [one for one in due if one.schedule == name]
            yield from (one for one in mine if _minds_nobody(one))
            line = [one for one in mine if not _minds_nobody(one)]
            yield from sorted(line, key=lambda one: (RANK[one.origin], one.scheduled_at))[:1]

    def lane_allows(self, one, runs):
        """Tell whether the started runs of the same schedule let a run start."""
        started = [o for o in runs if o.schedule == one.schedule and o.status in STARTED]
        if _minds_nobody(one) or not started:
            return True
        allowed = one.schedule in self.allowed
        kin = [o for o in started if o.origin is Origin.BACKFILL]
        if one.origin is Origin.BACKFILL:
            return len(kin) < one.parallel and (allowed or len(kin) == len(started))
        return allowed

    # -- always -----------------------------------------------------------------------------

    @invariant()
    def places_are_kept(self):
        assert len(self.some(IN_PLACE)) <= self.places

    def teardown(self):
        """However it stands, everything starts in the end: nobody starves."""
        self.known |= set(NAMES)
        self.lanes.touch_all()
        for _ in range(3 * len(self.lanes) + 20):
            self.now += 10
            self.lanes.choose(self.now)
            for one in self.some(IN_PLACE):
                self.lanes.put(one.move(RunStatus.SUCCEEDED))
        assert len(self.lanes) == 0

    def some(self, states):
        return [one for one in self.lanes.all() if one.status in states]


def _minds_nobody(one):
    return one.status is RunStatus.RETRY_WAIT or one.parallel == 0


TestLanes = LanesMachine.TestCase
TestLanes.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
