"""Installation: the scheduler as a service of systemd, put there, renewed and taken away."""

from __future__ import annotations

import os
import pwd
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flytesched import settings as settings_table
from flytesched.bootstrap import open_site
from flytesched.core.runs import IN_PLACE
from flytesched.errors import Conflict, FlyteschedError, Invalid, NotFound, SchedulerRunning
from flytesched.manifest.disk import replace_whole
from flytesched.service.unit import Found, Unit, recognise
from flytesched.systemd import Manager

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flytesched.bootstrap import Site

#: Larger than any unit that somebody wrote.
_UNIT_LIMIT = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The scheduler of a manifest and a state directory, as a service."""

    #: What it serves, as its user sees it.
    site: Site
    #: Who shall run it.
    manager: Manager
    #: How it is described to the manager.
    unit: Unit

    @property
    def path(self) -> Path:
        """Where its unit is put."""
        return self.manager.folder / self.unit.file


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """What an installation did."""

    #: What was there before.
    before: Found
    #: Whether the unit is another one now.
    changed: bool
    #: Whether it was enabled and started.
    started: bool
    #: Whether it ran before.
    running: bool
    #: Why it waits instead of deciding slots, if that is known.
    waits_for: str | None = None


def describe(
    *,
    manifest: str | None,
    state_dir: str | None,
    environ: Mapping[str, str],
    argv: Sequence[str],
    executable: str,
    name: str = "flytesched",
    user: bool = False,
    harden: bool = False,
    manager: Manager | None = None,
) -> Service:
    """Return the service that options and environment name; nothing is changed.

    Args:
        manifest: ``--manifest``.
        state_dir: ``--state-dir``.
        environ: the environment of this process; what it says of settings is carried over.
        argv: how this process was started.
        executable: the interpreter.
        name: of the unit.
        user: for the manager of this user instead of the machine's, where root runs it.
        harden: whether to sandbox it.
        manager: who shall run it, if not the one that ``user`` says.

    Raises:
        UsageError: an option or a variable has a bad value.
        FlyteschedError: nobody knows the user.
    """
    uid = os.geteuid() if user else 0
    manager = manager or Manager(environ, user=user)
    site = open_site(manifest=manifest, state_dir=state_dir, environ=environ, uid=uid)
    unit = Unit(
        name=name.removesuffix(".service"), program=_program(argv, executable),
        manifest=site.settings.manifest, state_dir=site.settings.state_dir,
        options=tuple(_options(site, uid)), environment=_variables(environ),
        shutdown_grace=site.settings.shutdown_grace.total_seconds(),
        user=user, harden=harden, systemd=manager.version(),
    )  # fmt: skip
    return Service(site=site, manager=manager, unit=unit)


def _program(argv: Sequence[str], executable: str) -> tuple[str, ...]:
    """Return the words that start this program again, from anywhere.

    Links are not followed: behind one, an upgrade may put another version.
    """
    script = Path(os.path.abspath(argv[0]))  # noqa: PTH100  Path.resolve follows links
    if script.suffix != ".py" and script.is_file() and os.access(script, os.X_OK):
        return (str(script),)
    return (executable, "-m", "flytesched")


def _options(site: Site, uid: int) -> Iterator[str]:
    """Yield what the service would not find by itself, with only a home to go by."""
    try:
        own = {"HOME": pwd.getpwuid(uid).pw_dir}
    except KeyError:
        msg = f"the user {uid} is not in the password database, and can have no service"
        hint = "start the scheduler in the foreground: flytesched run"
        raise FlyteschedError(msg, hint=hint) from None
    manifest, state_dir, _ = settings_table.paths(own, {}, uid=uid)
    if site.settings.manifest != manifest:
        yield from ("--manifest", str(site.settings.manifest))
    if site.settings.state_dir != state_dir:
        yield from ("--state-dir", str(site.settings.state_dir))


def _variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the settings that stand in the environment; paths are options."""
    variables = [
        setting.variable
        for name, setting in settings_table.SETTINGS.items()
        if name not in {"manifest", "state_dir"}
    ]
    return {name: environ[name] for name in variables if environ.get(name)}


def writable_by_others(unit: Unit) -> str | None:
    """Return the file that somebody but root may change, and so decide what root runs."""
    for path in (Path(unit.program[0]), Path(unit.program[0]).resolve()):
        with suppress(OSError):
            status = path.stat()
            if status.st_uid != 0 or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                return str(path)
    return None


# -- install ------------------------------------------------------------------------------------


def check_install(service: Service, *, force: bool = False) -> Found:
    """Return what stands where the unit shall be.

    Raises:
        Conflict: somebody else put it there or changed it, and ``force`` is not set.
    """
    found, _ = _look(service)
    if found in {Found.EDITED, Found.FOREIGN} and not force:
        raise _not_ours(service, found)
    return found


def install(service: Service, *, now: bool = False, force: bool = False) -> Installed:
    """Write the unit, and let the manager read it; all of that, or nothing.

    Args:
        now: also enable it, and start it; one that runs is restarted if its unit changed.
        force: replace a unit that is not as this program made it.

    Raises:
        FlyteschedError: there is no manager, it may not be told, or it refused.
        Conflict: a unit that is not as this program made it stands there.
        SchedulerRunning: ``now``, and another scheduler holds the lock.
    """
    manager, file = service.manager, service.unit.file
    found = check_install(service, force=force)
    manager.check()
    running = manager.main_pid(file)
    if now:
        _refuse_second(service, running)
    changed = _put(service)
    waits_for = None
    if now:
        waits_for = _why_it_waits(service.site)
        _start(service, restart=changed or not running, wait=waits_for is None)
    return Installed(
        before=found, changed=changed, started=now, running=running > 0, waits_for=waits_for
    )


