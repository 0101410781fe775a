"""Call: one use of the command line: where to look, and how to answer."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from flytesched.cli import render
from flytesched.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from flytesched.bootstrap import Site


@dataclass(kw_only=True)
class Call:
    """What the global options of one call say."""

    #: ``--manifest``.
    manifest: str | None = None
    #: ``--state-dir``.
    state_dir: str | None = None
    #: Whether to answer in JSON.
    json: bool = False
    #: Whether never to colour.
    plain: bool = False
    #: Whether to show times in UTC.
    utc: bool = False
    #: How many words stood behind ``--``; None if there was no ``--``.
    behind: int | None = None

    @cached_property
    def site(self) -> Site:
        """The manifest and the state directory that this call is about."""
        from flytesched.bootstrap import open_site

        return open_site(manifest=self.manifest, state_dir=self.state_dir, environ=os.environ)

    # -- time -------------------------------------------------------------------------------

    @cached_property
    def now(self) -> float:
        """The moment of the call, in epoch seconds."""
        return self.site.now()

    @cached_property
    def zone(self) -> str:
        """The clock that times are typed and shown on: the machine's, or UTC."""
        from flytesched.settings import system_timezone

        return "UTC" if self.utc else system_timezone(self.site.environ)[0]

    @cached_property
    def clock(self) -> Callable[[float], str]:
        """Shows an instant."""
        from flytesched.cli.times import clock_of

        return clock_of(self.zone)

    @cached_property
    def short(self) -> Callable[[float], str]:
        """Shows an instant: in short to somebody at a terminal, in full to whoever reads a pipe."""
        if self.room is None:
            return self.clock
        from flytesched.cli.short import short_clock_of

        return short_clock_of(self.zone, self.now)

    def moment(self, option: str, text: str | None, *, ahead: bool = False) -> int | None:
        """Return the epoch second that an option's text means; None if it was not given."""
        from flytesched.cli.times import moment

        if text is None:
            return None
        return moment(option, text, now=self.now, zone=self.zone, ahead=ahead)

    def when(self, epoch: float | None) -> str | None:
        """Show an instant, if there is one."""
        return None if epoch is None else self.clock(epoch)

    def ago(self, epoch: float | None) -> str | None:
        """Show how long ago an instant was, if there is one."""
        return None if epoch is None else f"{render.about(max(0.0, self.now - epoch))} ago"

    # -- answers ----------------------------------------------------------------------------

    @cached_property
    def colour(self) -> bool:
        """Whether to colour stdout (https://no-color.org, https://force-color.org)."""
        if self.plain or os.environ.get("NO_COLOR"):
            return False
        if os.environ.get("FORCE_COLOR"):
            return True
        return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"

    @cached_property
    def size(self) -> os.terminal_size | None:
        """Columns and lines of the terminal that stdout is; None if it is none."""
        if not sys.stdout.isatty():
            return None
        import shutil

        return shutil.get_terminal_size()

    @property
    def room(self) -> int | None:
        """Columns of the terminal that stdout is; None if it is none, and everything is shown."""
        return None if self.size is None else self.size.columns

    def answer(self, kind: str, facts: Mapping[str, Any]) -> None:
        """Write the JSON object of a reading command."""
        render.write_json(kind, facts)

    def write(self, text: str) -> None:
        """Write data to stdout."""
        render.write(text)

    def line(self, text: str) -> None:
        """Write a line of data to stdout, made safe."""
        render.write(f"{render.safe(text)}\n")

    def table(
        self,
        heads: Sequence[str],
        rows: Sequence[Sequence[object]],
        *,
        right: Sequence[str] = (),
        toned: Sequence[str] = (),
        elastic: Sequence[str] = (),
        spare: Sequence[str] = (),
        if_need_be: Sequence[str] = (),
        least: Mapping[str, int] | None = None,
        faint: Collection[int] = (),
    ) -> None:
        """Write a table to stdout; see ``render.table`` for what fits it into a terminal."""
        render.write(
            render.table(
                heads, rows, right=right, toned=toned, colour=self.colour, room=self.room,
                elastic=elastic, spare=spare, if_need_be=if_need_be, least=least, faint=faint,
            )
        )  # fmt: skip

    def facts(self, rows: Sequence[tuple[str, object]]) -> None:
        """Write ``name: value`` lines to stdout."""
        render.write(render.facts(rows, colour=self.colour))

    def talk(self, text: str) -> None:
        """Say something on stderr."""
        render.talk(text)

    @property
    def looked_at(self) -> bool:
        """Whether somebody sees what is said together with what is shown: both on a terminal."""
        return sys.stdout.isatty() and sys.stderr.isatty()

    # -- questions --------------------------------------------------------------------------

    @property
    def on_terminal(self) -> bool:
        """Whether somebody is there to answer a question."""
        return sys.stdin.isatty() and sys.stderr.isatty()

    def agreed(self, question: str, *, yes: bool, needed: bool = False) -> bool:
        """Ask, where somebody is there to answer; else take it as agreed.

        Args:
            question: what to ask.
            yes: whether ``--yes`` was given.
            needed: whether ``--yes`` is needed where nobody can be asked.

        Raises:
            UsageError: nobody can be asked and ``--yes`` is needed.
        """
        if yes:
            return True
        if not self.on_terminal:
            if needed:
                msg = "this needs --yes where nobody can be asked"
                raise UsageError(msg, hint="pass --yes if you mean it")
            return True
        import typer

        room = render.room_to_talk()
        *above, last = render.wrapped(render.safe(question), room and room - len(" [y/N]: "))
        for line in above:
            render.talk(line)
        return typer.confirm(last, err=True)
