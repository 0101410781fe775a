"""A crontab's text, taken apart: its jobs, and what has to be said about its lines."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from flytesched.core.keys import NAME
from flytesched.core.timetables import make_timing
from flytesched.crontab.percent import is_ambiguous, split
from flytesched.errors import InvalidTimetable

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Lines of a crontab; Debian's cron and cronie take no more from a user.
MOST_LINES = 10_000

_VARIABLE = re.compile(
    r"""(?:"([^"=]*)"|'([^'=]*)'|([^\s='"][^\s=]*))\s*=\s*(.*)""", re.DOTALL | re.ASCII
)
_QUOTED = re.compile(r"""(["'])(.*?)\1\s*""", re.DOTALL | re.ASCII)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
#: Five fields or a nickname; cronie's root may put a ``-`` in front, which keeps it out of syslog.
_WHEN = re.compile(r"-?(@[^\s]+|[^\s@]+(?:[ \t]+[^\s]+){4})(?:[ \t]+(.*))?", re.DOTALL | re.ASCII)
#: What nobody wrote to describe a job: the row of headings that distributions put on top.
_HEADINGS = re.compile(r"(?i)\W*m(in(ute)?)?\W+h(our)?\W+(dom|day)\b.*")
_NAMED = re.compile(r"schedule: (\S+)")
#: What C's isspace(3) is true of, within a line.
_SPACE = " \t\v\f\r"
_BLANKS = re.compile("[ \t]+")
#: Bytes that are no UTF-8, as decoded, and NUL, which ends a text in C.
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")
_NO_WORDS = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")
#: Characters of a description.
_DESCRIPTION = 500


class Grade(StrEnum):
    """How much a remark weighs."""

    #: Everything is carried over; it is good to know.
    NOTE = "note"
    #: It is understood, and cannot be carried over.
    LOST = "lost"
    #: It is no line of a crontab.
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """What has to be said about a line."""

    #: 1-based.
    line: int
    #: How much it weighs.
    grade: Grade
    #: What is the matter.
    what: str
    #: What to do about it.
    instead: str | None = None

    def __str__(self) -> str:
        """Say it in one sentence."""
        return f"{self.what}; {self.instead}" if self.instead else self.what


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A line that starts a command."""

    #: 1-based.
    line: int
    #: Five fields with single spaces, or a nickname.
    expression: str
    #: The zone of its times.
    timezone: str
    #: Whose job it is; None in a crontab without that column.
    user: str | None
    #: What the shell is given.
    command: str
    #: What the command finds on stdin.
    stdin: str
    #: The variables in force there, by name.
    variables: Mapping[str, str]
    #: What the comment right above says.
    description: str | None
    #: The name that a comment of an export gives it.
    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Crontab:
    """A crontab, read."""

    #: Its jobs, in their order.
    jobs: tuple[Job, ...]
    #: What has to be said, in the order of lines.
    remarks: tuple[Remark, ...]


def read(content: bytes, *, timezone: str, system: bool = False) -> Crontab:
    """Take a crontab apart; whatever it is, each line is a job, a setting, or told about.

    Args:
        content: what the file holds.
        timezone: the zone of times where no CRON_TZ is in force: the machine's.
        system: whether a job names its user, as in /etc/crontab.
    """
    reader = _Reader(timezone, system=system)
    text = content.decode("utf-8", errors="surrogateescape").removeprefix("\ufeff")
    lines = text.removesuffix("\n").split("\n")
    for number, line in enumerate(lines[:MOST_LINES], 1):
        reader.take(number, line.removesuffix("\r").lstrip(" \t"))
    if len(lines) > MOST_LINES:
        reader.refuse_rest(len(lines) - MOST_LINES)
    return Crontab(jobs=tuple(reader.jobs), remarks=tuple(reader.remarks))


class _Reader:
    """What is known while lines go by."""

    def __init__(self, timezone: str, *, system: bool) -> None:
        self.jobs: list[Job] = []
        self.remarks: list[Remark] = []
        self._timezone = timezone
        self._system = system
        self._variables: Mapping[str, str] = {}
        self._comments: list[str] = []

    def take(self, number: int, line: str) -> None:
        if line.startswith("#"):
            self._comment(line)
            return
        if not line.strip(" \t\r"):
            pass
        elif _NO_TEXT.search(line):
            self._say(number, Grade.UNREADABLE, "it is not UTF-8 text", "save the file as UTF-8")
        elif (variable := _variable(line)) is not None:
            self._set(number, *variable)
        elif match := _WHEN.fullmatch(line):
            self._job(number, match[1], match[2] or "")
        else:
            instead = "a line has five fields and a command, or sets a variable: NAME=value"
            self._say(number, Grade.UNREADABLE, "it is no line of a crontab", instead)
        self._comments = []

    def refuse_rest(self, count: int) -> None:
        what = f"this and the {count - 1:,} lines that follow are too many"
        instead = f"a crontab has at most {MOST_LINES:,} lines; split it"
        self._say(MOST_LINES + 1, Grade.LOST, what, instead)

    def _comment(self, line: str) -> None:
        said = " ".join(_NO_WORDS.sub(" ", line.lstrip("#")).split())
        if not any(map(str.isalnum, said)):
            self._comments = []  # an empty line of a longer text, or a rule
        elif not _HEADINGS.fullmatch(said) and not _is_job(line.lstrip("# \t")):
            self._comments.append(said)

    def _set(self, number: int, name: str, value: str) -> None:
        if not _NAME.fullmatch(name):
            instead = "use letters, digits and _, not a digit first"
            self._say(number, Grade.UNREADABLE, f"{name!r} is no name of a variable", instead)
            return
        self._variables = {**self._variables, name: value}
        if remark := _about(name, value):
            self._say(number, *remark)

    def _job(self, number: int, when: str, rest: str) -> None:
        expression = _BLANKS.sub(" ", when)
        if expression.lower() == "@every":
            instead = "write it as flytesched add NAME --every 5m -- COMMAND"
            self._say(number, Grade.UNREADABLE, "cron knows no @every", instead)
            return
        timezone = self._variables.get("CRON_TZ") or self._timezone
        try:
            make_timing("cron", expression, timezone=timezone)
        except InvalidTimetable as error:
            # It is understood, if it cannot be had: a start of the machine is no slot.
            grade = Grade.LOST if expression == "@reboot" else Grade.UNREADABLE
            self._say(number, grade, error.message, error.hint)
            return
        user = None
        if self._system:
            user, rest = [*_BLANKS.split(rest, maxsplit=1), ""][:2]
        if not (text := rest.lstrip(" \t")):
            instead = "write the user, then the command" if self._system else "write it behind"
            self._say(number, Grade.UNREADABLE, "there is no command", instead)
            return
        if text.startswith("*"):
            instead = "a line has five fields; cron refuses a command that begins with *"
            self._say(number, Grade.UNREADABLE, "there is a field too many", instead)
            return
        if is_ambiguous(text):
            instead = "mend the command here if it ran under cronie, which leaves two"
            what = r"\\ is one backslash, as in Debian's cron"
            self._say(number, Grade.NOTE, what, instead)
        command, stdin = split(text)
        name, description = self._described()
        self.jobs.append(
            Job(
                line=number, expression=expression, timezone=timezone, user=user,
                command=command, stdin=stdin, variables=self._variables,
                description=description, name=name,
            )
        )  # fmt: skip

    def _described(self) -> tuple[str | None, str | None]:
        """Return the name and the description that the comments right above give."""
        named = [match[1] for said in self._comments if (match := _NAMED.fullmatch(said))]
        words = " ".join(said for said in self._comments if not _NAMED.fullmatch(said))
        name = next(filter(NAME.fullmatch, named), None)
        return name, words[:_DESCRIPTION] or None

    def _say(self, line: int, grade: Grade, what: str, instead: str | None = None) -> None:
        self.remarks.append(Remark(line=line, grade=grade, what=what, instead=instead))


def _variable(line: str) -> tuple[str, str] | None:
    """Return the name and value that a line sets; None if it sets none.

    A quoted value ends at its quote, with nothing behind it; any other at the end of the line,
    without the blanks there. Nothing is expanded. cron wants quotes for an empty value; cronie
    does not.
    """
    match = _VARIABLE.fullmatch(line)
    if match is None:
        return None
    name = next(group for group in match.groups()[:3] if group is not None)
    value = match[4]
    if value[:1] in {'"', "'"}:
        quoted = _QUOTED.fullmatch(value)
        return None if quoted is None else (name, quoted[2])
    return name, value.rstrip(_SPACE)


def _about(name: str, value: str) -> tuple[Grade, str, str] | None:
    """Return what has to be said where a variable is set."""
    match name:
        case "MAILTO" if value:
            what = f"output is not mailed to {value}"
            return Grade.LOST, what, "flytesched logs keeps it; on_failure can send a mail"
        case "CRON_TZ" if not value:
            what = "an empty CRON_TZ leaves the times below to the machine's time zone"
            return Grade.NOTE, what, "write CRON_TZ=UTC if UTC is meant"
        case "CRON_TZ":
            what = f"the times below are in {value}, as cronie has it"
            return Grade.NOTE, what, "Debian's cron ignores CRON_TZ: set timezone if it ran there"
        case "TZ":
            what = "TZ is for the commands alone, as in cron"
            return Grade.NOTE, what, "set timezone to move the times too"
        case "LOGNAME":
            return Grade.NOTE, "cron sets LOGNAME itself", "this line has no effect"
    return None


def _is_job(text: str) -> bool:
    """Tell whether a comment is a job that was taken out of use."""
    match = _WHEN.fullmatch(text)
    if match is None or not match[2]:
        return False
    try:
        make_timing("cron", match[1], timezone="UTC")
    except InvalidTimetable:
        return match[1] == "@reboot"
    return True
