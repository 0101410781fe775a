"""flytesched import: schedules from what another scheduler has."""  # noqa: N999  a verb's file has its name

from contextlib import nullcontext
from typing import Annotated, Any

import typer

from flytesched.cli import render, shapes
from flytesched.cli.call import Call
from flytesched.cli.definition import say_if_nobody_runs
from flytesched.cli.options import Yes
from flytesched.cli.verb import verb
from flytesched.cli.watching import share
from flytesched.errors import Invalid, UsageError
from flytesched.service import crontabs
from flytesched.service.crontab_source import fetch
from flytesched.service.crontabs import Carried, Import, Wish

HELP = "Take schedules over from another scheduler."

#: Remarks that are said one by one, and lines from which on a bar shows how far it is.
_SAID = 50
_MANY = 500


@verb(reads=True)
def crontab(
    call: Call,
    file: Annotated[
        str | None,
        typer.Argument(metavar="FILE", help="A crontab, or - for stdin; your own if not given."),
    ] = None,
    *,
    user: Annotated[
        str | None, typer.Option("--user", metavar="NAME", help="Whose crontab it is.")
    ] = None,
    system: Annotated[
        bool,
        typer.Option("--system", help="Each line names its user; without FILE, /etc/crontab."),
    ] = False,
    prefix: Annotated[
        str, typer.Option("--prefix", metavar="TEXT", help="What every name begins with.")
    ] = "",
    disabled: Annotated[bool, typer.Option("--disabled", help="Let no slot fall due yet.")] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace schedules that are there and differ.")
    ] = False,
    yes: Yes = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be done.")
    ] = False,
) -> int:
    """Write the jobs of a crontab into the manifest as schedules that mean the same.

    Says line by line what cannot be carried over. Exits 0 if all was, 7 if in part, and 5 if
    nothing could be read. The crontab stays as it is, and may be imported again.
    """
    if user is not None and system:
        msg = "--user and --system exclude each other: in a system's crontab each line has a user"
        raise UsageError(msg, hint="leave one of them out")
    source = fetch(file, user=user, system=system)
    wish = Wish(user=user, system=system, prefix=prefix, disabled=disabled, replace=replace)
    bar = share("Reading the crontab") if source.lines > _MANY else nullcontext(_unwatched)
    with bar as watch:
        planned = crontabs.foresee(call.site, wish, source, watch)
    _show(call, planned, dry_run=dry_run)
    _remark(call, planned)
    if planned.exit_code == Invalid.exit_code or not planned.carried:
        call.talk(f"{planned.source}: there is no job that could be carried over")
        return planned.exit_code
    return _go(call, planned, replace=replace, yes=yes, dry_run=dry_run)


COMMANDS = {"crontab": crontab}


def _unwatched(_: float) -> None:
    """Show nobody how far it is."""


def _go(call: Call, planned: Import, *, replace: bool, yes: bool, dry_run: bool) -> int:
    """Write what was shown, if it is agreed."""
    manifest, count = call.site.settings.manifest, len(planned.changing)
    if dry_run:
        call.talk("nothing was changed")
        return planned.exit_code
    if count and not call.agreed(
        f"Write {render.plural(count, 'schedule')} into {manifest}?", yes=yes
    ):
        call.talk("nothing was changed")
        return 1
    crontabs.carry_out(call.site, planned, replace=replace)
    call.talk(f"wrote {render.plural(count, 'schedule')} into {manifest}" if count
              else "nothing is new: the manifest was not changed")  # fmt: skip
    if count:
        call.talk("cron goes on starting these commands too, until you take its lines out")
        say_if_nobody_runs(call)
    return planned.exit_code


def _show(call: Call, planned: Import, *, dry_run: bool) -> None:
    if call.json:
        jobs = [_shape(call, each) for each in planned.carried]
        remarks = [
            {
                "line": each.line, "grade": each.grade.value, "what": each.what,
                "instead": each.instead,
            }
            for each in planned.remarks
        ]  # fmt: skip
        facts = {"source": planned.source, "dry_run": dry_run, "jobs": jobs, "remarks": remarks}
        call.answer("import_crontab", facts)
    elif planned.carried:
        rows = [
            (
                each.line, each.schedule.name, each.table["cron"], call.when(_next(call, each)),
                each.result,
            )
            for each in planned.carried
        ]  # fmt: skip
        heads = ("LINE", "NAME", "SCHEDULE", "NEXT", "RESULT")
        call.table(heads, rows, right=("LINE",), elastic=("SCHEDULE",), spare=("RESULT", "LINE"))


def _next(call: Call, each: Carried) -> int | None:
    return each.schedule.timetable.next(int(call.now)) if each.schedule.enabled else None


def _shape(call: Call, each: Carried) -> dict[str, Any]:
    return {
        "line": each.line,
        "name": each.schedule.name,
        "cron": each.table["cron"],
        "timezone": each.table["timezone"],
        "next": shapes.instant(_next(call, each)),
        "result": each.result,
    }


def _remark(call: Call, planned: Import) -> None:
    """Say what has to be said, line by line; of very many, how many more there are."""
    for each in planned.remarks[:_SAID]:
        word = "" if each.grade != "note" else "note: "
        call.talk(render.safe(f"{planned.source}:{each.line}: {word}{each}"))
    more = len(planned.remarks) - _SAID
    if more > 0:
        call.talk(f"{planned.source}: and {more:,} more such lines; --json has them all")
    if any(each.result != "unchanged" for each in planned.carried):
        call.talk("output is kept for flytesched logs, where cron mails it")
