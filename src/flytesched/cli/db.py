"""flytesched db: the run log as a file."""

from collections.abc import Iterator
from typing import Any

from flytesched.cli import render
from flytesched.cli.call import Call
from flytesched.cli.verb import verb
from flytesched.cli.watching import share
from flytesched.core.sizes import format_size
from flytesched.service import check as checking
from flytesched.service.check import Report

HELP = "Look after the run log."


@verb(reads=True)
def check(call: Call) -> int:
    """Check that the run log is whole, and that what it says can be true.

    Exits 0 if it is sound, 1 if not, 3 if there is none, 7 if it cannot be read now. It may be
    asked while a scheduler runs: nothing is changed, and nobody waits for it.
    """
    with share("Checking the run log") as watch:
        report = checking.check(call.site, watch)
    if call.json:
        call.answer("db_check", _shape(report))
    else:
        call.facts(list(_rows(report)))
        for finding in report.findings:
            word = "problem" if finding.counts else "note"
            call.line(f"{word}: {finding.what}; {finding.do}")
    return report.exit_code


COMMANDS = {"check": check}


def _rows(report: Report) -> Iterator[tuple[str, object]]:
    yield "run log", report.path
    if report.schema is not None:
        yield "size", f"{format_size(report.size)}, schema {report.schema}"
    if report.rows:
        yield "holds", ", ".join(_plural(*row) for row in report.rows.items())
        schedules = render.plural(len(report.counted), "schedule")
        yield "counted", f"the slots of {schedules}, since each was last changed"
    for why, whats in _reasons(report).items():
        more = f" and {len(whats) - 1:,} more" if len(whats) > 1 else ""
        yield "not checked", f"{whats[0]}{more}: {why}"
    yield "result", "sound" if report.sound else "not sound"


def _plural(things: str, count: int) -> str:
    return render.plural(count, things.removesuffix("s"))


def _reasons(report: Report) -> dict[str, list[str]]:
    """Return what was not checked, by why not."""
    found: dict[str, list[str]] = {}
    for what, why in report.unchecked:
        found.setdefault(why, []).append(what)
    return found


def _shape(report: Report) -> dict[str, Any]:
    return {
        "run_log": report.path,
        "schema_version": report.schema,
        "bytes": report.size,
        "rows": dict(report.rows),
        "sound": report.sound,
        "findings": [
            {"about": each.about, "what": each.what, "do": each.do, "counts": each.counts}
            for each in report.findings
        ],
        "slots_counted": list(report.counted),
        "unchecked": [{"what": what, "why": why} for what, why in report.unchecked],
    }
