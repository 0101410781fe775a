"""flytesched config: every setting with its value and its origin."""

from typing import Annotated, Any

import typer

from flytesched.cli.call import Call
from flytesched.cli.changes import shown
from flytesched.cli.verb import verb
from flytesched.service.configuration import Configuration, Value, configuration


@verb(reads=True)
def command(
    call: Call,
    key: Annotated[
        str | None,
        typer.Argument(metavar="KEY", help="A setting, or defaults.KEY: show its value alone."),
    ] = None,
) -> int | None:
    """Show every setting and what says so.

    Below them stand what the manifest says under [defaults], and the files in use.
    """
    found = configuration(call.site)
    chosen = found.values if key is None else (found.value(key),)
    if call.json:
        call.answer("config", _shape(found, chosen))
    elif key is not None:
        call.line(_said(chosen[0]))
    else:
        _show(call, found)
    for name, near in found.strays.items():
        call.talk(f"{name} is no setting; did you mean {near}?")
    if found.error is None:
        return None
    for line in found.error.message.splitlines():
        call.talk(f"flytesched: {line}")
    call.talk("hint: mend it; until then no setting of the manifest counts here")
    return found.error.exit_code


def _show(call: Call, found: Configuration) -> None:
    rows = [(each.name, _said(each), _origin(each)) for each in found.values]
    call.table(("SETTING", "VALUE", "FROM"), rows, elastic=("VALUE", "FROM"))
    call.write("\nfiles\n")
    call.facts([
        (each.what, f"{each.path}{_standing(each.leads_to, there=each.there)}")
        for each in found.files
    ])  # fmt: skip


def _standing(leads_to: str | None, *, there: bool) -> str:
    said = "" if leads_to is None else f" -> {leads_to}"
    return said if there else f"{said} (not there yet)"


def _said(value: Value) -> str:
    return shown(value.name.rpartition(".")[2], value.value)


def _origin(value: Value) -> str:
    return value.where or value.origin


def _shape(found: Configuration, chosen: tuple[Value, ...]) -> dict[str, Any]:
    return {
        "settings": [
            {"name": each.name, "value": each.value, "origin": each.origin, "where": each.where}
            for each in chosen
        ],
        "files": [
            {"what": each.what, "path": str(each.path), "exists": each.there,
             "leads_to": each.leads_to}
            for each in found.files
        ],
        "manifest_error": None if found.error is None else found.error.message,
    }  # fmt: skip
