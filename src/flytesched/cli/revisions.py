"""flytesched revisions: what a schedule said when."""

import re
from typing import Annotated, Any

import typer

from flytesched.cli import shapes
from flytesched.cli.call import Call
from flytesched.cli.differences import lines, plain, shape
from flytesched.cli.options import Name
from flytesched.cli.verb import verb
from flytesched.errors import Invalid, UsageError
from flytesched.service.revisions import Past, Version, changed, past

_HEADS = ("REVISION", "SEEN", "CHANGED")
_PAIR = re.compile(r"([0-9]{1,9})(?:\.\.([0-9]{1,9})?)?")


@verb(reads=True)
def command(
    call: Call,
    name: Name,
    *,
    diff: Annotated[
        str | None,
        typer.Option(
            "--diff",
            metavar="N[..M]",
            help="What revision N changed; or what differs between N and M, or N.. and today.",
        ),
    ] = None,
) -> None:
    """Show what changed in a schedule, and when.

    A revision is a definition from when a scheduler first saw it. Values of env are never
    recorded.
    """
    seen = past(call.site, name)
    if diff is not None:
        _show_diff(call, seen, *_two(seen, diff))
    elif call.json:
        versions = [_shape(version) for version in seen.versions]
        call.answer("revisions", {"schedule": seen.name, "in_manifest": seen.present,
                                  "revisions": versions})  # fmt: skip
    else:
        rows = [(_number(v), call.when(v.seen_at), _summary(v)) for v in reversed(seen.versions)]
        call.table(_HEADS, rows, right=("REVISION",), elastic=("CHANGED",))
        if seen.present is None:
            call.talk("the manifest cannot be read; see what is wrong with: flytesched validate")
        elif not seen.present:
            call.talk(f"{seen.name} is not in the manifest; bring it back with: "
                      f"flytesched revert {seen.name}")  # fmt: skip


def _two(seen: Past, said: str) -> tuple[Version | None, Version]:
    """Return the two versions that ``--diff`` means; the first revision has none before it."""
    if (match := _PAIR.fullmatch(said)) is None:
        msg = f"--diff: {said!r} is no revision, and no two"
        raise UsageError(msg, hint="write a number of a revision, such as 3, or 3..5")
    one = seen.version(int(match[1]))
    if match[2] is not None:
        return one, seen.version(int(match[2]))
    if said.endswith(".."):
        return one, seen.versions[-1]
    at = seen.versions.index(one)
    return seen.versions[at - 1] if at else None, one


def _show_diff(call: Call, seen: Past, before: Version | None, after: Version) -> None:
    for version in (before, after):
        if version is not None and version.keys is None:
            msg = f"revision {version.number} of {seen.name} cannot be read"
            raise Invalid(msg, hint="was it written by a newer version?")
    found = changed(before, after)
    if call.json:
        call.answer("diff", {"schedule": seen.name, "before": before and before.number,
                             "after": after.number, "changed": shape(found)})  # fmt: skip
        return
    names = f"{_number(before) if before else '(none)'} -> {_number(after)}"
    when = f" ({call.clock(after.seen_at)})" if after.seen_at is not None else ""
    call.line(f"{seen.name}: {names}{when}")
    call.write(lines(found, colour=call.colour))
    if not found:
        call.talk("nothing differs")


def _number(version: Version) -> str:
    return "today" if version.number is None else str(version.number)


def _summary(version: Version) -> str:
    if version.keys is None:
        return "(cannot be read)"
    said = ", ".join(one.key for one in version.changed) or "first seen"
    return said if version.number is not None else f"{said} (not seen by a scheduler yet)"


def _shape(version: Version) -> dict[str, Any]:
    keys = version.keys
    return {
        "revision": version.number,
        "seen_at": shapes.moment(version.seen_at),
        "keys": None if keys is None else {k: plain(k, v) for k, v in keys.items()},
        "changed": shape(version.changed),
    }
