"""The outbox: hands notices over to a sender, each at most once, and records what came of them.

A notice is claimed durably before it is handed over: whatever dies in between, it is never handed
over again. All of it happens in the scheduler's process and must delay none of its slots: sending
is done by another process, and the run log is written only while no slot is near.
"""

from __future__ import annotations

import json
import math
import select
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flytesched.core.counts import count_notices
from flytesched.core.decision import Decision
from flytesched.core.telling import messages
from flytesched.core.telling.channels import wanting
from flytesched.core.telling.events import (
    PING_URL,
    SCHEDULER_DIED,
    SCHEDULER_STOPPED,
    SENDER_DIED,
    USUAL,
    WENT,
    Event,
    NoticeMove,
    NoticeStatus,
)
from flytesched.errors import FlyteschedError, RunLogBusy
from flytesched.hooks.answer import Answer, unknown
from flytesched.hooks.courier import Courier
from flytesched.hooks.lane import FIRST, LONGEST, Lane

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from flytesched.core.protocols import Journal, RunLog, Told
    from flytesched.core.schedule import Schedule
    from flytesched.core.telling.channels import Channel
    from flytesched.core.telling.events import Notice

#: Seconds that must be left until the next slot before the run log is written.
ROOM = 0.25
#: Seconds that this is waited for, at the most.
PATIENCE = 2.0
#: Seconds between two transactions.
PAUSE = 0.1
#: Seconds until a run log that is locked is tried again.
BUSY = 0.5
#: Notices read at once.
PORTION = 200
#: Messages on their way at once: as many as a sender carries out at once. Pings leave some of these
#: to channels: there may be very many ping URLs, and all of them on a server that hangs.
AT_ONCE, PINGS_AT_ONCE = 16, 12
#: Seconds without anything to send after which the sender is let go.
IDLE = 60.0
#: Seconds after which a sender that says nothing is ended: a job takes thirty.
SILENT = 60.0
#: Seconds by which one clock told on another may be off.
_ROUNDING = 1e-4


