"""flytesched top: a live screen of what runs, waits, has just ended, and is next."""

from contextlib import closing
from typing import Annotated, Any

import typer

from flytesched.cli import shapes
from flytesched.cli.call import Call
from flytesched.cli.options import Labels, Names
from flytesched.cli.screen import require_interval, require_terminal
from flytesched.cli.verb import verb
from flytesched.core.statistics import Spread
from flytesched.errors import UsageError
from flytesched.runlog.board import Failing
from flytesched.service.board import Board, Coming, Done, Going, Waiting
from flytesched.service.lookout import Lookout

#: Seconds between two looks, unless told otherwise.
_USUAL = 1.0
_OTHERWISE = "--once shows one frame as text, --json all of it for programs"


@verb(reads=True)
def command(
    call: Call,
    names: Names = None,
    *,
    labels: Labels = None,
    every: Annotated[
        float, typer.Option("--interval", metavar="SECONDS", help="Time between two looks.")
    ] = _USUAL,
    once: Annotated[
        bool, typer.Option("--once", help="Show one frame, and leave it there.")
    ] = False,
) -> None:
    """Show live what runs, waits, has just ended, and is next.

    Keys follow, cancel, trigger, pause and retry what is selected; ? shows them, q ends.
    """
    require_interval(every)
    if once and call.json:
        msg = "--once and --json do not go together"
        raise UsageError(msg, hint="leave one of them out: both answer once")
    if not (once or call.json):
        require_terminal("top", _OTHERWISE)
    with closing(Lookout(call.site, names or (), labels or ())) as lookout:
        if call.json:
            _answer(call, lookout)
        else:
            _show(call, lookout, every, once=once)


def _show(call: Call, lookout: Lookout, every: float, *, once: bool) -> None:
    from flytesched.cli.live import session  # rich comes with it

    if not once:
        session.run(call, lookout, every)
        return
    for line in session.picture(call, lookout):
        call.write(f"{line}\n")


def _answer(call: Call, lookout: Lookout) -> None:
    board = lookout.look(call.now)
    usual = lookout.usual({each.run.schedule for each in board.running}, call.now)
    holder, day = board.holder, board.day
    facts = {
        "scheduler": None if holder is None else {
            "pid": holder.pid, "kind": holder.kind, "since": shapes.moment(holder.since),
        },
        "troubles": list(board.troubles),
        "places": {"taken": board.used, "limit": board.places},
        "last_day": None if day is None else {"succeeded": day.good, "runs": day.runs},
        "failing": [_failing(each) for each in board.failing],
        "running": [_going(each, usual.get(each.run.schedule), board) for each in board.running],
        "waiting": [_waiting(each) for each in board.waiting],
        "ended": [_done(each) for each in board.ended],
        "next": [_coming(each) for each in board.coming],
    }  # fmt: skip
    call.answer("top", facts)


def _going(each: Going, usual: Spread | None, board: Board) -> dict[str, Any]:
    started = each.run.started
    return {
        **shapes.run(each.run),
        "elapsed_seconds": None if started is None else shapes.rounded(board.now - started),
        "usual_seconds": usual and {
            "p50": shapes.rounded(usual.p50), "p90": shapes.rounded(usual.p90),
        },
        "late": each.late,
        "long": each.long,
    }  # fmt: skip


def _waiting(each: Waiting) -> dict[str, Any]:
    return {**shapes.run(each.run), "waits_for": each.wait.value, "late": each.late}


def _failing(each: Failing) -> dict[str, Any]:
    return {**shapes.run(each.run), "times": each.times, "succeeded_since": each.good_since}


def _done(each: Done) -> dict[str, Any]:
    return {
        "id": None if each.run is None else each.id,
        "schedule": each.schedule,
        "status": each.status,
        "verdict": each.verdict,
        "slots": each.count,
        "ended_at": shapes.moment(each.at),
        "lag_seconds": shapes.rounded(each.lag),
        "duration_seconds": shapes.rounded(each.duration),
    }


def _coming(each: Coming) -> dict[str, Any]:
    return {
        "schedule": each.schedule,
        "scheduled_at": shapes.instant(each.at),
        "paused_until": shapes.instant(each.paused_until),
    }
