"""flytesched backfill: run past slots that were never decided."""

from typing import Annotated

import typer

from flytesched.cli import render, shapes
from flytesched.cli.call import Call
from flytesched.cli.options import Name, Yes
from flytesched.cli.verb import verb
from flytesched.cli.watching import progress, report
from flytesched.core.runs import RunStatus
from flytesched.service import backfill, catchup
from flytesched.service.backfill import Backfill

#: More runs than this are asked about.
_ASK_ABOVE = 20
#: Slots that a dry run lists; --json lists them all.
_SHOWN = 20


@verb(reads=True)
def command(
    call: Call,
    name: Name,
    *,
    start: Annotated[
        str, typer.Option("--from", metavar="TIME", help="Slots from this time on.",
                          show_default=False)
    ],
    until: Annotated[
        str, typer.Option("--until", metavar="TIME", help="Slots before this time.",
                          show_default=False)
    ],
    parallel: Annotated[
        int, typer.Option("--parallel", metavar="N", min=1, max=10_000, help="Runs at once.")
    ] = 1,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would run.")
    ] = False,
    yes: Yes = False,
) -> int:  # fmt: skip
    """Run past slots that were never decided.

    Slots that have a verdict are left alone; missed ones are left to catchup.
    """
    begin, end = call.moment("--from", start) or 0, call.moment("--until", until) or 0
    found = backfill.look(call.site, name, begin, end)
    if dry_run:
        _show(call, found)
        return 0
    _say(call, found)
    question = f"Run {render.plural(len(found.slots), 'past slot')} of {name}?"
    if not call.agreed(question, yes=yes or len(found.slots) <= _ASK_ABOVE):
        call.talk("nothing was changed")
        return 1
    return _carry_out(call, name, begin, end, parallel)


def _carry_out(call: Call, name: str, begin: int, end: int, parallel: int) -> int:
    from flytesched.service.watch import see_through

    runs = backfill.request(call.site, name, begin, end, parallel=parallel)
    ids = [run.id for run in runs]
    try:
        with progress(len(ids), f"backfilling {name}") as watcher:
            done = see_through(call.site, ids, watcher) if ids else []
    except KeyboardInterrupt:
        count = catchup.withdraw(call.site, ids)
        call.talk(f"withdrew {render.plural(count, 'queued run')}; what was started goes on")
        raise
    if call.json:
        call.answer("backfill", {"runs": [shapes.run(run) for run in done]})
    code = report(call, done)
    return code or (7 if any(run.status is RunStatus.CANCELLED for run in done) else 0)


def _say(call: Call, found: Backfill) -> None:
    if found.decided:
        call.talk(f"{render.plural(found.decided, 'slot')} left alone: decided already")
    if found.missed:
        call.talk(f"{render.plural(found.missed, 'slot')} left to: flytesched catchup")
    if found.left_out:
        call.talk(f"{render.plural(found.left_out, 'slot')} left out: on holidays")
    if found.coming:
        call.talk(f"{render.plural(found.coming, 'slot')} left to the scheduler")
    if not found.slots:
        call.talk("there is no slot to run")


def _show(call: Call, found: Backfill) -> None:
    if call.json:
        slots = [shapes.instant(slot) for slot in found.slots]
        counts = {
            "decided": found.decided, "missed": found.missed, "coming": found.coming,
            "left_out": found.left_out,
        }  # fmt: skip
        call.answer("backfill", {"slots": slots, **counts})
        return
    _say(call, found)
    shown = found.slots[:_SHOWN]
    call.write("".join(f"{call.clock(slot)}\n" for slot in shown))
    if more := len(found.slots) - len(shown):
        call.line(f"... and {more:,} more, up to {call.clock(found.slots[-1])}")
    if found.slots:
        call.talk(f"{render.plural(len(found.slots), 'slot')} would run")