class Outbox:
    """Implements ``core.protocols.Hook`` with the channels of the manifest."""

    def __init__(
        self,
        runlog: RunLog,
        journal: Journal,
        *,
        host: str,
        state_dir: str,
        environ: Mapping[str, str],
        channels: Callable[[], Mapping[str, Channel] | None],
        definition: Callable[[str, float], Schedule | None],
        elapsed: Callable[[], float],
    ) -> None:
        """Begin with nothing known of what waits.

        Args:
            runlog: where notices are.
            journal: told when a channel fails, and when it works again.
            host: name of this machine.
            state_dir: where log files are.
            environ: what a sender's environment is made of.
            channels: returns the channels in force; None while that is not known.
            definition: returns the definition of what had a name at a moment, None once it is
                removed.
            elapsed: returns seconds on a clock that is never set.
        """
        self._runlog, self._journal = runlog, journal
        self._host, self._state_dir, self._environ = host, state_dir, environ
        self._channels_now, self._definition, self._elapsed = channels, definition, elapsed
        self._channels: Mapping[str, Channel] = {}
        self._epoll = select.epoll()
        self._lanes: dict[tuple[str, str | None], Lane] = {}
        self._courier: Courier | None = None
        self._courier_failures, self._courier_at = 0, -math.inf
        #: Ends and returns that are not durable yet.
        self._moves: list[NoticeMove] = []
        self._fresh, self._first = True, True
        #: When there is something to do, on the clock that is never set.
        self._wanted = self._idle_since = elapsed()

    def fileno(self) -> int:
        """Return a descriptor that is readable when the sender has news."""
        return self._epoll.fileno()

    # -- the hook ---------------------------------------------------------------------------

    def wants(self, schedule: Schedule, event: Event) -> bool:
        """Tell whether a channel of a schedule, or its ping URL, wants to know of an event."""
        return any(True for _ in self._who(schedule, event))

    def notices(self, told: Told, now: float) -> Sequence[Notice]:
        """Return a queued notice for each channel that wants to know."""
        who = self._who(told.schedule, told.event)
        return messages.notices(told, who, now=now, host=self._host, state_dir=self._state_dir)

    def tell(self, told: Told) -> None:
        """Look for new notices soon."""
        if self.wants(told.schedule, told.event):
            self.look()

    def _who(self, schedule: Schedule, event: Event) -> Iterator[str]:
        if (channels := self._channels_now()) is None and event in USUAL:
            # What they want cannot be read: a notice too many is better than one that is lost.
            return iter(schedule.notify)
        return wanting(schedule, event, channels or {})

    # -- turns ------------------------------------------------------------------------------

    def look(self) -> None:
        """Look into the run log at the next opportunity."""
        self._fresh = True
        self._want(self._elapsed())

    def turn(self, now: float, due: float | None) -> float | None:
        """Take what the sender says and give it more; return when to be called again.

        Args:
            now: the moment, in epoch seconds.
            due: when the loop has to turn again; None if nothing is coming.
        """
        elapsed = self._elapsed()
        self._hear(now, elapsed)
        if (channels := self._channels_now()) is None:
            return None
        if channels is not self._channels:
            self._channels = channels
            self._want(elapsed)
        if elapsed >= self._wanted:
            room = due is None or due - now >= ROOM
            if not room and elapsed < self._wanted + PATIENCE:
                return now + self._wanted + PATIENCE - elapsed
            self._step(now, elapsed)
        left = max(0.0, self._wanted - elapsed)
        return None if math.isinf(left) else now + left + _ROUNDING

    @property
    def busy(self) -> bool:
        """Whether something can be sent now, or is on its way."""
        elapsed = self._elapsed()
        return bool(self._fresh or self._moves) or any(
            lane.in_hand or lane.next_at(elapsed) <= elapsed for lane in self._lanes.values()
        )

    def finish(
        self,
        clock_now: Callable[[], float],
        seconds: float,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> None:
        """Go on for some time with what can be sent, before the process ends.

        Args:
            clock_now: returns the moment, in epoch seconds.
            seconds: for how long at most.
            meanwhile: called again and again.
        """
        until = self._elapsed() + seconds
        while self._channels_now() is not None and self.busy:
            meanwhile()
            self.turn(clock_now(), None)
            if (left := until - self._elapsed()) <= 0:
                return
            self._epoll.poll(min(left, PAUSE))

    def close(self, now: float) -> None:
        """Let go of the sender; what is on its way may arrive, and nobody will know."""
        for lane in self._lanes.values():
            if lane.in_hand:
                self._moves += lane.answered(unknown(SCHEDULER_STOPPED), now, 0.0)
        if self._moves:
            try:
                self._runlog.apply(_decision(self._moves))
            except FlyteschedError as error:  # the next scheduler finds them as they are
                self._journal.say("warning", "answers of channels not recorded", why=error)
        if self._courier is not None:
            self._courier.leave()
        self._epoll.close()

    def _want(self, at: float) -> None:
        self._wanted = min(self._wanted, at)

    # -- the sender -------------------------------------------------------------------------

    def _hear(self, now: float, elapsed: float) -> None:
        """Take answers."""
        if self._courier is None or not self._epoll.poll(0):
            return
        answers, lives = self._courier.hear()
        by_job = {lane.in_hand[0].id: lane for lane in self._lanes.values() if lane.in_hand}
        for said in answers:
            if (lane := by_job.get(said.pop("id"))) is not None:
                self._answered(lane, Answer(**said), now, elapsed)
        if self._courier.ready:
            self._courier_failures = 0
            self._want(elapsed)
        if not lives:
            self._lost(now, elapsed)

    def _answered(self, lane: Lane, answer: Answer, now: float, elapsed: float) -> None:
        before = lane.failing
        self._moves += lane.answered(answer, now, elapsed)
        self._want(elapsed)
        facts = _facts(lane)
        if lane.failing is None and before is not None:
            self._journal.say("info", "channel works again", **facts)
        elif lane.failing is not None and before is None:
            self._journal.say("warning", "channel fails", **facts, why=lane.failing)

    def _lost(self, now: float, elapsed: float) -> None:
        """Go on without a sender that died: what it had may have arrived."""
        assert self._courier is not None  # noqa: S101  only a sender's news leads here
        how, self._courier = self._courier.reap(), None
        for lane in self._lanes.values():
            if lane.in_hand:
                self._answered(lane, unknown(SENDER_DIED), now, elapsed)
        self._put_off(f"it died: {how}", elapsed)

    def _put_off(self, why: str, elapsed: float) -> None:
        """Wait a little longer each time with a new sender."""
        if not self._courier_failures:
            self._journal.say("error", "no sender for channels", why=why)
        wait = min(FIRST * 2 ** min(self._courier_failures, 30), LONGEST)
        self._courier_failures += 1
        self._courier_at = elapsed + wait
        self._want(self._courier_at)

    def _ready(self, elapsed: float) -> bool:
        """Tell whether there is a sender that listens; if not, get one."""
        passwords = [
            str(channel.keys["password_env"])
            for channel in self._channels.values()
            if "password_env" in channel.keys
        ]
        if self._courier is not None and not self._courier.knows(passwords):
            if any(lane.in_hand for lane in self._lanes.values()):
                return False
            self._let_go()
        if self._courier is None and elapsed >= self._courier_at:
            try:
                self._courier = Courier(self._environ, passwords)
                self._epoll.register(self._courier.fileno(), select.EPOLLIN)
            except (OSError, MemoryError) as error:
                self._let_go()
                self._put_off(str(error), elapsed)
        return self._courier is not None and self._courier.ready

    def _let_go(self) -> None:
        """End a sender that has nothing to do."""
        if self._courier is not None:
            self._courier.leave()
            self._courier = None

    # -- steps ------------------------------------------------------------------------------

    def _step(self, now: float, elapsed: float) -> None:
        """Make durable what has come, and what is to go; then let it go."""
        self._wanted = elapsed + BUSY  # unless all goes well
        try:
            self._read(now, elapsed)
            self._limit(now, elapsed)
            self._leave_out(now)
            batches = self._batches(elapsed)
            claims = [
                NoticeMove(notice=_sending(one), was=one.status)
                for _, batch in batches
                for one in batch
            ]
            decision = _decision([*self._moves, *claims])
            lost = self._runlog.apply(decision) if decision else frozenset()
        except RunLogBusy:
            return
        self._moves.clear()
        self._wanted = math.inf
        for lane, batch in batches:
            self._hand_over(lane, batch, lost, elapsed)
        self._plan(elapsed, paused=bool(decision))

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
            lane = self._lane(notice)
            lane.waiting.append(notice)
            if self._first:  # a server that asked for time gets it from the next scheduler too
                left = min(max(0.0, notice.not_before - now), LONGEST)
                lane.ready_at = max(lane.ready_at, elapsed + left)
        self._fresh = len(found) == PORTION
        self._first &= self._fresh

    def _newest(self) -> int:
        """Return the row number of the newest notice known to be open: new ones have greater ones.

        That of one that is over does not do: once it is pruned its number is given away again.
        """
        known = [lane.newest for lane in self._lanes.values()]
        return max((*known, *(move.notice.id for move in self._moves)), default=0)

    def _lane(self, notice: Notice) -> Lane:
        key = (notice.channel, notice.schedule if notice.channel == PING_URL else None)
        if (lane := self._lanes.get(key)) is None:
            lane = self._lanes[key] = Lane(*key)
        return lane

    def _leave_out(self, now: float) -> None:
        """End what need not, or cannot, be sent any more."""
        for lane in self._lanes.values():
            if lane.waiting:
                if self._keys(lane) is None:
                    facts = {**_facts(lane), "count": len(lane.waiting)}
                    self._journal.say(
                        "warning", "channel is gone; its notices are dropped", **facts
                    )
                    self._moves += lane.dropped(now)
                self._moves += lane.outdated(now)

    def _keys(self, lane: Lane) -> dict[str, Any] | None:
        """Return what the sender is told of a channel; None if there is none."""
        if lane.schedule is not None:
            first = next(iter(lane.in_hand or lane.waiting))
            schedule = self._definition(lane.schedule, first.created)
            if schedule is None or schedule.ping_url is None:
                return None
            return {"name": PING_URL, "kind": "ping", "url": schedule.ping_url}
        if (channel := self._channels.get(lane.channel)) is None:
            return None
        return {"name": channel.name, "kind": channel.kind.value, **channel.keys}

    def _limit(self, now: float, elapsed: float) -> None:
        """Let channels have their rates, and know what went through them before this process."""
        for lane in self._lanes.values():
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

    def _batches(self, elapsed: float) -> list[tuple[Lane, list[Notice]]]:
        """Return what may go now, the oldest first."""
        lanes = [lane for lane in self._lanes.values() if lane.next_at(elapsed) <= elapsed]
        if not lanes or not self._ready(elapsed):
            return []
        lanes.sort(key=lambda lane: lane.waiting[0].id)
        places, for_pings = self._places()
        chosen = []
        for lane in lanes:
            if places and (for_pings or lane.schedule is None):
                chosen.append((lane, lane.batch()))
                places -= 1
                for_pings -= lane.schedule is not None
        return chosen

    def _places(self) -> tuple[int, int]:
        """Return how many messages more may be on their way, and how many pings among them."""
        taken = [lane.schedule for lane in self._lanes.values() if lane.in_hand]
        return AT_ONCE - len(taken), PINGS_AT_ONCE - len(taken) + taken.count(None)

    def _hand_over(
        self, lane: Lane, batch: Sequence[Notice], lost: frozenset[str], elapsed: float
    ) -> None:
        """Give a batch that is claimed to the sender, but for what somebody else has moved."""
        lane.take(batch, elapsed)
        lane.in_hand = [_sending(one) for one in batch if one.key not in lost]
        keys = self._keys(lane)
        if lane.in_hand and keys is not None and self._courier is not None:
            told = [json.loads(one.facts) for one in lane.in_hand]
            self._courier.give({
                "id": lane.in_hand[0].id, "lane": lane.name, "kind": keys["kind"],
                "channel": keys, "messages": told, "tail": _log(told),
            })  # fmt: skip

    def _plan(self, elapsed: float, *, paused: bool) -> None:
        """Decide when the next step is wanted."""
        for key, lane in [*self._lanes.items()]:
            if lane.in_hand:
                self._idle_since = elapsed
                self._want(lane.since + SILENT)
                if elapsed >= lane.since + SILENT and self._courier is not None:
                    self._courier.kill()
            elif not lane.waiting and lane.schedule is not None and lane.failing is None:
                del self._lanes[key]
        self._plan_next(elapsed, elapsed + PAUSE if paused else elapsed)

    def _plan_next(self, elapsed: float, soonest: float) -> None:
        waits = min((lane.next_at(elapsed) for lane in self._lanes.values()), default=math.inf)
        if waits <= elapsed:
            self._idle_since = elapsed
            if self._courier is None:
                waits = self._courier_at
            elif not self._courier.ready or any(lane.in_hand for lane in self._lanes.values()):
                waits = math.inf  # it will say when there is a place
        if self._fresh:
            waits = elapsed
        if self._courier is not None:
            if elapsed >= self._idle_since + IDLE:
                self._let_go()
            else:
                waits = min(waits, self._idle_since + IDLE)
        self._want(max(waits, soonest))


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
