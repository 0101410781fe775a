"""The manifest as a source of schedules for a running scheduler."""

from __future__ import annotations

import os
import select
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flytesched.core.protocols import Roster
from flytesched.errors import Invalid, InvalidManifest
from flytesched.manifest.disk import MAX_LINKS, Unreadable, link_target, load
from flytesched.manifest.pieces import Odd
from flytesched.manifest.read import parse
from flytesched.manifest.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flytesched.core.protocols import Journal
    from flytesched.core.schedule import Schedule
    from flytesched.core.telling.channels import Channel
    from flytesched.manifest.apart import Apart
    from flytesched.manifest.reading import Known

#: How often an unchanged status is doubted: a file can change twice within one tick of the
#: kernel's file clock, the second time without a trace in its status.
_DOUBTS = 2
#: Bytes up to which a manifest is read at one go: some hundred schedules, some milliseconds.
AT_ONCE = 2**15
#: Microseconds of work in one ``poll`` of a larger one, about.
STEP = 2000
#: Seconds from one step to the next: other work of the loop, and of the machine, goes between.
PAUSE = 0.0005
#: Seconds that another process may read, before it is taken for stuck.
PATIENCE = 120.0
#: How often another process is asked, before the scheduler reads by itself.
_TRIES = 2

_Signature = tuple[int, ...]


