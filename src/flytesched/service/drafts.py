"""Drafts: the manifest as somebody edits it, kept until what they wrote is saved.

A draft lies in the state directory beside the text it was begun from, so that whatever ends an
edit (a fault, somebody else's edit, a kill, a full disk) leaves it for the next one to go on with.
Only what was saved, and what nobody changed, is thrown away.
"""

from __future__ import annotations

import fcntl
import os
import shlex
import shutil
import signal
import subprocess
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flytesched import linux
from flytesched.core.suggestion import suggest
from flytesched.errors import Conflict, FlyteschedError, InvalidManifest, NotFound, UsageError
from flytesched.manifest.disk import NoManifest, load, refuse_read_only
from flytesched.manifest.document import NAMED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flytesched.bootstrap import Site
    from flytesched.manifest import Manifest
    from flytesched.manifest.splice import Change

#: Editors looked for where neither VISUAL nor EDITOR names one.
_EDITORS = ("editor", "vi", "nano")
#: Editors that begin at a line with ``+N`` in front of the file.
_AT_LINE = frozenset({
    "vi", "vim", "nvim", "gvim", "view", "nvi", "elvis", "vis", "kak", "nano", "pico", "rnano",
    "emacs", "emacsclient", "jed", "jmacs", "joe", "mcedit", "mg", "micro", "ne", "zile",
})  # fmt: skip
#: The file in the folder of drafts that is locked while somebody edits.
_LOCK = "edit.lock"
#: What a manifest begins with that is made in an editor.
TEMPLATE = """\
version = 1

# A schedule is a table with a name. Take the # away to make this one yours;
# `man flytesched.toml` has every key.
#
# [schedules.backup]
# description = "the family's photos"
# command = "rsync -a ~/photos backup:"
# daily = "02:00"                 # or cron = "0 2 * * *", every = "15m", hourly = 15
# timezone = "Europe/Berlin"
# timeout = "2h"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What an edit changed."""

    #: Schedules whose tables differ.
    schedules: tuple[Change, ...] = ()
    #: Tables beside them, such as ``settings`` or ``calendars.work``, that differ.
    others: tuple[Change, ...] = ()
    #: Whether a schedule that does not say so was enabled before, and is now.
    enabled: tuple[bool, bool] = (True, True)
    #: Whether it was no TOML before: nobody knows then what differs.
    mended: bool = False


