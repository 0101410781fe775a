"""The surface of the app, as a shell sees it: verbs, their options, and what may stand where."""

import re
from dataclasses import dataclass
from typing import Any

import typer

from flytesched.cli.app import VERBS, build

#: Options whose value is a file, and those whose value is a folder.
_FILES = {"--manifest", "--env-file", "--shell"}
_FOLDERS = {"--state-dir", "--cwd"}
#: Options whose value the program offers, and as which of its kinds.
_OFFERED = {
    "--label": "labels", "--labels": "labels", "--timezone": "zones", "--status": "statuses",
    "--cron": "cron", "--aws-cron": "aws_cron", "--every": "every", "--daily": "daily",
    "--hourly": "hourly", "--to": "revisions", "--diff": "revisions",
    "--calendars": "calendars", "--notify": "channels",
    "--schedule": "names",
}  # fmt: skip
#: What the program offers for arguments, by their placeholder.
_ARGUMENTS = {
    "NAME": "names", "NAME|RUN": "named", "RUN": "recent", "KEY": "settings",
    "OLD": "names", "CALENDAR": "calendars", "EXPR": "expressions", "EXPR|NAME": "expressions",
    "CHANNEL": "channels",
}  # fmt: skip
#: Verbs whose first argument is something else than its placeholder says.
_OTHERWISE = {"add": "", "cancel": "active", "import crontab": "file"}
#: What values may be, beside words that are known beforehand.
ASK = "ask "


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option, in every spelling."""

    #: Such as ``-n`` and ``--limit``.
    flags: tuple[str, ...]
    #: Help.
    help: str
    #: Whether it takes a value.
    valued: bool
    #: Whether it may be given again.
    many: bool
    #: ``file``, ``folder``, ``ask`` and a kind of offer, or words separated by spaces; or nothing.
    values: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """One command, or the word in front of several."""

    #: Its words, such as ``list`` or ``db check``.
    name: str
    #: First sentence of its help.
    help: str
    #: Its options.
    options: tuple[Option, ...]
    #: What its arguments are: ``file``, ``ask`` and a kind of offer, or nothing.
    takes: str
    #: Whether it takes any number of them.
    many: bool = False
    #: Its subcommands.
    subcommands: tuple["Verb", ...] = ()

    @property
    def word(self) -> str:
        """The last of its words."""
        return self.name.rpartition(" ")[2]


def verbs() -> list[Verb]:
    """Return the verbs of the app, in the order of the help."""
    group: Any = typer.main.get_command(build())
    return [_verb(name, group.commands[name]) for name in VERBS]


def commands() -> list[Verb]:
    """Return what can be carried out: each verb, or its subcommands."""
    return [command for verb in verbs() for command in verb.subcommands or (verb,)]


def global_options() -> list[Option]:
    """Return the options that stand before a command."""
    group: Any = typer.main.get_command(build(VERBS[:1]))
    return [*map(_option, group.params), _HELP]


_HELP = Option(
    flags=("-h", "--help"), help="Show this message and exit.", valued=False, many=False, values=""
)


def _verb(name: str, command: Any) -> Verb:
    options = [_option(each) for each in command.params if each.param_type_name == "option"]
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    said = re.split(r"\.\s|;|\n", command.help or "", maxsplit=1)[0].rstrip(".")
    below = getattr(command, "commands", {})
    return Verb(
        name=name, help=said, options=(*options, _HELP),
        takes=_takes(name, arguments[0].metavar or "") if arguments else "",
        many=bool(arguments) and arguments[0].nargs == -1,
        subcommands=tuple(_verb(f"{name} {word}", below[word]) for word in below),
    )  # fmt: skip


def _takes(name: str, placeholder: str) -> str:
    """Return what the first argument of a verb is."""
    placeholder = placeholder.strip("[].")
    if name in _OTHERWISE:
        kind = _OTHERWISE[name]
    else:
        kind = "file" if "FILE" in placeholder else _ARGUMENTS.get(placeholder, "")
    return kind if kind in {"", "file"} else f"{ASK}{kind}"


def _option(param: Any) -> Option:
    flags = tuple(sorted([*param.opts, *param.secondary_opts], key=len))
    placeholder = param.metavar or ""
    words = placeholder if re.fullmatch(r"[a-z_]+(\|[a-z_]+)+", placeholder) else ""
    values = words.replace("|", " ")
    if not words and (offered := [_OFFERED[flag] for flag in flags if flag in _OFFERED]):
        values = f"{ASK}{offered[0]}"
    if not _FILES.isdisjoint(flags):
        values = "file"
    elif not _FOLDERS.isdisjoint(flags):
        values = "folder"
    return Option(
        flags=flags, help=param.help or "", valued=not param.is_flag, many=param.multiple,
        values=values,
    )  # fmt: skip
