"""Watching many runs: progress on a terminal, and what came of them."""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from flytesched.cli import render
from flytesched.core.runs import FAILURES, RunStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from flytesched.cli.call import Call
    from flytesched.core.runs import Run

#: Runs that ended badly are named one by one up to this many.
_NAMED = 20


class Silent:
    """A watcher that shows nothing."""

    def changed(self, runs: Sequence[Run]) -> None:
        """Show nothing."""


class Progress:
    """A watcher that moves a bar."""

    def __init__(self, bar: Any, task: Any) -> None:
        """Move ``task`` of rich's ``bar``."""
        self._bar, self._task = bar, task

    def changed(self, runs: Sequence[Run]) -> None:
        """Show how many have a verdict."""
        done = sum(not run.active for run in runs)
        self._bar.update(self._task, completed=done)


@contextmanager
def progress(count: int, what: str) -> Iterator[Silent | Progress]:
    """Give a watcher: a bar on stderr where that is a terminal, else nothing."""
    if not sys.stderr.isatty() or count < 2:
        yield Silent()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        yield Progress(bar, bar.add_task(what, total=count))


@contextmanager
def share(what: str) -> Iterator[Callable[[float], None]]:
    """Give a function that is told which part of 1 is done: a bar on stderr, if a terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=1.0)
        yield lambda done: bar.update(task, completed=done)


def report(call: Call, runs: Sequence[Run]) -> int:
    """Say how many runs came to which verdict, name the bad ones, and return the exit code."""
    counts = Counter(run.status.value for run in runs)
    if runs:
        said = ", ".join(f"{count:,} {status}" for status, count in counts.most_common())
        call.talk(f"{render.plural(len(runs), 'run')}: {said}")
    bad = [run for run in runs if run.status is not RunStatus.SUCCEEDED]
    for run in bad[:_NAMED]:
        call.talk(f"  {run.id}: {run.verdict()}")
    if len(bad) > _NAMED:
        call.talk(f"  and {len(bad) - _NAMED:,} more; see: flytesched history")
    return int(any(run.status in FAILURES for run in runs))
