"""The manifest as a source of schedules for a running scheduler."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flytesched.core.protocols import Roster
from flytesched.errors import Invalid
from flytesched.manifest.disk import MAX_LINKS, Unreadable, link_target, load
from flytesched.manifest.read import parse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flytesched.core.schedule import Schedule

#: How often an unchanged status is doubted: a file can change twice within one tick of the
#: kernel's file clock, the second time without a trace in its status.
_DOUBTS = 2

_Signature = tuple[int, ...]


class ManifestSource:
    """Reads the manifest again when it changes; a broken one leaves the last good set in force."""

    def __init__(self, path: Path, *, timezone: str = "UTC", survive: bool = True) -> None:
        """Name the file; nothing is read before the first ``poll``.

        Args:
            path: the manifest; symbolic links are followed anew each time.
            timezone: zone of schedules where neither they nor ``[defaults]`` name one.
            survive: False makes every command end with the scheduler, whatever its table says.
        """
        self._survive = survive
        self.path = path
        self.timezone = timezone
        #: ``[settings]`` of the last good manifest.
        self.settings_table: Mapping[str, Any] = {}
        #: What is wrong with the file now; None while it is good.
        self.broken: Invalid | None = None
        self._signature: _Signature | None = None
        self._digest: int | None = None
        self._doubts = 0

    def poll(self) -> Roster | None:
        """Return all schedules if the file changed since the last call, else None.

        Costs one stat(2) while nothing changes.

        Raises:
            Invalid: the file is broken; once for each broken state.
        """
        signature = self._status()
        if signature is not None and signature == self._signature and not self._doubts:
            return None
        try:
            schedules = self._changed(signature)
        except Invalid as error:
            self._break(error)
            return None
        if schedules is None:
            return None
        self.broken = None
        return Roster(schedules=schedules)

    def reread(self) -> None:
        """Let the next ``poll`` read the file and return the whole set, changed or not."""
        self._signature = self._digest = self.broken = None

    def watched(self) -> list[Path]:
        """Return the folders in which a change can change the manifest.

        That of the file, that of every symbolic link on the way to it, and for a missing folder
        the nearest one above that is there.
        """
        folders: dict[Path, None] = {}
        here = Path("/")
        rest = list(reversed(self.path.absolute().parts[1:]))
        links = 0
        while rest:
            part = rest.pop()
            step = here / part
            if part == "..":
                here = here.parent
            elif (target := link_target(step)) is not None and links < MAX_LINKS:
                links += 1
                folders[here] = None
                here = Path("/") if target.is_absolute() else here
                rest += reversed(target.parts[target.is_absolute() :])
            elif rest and os.path.isdir(step):  # noqa: PTH112  Path.is_dir raises on EACCES
                here = step
            else:
                folders[here] = None
                break
        return list(folders)

    def _status(self) -> _Signature | None:
        """Return what tells one state of the file from another; None if it has no status."""
        try:
            status = os.stat(self.path)  # noqa: PTH116  the quick path of an idle loop
        except (OSError, ValueError):
            return None
        return (
            status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns,
        )  # fmt: skip

    def _changed(self, signature: _Signature | None) -> Mapping[str, Schedule] | None:
        """Return the schedules of the file; None if its content is what it was the last time."""
        before = self._signature
        self._signature = signature
        try:
            content, _ = load(self.path)
        except Invalid as error:
            self._digest, self._doubts = None, 0
            if isinstance(error, Unreadable):
                self._signature = None  # it may be readable the next time, unchanged
            raise
        digest = hash(content)
        if digest == self._digest:
            self._doubts = self._doubts - 1 if signature == before else _DOUBTS
            return None
        self._digest, self._doubts = digest, _DOUBTS
        manifest = parse(content, self.path, timezone=self.timezone)
        self.settings_table = manifest.settings_table
        if self._survive:
            return manifest.schedules
        return {name: one.with_(survive=False) for name, one in manifest.schedules.items()}

    def _break(self, error: Invalid) -> None:
        """Raise what is wrong with the file, unless it was said already."""
        said = self.broken.message if self.broken else None
        self.broken = error
        if error.message != said:
            raise error
