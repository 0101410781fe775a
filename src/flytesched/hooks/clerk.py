"""The clerk: claims notices, hands them to the sender, and records what came of them.

Each step makes durable what has come and what is to go in one transaction, and only then lets it
go. What loses its claim is somebody else's.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from flytesched.core.counts import count_notices
from flytesched.core.decision import Decision
from flytesched.core.telling.channels import ping_address
from flytesched.core.telling.events import (
    SCHEDULER_DIED,
    SCHEDULER_STOPPED,
    WENT,
    Event,
    NoticeMove,
    NoticeStatus,
)
from flytesched.errors import FlyteschedError
from flytesched.hooks.answer import Answer, unknown
from flytesched.hooks.courier import job
from flytesched.hooks.lane import LONGEST, Lanes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flytesched.core.protocols import Journal, RunLog
    from flytesched.core.schedule import Schedule
    from flytesched.core.telling.channels import Channel
    from flytesched.core.telling.events import Notice
    from flytesched.hooks.keeper import Keeper
    from flytesched.hooks.lane import Lane

#: Seconds between two transactions.
PAUSE = 0.1
#: Notices read at once.
PORTION = 200


class Clerk:
    """Works on what waits, one step after the other."""

    def __init__(
        self,
        runlog: RunLog,
        journal: Journal,
        keeper: Keeper,
        definition: Callable[[str, float], Schedule | None],
    ) -> None:
        """Begin with nothing known of what waits.

        Args:
            runlog: where notices are.
            journal: told when a channel fails, and when it works again.
            keeper: has a sender.
            definition: returns the definition of what had a name at a moment, None once it is
                removed.
        """
        self._runlog, self._journal = runlog, journal
        self._keeper, self._definition = keeper, definition
        self._channels: Mapping[str, Channel] = {}
        self._lanes = Lanes()
        #: Ends and returns that are not durable yet.
        self._moves: list[NoticeMove] = []
        #: Whether there may be notices to read, and whether they may be of an earlier process.
        self._fresh = self._first = True

    def look(self) -> None:
        """Look into the run log at the next step."""
        self._fresh = True

    def busy(self, elapsed: float) -> bool:
        """Tell whether something can be sent now, or is on its way."""
        more = self._fresh or self._moves or self._lanes.on_their_way
        return bool(more) or self._lanes.next_at(elapsed) <= elapsed

    def hear(self, now: float, elapsed: float) -> bool:
        """Take what came of messages; tell whether there was news of the sender."""
        if (answers := self._keeper.hear(elapsed)) is None:
            return False
        lanes = self._lanes.on_their_way
        for number, answer in answers:
            self._answered(lanes[number], answer, now, elapsed)
        return True

    def step(self, channels: Mapping[str, Channel], now: float, elapsed: float) -> float:
        """Make durable what has come, and what is to go; then let it go.

        Args:
            channels: those in force.
            now: the moment, in epoch seconds.
            elapsed: the same on the clock that is never set.

        Returns:
            When the next step is wanted, on that clock.

        Raises:
            RunLogError: nothing was written, and nothing has gone.
        """
        self._channels = channels
        self._read(now, elapsed)
        self._limit(now, elapsed)
        self._leave_out(now)
        batches = self._batches(elapsed)
        decision = _decision([*self._moves, *(claim for each in batches for claim in each.claims)])
        lost = self._runlog.apply(decision) if decision else frozenset()
        self._moves.clear()
        for batch in batches:
            self._hand_over(batch, lost, elapsed)
        return max(self._next_at(elapsed), elapsed + PAUSE if decision else elapsed)

    def stop(self, now: float) -> None:
        """Record what is known; what is on its way may arrive, and nobody will know."""
        for lane in self._lanes.on_their_way.values():
            self._moves += lane.answered(unknown(SCHEDULER_STOPPED), now, 0.0)
        if self._moves:
            try:
                self._runlog.apply(_decision(self._moves))
            except FlyteschedError as error:  # the next scheduler finds them as they are
                self._journal.say("warning", "answers of channels not recorded", why=error)

    def _answered(self, lane: Lane, answer: Answer, now: float, elapsed: float) -> None:
        before = lane.failing
        self._moves += lane.answered(answer, now, elapsed)
        if lane.failing is None and before is not None:
            self._journal.say("info", "channel works again", **_facts(lane))
        elif lane.failing is not None and before is None:
            self._journal.say("warning", "channel fails", **_facts(lane), why=lane.failing)

    # -- parts of a step --------------------------------------------------------------------

    def _read(self, now: float, elapsed: float) -> None:
        """Take notices from the run log; those that an earlier process was sending are over."""
        if not self._fresh:
            return
        found = self._runlog.open_notices(PORTION, self._newest())
        for notice in found:
            if notice.status is NoticeStatus.SENDING:
                end = notice.end(NoticeStatus.UNKNOWN, now, SCHEDULER_DIED)
                self._moves.append(NoticeMove(notice=end, was=notice.status))
                continue
            lane = self._lanes.of(notice)
            lane.waiting.append(notice)
            # A server that asked for time gets it from the next scheduler too. What is new waits
            # for nothing, though it may have been written after the moment this turn began with.
            if self._first and notice.tries:
                left = min(max(0.0, notice.not_before - now), LONGEST)
                lane.ready_at = max(lane.ready_at, elapsed + left)
        self._fresh = len(found) == PORTION
        self._first &= self._fresh

    def _newest(self) -> int:
        """Return the row number of the newest notice known to be open: new ones have greater ones.

        That of one that is over does not do: once it is pruned its number is given away again.
        """
        return max((self._lanes.newest, *(move.notice.id for move in self._moves)))

    def _limit(self, now: float, elapsed: float) -> None:
        """Let channels have their rates, and know what went through them before this process."""
        for lane in self._lanes:
            channel = self._channels.get(lane.channel)
            if lane.waiting and channel is not None and lane.rate != channel.at_most:
                went = self._went(channel, now)
                lane.limit(channel.at_most, [elapsed - max(0.0, now - at) for at in went])

    def _went(self, channel: Channel, now: float) -> list[float]:
        """Return when the last messages went of which the rate of a channel tells."""
        rate = channel.at_most
        stored = self._runlog.messages_since(channel.name, now - rate.seconds, rate.count)
        unsaid = {
            move.notice.ended
            for move in self._moves
            if move.notice.channel == channel.name and move.notice.status in WENT
        }
        return sorted({*stored, *(at for at in unsaid if at is not None)})

    def _leave_out(self, now: float) -> None:
        """End what need not, or cannot, be sent any more."""
        for lane in self._lanes:
            if lane.waiting and self._address(lane) is None:
                facts = {**_facts(lane), "count": len(lane.waiting)}
                self._journal.say("warning", "channel is gone; its notices are dropped", **facts)
                self._moves += lane.dropped(now)
            self._moves += lane.outdated(now)

    def _address(self, lane: Lane) -> dict[str, Any] | None:
        """Return what the sender is told of the channel of what waits; None if there is none."""
        if lane.schedule is not None:
            schedule = self._definition(lane.schedule, lane.waiting[0].created)
            if schedule is None or schedule.ping_url is None:
                return None
            return ping_address(schedule.ping_url)
        channel = self._channels.get(lane.channel)
        return None if channel is None else channel.address()

    def _batches(self, elapsed: float) -> list[_Batch]:
        """Return what goes now, the oldest first."""
        due = self._lanes.due(elapsed)
        if not due or not self._keeper.ready(self._passwords(), elapsed):
            return []
        found = ((lane, self._address(lane)) for lane in due)
        # Notices of a channel that has gone this moment are dropped at the next step.
        return [_Batch(lane, lane.batch(), each) for lane, each in found if each is not None]

    def _passwords(self) -> list[str]:
        """Return the names of variables that hold passwords of channels."""
        found = (channel.keys.get("password_env") for channel in self._channels.values())
        return [str(name) for name in found if name is not None]

    def _hand_over(self, batch: _Batch, lost: frozenset[str], elapsed: float) -> None:
        """Give a batch that is claimed to the sender, but for what somebody else has moved."""
        lane = batch.lane
        lane.take(batch.notices)
        lane.in_hand = [claim.notice for claim in batch.claims if claim.notice.key not in lost]
        if lane.in_hand:
            told = [json.loads(one.facts) for one in lane.in_hand]
            number = lane.in_hand[0].id
            self._keeper.give(job(number, lane.name, batch.address, told, _log(told)), elapsed)

    def _next_at(self, elapsed: float) -> float:
        """Return when there is something to do, as far as is known."""
        self._lanes.forget()
        if self._fresh:
            waits = elapsed
        elif (waits := self._lanes.next_at(elapsed)) <= elapsed:
            waits = self._keeper.free_at
        return min(waits, self._keeper.tend(elapsed))


@dataclass(frozen=True, slots=True)
class _Batch:
    """What goes as one message, if its claim is not lost."""

    lane: Lane
    notices: Sequence[Notice]
    #: What the sender is told of the channel.
    address: Mapping[str, Any]

    @property
    def claims(self) -> list[NoticeMove]:
        """What is durable before it goes."""
        return [NoticeMove(notice=_sending(one), was=one.status) for one in self.notices]


def _decision(moves: Sequence[NoticeMove]) -> Decision:
    """Return what moves notices, and counts those that come to their last state."""
    return Decision(notice_states=tuple(moves), counts=tuple(count_notices(moves)))


def _facts(lane: Lane) -> dict[str, Any]:
    """Return what a line of the journal says of a lane."""
    said = {"channel": lane.channel}
    return said if lane.schedule is None else {**said, "schedule": lane.schedule}


def _sending(notice: Notice) -> Notice:
    return replace(notice, status=NoticeStatus.SENDING, tries=notice.tries + 1)


def _log(told: Sequence[Mapping[str, Any]]) -> str | None:
    """Return the log that belongs to a message."""
    run = told[0]["run"] if len(told) == 1 else None
    return run["log"] if run and told[0]["event"] != Event.STARTED else None
