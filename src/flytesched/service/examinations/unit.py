"""Examination of the unit of systemd: installed, enabled, running, up to date, and lasting."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from flytesched import linux
from flytesched.service.doctor import Level, found

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flytesched.service.doctor import Finding, Patient
    from flytesched.systemd import Manager

#: The unit that ``service install`` makes, if it is not given another name.
_NAME = "flytesched.service"
_PROPERTIES = ("ActiveState", "UnitFileState", "NeedDaemonReload", "MainPID")
#: Lines that differ with where, and how, the program was called that wrote the unit.
_OF_THE_CALL = re.compile(r"^(# |ExecStart=|Environment=|RequiresMountsFor=).*\n", re.MULTILINE)
_PROGRAM = re.compile(r'^ExecStart=:?("(?:[^"\\]|\\.)*"|\S+)', re.MULTILINE)


def unit(patient: Patient) -> Iterator[Finding]:
    """Tell whether the scheduler will run after a restart of the machine, and as it should."""
    managers = _managers(patient)
    if not managers:
        yield found("unit", Level.OK, "no systemd runs here: start 'flytesched run' by other means")
        return
    name = _of_scheduler(patient) or _NAME
    for manager in managers:
        if os.path.lexists(manager.folder / name):
            yield from _installed(patient, manager, name)
            return
    yield _not_installed(patient, managers[0])


def _managers(patient: Patient) -> list[Manager]:
    """Return the managers that run and might run the scheduler of this user."""
    environ = patient.site.environ
    if not environ.get("XDG_RUNTIME_DIR") and not Path("/run/systemd/system").is_dir():
        return []
    from flytesched.systemd import Manager

    # Root's schedules are served by the machine's manager, those of a user by either.
    every = (Manager(environ), Manager(environ, user=True))
    ordered = every if os.geteuid() == 0 else every[::-1]
    return [manager for manager in ordered if manager.runs()]


def _of_scheduler(patient: Patient) -> str | None:
    """Return the unit that the scheduler runs in; None if in none, or nobody knows."""
    holder = patient.seen.scheduler
    name = None if holder is None else linux.process_unit(holder.pid)
    return None if name is None or name.startswith("user@") else name


def _not_installed(patient: Patient, manager: Manager) -> Finding:
    install = f"flytesched service install --now{' --user' if manager.user else ''}"
    if patient.seen.scheduler is not None:
        what = (
            "the scheduler is no service: nothing starts it again, after a restart of the machine"
        )
    elif not patient.due:
        return found("unit", Level.OK, "the scheduler is not installed as a service")
    else:
        what = "the scheduler is not installed as a service"
    return found("unit", Level.WARNING, what, install)


def _installed(patient: Patient, manager: Manager, name: str) -> Iterator[Finding]:
    faults = [*_of_file(patient, manager, name), *_of_manager(patient, manager, name)]
    yield from faults
    if not faults:
        what = f"{manager.folder / name} is enabled, runs, and is as this program makes it"
        yield found("unit", Level.OK, what)


def _of_file(patient: Patient, manager: Manager, name: str) -> Iterator[Finding]:
    """Yield what is wrong with the file of a unit."""
    from flytesched.service.unit import Found, recognise

    path = manager.folder / name
    text = path.read_text(encoding="utf-8", errors="surrogateescape")
    if (match := _PROGRAM.search(text)) is not None:
        program = re.sub(r"\\(.)", r"\1", match[1].strip('"')).replace("%%", "%")
        if not os.access(program, os.X_OK):
            what = f"{path} starts {program}, which is not there"
            yield found("unit", Level.PROBLEM, what, _again(manager))
            return
    if recognise(text) is Found.OURS and _bare(text) not in _made(patient, manager, name):
        what = f"{path} is not as this version of flytesched makes it"
        yield found("unit", Level.WARNING, what, _again(manager))


def _again(manager: Manager) -> str:
    user = " --user" if manager.user else ""
    return f"renew it: flytesched service install --now{user}; running commands go on"


def _made(patient: Patient, manager: Manager, name: str) -> list[str]:
    """Return the units that this program would make, without what differs from call to call."""
    from flytesched.service.installation import describe

    settings = patient.site.settings
    return [
        _bare(
            describe(
                manifest=str(settings.manifest), state_dir=str(settings.state_dir),
                environ=patient.site.environ, argv=sys.argv, executable=sys.executable, name=name,
                user=manager.user, harden=harden, manager=manager,
            ).unit.text()
        )
        for harden in (False, True)
    ]  # fmt: skip


def _bare(text: str) -> str:
    return _OF_THE_CALL.sub("", text)


def _of_manager(patient: Patient, manager: Manager, name: str) -> Iterator[Finding]:
    """Yield what the manager of a unit says that should be otherwise."""
    facts = manager.facts(name, *_PROPERTIES)
    if not facts:
        do = f"see: {manager.spelled('status', name)}"
        yield found("unit", Level.WARNING, f"systemd tells nothing of {name}", do)
        return
    if facts.get("UnitFileState") not in {"enabled", "enabled-runtime", "static"}:
        what = f"{name} is installed and not enabled: nothing starts it with the machine"
        yield found("unit", Level.WARNING, what, manager.spelled("enable", name))
    if facts.get("ActiveState") not in {"active", "activating", "reloading"}:
        what = f"{name} is installed and does not run ({facts.get('ActiveState', 'unknown')})"
        yield found("unit", Level.PROBLEM, what, manager.spelled("start", name))
    elif (holder := patient.seen.scheduler) is not None and str(holder.pid) != facts.get("MainPID"):
        what = f"{name} runs, and the scheduler of this state directory is another: {holder.pid}"
        do = f"stop that one, then: {manager.spelled('restart', name)}"
        yield found("unit", Level.WARNING, what, do)
    if facts.get("NeedDaemonReload") == "yes":
        what = f"{name} was changed, and systemd goes on with what it read before"
        yield found("unit", Level.WARNING, what, manager.spelled("daemon-reload"))
    if not manager.lingers():
        what = f"{name} ends when you log out"
        yield found("unit", Level.WARNING, what, "loginctl enable-linger")
