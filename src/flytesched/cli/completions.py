"""Completions for bash, zsh and fish, made from the app: ``python -m flytesched.cli.completions``.

The files of the package are what this prints. Names of schedules and ids of runs are asked of the
program itself when somebody presses the key.
"""

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import typer

from flytesched.cli import render
from flytesched.cli.app import VERBS, build

#: Options whose value is a file, and those whose value is a folder.
_FILES = {"--manifest", "--env-file", "--shell"}
_FOLDERS = {"--state-dir", "--cwd"}
_NAMES = "flytesched list --quiet"
_RUNS = "flytesched ps --quiet"
#: What arguments stand for, by their placeholder.
_ARGUMENTS = {"NAME": _NAMES, "NAME|RUN": _NAMES, "RUN": _RUNS, "FILE": "file"}


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
    #: ``file``, ``folder``, or the words there are, separated by spaces.
    values: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """One command."""

    #: Its word.
    name: str
    #: First sentence of its help.
    help: str
    #: Its options.
    options: tuple[Option, ...]
    #: What its arguments are: ``file``, a command that lists them, or nothing.
    takes: str


def verbs() -> list[Verb]:
    """Return the commands of the app, in the order of the help."""
    group: Any = typer.main.get_command(build())
    return [_verb(name, group.commands[name]) for name in VERBS]


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
    takes = _ARGUMENTS.get(arguments[0].metavar or "", "") if arguments else ""
    said = re.split(r"\.\s|;|\n", command.help or "", maxsplit=1)[0].rstrip(".")
    # A new schedule has a name that is not there yet.
    takes = "" if name == "add" else takes
    return Verb(name=name, help=said, options=(*options, _HELP), takes=takes)


def _option(param: Any) -> Option:
    flags = tuple(sorted(param.opts, key=len))
    placeholder = param.metavar or ""
    words = placeholder if re.fullmatch(r"[a-z]+(\|[a-z]+)+", placeholder) else ""
    values = words.replace("|", " ")
    if not _FILES.isdisjoint(flags):
        values = "file"
    elif not _FOLDERS.isdisjoint(flags):
        values = "folder"
    return Option(
        flags=flags, help=param.help or "", valued=not param.is_flag, many=param.multiple,
        values=values,
    )  # fmt: skip


# -- bash ---------------------------------------------------------------------------------------

_BASH = """\
# bash completion for flytesched; made by: python -m flytesched.cli.completions bash
_flytesched() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} verb= index
    for ((index = 1; index < COMP_CWORD; index++)); do
        case ${{COMP_WORDS[index]}} in
            --) return ;;
            --manifest|--state-dir) ((index++)) ;;
            -*) ;;
            *) [[ $verb ]] || verb=${{COMP_WORDS[index]}} ;;
        esac
    done
    COMPREPLY=()
    case $verb:$before in
{values}
    esac
    case $verb in
{verbs}
    esac
}}
complete -F _flytesched flytesched
"""


def bash() -> str:
    """Return the completion for bash."""
    every = verbs()
    before = " ".join(flag for option in global_options() for flag in option.flags)
    words = f"{' '.join(VERBS)} {before}"
    cases = [f"        '') COMPREPLY=($(compgen -W '{words}' -- \"$word\")) ;;"]
    cases += [f"        {verb.name}) {_bash_words(verb)} ;;" for verb in every]
    return _BASH.format(values="\n".join(_bash_values(every)), verbs="\n".join(cases))


def _bash_values(every: list[Verb]) -> Iterator[str]:
    """Yield what follows an option that takes a value."""
    seen: dict[str, tuple[Option, list[str]]] = {}
    for name, options in [("", global_options()), *((v.name, v.options) for v in every)]:
        for option in options:
            if option.valued:
                key = f"{option.flags}{option.values}"
                seen.setdefault(key, (option, []))[1].append(name)
    for option, names in seen.values():
        cases = "|".join(f"{name}:{flag}" for name in names for flag in option.flags)
        yield f"        {cases})\n            {_bash_reply(option.values)}return ;;"


def _bash_reply(values: str) -> str:
    if not values:
        return ""
    how = {"file": "-f", "folder": "-d"}.get(values, f"-W '{values}'")
    return f'COMPREPLY=($(compgen {how} -- "$word")); '


