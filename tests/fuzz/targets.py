"""The targets of fuzzing: what takes bytes that nobody vouches for, and what must hold of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import oracle_files
import oracle_manifest
import oracle_runlog
import oracle_times

if TYPE_CHECKING:
    from collections.abc import Callable

CORPUS = Path(__file__).parent / "corpus"
DAY = oracle_runlog.DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One reader of foreign bytes, and its judge."""

    #: Returns when all is well, raises whatever is not.
    check: Callable[[bytes], None]
    #: What its inputs are made of.
    words: tuple[str, ...]
    #: Bytes of its largest input under atheris.
    longest: int = 512

    def __call__(self, data: bytes) -> None:
        """Judge one input."""
        self.check(data)


TOML = (
    "version = 1\n", "[schedules.a]\n", "[schedules]\n", "schedules", "[defaults]\n",
    "[settings]\n", "[[", "]]", "{", "}", "[", "]", " = ", ".", ",", "#", "\n", "\r\n", "'", '"',
    "'''", '"""', "\\", "\\u0061", "a", "b", "true", "false", "nan", "-inf", "1_000", "0x7f",
    "1e400", "2026-12-24", "2026-12-24T18:00:00", "9999-12-31T23:59:59-10:00", "02:00:00", "\t",
    "é", "command = 'x'\n", 'cron = "0 2 * * *"\n', "every = '90s'\n", 'daily = ["02:00"]\n',
    "hourly = 15\n", "at = ", "env = { A = 'b' }\n", "labels = { team = 'x' }\n",
    "retry = { max_attempts = 3 }\n", "timezone = 'Europe/Berlin'\n", "start = ", "end = ",
    "anchor = ", "offset = '5m'\n", "paused_until = ", "enabled = false\n", "catchup = 'all'\n",
    "success_exit_codes = [0, 2]\n", "a.cron = '@daily'\n",
    "a = { cron = '@daily', command = 'x' }\n", "max_concurrent_runs = 2\n",
)  # fmt: skip
CRON = (
    "cron", "aws_cron", "every", "daily", "hourly", "at", "UTC", "Europe/Berlin", "Pacific/Apia",
    "Africa/Monrovia", "seconds", "start=", "end=", "anchor=", "offset=", "\n", " ", "*", "?", "/",
    "-", ",", "#", "L", "W", "LW", "0", "1", "5", "7", "15", "31", "59", "60", "2026", "2199",
    "*/2", "1-5", "5#3", "5L", "15W", "SUN", "MON", "JAN", "DEC", "sun", "@daily", "@hourly",
    "@reboot", "@every ", "rate(", "5 minutes", ")", "1 hour", "CRON_TZ=", "hours", "weekly",
    "02:00", "23:59", "1h30m", "PT90M", "P1D", "2026-12-24", "T18:00:00", "Z", "+10:00", "-23:59",
    "H", "~", "%",
)  # fmt: skip
JSON = (
    '{"kind": "cron", "expression": "0 2 * * *", "timezone": "UTC"}', '{"timing": "', '"}', "{",
    "}", "[", "]", ":", ",", '"', "\\", "\\u0000", '"kind"', '"expression"', '"timezone"',
    '"seconds"', '"start"', '"end"', '"anchor"', '"offset"', '"timing"', '"command"', '"retry"',
    '"env"', '"cron"', '"aws_cron"', '"every"', '"daily"', '"hourly"', '"at"', '"1m"', '"02:00"',
    '"15"', '"2026-12-24T18:00:00Z"', '"UTC"', "null", "true", "false", "0", "-1", "1e999", "NaN",
    "99999999999999999999", '"enabled"', '"paused_until"', '"success_exit_codes"', "\n", " ",
)  # fmt: skip

TARGETS = {
    "manifest": Target(check=oracle_manifest.reads, words=TOML, longest=2048),
    "edit": Target(check=oracle_manifest.edits, words=TOML, longest=1024),
    "timetable": Target(check=oracle_times.timetables, words=CRON, longest=160),
    "duration": Target(
        check=oracle_times.durations, longest=120,
        words=("P", "T", "W", "D", "H", "M", "S", "w", "d", "h", "m", "s", "ms", "us", " ", ".",
               "-", "0", "1", "5", "90", "999999999", "0.000001", "٣", "\n"),
    ),
    "moment": Target(
        check=oracle_times.moments, longest=80,
        words=(*oracle_times.ZONES, "\n", "now", "yesterday", "today", "tomorrow", " ", "in ", "+",
               " ago", "-", "2h", "999999999d", "1w", "14:30", ":59", "25:00", "2026-11-01",
               "9999-12-31", "1970-01-01", "T", "02:00:00", "Z", "+14:00", "-23:59", ".5"),
    ),
    "env_file": Target(
        check=oracle_files.env_files,
        words=("A=", "B_1 = ", "export ", "'", '"', "\\", "$", "`", "#", ";", "\n", "\r", "\t", " ",
               "=", "é", "\0", "\u2028", "\x1b[31m", "x"),
    ),
    "stored": Target(check=oracle_times.stored, words=JSON, longest=400),
    "records": Target(
        check=oracle_files.records,
        words=("A sched-a-60.1\n", "A sched-a-60.2\n", "S 12\n", "E 0\n", "E 137\n", "E -1\n", "S ",
               "E ", "A ", "\n", "\0", "---\n", "99999999999999999999", " ", "x", "²"),
    ),
    "lock": Target(
        check=oracle_files.lock_notes,
        words=('{"pid": ', "BOOT", "PID", "START", "1", "-1", '"started": ', '"boot_id": ',
               '"kind": "run"', '"since": 0', '"heartbeat": ', ", ", "}", "{", "[", "]", "null",
               '""', "1e999", "NaN", "true", "9" * 30),
    ),
    "runlog": Target(
        check=oracle_runlog.damaged, longest=256,
        words=(*(f"{file} " for file in oracle_runlog.FILES), "cut ", "row ", "\n", " ", "ff", "00",
               "0d", "05", "7fffffff", "0", "24", "32", "56", "96", "100", "4096", "8192", "40960",
               *(f"{table} " for table in oracle_runlog.TABLES), "status ", "origin ", "timing ",
               "definition ", "schedule ", "at ", "scheduled_at ", "created ", "ended ", "count ",
               "null", '"x"', '""', "-1", "1e308", "9223372036854775807", "3.5"),
    ),
    "run_id": Target(
        check=oracle_runlog.run_ids, longest=80,
        words=("sched-", "manual-", "retry-", "a", "b", "-", f"{DAY}", f"{DAY}000", "0", "9" * 20,
               "%", "_", "*", "\0", "²", "٣", "é", "\U0010ffff", "'"),
    ),
}  # fmt: skip


def corpus(name: str) -> list[Path]:
    """Return the kept inputs of a target."""
    return sorted(path for path in (CORPUS / name).glob("*") if path.is_file())
