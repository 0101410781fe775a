"""Fakes for tests: small, real implementations of what the scheduler needs of the world.

`FakeClock` makes a year pass in seconds, `FakeLauncher` carries attempts out in that time, in a
`World` that outlives it, `MemoryRunLog` keeps the promises of the run log without a disk;
`RecordingHook` and `RecordingJournal` remember what they were told.
"""

from flytesched.testing.clock import FakeClock
from flytesched.testing.launcher import FakeLauncher, Fate, Process, World
from flytesched.testing.recording import RecordingHook, RecordingJournal
from flytesched.testing.runlog import MemoryRunLog

__all__ = [
    "FakeClock",
    "FakeLauncher",
    "Fate",
    "MemoryRunLog",
    "Process",
    "RecordingHook",
    "RecordingJournal",
    "World",
]