def _bash_words(verb: Verb) -> str:
    flags = " ".join(flag for option in verb.options for flag in option.flags)
    said = f"COMPREPLY=($(compgen -W '{flags}' -- \"$word\"))"
    if not verb.takes:
        return said
    others = "-f" if verb.takes == "file" else f'-W "$({verb.takes} 2>/dev/null)"'
    other = f'COMPREPLY=($(compgen {others} -- "$word"))'
    return f"if [[ $word == -* ]]; then {said}; else {other}; fi"


# -- zsh ----------------------------------------------------------------------------------------

_ZSH = """\
#compdef flytesched
# zsh completion for flytesched; made by: python -m flytesched.cli.completions zsh

_flytesched_names() {{
    local -a names
    names=(${{(f)"$(flytesched list --quiet 2>/dev/null)"}})
    compadd -a names
}}

_flytesched_runs() {{
    local -a runs
    runs=(${{(f)"$(flytesched ps --quiet 2>/dev/null)"}})
    compadd -a runs
}}

_flytesched() {{
    local context state state_descr line
    typeset -A opt_args
    local -a commands
    commands=(
{commands}
    )
    _arguments -C \\
{options} \\
        '1: :->command' \\
        '*:: :->words' && return
    if [[ $state == command ]]; then
        _describe command commands
        return
    fi
    case $words[1] in
{verbs}
    esac
}}

_flytesched "$@"
"""


def zsh() -> str:
    """Return the completion for zsh."""
    commands = "\n".join(f"        {_quoted(f'{v.name}:{v.help}')}" for v in verbs())
    options = " \\\n".join(f"        {line}" for option in global_options()
                           for line in _zsh_option(option))  # fmt: skip
    cases = "\n".join(_zsh_verb(verb) for verb in verbs())
    return _ZSH.format(commands=commands, options=options, verbs=cases)


def _zsh_verb(verb: Verb) -> str:
    lines = [line for option in verb.options for line in _zsh_option(option)]
    how = {_NAMES: "_flytesched_names", _RUNS: "_flytesched_runs", "file": "_files"}
    if verb.takes:
        lines.append(f"'*: :{how[verb.takes]}'")
    said = " \\\n".join(f"                {line}" for line in lines)
    return f"        {verb.name})\n            _arguments \\\n{said} ;;"


def _zsh_option(option: Option) -> Iterator[str]:
    said = re.sub(r"([\[\]:\\])", r"\\\1", option.help)
    for flag in option.flags:
        again = "*" if option.many else ""
        how = {"file": "_files", "folder": "_files -/", "": " "}
        action = how.get(option.values, f"({option.values})")
        value = f": :{action}" if option.valued else ""
        yield _quoted(f"{again}{flag}[{said}]{value}")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


# -- fish ---------------------------------------------------------------------------------------


def fish() -> str:
    """Return the completion for fish."""
    lines = [
        "# fish completion for flytesched; made by: python -m flytesched.cli.completions fish",
        "complete -c flytesched -f",
    ]
    none = f"not __fish_seen_subcommand_from {' '.join(VERBS)}"
    lines += [_fish_option(none, option) for option in global_options()]
    for verb in verbs():
        lines.append(
            f"complete -c flytesched -n '{none}' -a {verb.name} -d {_fish_quoted(verb.help)}"
        )
        seen = f"__fish_seen_subcommand_from {verb.name}"
        lines += [_fish_option(seen, option) for option in verb.options]
        if verb.takes == "file":
            lines.append(f"complete -c flytesched -n '{seen}' -F")
        elif verb.takes:
            lines.append(f"complete -c flytesched -n '{seen}' -a '({verb.takes} 2>/dev/null)'")
    return "\n".join(lines) + "\n"


def _fish_option(condition: str, option: Option) -> str:
    flags = " ".join(f"-l {f[2:]}" if f.startswith("--") else f"-s {f[1:]}" for f in option.flags)
    said = f"complete -c flytesched -n '{condition}' {flags} -d {_fish_quoted(option.help)}"
    if not option.valued:
        return said
    how = {"file": "-r -F", "folder": "-x -a '(__fish_complete_directories)'", "": "-x"}
    return f"{said} {how.get(option.values, f'-x -a {_fish_quoted(option.values)}')}"


def _fish_quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


#: Shells by name, and the file of the package that holds the completion.
SHELLS: dict[str, tuple[str, Callable[[], str]]] = {
    "bash": ("flytesched.bash", bash),
    "zsh": ("_flytesched", zsh),
    "fish": ("flytesched.fish", fish),
}

if __name__ == "__main__":
    render.write(SHELLS[sys.argv[1]][1]())
