"""flytesched validate: every fault of a manifest, with its line."""

from pathlib import Path
from typing import Annotated

import typer

from flytesched.cli import render
from flytesched.cli.call import Call
from flytesched.cli.verb import verb
from flytesched.errors import Fault, InvalidManifest
from flytesched.manifest.document import NAMED
from flytesched.service.validation import validate


@verb(reads=True)
def command(
    call: Call,
    file: Annotated[
        str | None,
        typer.Argument(metavar="FILE", help="A manifest; the one in use if not given."),
    ] = None,
) -> int | None:
    """Check a manifest and say every fault with its line."""
    path = call.site.settings.manifest if file is None else Path(file)
    try:
        manifest = validate(call.site, path)
    except InvalidManifest as error:
        if call.json:
            call.answer("validate", _faulty(error))
        for line in error.lines():
            call.talk(render.safe(line))
        return error.exit_code
    count = len(manifest.schedules)
    if call.json:
        call.answer("validate", {"file": str(path), "schedules": count, "faults": []})
    else:
        call.line(f"{path}: {render.plural(count, 'schedule')}, no fault")
    return None


def _faulty(error: InvalidManifest) -> dict[str, object]:
    faults = [
        {
            "line": fault.line,
            "key": ".".join(part for part in (*_table(fault), fault.key) if part),
            "what": fault.what,
            "instead": fault.instead,
        }
        for fault in error.faults
    ]
    return {"file": error.path, "schedules": None, "faults": faults}


def _table(fault: Fault) -> tuple[str, ...]:
    """Return the path of a table; that of a schedule is its name."""
    return fault.table[0 if {*fault.table[:1]} & {*NAMED} else 1 :]
