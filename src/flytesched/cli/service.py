"""flytesched service: the scheduler as a service of systemd."""

import os
import sys
from typing import Annotated

import typer

from flytesched.cli import render
from flytesched.cli.call import Call
from flytesched.cli.options import Yes
from flytesched.cli.verb import verb
from flytesched.service import installation
from flytesched.service.installation import Installed, Service
from flytesched.service.unit import Found

HELP = "Run the scheduler as a service of systemd."

User = Annotated[
    bool, typer.Option("--user", help="A service of your own instead of the machine's.")
]
Harden = Annotated[
    bool, typer.Option("--harden", help="Sandbox the service, and with it every command.")
]
UnitName = Annotated[str, typer.Option("--name", metavar="NAME", help="The name of the unit.")]
Force = Annotated[
    bool,
    typer.Option("--force", help="Replace or remove a unit that is not as flytesched made it."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]


@verb(reads=True)
def show(
    call: Call, *, user: User = False, harden: Harden = False, name: UnitName = "flytesched"
) -> None:
    """Print the unit that install would write.

    Paths and FLYTESCHED_ variables that this call was given are written into it.
    """
    service = _service(call, user=user, harden=harden, name=name)
    if call.json:
        call.answer("unit", _shape(service))
    else:
        call.write(service.unit.text())


@verb()
def install(
    call: Call,
    *,
    user: User = False,
    harden: Harden = False,
    name: UnitName = "flytesched",
    now: Annotated[bool, typer.Option("--now", help="Enable the service, and start it.")] = False,
    force: Force = False,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> int | None:
    """Write the unit, and let systemd read it.

    A service that runs goes on with its old unit; with --now it is restarted, which leaves running
    commands alone.
    """
    service = _service(call, user=user, harden=harden, name=name)
    found = installation.check_install(service, force=force)
    if dry_run:
        _foresee(call, service, found, now=now)
        return None
    if not call.agreed(_question(service, found, now=now), yes=yes):
        call.talk("nothing was changed")
        return 1
    if now:
        call.talk("starting, once slots can be decided; Ctrl-C leaves it to systemd")
    done = installation.install(service, now=now, force=force)
    call.line(f"{_did(done)} {service.path}")
    if done.started:
        call.line(f"enabled and started {service.unit.file}")
    _warn(call, service)
    _advise(call, service, done)
    return None


@verb()
def uninstall(
    call: Call,
    *,
    user: User = False,
    name: UnitName = "flytesched",
    force: Force = False,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> int | None:
    """Stop the service, disable it and remove its unit.

    Running commands go on; schedules, history and logs stay.
    """
    service = _service(call, user=user, name=name)
    installation.check_uninstall(service, force=force)
    spelled = service.manager.spelled
    if dry_run:
        call.line(f"would do: {spelled('disable', '--now', service.unit.file)}")
        call.line(f"would remove {service.path}")
        return None
    question = f"Stop {service.unit.file} and remove {service.path}?"
    if not call.agreed(question, yes=yes, needed=True):
        call.talk("nothing was changed")
        return 1
    running = installation.uninstall(service, force=force)
    call.line(f"stopped and disabled {service.unit.file}")
    call.line(f"removed {service.path}")
    what = render.plural(running, "command") if running else "a command that runs"
    go = "go on and are" if running > 1 else "goes on and is"
    call.talk(f"{what} {go} adopted by the next scheduler; schedules, history and logs stay")
    return None


COMMANDS = {"print": show, "install": install, "uninstall": uninstall}


def _service(call: Call, *, user: bool, harden: bool = False, name: str) -> Service:
    return installation.describe(
        manifest=call.manifest, state_dir=call.state_dir, environ=os.environ, argv=sys.argv,
        executable=sys.executable, name=name, user=user, harden=harden,
    )  # fmt: skip


def _shape(service: Service) -> dict[str, object]:
    return {
        "name": service.unit.file,
        "path": str(service.path),
        "user": service.unit.user,
        "manifest": str(service.unit.manifest),
        "state_dir": str(service.unit.state_dir),
        "text": service.unit.text(),
    }


def _question(service: Service, found: Found, *, now: bool) -> str:
    does = "Write" if found is Found.NOTHING else "Replace"
    return f"{does} {service.path}{', enable and start it' if now else ''}?"


def _foresee(call: Call, service: Service, found: Found, *, now: bool) -> None:
    spelled, file = service.manager.spelled, service.unit.file
    call.line(f"would {'write' if found is Found.NOTHING else 'replace'} {service.path}:")
    call.write(service.unit.text())
    call.line(f"would do: {spelled('daemon-reload')}")
    if now:
        call.line(f"would do: {spelled('enable', file)}")
        call.line(f"would do: {spelled('restart', file)}")


def _did(done: Installed) -> str:
    if not done.changed:
        return "unchanged:"
    return "installed" if done.before is Found.NOTHING else "replaced"


def _warn(call: Call, service: Service) -> None:
    if service.unit.harden:
        call.talk(
            "warning: every command inherits the sandbox: no sudo, no mounts, nothing written to"
            " /usr, /etc and homes"
            if not service.unit.user
            else "warning: every command inherits the sandbox: no sudo, no namespaces"
        )
    if not service.unit.user and (path := installation.writable_by_others(service.unit)):
        call.talk(f"warning: not only root can change {path}, which root will run")


def _advise(call: Call, service: Service, done: Installed) -> None:
    """Say what to type next."""
    spelled, unit = service.manager.spelled, service.unit
    if done.waits_for is not None:
        call.talk(f"it waits for its manifest: {done.waits_for}")
    if done.changed and done.running and not done.started:
        call.talk(f"next: {spelled('restart', unit.file)}")
    elif not (done.running or done.started):
        call.talk(f"next: {spelled('enable', '--now', unit.file)}")
    call.talk(f"see: {spelled('status', unit.file)}")
    call.talk(f"see: journalctl {'--user ' if unit.user else ''}-u {unit.name}")
    if not service.manager.lingers():
        call.talk("it ends when you log out, unless you type: loginctl enable-linger")
