"""Crontabs: their jobs as schedules of the manifest, and schedules as a crontab."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from shutil import which
from typing import TYPE_CHECKING, Any

from flytesched.crontab.reading import Grade, Job, Remark, read
from flytesched.errors import Conflict, Invalid, InvalidTimetable, Unhealthy, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flytesched.bootstrap import Site
    from flytesched.core.schedule import Schedule
    from flytesched.crontab.tables import Account
    from flytesched.crontab.writing import Written
    from flytesched.service.crontab_source import Source

#: Keys of ``[defaults]`` that would change what a job means, and what cron does instead.
_MEANT = {
    "shell": "/bin/sh", "cwd": "~", "executor": "local", "offset": "0s", "jitter": "0s",
    "calendars": [],
}  # fmt: skip
#: Names that one sentence lists.
_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How to import a crontab."""

    #: Whose crontab it is, if not one's own.
    user: str | None = None
    #: Whether each job names its user.
    system: bool = False
    #: What every name begins with.
    prefix: str = ""
    #: Whether no slot shall fall due yet.
    disabled: bool = False
    #: Whether schedules that are there and differ shall give way.
    replace: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """A job as a schedule."""

    #: Its line of the crontab.
    line: int
    #: The schedule.
    schedule: Schedule
    #: Its table.
    table: Mapping[str, Any]
    #: ``added``, ``replaced``, or ``unchanged`` if the manifest has it already.
    result: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """What becomes of a crontab."""

    #: What was read, as messages name it.
    source: str
    #: The jobs that are carried over.
    carried: tuple[Carried, ...]
    #: What has to be said about lines, in their order.
    remarks: tuple[Remark, ...]

    @property
    def exit_code(self) -> int:
        """0 if everything is carried over, 7 if in part, 5 if there is nothing that can be read."""
        grades = {remark.grade for remark in self.remarks} - {Grade.NOTE}
        if not grades:
            return 0
        unread = not self.carried and grades == {Grade.UNREADABLE}
        return Invalid.exit_code if unread else Unhealthy.exit_code

    @property
    def changing(self) -> dict[str, Mapping[str, Any]]:
        """The tables that the manifest does not have yet."""
        return {
            each.schedule.name: each.table for each in self.carried if each.result != "unchanged"
        }


def foresee(site: Site, wish: Wish, source: Source, watch: Callable[[float], None]) -> Import:
    """Say what becomes of a crontab; nothing is changed.

    Args:
        site: whose manifest takes the schedules.
        wish: how to import it.
        source: what ``fetch`` has read.
        watch: is told which part of 1 is done.

    Raises:
        UsageError: the prefix can begin no name.
        InvalidManifest: the manifest is no TOML.
        Conflict: a name is taken by a schedule that differs.
    """
    from flytesched.core.keys import NAME
    from flytesched.settings import system_timezone

    if wish.prefix and not NAME.fullmatch(wish.prefix):
        what = f"--prefix: {wish.prefix!r} can begin no name"
        raise UsageError(what, hint="use letters, digits, '.', '_' and '-', no sign first")
    zone = system_timezone(site.environ)[0]
    crontab = read(source.content, timezone=zone, system=wish.system)
    model = _model(site)
    plan = _Plan(site, model, wish)
    for number, job in enumerate(crontab.jobs, 1):
        plan.take(job)
        watch(number / len(crontab.jobs))
    remarks = sorted([*crontab.remarks, *plan.remarks], key=lambda remark: remark.line)
    return Import(source=source.name, carried=tuple(plan.carried()), remarks=tuple(remarks))


def carry_out(site: Site, planned: Import, *, replace: bool) -> None:
    """Write what was foreseen into the manifest: all of it, or nothing.

    Raises:
        Conflict: the manifest has changed meanwhile, and has such a name now.
        InvalidManifest: the manifest cannot be edited.
    """
    from flytesched.manifest.edit import put_all

    if tables := planned.changing:
        settings = site.settings
        put_all(settings.manifest, tables, replace=replace, timezone=settings.timezone)


