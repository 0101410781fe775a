"""Saying what the scheduler does: one line per event."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import sys
import unicodedata
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
#: What systemd's journal takes for the level of a line, and does not show (sd-daemon(3)).
_PREFIXES = {"info": "<6>", "warning": "<4>", "error": "<3>"}
#: Unicode categories that could forge a line or hide a part of one: controls, formats (bidi
#: overrides among them), line and paragraph separators, surrogates.
_HIDDEN = frozenset({"Cc", "Cf", "Zl", "Zp", "Cs"})
#: What could make one fact look like two, or like an escape.
_QUOTED = frozenset(' "=\\')
#: Nearly all facts: names, numbers, paths.
_SIMPLE = re.compile(r"[A-Za-z0-9_.:/@+,-]+")
#: Lines that wait at most.
_MOST_WAITING = 1000


def visible(text: str) -> str:
    """Return text on one line, with everything that a terminal would act upon escaped."""
    return "".join(
        char.encode("unicode_escape", "backslashreplace").decode()
        if unicodedata.category(char) in _HIDDEN
        else char
        for char in text
    )


class LoggingJournal:
    """Implements ``core.protocols.Journal`` with the standard library's logging."""

    def __init__(self) -> None:
        """Write to the logger ``flytesched``; who listens is the program's business."""
        self._logger = logging.getLogger("flytesched")

    def say(self, level: str, event: str, **facts: object) -> None:
        """Write one line; ``level`` is ``info``, ``warning`` or ``error``."""
        said = _known(facts)
        self._logger.log(_LEVELS[level], "%s", _plain(event, said), extra={"facts": said})

    def flush(self) -> None:
        """Do nothing: no line waits."""


class StderrJournal:
    """Implements ``core.protocols.Journal`` with lines on stderr, for people or as JSON."""

    def __init__(
        self, clock_now: Callable[[], float], *, form: str = "plain", least: str = "info",
        stream: TextIO | None = None, environ: Mapping[str, str] | None = None,
        patient: bool = False,
    ) -> None:  # fmt: skip
        """Choose how lines look.

        Args:
            clock_now: returns the wall clock in epoch seconds.
            form: ``plain`` or ``json``.
            least: levels below this one are not said.
            stream: where to; stderr if not given.
            environ: tells whether systemd's journal listens, which writes the time by itself.
            patient: whether what is only info waits for ``flush``, or for a line that is more. A
                thousand starts then wake whoever reads the lines once, not a thousand times.
        """
        self._now, self._stream = clock_now, stream or sys.stderr
        self._json = form == "json"
        self._least = _LEVELS[least]
        self._timed = not _is_journal(self._stream, os.environ if environ is None else environ)
        self._patient = patient
        self._waiting: list[str] = []
        #: The last second that was written, and how.
        self._second = (0, "")

    def say(self, level: str, event: str, **facts: object) -> None:
        """Write one line; a stderr that is gone is no reason to stop."""
        if _LEVELS[level] < self._least:
            return
        moment, said = self._moment(self._now()), _known(facts)
        if self._json:
            line = json.dumps({"time": moment, "level": level, "event": event, **said}, default=str)
        else:
            line = f"{level:<7} {_plain(event, said)}"
            line = f"{moment} {line}" if self._timed else line
        self._waiting.append(line if self._timed else _PREFIXES[level] + line)
        if not self._patient or level != "info" or len(self._waiting) >= _MOST_WAITING:
            self.flush()

    def flush(self) -> None:
        """Write the lines that wait."""
        if not self._waiting:
            return
        lines, self._waiting = self._waiting, []
        with contextlib.suppress(OSError, ValueError, AttributeError):  # None: it was closed
            self._stream.write("\n".join([*lines, ""]))
            self._stream.flush()

    def _moment(self, moment: float) -> str:
        second, rest = divmod(int(moment * 1000), 1000)
        if self._second[0] != second:
            whole = datetime.fromtimestamp(second, UTC)
            self._second = second, whole.strftime("%Y-%m-%dT%H:%M:%S")
        return f"{self._second[1]}.{rest:03}Z"


def _known(facts: Mapping[str, object]) -> dict[str, object]:
    return {name: fact for name, fact in facts.items() if fact is not None}


def _plain(event: str, facts: Mapping[str, object]) -> str:
    return " ".join([event, *(f"{name}={_quoted(str(fact))}" for name, fact in facts.items())])


def _quoted(text: str) -> str:
    if _SIMPLE.fullmatch(text):
        return text
    if text and not _QUOTED & set(text):
        return visible(text)
    return '"' + visible(text.replace("\\", "\\\\").replace('"', '\\"')) + '"'


def _is_journal(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Tell whether a stream goes to systemd's journal (JOURNAL_STREAM, systemd.exec(5))."""
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError, AttributeError):
        return False
    return environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"
