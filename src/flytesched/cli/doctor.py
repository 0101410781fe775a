"""flytesched doctor: what is wrong, and what to do about it."""

from flytesched.cli import prose, render
from flytesched.cli.call import Call
from flytesched.cli.verb import verb
from flytesched.service.doctor import Finding, doctor
from flytesched.service.vitals import EXAMINATIONS

_HEADS = ("LEVEL", "ABOUT", "FINDING")


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
        rows = [(each.level.value, each.about, _said(each)) for each in found.findings]
        prose.table(call, _HEADS, rows, toned=("LEVEL",))
    return found.exit_code


def _said(finding: Finding) -> str:
    return render.safe(f"{finding.what}; {finding.do}" if finding.do else finding.what)