@dataclass(slots=True, kw_only=True)
class Draft:
    """The copy that is edited."""

    #: Whose manifest it is.
    site: Site
    #: The file to edit.
    path: Path
    #: The file that keeps the text it was begun from.
    begun_from: Path
    #: The manifest as it was when the draft was begun.
    was: bytes
    #: The text that the editor begins with, unless something was left.
    fresh: bytes
    #: Descriptor of the lock on the folder of drafts, which the editor holds as well.
    lock: int
    #: Whether something of an earlier edit is left.
    left: bool = False
    #: Whether the manifest has changed since that was begun.
    outdated: bool = False

    def begin(self) -> None:
        """Make the copy, unless something is left to go on with.

        What is left keeps the text it was begun from: until it is saved or thrown away, going on
        with it undoes what somebody else has changed since, however often one agrees to that.

        Raises:
            FlyteschedError: it cannot be written.
        """
        if not self.left:
            _write(self.begun_from, self.was)
            _write(self.path, self.fresh)

    def line(self, name: str | None) -> int | None:
        """Return the line where the table of a schedule begins; None for the top.

        What the manifest names may have gone from the draft: that begins at the top.

        Raises:
            NotFound: there is no such schedule.
        """
        if name is None:
            return None
        from flytesched.manifest.places import Lines

        text = self._text().decode(errors="replace")
        if (line := Lines(text).exactly(("schedules", name))) is not None:
            return line
        try:
            known = _names(self._text(), self.path)
        except InvalidManifest as error:
            return error.faults[0].line  # it is not TOML: begin where that ends
        with suppress(InvalidManifest):  # of a broken manifest, the draft is what is known
            known |= _names(self.was, self.site.settings.manifest)
        if name in known:
            return None
        msg = f"no schedule is named {name!r}"
        raise NotFound(msg, hint=suggest(name, sorted(known)) or "see: flytesched list")

    def edit(self, line: int | None = None) -> None:
        """Open the copy in the user's editor, and wait for its end.

        Raises:
            UsageError: VISUAL or EDITOR names no command.
            FlyteschedError: there is no editor, or it failed.
        """
        words = _editor(self.site.environ)
        jump = [f"+{line}"] if line is not None and _knows_lines(words[0]) else []
        try:
            code = _wait_for([*words, *jump, str(self.path)], self.lock)
        except OSError as error:
            msg = f"cannot start the editor {words[0]!r}: {error.strerror}"
            raise FlyteschedError(msg, hint="set EDITOR to one that is there") from error
        if code:
            ended = f"was ended by signal {-code}" if code < 0 else f"ended with {code}"
            msg = f"the editor {ended}; nothing was changed"
            raise FlyteschedError(msg)

    def save(self) -> Saved | None:
        """Put the draft in the place of the manifest; None if it says nothing new.

        Raises:
            InvalidManifest: the draft has faults.
            Conflict: the manifest has changed meanwhile.
            FlyteschedError: it cannot be written. In each case the draft stays.
        """
        from flytesched.manifest.edit import rewrite
        from flytesched.service.validation import checked

        text = self._text()
        if text in {self.was, self.fresh}:
            return None
        settings = self.site.settings
        manifest = checked(self.site, text, self.path, before=self.was)
        rewrite(settings.manifest, manifest.text, was=self.was, timezone=settings.timezone)
        saved = _compared(self.was, manifest)
        self.drop()
        return saved

    def drop(self) -> None:
        """Throw the draft away."""
        for path in (self.path, self.begun_from):
            with suppress(OSError):
                path.unlink()

    def differs(self) -> bool:
        """Tell whether there is anything in the draft that would be lost with it."""
        try:
            return self._text() not in {self.was, self.fresh}
        except (FlyteschedError, OSError):
            return self.path.exists()

    def _text(self) -> bytes:
        return load(self.path, to_edit=True)[0] if self.path.exists() else self.fresh


@contextmanager
def draft(site: Site, *, discard: bool = False) -> Iterator[Draft]:
    """Give the draft of a manifest; at the end it is thrown away if nothing would be lost.

    Args:
        site: whose manifest.
        discard: throw away what is left of an earlier edit.

    Raises:
        InvalidManifest: the manifest cannot be read at all.
        FlyteschedError: it is read-only, or there is no room for a draft.
        Conflict: somebody is editing it in this way just now.
    """
    content = _content(site.settings.manifest)
    folder = site.settings.state_dir / "drafts"
    with _alone(folder) as lock:
        path = folder / f"{_stem(site)}.toml"
        found = Draft(
            site=site, path=path, begun_from=path.with_suffix(".was"), was=content,
            fresh=content or TEMPLATE.encode(), lock=lock,
        )  # fmt: skip
        if discard:
            found.drop()
        _look_for_what_is_left(found)
        try:
            yield found
        finally:
            if not found.differs():
                found.drop()


def _look_for_what_is_left(found: Draft) -> None:
    if not found.differs() or not found.path.exists():
        return
    found.left = True
    try:
        found.outdated = found.begun_from.read_bytes() != found.was
    except OSError:
        found.outdated = True  # nobody knows


def _content(path: Path) -> bytes:
    """Return what is in the manifest; nothing if there is none.

    Raises:
        FlyteschedError: it is read-only: nobody shall type in vain.
    """
    try:
        content, status = load(path, to_edit=True)
    except NoManifest:
        return b""
    refuse_read_only(Path(os.path.realpath(path)), status)
    return content


def _stem(site: Site) -> str:
    """Return how the files of a manifest's draft are called, a different one for each path."""
    path = os.fsencode(os.path.realpath(site.settings.manifest))
    return f"{site.settings.manifest.stem[:80]}-{sha256(path).hexdigest()[:12]}"


