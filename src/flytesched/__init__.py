"""A scheduler for one machine: every slot ends in exactly one visible verdict.

The names below are the whole public API. They are loaded when first used (PEP 562), so that
``import flytesched`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flytesched.api.scheduler import Scheduler
    from flytesched.core.calendars import Calendar
    from flytesched.core.protocols import Executor
    from flytesched.core.runs import run_id
    from flytesched.core.schedule import Schedule
    from flytesched.errors import FlyteschedError, InvalidSchedule
    from flytesched.manifest import load_manifest
    from flytesched.version import __version__

_PLACES = {
    "Calendar": "flytesched.core.calendars",
    "Executor": "flytesched.core.protocols",
    "FlyteschedError": "flytesched.errors",
    "InvalidSchedule": "flytesched.errors",
    "Schedule": "flytesched.core.schedule",
    "Scheduler": "flytesched.api.scheduler",
    "__version__": "flytesched.version",
    "load_manifest": "flytesched.manifest",
    "run_id": "flytesched.core.runs",
}

__all__ = [
    "Calendar",
    "Executor",
    "FlyteschedError",
    "InvalidSchedule",
    "Schedule",
    "Scheduler",
    "__version__",
    "load_manifest",
    "run_id",
]


def __getattr__(name: str) -> Any:
    """Load a public name."""
    if name in _PLACES:
        return getattr(import_module(_PLACES[name]), name)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
