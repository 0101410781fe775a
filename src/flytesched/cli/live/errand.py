"""Errand: what a key asks for is done beside the screen, which never waits for it.

A locked run log, a manifest that somebody else edits, a scheduler that is asked whether it is
there: each may take seconds.
"""

from __future__ import annotations

import io
import os
from contextlib import redirect_stderr, suppress
from threading import Thread
from typing import TYPE_CHECKING

from flytesched.cli import render
from flytesched.cli.live.view import Deed
from flytesched.cli.times import later
from flytesched.core.runs import WAITING
from flytesched.errors import FlyteschedError
from flytesched.service import editing, errands

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flytesched.cli.call import Call
    from flytesched.cli.live.view import Wish
    from flytesched.service.editing import Edited


class Errand:
    """At most one thing that is being done, and what came of it."""

    def __init__(self) -> None:
        """Do nothing yet."""
        self._news = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._thread: Thread | None = None
        self._said = ""

    def fileno(self) -> int:
        """Return a descriptor that is readable when it has been done."""
        return self._news

    @property
    def busy(self) -> bool:
        """Whether something is being done."""
        return self._thread is not None

    def begin(self, do: Callable[[], str]) -> None:
        """Begin to do something that says what came of it; what it tells stderr is not shown."""

        def work() -> None:
            with redirect_stderr(io.StringIO()):
                self._said = _told(do)
            os.eventfd_write(self._news, 1)

        self._thread = Thread(target=work, name="errand")
        self._thread.start()

    def result(self) -> str | None:
        """Return what came of it; None as long as that is not known."""
        with suppress(BlockingIOError):
            os.eventfd_read(self._news)
            return self.wait()
        return None

    def wait(self) -> str | None:
        """Wait until it has been done, and return what came of it; None if nothing is."""
        if self._thread is None:
            return None
        self._thread.join()
        self._thread = None
        return self._said

    def close(self) -> None:
        """Wait until it has been done; it is not given up half done."""
        self.wait()
        os.close(self._news)


def _told(do: Callable[[], str]) -> str:
    """Return what came of something in one line, be it an error."""
    try:
        return do()
    except FlyteschedError as error:
        said = error.message.partition("\n")[0]
        return f"{said} ({error.hint})" if error.hint else said
    except Exception as error:  # the screen goes on, and so says it
        return f"unexpected: {type(error).__name__}: {error}"


# -- what can be done -----------------------------------------------------------------------------


def doing(call: Call, wish: Wish) -> Callable[[], str]:
    """Return what carries out a wish."""
    return lambda: _DEEDS[wish.deed](call, wish)


def _cancel(call: Call, wish: Wish) -> str:
    run = errands.cancel(call.site, wish.to)
    return f"{run.id}: {'cancelled' if run.status in WAITING else 'is being ended'}"


def _trigger(call: Call, wish: Wish) -> str:
    return f"triggered: {errands.trigger(call.site, wish.to).id}"


def _retry(call: Call, wish: Wish) -> str:
    return f"runs again as {errands.retry(call.site, wish.to).id}"


def _pause(call: Call, wish: Wish) -> str:
    now = call.site.now()
    until = later("pause", wish.span, now=now)
    done = editing.pause(call.site, [wish.to], until=until)
    return _edited(done, f"paused until {call.clock(until)}")


def _resume(call: Call, wish: Wish) -> str:
    return _edited(editing.resume(call.site, [wish.to]), "resumed")


def _edited(done: Sequence[Edited], what: str) -> str:
    """Say what an edit of one schedule came to."""
    (edited,) = done
    if not edited.schedule.enabled:
        what = "disabled, and stays so"
    return render.safe(f"{edited.change.name}: {what}")


_DEEDS: Mapping[Deed, Callable[[Call, Wish], str]] = {
    Deed.CANCEL: _cancel, Deed.TRIGGER: _trigger, Deed.PAUSE: _pause, Deed.RESUME: _resume,
    Deed.RETRY: _retry,
}  # fmt: skip