class _Plan:
    """What becomes of jobs, one after the other."""

    def __init__(self, site: Site, model: Mapping[str, Any], wish: Wish) -> None:
        from flytesched.manifest.shared import shared

        self.remarks: list[Remark] = []
        self._now = site.now()
        self._environ = site.environ
        self._me = own_name()
        self._wish = wish
        self._known = model.get("schedules", {}) if isinstance(model, dict) else {}
        self._shared = shared(model, site.settings.timezone)
        self._defaults = self._shared.defaults
        self._taken: list[tuple[Job, str, dict[str, Any]]] = []

    def take(self, job: Job) -> None:
        """Make a table of a job, or say why there is none."""
        from flytesched.crontab.names import name_of
        from flytesched.crontab.tables import feeds, table

        if not self._wish.system and self._names_user(job):
            what = "it looks like a line of a system crontab"
            self._lose(job, what, "pass --system, or write the whole path of the command")
            return
        user = job.user or self._wish.user or self._me
        account = None if user == self._me else self._account(job, user)
        if account is None and user != self._me:
            return
        if not feeds(job):
            shell = job.variables["SHELL"]
            self._lose(job, f"{shell} cannot be given the text behind % here", "use SHELL=/bin/sh")
            return
        found = table(job, account)
        found |= {
            key: value
            for key, value in _MEANT.items()
            if key not in found and self._defaults.get(key, value) != value
        }
        if self._wish.disabled:
            found["enabled"] = False
        if self._is_sound(job, found):
            name = self._wish.prefix + (job.name or name_of(job.command))
            self._taken.append((job, name[:90], found))

    def carried(self) -> list[Carried]:
        """Return the jobs with their names.

        Raises:
            Conflict: a name is taken by a schedule that differs.
        """
        from flytesched.crontab.names import assign, same

        tables = {name: each for name, each in self._known.items() if isinstance(each, dict)}
        names = assign([(base, table) for _, base, table in self._taken], tables)
        found = []
        for (job, _, table), name in zip(self._taken, names, strict=True):
            there = name in self._known
            unchanged = there and same(tables.get(name, {}), table)
            result = "unchanged" if unchanged else "replaced" if there else "added"
            schedule = self._built(name, table)
            found.append(Carried(line=job.line, schedule=schedule, table=table, result=result))
        if not self._wish.replace:
            _refuse_taken([each.schedule.name for each in found if each.result == "replaced"])
        return found

    def _names_user(self, job: Job) -> bool:
        """Tell whether a user of the machine, who is no program, stands in front of a command."""
        import pwd

        from flytesched.crontab.tables import PATH

        word, then = [*job.command.split(maxsplit=1), "", ""][:2]
        if then.startswith("-"):
            return False  # no command begins so: it is an option, as in mail -s
        try:
            pwd.getpwnam(word)
        except (KeyError, ValueError):
            return False
        paths = (job.variables.get("PATH", PATH), self._environ.get("PATH", PATH))
        return not any(which(word, path=path) for path in paths)

    def _account(self, job: Job, user: str) -> Account | None:
        """Return the user whose job it is, if root is here to run it as that user."""
        import pwd

        from flytesched.crontab.tables import Account

        try:
            home = pwd.getpwnam(user).pw_dir
        except (KeyError, ValueError):
            self._lose(job, f"there is no user {user!r}", "mend the line, or take it out")
            return None
        if os.geteuid() != 0:
            instead = "import it as root, whose scheduler runs it with runuser(1), or as that user"
            self._lose(job, f"it runs as {user}", instead)
            return None
        return Account(name=user, home=home)

    def _is_sound(self, job: Job, table: Mapping[str, Any]) -> bool:
        """Tell whether a table makes a schedule that everybody reads alike; else say why not."""
        from flytesched.errors import InvalidSchedule
        from flytesched.second_opinion import compare

        try:
            compare(self._built("job", table).timing, self._now)
        except InvalidSchedule as error:
            said = "; ".join(str(replace(fault, table=())) for fault in error.faults)
            self._lose(job, f"it makes no schedule: {said}", None)
        except InvalidTimetable as error:
            self._lose(job, error.message, error.hint)
        else:
            return True
        return False

    def _built(self, name: str, table: Mapping[str, Any]) -> Schedule:
        from flytesched.errors import InvalidSchedule
        from flytesched.manifest.shared import build

        built = build(name, table, self._shared)
        if isinstance(built, list):
            raise InvalidSchedule(built, name=name)
        return built[0]

    def _lose(self, job: Job, what: str, instead: str | None) -> None:
        self.remarks.append(Remark(line=job.line, grade=Grade.LOST, what=what, instead=instead))


def _refuse_taken(names: Sequence[str]) -> None:
    if not names:
        return
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    said = ", ".join(names[:_NAMED])
    what = f"the manifest says something else of {said}{more}; nothing was changed"
    raise Conflict(what, hint="give --replace to replace them, or --prefix for names of their own")


def own_name() -> str:
    """Return the name of the user who asks."""
    import pwd

    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def _model(site: Site) -> Mapping[str, Any]:
    from flytesched.manifest.disk import NoManifest, load
    from flytesched.manifest.read import document

    path = site.settings.manifest
    try:
        return document(load(path)[0], path)[1]
    except NoManifest:
        return {}


# -- export -------------------------------------------------------------------------------------


def export(site: Site, schedules: Sequence[Schedule], user: str | None) -> Written:
    """Return a crontab that starts what the schedules start.

    Args:
        site: whose machine's clock counts.
        schedules: of the manifest.
        user: for the format of /etc/crontab, whose; None for a user's own.
    """
    from flytesched.crontab.writing import write
    from flytesched.settings import system_timezone

    return write(schedules, timezone=system_timezone(site.environ)[0], user=user)