@contextmanager
def _alone(folder: Path) -> Iterator[int]:
    """Hold the folder of drafts, so that no two edits share one; give the lock's descriptor.

    An editor inherits it: where this command is killed, it is held until that editor ends. What an
    editor leaves running behind it, such as a server, holds nothing once the command has ended.
    """
    try:
        linux.make_folders(folder)
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        msg = f"cannot use {folder} for a draft: {error.strerror}"
        raise FlyteschedError(msg, hint="name another place with --state-dir") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        msg = "a manifest is being edited with `flytesched edit` already"
        raise Conflict(msg, hint="end that editor first") from None
    try:
        yield lock
    finally:
        fcntl.flock(lock, fcntl.LOCK_UN)
        os.close(lock)


def _write(path: Path, content: bytes) -> None:
    """Write a file of a draft that nobody else may read: env may hold secrets."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with open(os.open(path, flags, 0o600), "wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        msg = f"{path}: cannot be written: {error.strerror}"
        raise FlyteschedError(msg, hint="nothing was changed") from error


# -- the editor ---------------------------------------------------------------------------------


def _editor(environ: Mapping[str, str]) -> list[str]:
    """Return the words of the command that edits a file."""
    for variable in ("VISUAL", "EDITOR"):
        if not (said := environ.get(variable, "").strip()):
            continue
        try:
            return shlex.split(said)
        except ValueError as error:
            msg = f"{variable}: {said!r} is no command: {error}"
            raise UsageError(msg, hint="write such as EDITOR='vim -u NONE'") from None
    for name in _EDITORS:
        if shutil.which(name, path=environ.get("PATH")):
            return [name]
    msg = f"there is no editor: neither {', '.join(_EDITORS[:-1])} nor {_EDITORS[-1]} is there"
    raise FlyteschedError(msg, hint="set EDITOR to the one you use")


def _knows_lines(program: str) -> bool:
    """Tell whether an editor, or what a link of that name leads to, takes ``+N``."""
    found = shutil.which(program) or program
    names = {Path(program).name, Path(os.path.realpath(found)).name}
    return any(name.partition(".")[0] in _AT_LINE for name in names)


def _wait_for(words: list[str], lock: int) -> int:
    """Run an editor to its end; Ctrl-C is for the editor, which may take it for a key."""
    process = subprocess.Popen(words, pass_fds=(lock,))
    before = {number: signal.signal(number, signal.SIG_IGN) for number in _OF_THE_EDITOR}
    try:
        return process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


_OF_THE_EDITOR = (signal.SIGINT, signal.SIGQUIT)


# -- what changed -------------------------------------------------------------------------------


def _compared(was: bytes, manifest: Manifest) -> Saved:
    """Return what differs between the manifest before and the one that was saved."""
    from flytesched.manifest.document import document

    after = document(manifest.text, manifest.path)[1]
    try:
        before = document(was, manifest.path)[1]
    except InvalidManifest:
        return Saved(mended=True)
    return Saved(
        schedules=_differing(_schedules(before), _schedules(after)),
        others=_differing(_others(before), _others(after)),
        enabled=(_enabled(before), _enabled(after)),
    )


def _differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    from flytesched.manifest.splice import Change

    changes = [
        Change(name=name, before=_table(before, name), after=_table(after, name))
        for name in dict.fromkeys((*before, *after))
    ]
    return tuple(change for change in changes if change)


def _table(tables: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    table = tables.get(name)
    return table if isinstance(table, dict) else None


def _names(content: bytes, path: Path) -> set[str]:
    """Return the names of the schedules in a text.

    Raises:
        InvalidManifest: it is not TOML.
    """
    from flytesched.manifest.document import document

    return {*_schedules(document(content, path)[1])}


def _schedules(model: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the tables of schedules as they are written."""
    return _table(model, "schedules") or {}


def _enabled(model: Mapping[str, Any]) -> bool:
    """Tell whether a schedule that does not say so is enabled."""
    return (_table(model, "defaults") or {}).get("enabled") is not False


def _others(model: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the tables beside the schedules; those that have a name, each by its own."""
    found = {name: table for name, table in model.items() if name not in {"schedules", *NAMED}}
    for kind in NAMED:
        found |= {f"{kind}.{name}": table for name, table in (_table(model, kind) or {}).items()}
    return found
