"""flytesched catchup: run the missed slots that are still open."""

from collections.abc import Sequence
from typing import Annotated

import typer

from flytesched.cli import render, shapes
from flytesched.cli.call import Call
from flytesched.cli.options import Labels, Names, Yes
from flytesched.cli.verb import verb
from flytesched.cli.watching import progress, report
from flytesched.core.policies import CatchupPolicy
from flytesched.core.runs import Run, RunStatus
from flytesched.service import catchup
from flytesched.service.catchup import Choice, Missing
from flytesched.service.selection import select

#: More runs than this are asked about.
_ASK_ABOVE = 20


@verb(reads=True)
def command(
    call: Call,
    names: Names = None,
    *,
    labels: Labels = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="Slots from this time on.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="Slots before this time.")
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit", metavar="N", min=0, max=2**31, help="Slots per schedule, the oldest first."
        ),
    ] = None,
    policy: Annotated[
        CatchupPolicy,
        typer.Option(
            "--policy",
            metavar="all|latest|none",
            help="Run all, the latest of each schedule, or decline them.",
        ),
    ] = CatchupPolicy.ALL,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would run.")] = False,
    rebind: Annotated[
        bool, typer.Option("--rebind", help="Take over a state directory of another manifest.")
    ] = False,
    yes: Yes = False,
) -> int:
    """Run the missed slots that are still open.

    Without names, those of all enabled schedules. It is safe to repeat: a slot that has a run
    never gets another. Ctrl-C withdraws what is still queued.
    """
    choice = Choice(
        names=_names(call, names or [], labels or []),
        since=call.moment("--since", since), until=call.moment("--until", until),
        limit=limit, policy=policy,
    )  # fmt: skip
    found = catchup.missing(call.site, choice, rebind=rebind)
    if dry_run:
        _show(call, found)
        return 0
    catchup.refuse_too_many(found)
    # With nothing missed it still counts: a catch-up is a first look at what was edited.
    asks = policy is CatchupPolicy.NONE or _wanted(found) > _ASK_ABOVE
    if found and asks and not call.agreed(_question(found, policy), yes=yes):
        call.talk("nothing was changed")
        return 1
    return _carry_out(call, found, choice, rebind=rebind)


def _names(call: Call, names: Sequence[str], labels: Sequence[str]) -> frozenset[str] | None:
    """Return the names meant; None for every schedule that is enabled."""
    if not names and not labels:
        return None
    return frozenset(select(call.site.manifest().schedules, names, labels))


def _wanted(found: Sequence[Missing]) -> int:
    return sum(missing.would_run for missing in found)


def _question(found: Sequence[Missing], policy: CatchupPolicy) -> str:
    if policy is CatchupPolicy.NONE:
        count = sum(missing.count for missing in found)
        return f"Decline {render.plural(count, 'missed slot')}?"
    return f"Run {render.plural(_wanted(found), 'missed slot')}?"


def _show(call: Call, found: Sequence[Missing]) -> None:
    if call.json:
        rows = [
            {
                "schedule": each.schedule,
                "count": each.count,
                "oldest": shapes.instant(each.oldest),
                "newest": shapes.instant(each.newest),
                "would_run": each.would_run,
                "left_out": each.left_out,
                "unnamed": each.unnamed,
            }
            for each in found
        ]
        call.answer("catchup", {"schedules": rows, "would_run": _wanted(found)})
    elif found:
        table = [
            (each.schedule, f"{each.count:,}", call.when(each.oldest), call.when(each.newest),
             f"{each.would_run:,}")
            for each in found
        ]  # fmt: skip
        heads = ("NAME", "MISSED", "OLDEST", "NEWEST", "WOULD RUN")
        call.table(heads, table, right=("MISSED", "WOULD RUN"))
    else:
        call.talk("no missed slot is open")
    if holidays := sum(each.left_out for each in found):
        call.talk(f"{render.plural(holidays, 'slot')} among them left out: on holidays")
    _say_unnamed(call, found)
    if _wanted(found) > catchup.MOST:
        call.talk(f"one call queues {catchup.MOST:,} at most: pass --limit, --since or --policy")


def _say_unnamed(call: Call, found: Sequence[Missing]) -> None:
    """Say of which open slots nobody knows when they were, and what can be done."""
    for each in found:
        if each.doubt is not None:
            count = render.plural(each.unnamed, "missed slot")
            call.talk(f"{each.schedule}: {count} cannot be named, only declined: {each.doubt}")


def _carry_out(
    call: Call, found: Sequence[Missing], choice: Choice, *, rebind: bool
) -> int:  # fmt: skip
    from flytesched.service.watch import see_through

    runs = catchup.request(call.site, choice, rebind=rebind)
    ids = [run.id for run in runs]
    try:
        with progress(len(ids), "catching up") as watcher:
            done = see_through(call.site, ids, watcher) if ids else []
    except KeyboardInterrupt:
        count = catchup.withdraw(call.site, ids)
        call.talk(f"withdrew {render.plural(count, 'queued run')}; what was started goes on")
        raise
    declined = sum(each.count for each in found) if choice.policy is CatchupPolicy.NONE else 0
    return _told(call, done, declined=declined, refused=_wanted(found) - len(runs))


def _told(call: Call, done: Sequence[Run], *, declined: int, refused: int) -> int:
    left = catchup.missing(call.site, Choice(limit=0))
    remaining = sum(each.count for each in left)
    if call.json:
        runs = [shapes.run(run) for run in done]
        call.answer("catchup", {"runs": runs, "declined": declined, "remaining": remaining})
    code = report(call, done)
    if declined:
        call.talk(f"declined {render.plural(declined, 'missed slot')}")
    where = ", ".join(f"{each.schedule} {each.count:,}" for each in left[:5])
    said = f"{render.plural(remaining, 'missed slot')} open now"
    call.talk(f"{said}: {where}" if where else said)
    _say_unnamed(call, left)
    if refused > 0:
        call.talk(f"{render.plural(refused, 'slot')} got a run from somebody else meanwhile")
    cut = any(run.status in {RunStatus.CANCELLED, RunStatus.SKIPPED} for run in done)
    return code or (7 if cut else 0)
