"""Lanes: what waits for one channel, in order, and when its turn is.

The ping URL of each schedule is a lane of its own. A lane has one message on its way at a time:
what is refused for now goes back to its front, and nothing overtakes it.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from flytesched.core.telling.events import PING_URL, Notice, NoticeMove, NoticeStatus
from flytesched.hooks.answer import REFUSED, SENT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from flytesched.core.telling.channels import Rate
    from flytesched.hooks.answer import Answer

#: Seconds until a refused message is tried again, doubling up to the second of them.
FIRST, LONGEST = 5.0, 600.0
#: Seconds that a server may ask us to stay away.
_STAY_AWAY = 86_400.0
#: Seconds after which a ping says nothing any more, and a message is given up.
PING_AGE, AGE = 600.0, 86_400.0
#: Notices that wait in one lane; the oldest of more are left out.
MOST = 1000
#: Notices that one digest tells of.
_DIGEST = 200
#: Messages on their way at once: as many as a sender carries out at once. Pings leave some of these
#: to channels: there may be very many ping URLs, and all of them on a server that hangs.
AT_ONCE, PINGS_AT_ONCE = 16, 12


class Lane:
    """What waits for one channel."""

    def __init__(self, channel: str, schedule: str | None) -> None:
        """Begin with nothing waiting; ``schedule`` is whose ping URL it is."""
        self.channel, self.schedule = channel, schedule
        #: The notices that wait, the oldest first.
        self.waiting: deque[Notice] = deque()
        #: Those that are on their way as one message.
        self.in_hand: Sequence[Notice] = ()
        #: When something may be sent again, on the clock that is never set.
        self.ready_at = 0.0
        #: Why the last message did not arrive; None if it did.
        self.failing: str | None = None
        #: How many messages may go in how long; None for any number.
        self.rate: Rate | None = None
        self._failures = 0
        #: When the last ones went of which the rate tells, on that clock.
        self._went: deque[float] = deque(maxlen=0)
        #: Whether what waits had to, and so is told in one message.
        self._gathered = False

    @property
    def name(self) -> str:
        """What the sender calls it."""
        return self.channel if self.schedule is None else f"{self.channel} {self.schedule}"

    def limit(self, rate: Rate, went: Iterable[float]) -> None:
        """Let so many messages through from now on; ``went`` says when the last ones went."""
        self.rate = rate
        self._went = deque(went, maxlen=rate.count)

    def next_at(self, elapsed: float) -> float:
        """Return when the next message may go; infinite while one is on its way."""
        if self.in_hand or not self.waiting:
            return math.inf
        free_at = self._free_at()
        self._gathered |= free_at > elapsed
        return max(self.ready_at, free_at)

    def _free_at(self) -> float:
        """Return when the rate lets a message through: before as many as it says, none does."""
        if self.rate is None or len(self._went) < self.rate.count:
            return -math.inf
        return self._went[0] + self.rate.seconds

    def batch(self) -> list[Notice]:
        """Return what goes next: a notice, or those that had to wait for their turn."""
        return [*islice(self.waiting, _DIGEST if self._gathered else 1)]

    @property
    def newest(self) -> int:
        """The greatest row number of what waits or is on its way; 0 if nothing does."""
        return max((part[-1].id for part in (self.waiting, self.in_hand) if part), default=0)

    def outdated(self, now: float) -> Iterator[NoticeMove]:
        """Leave out, from the oldest on, what waits for too long or is too much; yield its ends."""
        while self.waiting:
            oldest = self.waiting[0]
            end = self._given_up(oldest, now, oldest.why)
            if end is None and len(self.waiting) > MOST:
                end = _end(oldest, NoticeStatus.DROPPED, now, "too many were waiting")
            if end is None:
                return
            self.waiting.popleft()
            yield end

    def dropped(self, now: float) -> Iterator[NoticeMove]:
        """Leave out everything that waits, since the channel is gone; yield its ends."""
        while self.waiting:
            yield _end(self.waiting.popleft(), NoticeStatus.DROPPED, now, "no such channel")

    def take(self, batch: Sequence[Notice]) -> None:
        """Send a batch on its way."""
        for _ in batch:
            self.waiting.popleft()
        self.in_hand, self._gathered = batch, False

    def answered(self, answer: Answer, now: float, elapsed: float) -> list[NoticeMove]:
        """Take in what came of the message that was on its way."""
        batch, self.in_hand = self.in_hand, ()
        if answer.outcome != REFUSED:
            self._went.append(elapsed)
        if answer.outcome == SENT:
            self._failures, self.failing = 0, answer.why
            return [_end(one, NoticeStatus.SENT, now, answer.why) for one in batch]
        self.failing = answer.why or answer.outcome
        if answer.outcome != REFUSED:
            return [_end(one, NoticeStatus.UNKNOWN, now, answer.why) for one in batch]
        if not answer.again:
            return [_end(one, NoticeStatus.FAILED, now, answer.why) for one in batch]
        return self._put_back(batch, answer, now, elapsed)

    def _put_back(
        self, batch: Sequence[Notice], answer: Answer, now: float, elapsed: float
    ) -> list[NoticeMove]:
        wait = min(FIRST * 2 ** min(self._failures, 30), LONGEST)
        wait = max(wait, min(answer.after or 0.0, _STAY_AWAY))
        self._failures += 1
        self.ready_at = elapsed + wait
        self._gathered |= len(batch) > 1
        moves: list[NoticeMove] = []
        back: list[Notice] = []
        for one in batch:
            if (end := self._given_up(one, now, answer.why)) is not None:
                moves.append(end)
                continue
            again = replace(one, status=NoticeStatus.QUEUED, not_before=now + wait, why=answer.why)
            moves.append(NoticeMove(notice=again, was=one.status))
            back.append(again)
        self.waiting.extendleft(reversed(back))
        return moves

    def _given_up(self, notice: Notice, now: float, why: str | None) -> NoticeMove | None:
        """Return the end of a notice that is too old."""
        age = now - notice.created
        if self.channel == PING_URL:
            said = "too old" if why is None else f"too old; {why}"
            return _end(notice, NoticeStatus.DROPPED, now, said) if age > PING_AGE else None
        said = "not sent for a day" if why is None else f"not sent for a day; {why}"
        # What waits for its turn alone is not too old for it.
        most = max(AGE, 2 * self.rate.seconds) if self.rate is not None else AGE
        return _end(notice, NoticeStatus.FAILED, now, said) if age > most else None


class Lanes:
    """Those of all channels and ping URLs that have something to send, or have had."""

    def __init__(self) -> None:
        """Begin with none."""
        self._lanes: dict[tuple[str, str | None], Lane] = {}

    def __iter__(self) -> Iterator[Lane]:
        """Yield each."""
        return iter(self._lanes.values())

    def of(self, notice: Notice) -> Lane:
        """Return the lane that a notice belongs to."""
        key = (notice.channel, notice.schedule if notice.channel == PING_URL else None)
        if (lane := self._lanes.get(key)) is None:
            lane = self._lanes[key] = Lane(*key)
        return lane

    @property
    def newest(self) -> int:
        """The greatest row number of what waits or is on its way; 0 if nothing does."""
        return max((lane.newest for lane in self), default=0)

    @property
    def on_their_way(self) -> dict[int, Lane]:
        """Those that have a message on its way, by the row number of its first notice."""
        return {lane.in_hand[0].id: lane for lane in self if lane.in_hand}

    def next_at(self, elapsed: float) -> float:
        """Return when the next message may go; infinite if none waits for its time."""
        return min((lane.next_at(elapsed) for lane in self), default=math.inf)

    def due(self, elapsed: float) -> list[Lane]:
        """Return those whose turn it is and that find a place, what is oldest first."""
        due = [lane for lane in self if lane.next_at(elapsed) <= elapsed]
        due.sort(key=lambda lane: lane.waiting[0].id)
        taken = [lane.schedule is not None for lane in self if lane.in_hand]
        places, for_pings = AT_ONCE - len(taken), PINGS_AT_ONCE - sum(taken)
        chosen = []
        for lane in due:
            if places and (for_pings or lane.schedule is None):
                chosen.append(lane)
                places -= 1
                for_pings -= lane.schedule is not None
        return chosen

    def forget(self) -> None:
        """Forget ping URLs of which there is nothing to say: there may be very many."""
        for key, lane in [*self._lanes.items()]:
            said = lane.in_hand or lane.waiting or lane.failing is not None
            if lane.schedule is not None and not said:
                del self._lanes[key]


def _end(notice: Notice, status: NoticeStatus, now: float, why: str | None) -> NoticeMove:
    return NoticeMove(notice=notice.end(status, now, why), was=notice.status)
