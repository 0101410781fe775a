"""Following attempts to their ends: one pidfd for each, all in one epoll."""

from __future__ import annotations

import contextlib
import os
import resource
import select
import signal
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flytesched import linux
from flytesched.core.runs import AttemptKey, End, Outcome, Reason
from flytesched.executors.session import Process, Session, is_copy, ours, send

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from flytesched.executors.record import Records

#: Seconds until something that failed for now is tried again.
_TRY_AGAIN = 1.0
#: Seconds until a signal that found no command is sent again.
_SEND_AGAIN = 0.05
#: Rounds of a signal, against processes that fork while it is sent.
_ROUNDS = 8


@dataclass(slots=True, kw_only=True, eq=False)
class Live:
    """One attempt that is followed."""

    #: Its name.
    key: AttemptKey
    #: How its processes are known; its leader is the supervisor, or the command without one.
    session: Session
    #: Whether its leader is a supervisor, which keeps a record.
    survive: bool
    #: File of its output.
    log: str
    #: Moment it was started; it cannot have ended before.
    since: float
    #: Seconds between TERM and KILL for what an attempt leaves when its end cannot be known.
    kill_after: float
    #: Whether its leader lives, as far as is known.
    leads: bool = True
    #: Whether it was told to end: then it has ended when no process of it is left.
    ending: bool = False
    #: The last signal it was sent, and the processes (pid, start) that got it.
    number: signal.Signals | None = None
    told: set[tuple[int, int]] = field(default_factory=set)
    #: How its leader ended.
    outcome: Outcome | None = None
    #: Whether the leader is a child of this process.
    child: bool = False
    #: The leader's wait status, CPU seconds and peak KiB, once it was waited for.
    reaped: tuple[int, float, int | None] | None = None
    #: Descriptor that tells of the next end; None while there is none.
    fd: int | None = None