def _refuse_second(service: Service, running: int) -> None:
    """Refuse to start beside a scheduler that is not this service's."""
    holder = service.site.scheduler()
    if holder is not None and holder.kind == "run" and holder.pid != running:
        msg = f"a scheduler already runs for {service.unit.state_dir}: pid {holder.pid}"
        raise SchedulerRunning(msg, hint="stop it first, or install without --now")


def _put(service: Service) -> bool:
    """Write the unit and let it be read; whether it is another one than before."""
    path, text = service.path, service.unit.text()
    _, before = _look(service)
    if before == text:
        service.manager.tell("daemon-reload")
        return False
    _write(path, text)
    try:
        _let_read(service)
    except FlyteschedError:
        _put_back(path, before)
        with suppress(FlyteschedError):
            service.manager.tell("daemon-reload")  # it has the refused one in its memory
        raise
    return True


def _let_read(service: Service) -> None:
    """Let the manager read the unit.

    Raises:
        FlyteschedError: it does not take it.
    """
    service.manager.tell("daemon-reload")
    if (why := service.manager.refuses(service.unit.file, service.path)) is not None:
        msg = f"systemd does not take {service.path}: {why}"
        raise FlyteschedError(msg, hint="nothing was changed")


def _put_back(path: Path, before: str | None) -> None:
    if before is None:
        path.unlink(missing_ok=True)
    else:
        _write(path, before)


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"{path.parent}: cannot be made: {error.strerror}"
        raise FlyteschedError(msg, hint="nothing was changed") from error
    replace_whole(path, text.encode(errors="surrogateescape"), None)
    path.chmod(0o644)  # a unit holds no secrets, and people want to read it


def _why_it_waits(site: Site) -> str | None:
    """Return why a start would have to wait for somebody to mend the manifest."""
    try:
        site.manifest()
    except Invalid as error:
        return error.message
    return None


def _start(service: Service, *, restart: bool, wait: bool) -> None:
    """Enable and start; a start that waits for the manifest is not waited for."""
    manager, file = service.manager, service.unit.file
    try:
        manager.tell("enable", file)
        if restart:
            manager.tell("restart", *(() if wait else ("--no-block",)), file)
    except FlyteschedError as error:
        how = "journalctl --user -u" if manager.user else "journalctl -u"
        msg = f"{service.path} is installed, but {error.message}"
        raise FlyteschedError(msg, hint=f"see: {how} {service.unit.name}") from error


# -- uninstall ----------------------------------------------------------------------------------


def check_uninstall(service: Service, *, force: bool = False) -> None:
    """Refuse to remove what is not there, or is not as this program made it.

    Raises:
        NotFound: nothing is there.
        Conflict: somebody else put it there or changed it, and ``force`` is not set.
    """
    found, _ = _look(service)
    if found is Found.NOTHING:
        msg = f"no service is installed as {service.path}"
        raise NotFound(msg, hint="pass the --user or --name that it was installed with")
    if found is not Found.OURS and not force:
        raise _not_ours(service, found)


def uninstall(service: Service, *, force: bool = False) -> int:
    """Stop the service, disable it and remove its unit; return how many commands run on.

    Raises:
        FlyteschedError: there is no manager, it may not be told, or it refused.
        NotFound: no unit is there.
        Conflict: a unit that is not as this program made it stands there.
    """
    check_uninstall(service, force=force)
    service.manager.check()
    service.manager.tell("disable", "--now", service.unit.file)
    try:
        service.path.unlink()
    except OSError as error:
        msg = f"{service.path}: cannot be removed: {error.strerror}"
        raise FlyteschedError(msg, hint="it is stopped and disabled") from error
    service.manager.tell("daemon-reload")
    return _left_running(service.site)


def _left_running(site: Site) -> int:
    try:
        reader = site.reader()
    except FlyteschedError:
        return 0
    if reader is None:
        return 0
    with reader:
        return sum(run.status in IN_PLACE for run in reader.active())


# -- what is there ------------------------------------------------------------------------------


def _look(service: Service) -> tuple[Found, str | None]:
    """Return whose unit is there, and what it says.

    Raises:
        Conflict: it is not a file.
        FlyteschedError: it cannot be read.
    """
    path = service.path
    try:
        if path.is_symlink() or not path.is_file():
            return _no_file(service)
        with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
            text = file.read(_UNIT_LIMIT)
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror}"
        raise FlyteschedError(msg) from error
    return recognise(text), text


def _no_file(service: Service) -> tuple[Found, None]:
    path = service.path
    if path.is_symlink():
        masked = str(path.readlink()) == os.devnull
        what = "is masked" if masked else "is a symbolic link"
        way = service.manager.spelled("unmask" if masked else "disable", service.unit.file)
        msg = f"{path} {what}"
        raise Conflict(msg, hint=f"first: {way}")
    if path.exists():
        msg = f"{path} is not a file"
        raise Conflict(msg, hint="move it away, or choose another --name")
    return Found.NOTHING, None


def _not_ours(service: Service, found: Found) -> Conflict:
    if found is Found.EDITED:
        msg = f"{service.path} was changed since flytesched made it"
    else:
        msg = f"{service.path} was not made by flytesched"
    return Conflict(msg, hint="pass --force to replace or remove it all the same")
