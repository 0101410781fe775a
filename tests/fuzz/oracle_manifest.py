"""What must hold of any bytes that are read, and edited, as a manifest."""

from __future__ import annotations

import copy
import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from places import desk

from flytesched.core.keys import KEYS
from flytesched.core.runs import ScheduleState
from flytesched.core.sight import recalled
from flytesched.errors import FlyteschedError, InvalidManifest
from flytesched.manifest import edit
from flytesched.manifest.edit import REMOVE
from flytesched.manifest.places import Kind, Misplaced, Statement, scan
from flytesched.manifest.read import parse
from flytesched.manifest.splice import Change, splice
from flytesched.manifest.toml import same

if TYPE_CHECKING:
    from collections.abc import Callable

    from flytesched.core.schedule import Schedule
    from flytesched.manifest.read import Manifest

#: What is said of a fault is a sentence, whatever the file quotes in it.
LONGEST = 1_500
#: How many schedules of one manifest are edited: each edit costs the whole text.
FEW = 2
NEW = {"daily": ["02:00", "14:00"], "command": ["a 'b'", 'c "d"', "\\"], "labels": {"x": "y"}}
#: Stands for a name that no manifest has: no name of a schedule may hold a blank.
NOBODY = "no body"


def reads(data: bytes) -> None:
    """A manifest, or faults with places; what is read means the same when it is stored or edited.

    Every schedule comes back from the definition that the run log keeps. Switching one off leaves
    every byte outside its table, and switching it on again leaves no trace.
    """
    try:
        manifest = parse(data, Path("m"))
    except InvalidManifest as error:
        _faults_have_places(error, data.count(b"\n") + 1)
        return
    assert manifest.text.encode() == data
    assert (
        "".join(manifest.text[part.start : part.end] for part in scan(manifest.text)).encode()
        == data
    )
    for schedule in manifest.schedules.values():
        _comes_back(schedule)
    for name in sorted(manifest.schedules)[:FEW]:
        _switches_off(manifest, name)


def _faults_have_places(error: InvalidManifest, lines: int) -> None:
    assert error.faults
    for fault in error.faults:
        assert fault.what
        assert len(str(fault)) < LONGEST
        assert fault.line is not None
        assert 1 <= fault.line <= lines


def _comes_back(schedule: Schedule) -> None:
    definition = schedule.definition()
    json.loads(definition)
    state = ScheduleState(
        name=schedule.name, timing=schedule.timing.text, enabled=True, cursor=0, seen_at=0.0,
        definition=definition,
    )  # fmt: skip
    found = recalled(state)
    assert found is not None
    stored = KEYS["ping_url"].write(schedule.ping_url)
    assert found == schedule.with_(env={}, ping_url=stored)
    first = schedule.timetable.next(0)
    assert first is None or first > 0


def _switches_off(manifest: Manifest, name: str) -> None:
    before = dict(manifest.tables[name])
    after = {**before, "enabled": False}
    try:
        text = splice(manifest.text, [Change(name=name, before=before, after=after)])
    except Misplaced:
        return
    again = parse(text, manifest.path)
    wanted = {**manifest.schedules, name: manifest.schedules[name].with_(enabled=False)}
    assert again.schedules == wanted
    assert again.settings_table == manifest.settings_table
    assert _others(text, name, blanks=True) == _others(manifest.text, name, blanks=True)
    if "enabled" not in before:
        back = splice(text, [Change(name=name, before=after, after=before)])
        assert back.rstrip("\r\n") == manifest.text.rstrip("\r\n")


def _others(text: str, name: str, *, blanks: bool) -> list[str]:
    """Return the statements that are not of one schedule, as they are written."""

    def other(part: Statement) -> bool:
        if part.kind is Kind.BLANK:
            return blanks
        return part.path[:2] != ("schedules", name) and part.path != ("schedules",)

    written = [text[part.start : part.end] for part in scan(text) if other(part)]
    # What is put behind the last line gives it the end that it may lack.
    return [line.rstrip("\r\n") for line in written]


def edits(data: bytes) -> None:
    """Any edit of any text: the model meant, and all other statements as they were; or nothing.

    Refusals are errors of ours, and leave the file as it was.
    """
    path = desk() / "schedules.toml"
    try:
        model = tomllib.loads(data.decode())
    except (ValueError, RecursionError):
        model = {}
    tables = model.get("schedules")
    tables = tables if isinstance(tables, dict) else {}
    names = [*[name for name, table in tables.items() if isinstance(table, dict)][:FEW], NOBODY]
    for name in names:
        _edited(path, data, {name: REMOVE}, lambda name=name: edit.remove(path, [name]))
        for keys in ({"enabled": False}, {"env": {"A": "\x7f'\"\n"}, "jitter": REMOVE}):
            _edited(
                path,
                data,
                {name: keys},
                lambda name=name, keys=keys: edit.update(path, {name: keys}),
            )
    known = [name for name in names if name != NOBODY]
    if known:
        # The values of one table, whatever they are, are written into another.
        table = dict(tables[known[-1]])
        _edited(
            path, data, {known[0]: table},
            lambda: edit.put(path, known[0], table, replace=True), whole=True,
        )  # fmt: skip
        off = {name: {"enabled": False} for name in known}
        _edited(path, data, off, lambda: edit.update(path, off))
    _edited(
        path,
        data,
        {"new.one": NEW},
        lambda: edit.put(path, "new.one", NEW, replace=True),
        whole=True,
    )


def _edited(
    path: Path,
    data: bytes,
    wish: dict[str, Any],
    change: Callable[[], object],
    *,
    whole: bool = False,
) -> None:
    """Make one edit of the file and compare it with the wish: new keys by schedule."""
    path.write_bytes(data)
    try:
        change()
    except FlyteschedError:
        assert path.read_bytes() == data
        return
    new = path.read_bytes()
    before, after = tomllib.loads(data.decode()), tomllib.loads(new.decode())
    wanted = copy.deepcopy(before) or {"version": 1}
    schedules = wanted.setdefault("schedules", {})
    for name, keys in wish.items():
        if keys is REMOVE:
            del schedules[name]
            continue
        merged = {} if whole else schedules[name]
        merged = {**merged, **keys}
        schedules[name] = {key: value for key, value in merged.items() if value is not REMOVE}
    assert same({"schedules": {}, **after}, wanted)
    if len(wish) == 1 and before:
        (name,) = wish
        old, now = (_others(text.decode(), name, blanks=False) for text in (data, new))
        assert old == now