class ManifestSource:
    """Reads the manifest again when it changes; a broken one leaves the last good set in force.

    A large one is read in steps, one with each ``poll``. One that cannot be, because it has faults
    or an unusual form, is first read by another process. The first set is read at one go, since
    nothing can be done without it.
    """

    def __init__(
        self,
        path: Path,
        *,
        timezone: str = "UTC",
        survive: bool = True,
        journal: Journal | None = None,
        elapsed: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """Name the file; nothing is read before the first ``poll``.

        Args:
            path: the manifest; symbolic links are followed anew each time.
            timezone: zone of schedules where neither they nor ``[defaults]`` name one.
            survive: False makes every command end with the scheduler, whatever its table says.
            journal: told when another process failed to read it.
            elapsed: returns seconds on a clock that is never set.
        """
        self._survive = survive
        self.path = path
        self.timezone = timezone
        #: ``[settings]`` of the last good manifest.
        self.settings_table: Mapping[str, Any] = {}
        #: ``[channels]`` of the last good manifest, by name.
        self.channels: Mapping[str, Channel] = {}
        #: What is wrong with the file now; None while it is good.
        self.broken: Invalid | None = None
        self._journal, self._elapsed = journal, elapsed
        self._signature: _Signature | None = None
        self._digest: int | None = None
        self._doubts = 0
        #: What the last good text held; None when it was not read in pieces.
        self._known: Known | None = None
        self._first = True
        #: Whether the set that was returned last is not in force yet.
        self._told = False
        #: Tells of what the other process says, whichever that is.
        self._news = select.epoll()
        # What is being read: the content of the file, in steps, or by another process.
        self._content = b""
        self._reading: Reading | None = None
        self._apart: Apart | None = None
        self._since = 0.0
        self._tries = 0

    def poll(self) -> Roster | None:
        """Return all schedules if the file changed since the last call, else None.

        Costs one stat(2) while nothing changes. A change of a large file may take several calls.

        Raises:
            Invalid: the file is broken; once for each broken state.
        """
        self._told = False  # whoever asks again has it, or cannot take it just now
        signature = self._status()
        try:
            if signature is None or signature != self._signature or (
                self._doubts and not self._is_reading
            ):  # fmt: skip
                self._look(signature)
            roster = self._go_on()
        except Invalid as error:
            self._drop()
            self._break(error)
            return None
        if roster is not None:
            self._drop()
            self.broken = None
            self._told, self._first = True, False
        return roster

    def _settled(self) -> None:
        self._told = False

    @property
    def busy(self) -> bool:
        """Whether a change that was seen is not in force yet."""
        return self._told or self._is_reading

    def fileno(self) -> int:
        """Return a descriptor that is readable when there is something to poll for."""
        return self._news.fileno()

    def again_in(self) -> float | None:
        """Return in how many seconds to poll at the latest; None while nothing is read."""
        if self._apart is not None:
            return max(0.0, self._since + PATIENCE - self._elapsed())
        return None if self._reading is None else PAUSE

    def reread(self) -> None:
        """Let the next ``poll`` read the file and return the whole set, changed or not."""
        self._drop()
        self._signature = self._digest = self.broken = None

    def close(self) -> None:
        """Let go of descriptors, and let nobody read on."""
        self._drop()
        self._news.close()

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

    # -- what changed -----------------------------------------------------------------------

    def _status(self) -> _Signature | None:
        """Return what tells one state of the file from another; None if it has no status."""
        try:
            status = os.stat(self.path)  # noqa: PTH116  the quick path of an idle loop
        except (OSError, ValueError):
            return None
        return (
            status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns,
        )  # fmt: skip

    def _look(self, signature: _Signature | None) -> None:
        """Begin to read the file, unless its content is what it was the last time."""
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
        # Who reads apart has opened the file by its path, perhaps amid two edits that cancel out.
        if digest == self._digest and self._apart is None:
            self._doubts = self._doubts - 1 if signature == before else _DOUBTS
            return
        self._digest, self._doubts = digest, _DOUBTS
        self._drop()
        self._content, self._tries = content, 0
        self._begin(_decoded(content))

    def _break(self, error: Invalid) -> None:
        """Raise what is wrong with the file, unless it was said already."""
        said = self.broken.message if self.broken else None
        self.broken = error
        if error.message != said:
            raise error

    # -- reading it -------------------------------------------------------------------------

    @property
    def _is_reading(self) -> bool:
        return self._reading is not None or self._apart is not None

    def _begin(self, text: str) -> None:
        self._reading = Reading(
            text, self.path, timezone=self.timezone, survive=self._survive, known=self._known
        )

    def _go_on(self) -> Roster | None:
        """Read on; return the set when that was the last step."""
        if self._apart is not None:
            return self._listen(self._apart)
        if self._reading is None:
            return None
        at_once = self._first or len(self._content) <= AT_ONCE
        try:
            if not self._reading.step(float("inf") if at_once else STEP):
                return None
        except Odd:
            self._reading = None
            return self._read_whole() if at_once else self._read_apart()
        self._known = self._reading.known
        self.settings_table, self.channels = self._known.settings, self._known.channels
        return Roster(
            schedules=self._reading.schedules, touched=self._reading.touched, settled=self._settled
        )

    def _read_whole(self) -> Roster:
        """Read the whole text, whatever its form; or say what is wrong with it."""
        manifest = parse(self._content, self.path, timezone=self.timezone)
        self._known = None
        self.settings_table, self.channels = manifest.settings_table, manifest.channels
        schedules: Mapping[str, Schedule] = manifest.schedules
        if not self._survive:
            schedules = {name: one.with_(survive=False) for name, one in schedules.items()}
        return Roster(schedules=schedules, settled=self._settled)

    def _read_apart(self) -> Roster | None:
        """Let another process read it; where none can, read it here rather than never."""
        from flytesched.manifest.apart import Apart

        why = "another process failed to read it"
        while self._tries < _TRIES:
            self._tries += 1
            try:
                self._apart = Apart(self.path, self.timezone)
            except OSError as error:
                why = error.strerror or str(error)
                continue
            self._news.register(self._apart.fileno(), select.EPOLLIN)
            self._since = self._elapsed()
            return None
        if self._journal is not None:
            self._journal.say("warning", "manifest read at one go; slots may be late", why=why)
        return self._read_whole()

    def _listen(self, apart: Apart) -> Roster | None:
        """Take what the other process says."""
        stuck = self._elapsed() >= self._since + PATIENCE
        if not apart.take() and not stuck:
            return None
        answer = apart.answer()
        self._apart = None
        apart.close()
        if answer is None:
            return self._read_apart()
        return self._answered(answer)

    def _answered(self, answer: bytes) -> Roster | None:
        """Read in steps what the other process wrote, or raise what it found wrong."""
        from flytesched.manifest.apart import text_of
        from flytesched.manifest.plainly import faults

        if (text := text_of(answer)) is None:
            raise InvalidManifest(str(self.path), faults(answer))
        # What even so cannot be read in steps is read at one go.
        self._tries = _TRIES
        self._begin(text)
        return None

    def _drop(self) -> None:
        """Let go of what is being read."""
        apart, self._apart = self._apart, None
        self._reading, self._content = None, b""
        if apart is not None:
            apart.close()


def _decoded(content: bytes) -> str:
    """Return the text; an empty one, which is no manifest, where there is something wrong with it.

    Whoever reads it as a whole says what.
    """
    try:
        return "" if b"\0" in content else content.decode()
    except UnicodeDecodeError:
        return ""
