"""The system's clock beside handlers that others installed."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from flytesched.clock import SystemClock


def descriptors() -> int:
    """Return how many descriptors are open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def test_signals_may_be_added_later_and_all_handlers_are_put_back() -> None:
    """The first handler that was found is the one that belongs there."""
    mine = signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    before = descriptors()
    try:
        clock = SystemClock()
        clock.catch([signal.SIGUSR1])
        clock.catch([signal.SIGUSR1, signal.SIGUSR2])
        os.kill(os.getpid(), signal.SIGUSR1)
        os.kill(os.getpid(), signal.SIGUSR2)
        clock.wait(None)
        assert sorted(clock.signals()) == [signal.SIGUSR1, signal.SIGUSR2]
        clock.close()
        assert signal.getsignal(signal.SIGUSR1) is signal.SIG_IGN
        assert signal.getsignal(signal.SIGUSR2) is signal.SIG_DFL
        assert descriptors() == before
    finally:
        signal.signal(signal.SIGUSR1, mine)