class Follower:
    """The attempts that have been started and whose ends have not been reported."""

    def __init__(self, records: Records, clock_now: Callable[[], float]) -> None:
        """Begin with none.

        Raises:
            OSError: no descriptor is left.
        """
        self._records, self._now = records, clock_now
        self._epoll = select.epoll()
        self._bell = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._timer = linux.Timer()
        for fd in (self._bell, self._timer.fileno()):
            self._epoll.register(fd, select.EPOLLIN)
        self._armed = self._rung = False
        #: Children that nobody has looked at since they were started.
        self._fresh: list[Live] = []
        self._lives: dict[AttemptKey, Live] = {}
        self._by_fd: dict[int, Live] = {}
        #: Attempts to look at in any case: no descriptor tells of their next step.
        self._unsettled: list[Live] = []
        #: Attempts whose last signal reached nobody yet.
        self._unsent: list[Live] = []
        #: Attempts whose remains are killed at a moment.
        self._doomed: dict[AttemptKey, float] = {}

    def fileno(self) -> int:
        """Return a descriptor that is readable when ``collect`` may have something to report."""
        return self._epoll.fileno()

    def get(self, key: AttemptKey) -> Live | None:
        """Return an attempt that is followed."""
        return self._lives.get(key)

    def all(self) -> Iterable[Live]:
        """Return all attempts that are followed."""
        return self._lives.values()

    def follow(self, live: Live) -> None:
        """Report the end of an attempt, sooner or later.

        Raises:
            OSError: nothing can tell of its end now; it is not followed.
        """
        if live.leads and live.child:
            # It gets a descriptor if it still runs when it is first looked at: most of a burst
            # has ended by then.
            self._lives[live.key] = live
            self._fresh.append(live)
            self._ring()
            return
        if not (live.leads and self._watch(live, live.session.leader)):
            self.look_after(live)
        self._lives[live.key] = live

    def look_after(self, live: Live) -> None:
        """Follow an attempt whose end no descriptor tells of yet; the next collect sees to it."""
        self._lives[live.key] = live
        self._unsettled.append(live)
        self._ring()

    def drop(self, live: Live) -> None:
        """Follow an attempt no longer."""
        self._unwatch(live)
        del self._lives[live.key]

    def leader_ended(self, live: Live) -> None:
        """Take note that the pid of an attempt's leader is not, or not any more, its own."""
        self._unwatch(live)
        live.leads = live.child = False
        self.look_after(live)

    def collect(self) -> list[Live]:
        """Return the attempts that have ended since the last call, without waiting."""
        now = self._now()
        due, self._unsettled = dict.fromkeys(self._unsettled), []
        fresh, self._fresh = self._fresh, []
        due |= dict.fromkeys(
            live
            for live in fresh
            if live.leads and self._lives.get(live.key) is live and self._ended_already(live)
        )
        for fd, _ in self._epoll.poll(0):
            if (live := self._by_fd.get(fd)) is not None:
                self._unwatch(live)
                live.leads = False
                due[live] = None
            else:
                self._quieten(fd)
        if self._unsent or self._doomed:
            self._signal_late(now)
        ended = [live for live in due if self._has_ended(live, now)]
        self._arm(now)
        return ended

    def send(self, live: Live, number: signal.Signals) -> None:
        """Send a signal to every process of an attempt but its supervisor, once to each.

        Those that come up while it is sent get it too, and what cannot be sent now is sent later.
        From here on the attempt has ended when no process of it is left that we may signal.
        """
        live.ending = True
        if live.number is not number:
            live.number, live.told = number, set()
        try:
            # A supervisor alone is about to start its command, or to write down its end.
            if self._tell(live) or not (live.leads and live.survive):
                return
        except OSError:
            pass
        self._unsent.append(live)
        self._arm(self._now())

    def end_remains(self, live: Live) -> None:
        """End what is left of an attempt that nobody supervises any more: TERM, later KILL."""
        self._doomed[live.key] = self._now() + live.kill_after
        self.send(live, signal.SIGTERM)
        self._arm(self._now())

    def close(self) -> None:
        """Let go of all descriptors; what runs is left alone."""
        for fd in self._by_fd:
            os.close(fd)
        self._by_fd.clear()
        self._lives.clear()
        self._timer.close()
        self._epoll.close()
        os.close(self._bell)

    # -- ends -------------------------------------------------------------------------------

    def _ended_already(self, live: Live) -> bool:
        """Look at a child for the first time; watch it if it has not ended."""
        try:
            self._reap(live)
        except BlockingIOError:
            try:
                return not self._watch(live, live.session.leader)
            except OSError:
                self._unsettled.append(live)
                return False
        live.leads = live.reaped is None
        return True

    def _has_ended(self, live: Live, now: float) -> bool:
        try:
            outcome = self._advance(live, now)
        except OSError:
            self._unsettled.append(live)
            return False
        if outcome is None:
            return False
        self._lives.pop(live.key, None)
        self._doomed.pop(live.key, None)
        return True

    def _advance(self, live: Live, now: float) -> Outcome | None:
        """Return how an attempt ended; None while it has not.

        Raises:
            OSError: that cannot be seen now.
        """
        if live.fd is not None or (live.leads and self._watch(live, live.session.leader)):
            return None
        live.leads = False
        self._reap(live)
        if live.outcome is None:
            live.outcome = self._outcome(live, now)
            if live.outcome.end is End.LOST and not live.ending:
                self.end_remains(live)
        if live.ending and self._watch_remains(live):
            return None
        return live.outcome

    def _outcome(self, live: Live, now: float) -> Outcome:
        """Return how the leader of an attempt ended.

        Raises:
            OSError: its record cannot be read now.
        """
        status, cpu, rss = live.reaped or (None, None, None)
        code, ended = None, now
        if not live.survive:
            code = None if status is None else exit_code(status)
        elif status == 0:  # as it says itself only after its last word
            code, ended = 0, self._records.written(live.key) or now
        elif (found := self._records.look(live.key)) is not None and found.code is not None:
            code, ended = found.code, found.written
        # File times are a few milliseconds behind.
        ended = min(max(ended, live.since), now)
        if code is None:
            why = Reason.SUPERVISOR if live.survive else Reason.PARENT
            return Outcome(key=live.key, end=End.LOST, ended=ended, reason=why.value)
        return Outcome(
            key=live.key, end=End.EXITED, ended=ended, exit_code=code, cpu=cpu, max_rss=rss
        )

    def _reap(self, live: Live) -> None:
        """Take the wait status of a leader that has ended, if it was a child of this process.

        Raises:
            BlockingIOError: it cannot be had now: a debugger sees it first.
        """
        if live.child and live.session.leader is not None:
            with contextlib.suppress(ChildProcessError):
                pid, status, usage = os.wait4(live.session.leader, os.WNOHANG)
                if not pid:
                    raise BlockingIOError
                cpu = usage.ru_utime + usage.ru_stime
                live.reaped = (status, cpu, _peak(usage.ru_maxrss))
            live.child = False

    def _watch_remains(self, live: Live) -> bool:
        """Watch one process that an attempt has left; False if none is left."""
        for process in live.session.processes(leader_lives=False):
            if not (live.survive and self._supervises(live, process)):
                self._tell_process(live, process)  # it may have slipped through
            if ours(process) and self._watch(live, process.pid):
                if linux.process_start(process.pid) == process.start:
                    return True
                self._unwatch(live)
        return False

    # -- descriptors --------------------------------------------------------------------------

    def _watch(self, live: Live, pid: int | None) -> bool:
        """Let the end of a process be news; False if it is gone."""
        if pid is None:
            return False
        try:
            fd = os.pidfd_open(pid)
        except ProcessLookupError:
            return False
        try:
            self._epoll.register(fd, select.EPOLLIN)
        except BaseException:
            os.close(fd)
            raise
        live.fd = fd
        self._by_fd[fd] = live
        return True

    def _unwatch(self, live: Live) -> None:
        if live.fd is not None:
            del self._by_fd[live.fd]
            os.close(live.fd)
            live.fd = None

    def _ring(self) -> None:
        if not self._rung:
            self._rung = True
            os.eventfd_write(self._bell, 1)

    def _quieten(self, fd: int) -> None:
        if fd == self._bell:
            os.eventfd_read(fd)
            self._rung = False
        else:
            self._timer.read()
            self._armed = False

    def _arm(self, now: float) -> None:
        """Let the next thing to try again, or to kill, be news at its moment."""
        moments = list(self._doomed.values())
        if self._unsettled:
            moments.append(now + _TRY_AGAIN)
        if self._unsent:
            moments.append(now + _SEND_AGAIN)
        if moments or self._armed:
            self._armed = bool(moments)
            if self._timer.set(min(moments, default=None)):
                self._ring()

    # -- signals ------------------------------------------------------------------------------

    def _signal_late(self, now: float) -> None:
        unsent, self._unsent = self._unsent, []
        for live in unsent:
            if self._lives.get(live.key) is live and live.number is not None:
                self.send(live, live.number)
        for key, at in tuple(self._doomed.items()):
            if at <= now:
                self._doomed[key] = now + max(self._lives[key].kill_after, _TRY_AGAIN)
                self.send(self._lives[key], signal.SIGKILL)

    def _tell(self, live: Live) -> bool:
        """Signal until nobody new is found; tell whether anybody was."""
        found = False
        for _ in range(_ROUNDS):
            told = 0
            for process in live.session.processes(leader_lives=live.leads):
                if live.survive and self._supervises(live, process):
                    self._resume(process)
                else:
                    found = True
                    told += self._tell_process(live, process)
            if not told:
                break
        return found

    def _supervises(self, live: Live, process: Process) -> bool:
        """Tell whether a process is a supervisor, or a copy of one that must not be told yet."""
        if live.leads and process.pid == live.session.leader:
            return True
        return live.number is not signal.SIGKILL and is_copy(process.pid)

    def _tell_process(self, live: Live, process: Process) -> bool:
        """Signal a process that has not been told yet."""
        identity = (process.pid, process.start)
        if live.number is None or identity in live.told:
            return False
        sent = send(process, live.number)
        live.told.add(identity)
        return sent

    def _resume(self, supervisor: Process) -> None:
        """Let a supervisor that was stopped go on: it has an end to write down."""
        if supervisor.stopped:
            send(supervisor, signal.SIGCONT)


def _peak(kib: int) -> int | None:
    """Return a child's peak memory, if it is its own.

    A child of vfork(2) begins with the peak of its parent, whose memory it shares up to the exec.
    """
    return kib if kib > resource.getrusage(resource.RUSAGE_SELF).ru_maxrss else None


def exit_code(status: int) -> int:
    """Return the exit code of a wait status; a signal is 128+n."""
    code = os.waitstatus_to_exitcode(status)
    return 128 - code if code < 0 else code


def is_child(pid: int) -> bool:
    """Tell whether a process is a child of this one, not waited for yet."""
    try:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True
