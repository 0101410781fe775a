"""Edit a manifest: lock, read again, splice, parse, compare, replace whole.

An edit is refused only when the file is no TOML, or when a schedule it touches would be faulty;
faults elsewhere are left to whoever made them. Edits count on nothing read before the lock.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from flytesched import linux
from flytesched.core.suggestion import suggest
from flytesched.errors import Conflict, Fault, FlyteschedError, InvalidManifest, NotFound
from flytesched.manifest.disk import NoManifest, load, refuse_read_only, replace_whole
from flytesched.manifest.places import Misplaced
from flytesched.manifest.read import VERSION, document, parse
from flytesched.manifest.renaming import renamed
from flytesched.manifest.shared import build, shared
from flytesched.manifest.splice import Change, splice
from flytesched.manifest.toml import same

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager

__all__ = ["REMOVE", "Change", "put", "put_all", "remove", "rename", "rewrite", "update"]

#: Stands for the value of a key that ``update`` shall remove.
REMOVE: Final = object()
#: Seconds to wait for another command that edits the same manifest.
LOCK_TIMEOUT = 10.0
_TRIES = 5

Tables = dict[str, dict[str, Any]]


def put(
    path: Path, name: str, table: Mapping[str, Any], *, replace: bool = False,
    timezone: str = "UTC", lock_timeout: float = LOCK_TIMEOUT, dry_run: bool = False,
) -> Change:  # fmt: skip
    """Add a schedule; make the manifest if there is none.

    Args:
        path: the manifest.
        name: of the schedule.
        table: its keys, as the manifest spells them.
        replace: whether one that is there shall give way.
        timezone: see ``read``.
        lock_timeout: seconds to wait for another command that edits.
        dry_run: whether to change nothing, and leave no trace of having looked.

    Raises:
        Conflict: it is there already, and not to be replaced; or the lock was not to be had.
        InvalidManifest: the manifest is no TOML, or the table is faulty.
        FlyteschedError: the file cannot be written.
    """

    return put_all(
        path, {name: table}, replace=replace, timezone=timezone, lock_timeout=lock_timeout,
        dry_run=dry_run,
    )[0]  # fmt: skip


def put_all(
    path: Path, added: Mapping[str, Mapping[str, Any]], *, replace: bool = False,
    timezone: str = "UTC", lock_timeout: float = LOCK_TIMEOUT, dry_run: bool = False,
) -> list[Change]:  # fmt: skip
    """Add schedules, all of them or none; make the manifest if there is none.

    Args:
        path: the manifest.
        added: their tables by name, as the manifest spells them.
        replace: whether those that are there shall give way.
        timezone: see ``read``.
        lock_timeout: seconds to wait for another command that edits.
        dry_run: whether to change nothing, and leave no trace of having looked.

    Raises:
        Conflict: one is there already, and not to be replaced; or the lock was not to be had.
        InvalidManifest: the manifest is no TOML, or a table is faulty.
        FlyteschedError: the file cannot be written.
    """

    def wish(tables: Tables) -> list[Change]:
        if not replace and (taken := next((name for name in added if name in tables), None)):
            what = f"there is a schedule {taken!r} already"
            raise Conflict(what, hint="give --replace to replace it, or use `flytesched set`")
        return [
            Change(name=name, before=tables.get(name), after=dict(table))
            for name, table in added.items()
        ]

    return _edit(path, wish, timezone, lock_timeout, create=True, dry_run=dry_run)


def update(
    path: Path, changes: Mapping[str, Mapping[str, Any]], *,
    timezone: str = "UTC", lock_timeout: float = LOCK_TIMEOUT, dry_run: bool = False,
) -> list[Change]:  # fmt: skip
    """Set and remove single keys of schedules; all of them, or none.

    Args:
        path: the manifest.
        changes: new values by schedule and key; REMOVE takes a key out.
        timezone: see ``read``.
        lock_timeout: seconds to wait for another command that edits.
        dry_run: see ``put``.

    Raises:
        NotFound: there is no such schedule.
        Conflict: the lock was not to be had.
        InvalidManifest: the manifest is no TOML, or a changed table would be faulty.
        FlyteschedError: the file cannot be written.
    """

    def wish(tables: Tables) -> list[Change]:
        found = []
        for name, keys in changes.items():
            before = _known(tables, name)
            merged = {**before, **keys}
            after = {key: value for key, value in merged.items() if value is not REMOVE}
            found.append(Change(name=name, before=before, after=after))
        return found

    return _edit(path, wish, timezone, lock_timeout, dry_run=dry_run)


def remove(
    path: Path, names: Iterable[str], *, timezone: str = "UTC",
    lock_timeout: float = LOCK_TIMEOUT, dry_run: bool = False,
) -> list[Change]:  # fmt: skip
    """Remove schedules; all of them, or none. The comments around them stay.

    With ``dry_run`` nothing is changed; see ``put``.

    Raises:
        NotFound: there is no such schedule.
        Conflict: the lock was not to be had.
        InvalidManifest: the manifest is no TOML.
        FlyteschedError: the file cannot be written.
    """
    wanted = list(dict.fromkeys(names))

    def wish(tables: Tables) -> list[Change]:
        return [Change(name=name, before=_known(tables, name), after=None) for name in wanted]

    return _edit(path, wish, timezone, lock_timeout, dry_run=dry_run)


def rewrite(
    path: Path, text: str, *, was: str | bytes, timezone: str = "UTC",
    lock_timeout: float = LOCK_TIMEOUT,
) -> None:  # fmt: skip
    """Replace the whole text, as after an editor; ``was`` is what was edited, be it text or not.

    Raises:
        Conflict: the file is no longer as it ``was``; or the lock was not to be had.
        InvalidManifest: the new text has faults.
        FlyteschedError: the file cannot be written.
    """
    parse(text, path, timezone=timezone)
    target = Path(os.path.realpath(path))
    with _lock(target, lock_timeout):
        content, status = _current(path, create=True)
        if content != (was.encode() if isinstance(was, str) else was):
            what = f"{path}: somebody else has changed it meanwhile"
            raise Conflict(what, hint="look at the new one and edit again")
        if status is not None:
            refuse_read_only(target, status)
        replace_whole(target, text.encode(), status)


def rename(
    path: Path, old: str, new: str, *, timezone: str = "UTC",
    lock_timeout: float = LOCK_TIMEOUT, dry_run: bool = False,
    beside: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> None:  # fmt: skip
    """Give a schedule another name; every other byte stays.

    Args:
        path: the manifest.
        old: its name.
        new: the name it gets.
        timezone: see ``read``.
        lock_timeout: seconds to wait for another command that edits.
        dry_run: see ``put``.
        beside: entered just before the file is replaced; what it did is its own to undo.

    Raises:
        NotFound: there is no such schedule.
        Conflict: the other name is taken; or the file changes all the time, or its lock was not
            to be had.
        InvalidManifest: the manifest is no TOML, or it would be faulty.
        FlyteschedError: the file cannot be written.
    """
    target = Path(os.path.realpath(path))
    load(path, to_edit=True)  # see _edit
    with nullcontext() if dry_run else _lock(target, lock_timeout):
        content, status = load(path, to_edit=True)
        text = _renamed(content, path, (old, new), timezone)
        refuse_read_only(target, status)
        if dry_run:
            return
        with beside():
            if load(path, to_edit=True)[0] != content:
                what = f"{path}: somebody else has changed it just now"
                raise Conflict(what, hint="try again")
            replace_whole(target, text.encode(), status)


def _renamed(content: bytes, path: Path, names: tuple[str, str], timezone: str) -> str:
    """Return the text with another name, compared with what was wanted."""
    old, new = names
    text, model = document(content, path)
    schedules = model.get("schedules", {})
    tables = schedules if isinstance(schedules, dict) else {}
    table = _known({name: each for name, each in tables.items() if isinstance(each, dict)}, old)
    if new == old:
        what = f"{old} has this name already"
        raise Conflict(what, hint="choose another name")
    if new in tables:
        what = f"there is a schedule {new!r} already"
        raise Conflict(what, hint="choose another name, or remove that one first")
    _refuse_faulty([Change(name=new, before=None, after=table)], model, path, timezone)
    wanted = {new if name == old else name: each for name, each in tables.items()}
    try:
        text = renamed(text, old, new)
        found = document(text, path)[1]
    except (Misplaced, InvalidManifest):
        found = {}
    if same(found, {**model, "schedules": wanted}):
        return text
    what = f"{path}: this way of writing the table cannot be edited safely; nothing was changed"
    raise FlyteschedError(what, hint="write it as [schedules.NAME], or use `flytesched edit`")


def _edit(
    path: Path, wish: Callable[[Tables], list[Change]], timezone: str, timeout: float,
    *, create: bool = False, dry_run: bool = False,
) -> list[Change]:  # fmt: skip
    target = Path(os.path.realpath(path))
    if dry_run:
        return _foreseen(path, target, wish, timezone, create=create)
    if not create:
        load(path, to_edit=True)  # a missing or forbidden file says so before a lock file is made
    with _lock(target, timeout):
        for _ in range(_TRIES):
            content, status = _current(path, create=create)
            changes, text = _planned(content, path, wish, timezone)
            if not any(changes):
                return changes
            if status is not None:
                refuse_read_only(target, status)
            # An editor does not know the lock: what it saved while we thought must not be lost.
            if _current(path, create=create)[0] == content:
                replace_whole(target, text.encode(), status)
                return changes
    what = f"{path}: it changes all the time"
    raise Conflict(what, hint="try again when nobody edits it")


def _foreseen(
    path: Path, target: Path, wish: Callable[[Tables], list[Change]], timezone: str, *, create: bool
) -> list[Change]:
    """Return what an edit would change, refused where the edit would be; without its lock file."""
    content, status = _current(path, create=create)
    changes, _ = _planned(content, path, wish, timezone)
    if any(changes) and status is not None:
        refuse_read_only(target, status)
    return changes


def _planned(
    content: bytes, path: Path, wish: Callable[[Tables], list[Change]], timezone: str
) -> tuple[list[Change], str]:
    """Return the changes wished for and the text that has them."""
    text, model = document(content, path)
    if not model:
        text = _headed(text)
        model = {"version": VERSION}
    schedules = model.get("schedules", {})
    if not isinstance(schedules, dict):
        fault = Fault(key="schedules", what="is no table", instead="write [schedules.NAME]")
        raise InvalidManifest(str(path), [fault])
    changes = wish({name: table for name, table in schedules.items() if isinstance(table, dict)})
    _refuse_faulty(changes, model, path, timezone)
    for change in changes:
        if change.after is None:
            schedules.pop(change.name, None)
        else:
            schedules[change.name] = change.after
    return changes, _spliced(text, changes, {**model, "schedules": schedules}, path)


def _spliced(text: str, changes: list[Change], wanted: dict[str, Any], path: Path) -> str:
    """Return the text with the changes, compared with what was ``wanted``."""
    for afresh in (False, True):
        try:
            new = splice(text, changes, afresh=afresh)
            _, model = document(new, path)
        except (Misplaced, InvalidManifest):
            continue
        if same({"schedules": {}, **model}, wanted):
            return new
    what = f"{path}: this way of writing the table cannot be edited safely; nothing was changed"
    raise FlyteschedError(what, hint="write it as [schedules.NAME], or use `flytesched edit`")


def _refuse_faulty(
    changes: list[Change], model: Mapping[str, Any], path: Path, timezone: str
) -> None:
    """Refuse changes after which a schedule they touch is faulty."""
    around = shared(model, timezone)
    faults = [
        built
        for change in changes
        if change.after is not None and change
        for built in build(change.name, change.after, around)
        if isinstance(built, Fault)
    ]
    if faults:
        raise InvalidManifest(str(path), faults)


def _known(tables: Tables, name: str) -> dict[str, Any]:
    if name in tables:
        return tables[name]
    what = f"there is no schedule {name!r}"
    raise NotFound(what, hint=suggest(name, list(tables)))


def _headed(text: str) -> str:
    """Return a text without any key, with the version below its comments."""
    newline = "\r\n" if "\r\n" in text else "\n"
    if text and not text.endswith("\n"):
        text += newline
    return f"{text}version = {VERSION}{newline}"


def _current(path: Path, *, create: bool) -> tuple[bytes, os.stat_result | None]:
    try:
        return load(path, to_edit=True)
    except NoManifest:
        if not create:
            raise
        return b"", None


@contextmanager
def _lock(target: Path, timeout: float) -> Iterator[None]:
    """Hold the lock of a manifest, a file beside what symbolic links lead to.

    So every writer agrees on it, whatever name or state directory it uses. The lock file stays:
    to unlink it would let two writers hold two files of one name.
    """
    from filelock import FileLock, Timeout  # readers need no lock

    try:
        linux.make_folders(target.parent)
        # Whoever may write the manifest may take the lock, and nobody else may hold it up.
        mode = 0o600 | (target.stat().st_mode & 0o060 if target.exists() else 0)
        lock = FileLock(
            target.with_name(f".{target.name[:200]}.lock"), timeout=timeout, mode=mode,
            fallback_to_soft=False,
        )  # fmt: skip
        lock.acquire()
    except Timeout:
        what = f"{target}: another command is editing it"
        raise Conflict(what, hint="try again when that has ended") from None
    except (OSError, NotImplementedError) as error:
        reason = getattr(error, "strerror", None) or error
        what = f"{target}: cannot be locked for editing: {reason}"
        raise FlyteschedError(what, hint="nothing was changed") from None
    try:
        yield
    finally:
        lock.release()
