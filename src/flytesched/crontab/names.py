"""Names for jobs, which in a crontab have none: made from the command, unique, and stable."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

#: Words of a shell text, a quoted one with its quotes; and what separates commands.
_WORDS = re.compile(r"""[;&|(){}<>\n]+|("[^"]*"|'[^']*'|[^\s;&|(){}<>"']+|["'])""")
#: Characters of a command that are looked at.
_MOST = 1000
#: Characters of a name that is made.
_LONGEST = 60
#: What stands in front of the command that matters, in the same command or before it.
_WRAPPERS = frozenset(
    {
        "sudo", "doas", "su", "runuser", "nice", "ionice", "chrt", "taskset", "flock", "timeout",
        "env", "exec", "command", "time", "nohup", "setsid", "stdbuf", "chronic", "cronic",
        "systemd-cat", "run-one", "systemd-inhibit", "xargs", "if", "then", "do", "!",
    }
)  # fmt: skip
_GUARDS = frozenset(
    {
        "cd", "test", "[", "[[", "sleep", "export", "set", "umask", "ulimit", ".", "source", "true",
        ":", "for", "while", "case", "trap", "mkdir", "fi", "done", "unset",
    }
)  # fmt: skip
_INTERPRETERS = re.compile(
    r"(ba|da|z|k)?sh|(python|php|perl|ruby|lua)[0-9.]*|node|Rscript|java|run-parts"
)
#: How many words without a dash each of these takes for itself, and options that take a word.
_TAKES = {"flock": 1, "su": 1}
_VALUED = frozenset({"-u", "-g", "-t", "--user", "--group"})
_NUMBER = re.compile(r"[0-9.]+[smhd]?|[0-9,-]+")
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=.*", re.DOTALL)
_SUFFIX = re.compile(r"\.(sh|bash|py|php|pl|rb|js|lua|jar|R|phar)$")
#: Keys that say whether a schedule is switched on.
_SWITCHES = frozenset({"enabled", "pause_reason", "paused_until"})
_SUBCOMMAND = re.compile(r"[a-z][a-z:_-]{1,19}")


def name_of(command: str) -> str:
    """Return a name for what a shell text does: ``backup``, ``certbot-renew``, ``cron.daily``."""
    chosen = _telling(command[:_MOST]) or ["job"]
    said = _plain(_base(chosen[0]))
    if len(chosen) > 1 and _SUBCOMMAND.fullmatch(chosen[1]) and chosen[0] not in _GUARDS:
        said = _plain(f"{said}-{chosen[1]}")
    return said or "job"


def assign(
    wanted: Sequence[tuple[str, Mapping[str, Any]]], known: Mapping[str, Mapping[str, Any]]
) -> list[str]:
    """Return a name for each job, given what it would be called and its table.

    A job whose table is known under such a name keeps that name, wherever it stands by now; so a
    second import finds what the first one made. The others get the first number that is free.
    """
    index: dict[str, list[str]] = {}
    for name, table in known.items():
        index.setdefault(_print(table), []).append(name)
    found = [_known(base, index.get(_print(table), [])) for base, table in wanted]
    taken = {name for name in found if name is not None}
    numbers: Counter[str] = Counter()
    for position, (base, _) in enumerate(wanted):
        if found[position] is None:
            free = _free(base, numbers, taken)
            taken.add(free)
            found[position] = free
    return [name for name in found if name is not None]


def _known(base: str, names: list[str]) -> str | None:
    """Take the first of the names that was made from ``base``."""
    for name in names:
        rest = name.removeprefix(base)
        if name.startswith(base) and re.fullmatch(r"(-[0-9]+)?", rest):
            names.remove(name)
            return name
    return None


def _free(base: str, numbers: Counter[str], taken: set[str]) -> str:
    """Return the base, or the base with the next number, that nobody has."""
    while True:
        numbers[base] += 1
        name = base if numbers[base] == 1 else f"{base}-{numbers[base]}"
        if name not in taken:
            return name


def same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Tell whether two tables say the same but for whether the schedule is switched on."""
    return _print(one) == _print(other)


def _print(table: Mapping[str, Any]) -> str:
    """Return a text that is equal for tables that say the same, switched on or not."""
    said = {key: value for key, value in table.items() if key not in _SWITCHES}
    return json.dumps(said, sort_keys=True, default=str)


def _telling(text: str) -> list[str]:
    """Return the words of the first command that says what a text does, from its name on."""
    commands = list(_commands(text))
    telling = (words for words in commands if not _says_little(words[0]))
    return next(telling, commands[0] if commands else [])


def _says_little(word: str) -> bool:
    """Tell whether a command is there for the others; of an interpreter its script is not known."""
    return word in _GUARDS or _INTERPRETERS.fullmatch(word) is not None


def _commands(text: str) -> Iterator[list[str]]:
    """Yield the words of each simple command, from the one that matters on."""
    words: list[str] = []
    for word in [*_WORDS.findall(text), ""]:
        if word:
            words.append(word)
            continue
        if found := _subject(words):
            yield found
        words = []


def _subject(words: Sequence[str]) -> list[str]:
    """Return the words without assignments, wrappers and interpreters in front."""
    rest, wrapped = [word.strip("\"'") for word in words], False
    while rest:
        base = rest[0].rpartition("/")[2]
        if _ASSIGNMENT.fullmatch(rest[0]) or not rest[0]:
            rest = rest[1:]
        elif base in _WRAPPERS:
            rest, wrapped = _behind(rest[1:], _TAKES.get(base, 0)), True
        elif _INTERPRETERS.fullmatch(base) and (behind := _behind(rest[1:], 0)):
            # What a script is told says less than the script, and code on the line is no name.
            if " " in behind[0]:
                return _telling(behind[0]) if base.endswith("sh") else [base]
            return behind[:1]
        else:
            break
    # What su or flock is given as one word is a text of its own.
    return _telling(rest[0]) if wrapped and rest and " " in rest[0] else rest


def _behind(words: Sequence[str], takes: int) -> list[str]:
    """Return the words behind the options of a wrapper, their values and its own arguments."""
    rest = list(words)
    while rest:
        if rest[0] in _VALUED:
            rest = rest[2:]
        elif rest[0].startswith("-") or _NUMBER.fullmatch(rest[0]):
            rest = rest[1:]
        elif takes:
            takes -= 1
            rest = rest[1:]
        else:
            break
    return rest


def _base(word: str) -> str:
    return _SUFFIX.sub("", word.rstrip("/").rpartition("/")[2])


def _plain(text: str) -> str:
    """Return a text as a name may be."""
    said = re.sub(r"[^A-Za-z0-9._-]+", "-", text[: 2 * _LONGEST])
    return re.sub(r"-{2,}", "-", said).strip("._-")[:_LONGEST].rstrip("._-")
