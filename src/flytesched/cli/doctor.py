"""flytesched doctor: what is wrong, and what to do about it."""

from flytesched.cli.call import Call
from flytesched.cli.verb import verb
from flytesched.service.doctor import doctor
from flytesched.service.vitals import EXAMINATIONS


@verb(reads=True)
def command(call: Call) -> int:
    """Examine the run log and the state directory, and say what to do.

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
        rows = [
            (each.level.value, each.about, f"{each.what}; {each.do}" if each.do else each.what)
            for each in found.findings
        ]
        call.table(("LEVEL", "ABOUT", "FINDING"), rows, toned=("LEVEL",))
    return found.exit_code
