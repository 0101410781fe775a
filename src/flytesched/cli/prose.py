"""Prose: tables whose last column is a sentence, which is shown whole."""

from collections.abc import Sequence

from flytesched.cli import render
from flytesched.cli.call import Call

#: Columns that a sentence is given at least, however narrow the terminal is.
_LEAST = 30


def table(
    call: Call,
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    toned: Sequence[str] = (),
) -> None:
    """Write a table whose last column is wrapped into the terminal, if stdout is one."""
    before = [*zip(heads, *rows, strict=True)][:-1]
    indent = sum(max(map(render.width, column)) + 2 for column in before)
    room = call.room and max(call.room - indent, _LEAST)
    wrapped = [render.wrapped(row[-1], room, hang="") for row in rows]
    firsts = [(*row[:-1], lines[0]) for row, lines in zip(rows, wrapped, strict=True)]
    shown = render.table(heads, firsts, toned=toned, colour=call.colour).splitlines()
    for line, lines in zip(shown, [[""], *wrapped], strict=True):
        call.write("".join(f"{each}\n" for each in (line, *(" " * indent + x for x in lines[1:]))))
