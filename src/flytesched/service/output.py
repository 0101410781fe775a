"""Output: what commands wrote, as it stands in the log files."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from flytesched import linux
from flytesched.core.runs import RunStatus
from flytesched.errors import FlyteschedError, NotFound
from flytesched.service.selection import known

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flytesched.bootstrap import Site
    from flytesched.core.runs import Attempt, Run
    from flytesched.runlog.reading import Reader

#: Runs looked at for one that was started: cancelled ones may not have been.
_LOOKED_AT = 1000
_NEVER_RAN = frozenset({RunStatus.SKIPPED, RunStatus.QUEUED})
#: Bytes read at once.
_CHUNK = 2**16


class Tail:
    """The log of an attempt, read on from where the last reading ended.

    A file over its limit has a hole in the middle, which is told instead of read.
    """

    def __init__(self, site: Site, attempt: Attempt, *, last: int | None = None) -> None:
        """Begin at the start of a log, which need not be there yet.

        Args:
            site: whose log.
            attempt: what wrote it.
            last: begin so many bytes before the end, if that is later; None for all of it.
        """
        self._folder = str(site.settings.state_dir)
        self._name = attempt.log
        self._at = 0
        self._last = last

    def read(self) -> Iterator[bytes]:
        """Yield what was written since the last call.

        Raises:
            FlyteschedError: what stands there is not to be read, such as a symbolic link.
        """
        if self._name is None:
            return
        try:
            descriptor = linux.open_below(self._folder, self._name, os.O_RDONLY)
        except FileNotFoundError:
            return
        except OSError as error:
            msg = f"cannot read the log {self._folder}/{self._name}: {error.strerror}"
            raise FlyteschedError(msg) from error
        try:
            if self._last is not None:
                self._at = max(self._at, os.fstat(descriptor).st_size - self._last)
                self._last = None
            while True:
                start = _next_data(descriptor, self._at)
                if start - self._at:
                    yield f"\n[... {start - self._at:,} bytes left out ...]\n".encode()
                chunk = os.pread(descriptor, _CHUNK, start)
                self._at = start + len(chunk)
                if not chunk:
                    return
                yield chunk
        finally:
            os.close(descriptor)


def _next_data(descriptor: int, at: int) -> int:
    """Return where the next bytes stand that are not in a hole (lseek(2), SEEK_DATA)."""
    try:
        return os.lseek(descriptor, at, os.SEEK_DATA)
    except OSError as error:
        if error.errno == errno.ENXIO:  # at the end
            return at
        raise


def has_log(site: Site, attempt: Attempt) -> bool:
    """Tell whether the log of an attempt is there."""
    return attempt.log is not None and os.path.lexists(site.settings.state_dir / attempt.log)


def find_output(site: Site, word: str, number: int | None = None) -> tuple[Run, list[Attempt]]:
    """Return the run that a schedule's name or a run's id means, and its attempts with output.

    A name means the newest run that was started.

    Raises:
        NotFound: there is none, or not this attempt.
    """
    names = known(site)
    if (reader := site.reader()) is None:
        from flytesched.service.selection import named

        named(names, [word])
        msg = f"{word} has not run yet"
        raise NotFound(msg)
    with reader:
        run = _newest(reader, word) if word in names else _run(reader, word, names)
        return run, _attempts(reader, run, number)


def look_again(site: Site, run: Run, number: int | None = None) -> tuple[Run, list[Attempt]]:
    """Return a run as it stands now, and its attempts with output; no name is looked up.

    Raises:
        NotFound: it is gone, or has not this attempt.
    """
    if (reader := site.reader()) is None:
        msg = f"{run.id} is not in the run log any more"
        raise NotFound(msg)
    with reader:
        now = _run(reader, run.id, [])
        return now, _attempts(reader, now, number)


def _attempts(reader: Reader, run: Run, number: int | None) -> list[Attempt]:
    attempts = reader.attempts(run.id)
    chosen = [one for one in attempts if number in {None, one.attempt}]
    if not chosen:
        which = "no attempt" if number is None else f"no attempt {number}"
        msg = f"{run.id} has {which}"
        raise NotFound(msg, hint=f"it is {run.verdict()}")
    return chosen


def _newest(reader: Reader, name: str) -> Run:
    # Missed and skipped slots may be many; those that ran have one of these.
    ran = [status.value for status in RunStatus if status not in _NEVER_RAN]
    for entry in reader.history([name], statuses=ran, limit=_LOOKED_AT):
        if entry.attempt and (run := reader.run(entry.id)) is not None:
            return run
    msg = f"{name} has not run yet"
    raise NotFound(msg, hint=f"run it now with: flytesched trigger {name}")


def _run(reader: Reader, word: str, names: list[str]) -> Run:
    from flytesched.core.suggestion import suggest

    if (run := reader.run(word)) is not None:
        return run
    msg = f"no schedule and no run is named {word!r}"
    raise NotFound(msg, hint=suggest(word, names) or "see: flytesched history")
