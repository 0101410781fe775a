"""flytesched doctor: what is wrong, and what to do about it."""

from collections.abc import Iterator, Sequence

from flytesched.cli import render
from flytesched.cli.call import Call
from flytesched.cli.verb import verb
from flytesched.service.doctor import Finding, doctor
from flytesched.service.vitals import EXAMINATIONS

_HEADS = ("LEVEL", "ABOUT", "FINDING")
#: Columns that a finding is given at least, however narrow the terminal is.
_LEAST = 30


@verb(reads=True)
def command(call: Call) -> int:
    """Examine schedules, scheduler and machine, and say what to do.

    Exits 0 if there is no problem, else 7; warnings are no problems. Nothing is changed.
    """
    found = doctor(call.site, EXAMINATIONS)
    if call.json:
        shapes = [
            {"about": each.about, "level": each.level.value, "what": each.what, "do": each.do}
            for each in found.findings
        ]
        call.answer("doctor", {"findings": shapes})
    else:
        call.write("".join(f"{line}\n" for line in _lines(call, found.findings)))
    return found.exit_code


def _lines(call: Call, findings: Sequence[Finding]) -> Iterator[str]:
    """Yield a table whose last column is wrapped into the terminal, if stdout is one."""
    rows = [(each.level.value, each.about, _said(each)) for each in findings]
    indent = sum(max(map(len, column)) + 2 for column in [*zip(_HEADS, *rows, strict=True)][:2])
    room = call.room and max(call.room - indent, _LEAST)
    wrapped = [render.wrapped(said, room, hang="") for _, _, said in rows]
    firsts = [(*row[:2], lines[0]) for row, lines in zip(rows, wrapped, strict=True)]
    table = render.table(_HEADS, firsts, toned=("LEVEL",), colour=call.colour).splitlines()
    for line, lines in zip(table, [[""], *wrapped], strict=True):
        yield line
        yield from (" " * indent + more for more in lines[1:])


def _said(finding: Finding) -> str:
    return render.safe(f"{finding.what}; {finding.do}" if finding.do else finding.what)
