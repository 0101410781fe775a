"""flytesched health: a verdict for people and monitors."""

from typing import Annotated

import typer

from flytesched.cli.call import Call
from flytesched.cli.verb import verb
from flytesched.service.health import health


@verb(reads=True)
def command(
    call: Call,
    *,
    strict: Annotated[
        bool, typer.Option("--strict", help="What fails, and missed slots, count too.")
    ] = False,
) -> int:
    """Tell whether slots are being decided.

    Exits 0, 7 if something is unhealthy, 8 if no scheduler runs. Failing schedules and channels,
    and missed slots, are shown, and count only with --strict.
    """
    found = health(call.site, strict=strict)
    if call.json:
        rows = [
            {"check": each.check, "what": each.what, "counts": each.counts}
            for each in found.findings
        ]
        call.answer("health", {"status": found.status, "findings": rows})
    else:
        call.line(found.status if found.running else "stopped: no scheduler is running")
        for each in found.findings:
            call.line(f"  {'' if each.counts else '(no harm) '}{each.what}")
    return found.exit_code
