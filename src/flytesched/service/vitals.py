"""Vitals: everything that the doctor examines, in the order of the answer."""

from __future__ import annotations

from flytesched.service.doctor import Examination
from flytesched.service.examinations.calendars import calendars
from flytesched.service.examinations.channels import channels
from flytesched.service.examinations.commands import commands, environment
from flytesched.service.examinations.machine import time_service, zones
from flytesched.service.examinations.manifest import crowd, manifest, owner, twins
from flytesched.service.examinations.run_log import (
    clock,
    records,
    retention,
    run_log,
    sqlite,
    wal,
    writing,
)
from flytesched.service.examinations.scheduler import failing, long_runs, overdue, scheduler
from flytesched.service.examinations.state_directory import disk, file_system, growth, modes
from flytesched.service.examinations.unit import unit

#: Each function's name is the word that its findings go by.
EXAMINATIONS = tuple(
    Examination(about=look.__name__, look=look)
    for look in (
        manifest, owner, calendars, channels, commands, environment, twins, crowd,
        scheduler, unit, overdue, failing, long_runs,
        run_log, writing, sqlite, wal, retention, records,
        clock, time_service, zones,
        disk, growth, file_system, modes,
    )
)  # fmt: skip
