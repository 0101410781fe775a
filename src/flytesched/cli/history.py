"""flytesched history: verdicts, newest first."""

from collections.abc import Sequence
from typing import Annotated

import typer

from flytesched.cli import render, shapes
from flytesched.cli.call import Call
from flytesched.cli.options import Labels
from flytesched.cli.verb import verb
from flytesched.core.runs import RunStatus
from flytesched.core.suggestion import suggest
from flytesched.errors import UsageError
from flytesched.runlog.history import MISSED, Entry
from flytesched.service.statistics import last_statuses, meant

_STATUSES = (*(status.value for status in RunStatus), MISSED)
_HEADS = ("WHEN", "NAME", "VERDICT", "LAG", "TOOK", "TRY", "EXIT", "ORIGIN", "RUN")
#: What a narrow terminal does without; a verdict says its exit code itself where it matters, and
#: the id is what else there is to be asked for by.
_FIT: render.Fit = {
    "spare": ("EXIT", "TRY", "ORIGIN", "LAG"), "elastic": ("NAME", "VERDICT"),
    "if_need_be": ("RUN",),
}  # fmt: skip
#: Schedules whose runs are drawn unless somebody asks for more.
_DRAWN = 5


@verb(reads=True, watched=True)
def command(
    call: Call,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME|RUN", help="Schedules, or patterns such as 'backup-*'; or one run's id."
        ),
    ] = None,
    *,
    labels: Labels = None,
    status: Annotated[
        list[str] | None,
        typer.Option(
            "--status", metavar="STATUS", help="Only these, such as failed,missed; repeatable."
        ),
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="From this time on, such as 2h.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="Before this time.")
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", "-n", metavar="N", min=1, max=2**31, help="Lines at most.")
    ] = 50,
    strip: Annotated[
        bool | None,
        typer.Option(
            "--strip/--no-strip",
            help="Draw the last runs of each schedule, one glyph a run.",
            show_default="on a terminal, for up to five schedules",
        ),
    ] = None,
) -> None:
    """Show the verdicts of slots and runs, newest first.

    Skipped and missed slots are shown too. The id of a run shows that run with its attempts.
    """
    statuses = _statuses(status or ())
    begin, end = call.moment("--since", since), call.moment("--until", until)
    chosen, account = meant(call.site, names or [], labels or [])
    if account is not None:
        from flytesched.cli.account import show

        show(call, account)
        return
    reader = call.site.reader()
    entries: list[Entry] = []
    if reader is not None:
        with reader:
            entries = reader.history(
                chosen, statuses=statuses or None, since=begin, until=end, limit=limit
            )
    if call.json:
        call.answer("history", {"entries": [shapes.entry(entry) for entry in entries]})
    elif entries:
        _draw(call, _drawn(call, chosen, entries, wanted=strip), begin, end)
        rows = [_row(call, entry) for entry in entries]
        # Reasons may be cut, but no exit code.
        least = max((len(each.said()) for each in entries if each.reason is None), default=0)
        call.table(
            _HEADS, rows, right=("LAG", "TOOK", "TRY", "EXIT"), toned=("VERDICT",),
            least={"VERDICT": least}, **_FIT,
        )  # fmt: skip
    else:
        call.talk("there is no such history" if reader else "there is no history yet")


def _statuses(words: list[str] | tuple[str, ...]) -> list[str]:
    found = [part.strip() for word in words for part in word.split(",")]
    for word in found:
        if word not in _STATUSES:
            msg = f"--status: there is no status {word!r}"
            raise UsageError(msg, hint=suggest(word, _STATUSES) or f"one of {', '.join(_STATUSES)}")
    return found


def _row(call: Call, entry: Entry) -> tuple[object, ...]:
    return (
        call.short(entry.at),
        entry.schedule,
        entry.said(),
        None if entry.lag is None else render.about(entry.lag),
        None if entry.duration is None else render.about(entry.duration),
        entry.attempt or None,
        entry.exit_code,
        entry.origin,
        None if entry.seq == 0 else entry.id,
    )


def _drawn(
    call: Call, chosen: Sequence[str] | None, entries: Sequence[Entry], *, wanted: bool | None
) -> Sequence[str]:
    """Return the schedules to draw strips of: a few on a terminal, all or none where told so."""
    if wanted is False or (wanted is None and call.room is None):
        return ()
    names = sorted({entry.schedule for entry in entries}) if chosen is None else chosen
    return names if wanted or len(names) <= _DRAWN else ()


def _draw(call: Call, names: Sequence[str], since: int | None, until: int | None) -> None:
    """Draw the last slots and runs of schedules, whatever statuses are asked for."""
    if strips := last_statuses(call.site, names, since=since, until=until) if names else {}:
        from flytesched.cli.strips import draw

        draw(call, strips)
        call.write("\n")
