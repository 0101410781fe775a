"""Completions for bash, zsh and fish, made from the app: ``python -m flytesched.cli.completions``.

The files of the package are what this prints. Names of schedules and ids of runs are asked of the
program itself when somebody presses the key.
"""

import re
import sys
from collections.abc import Callable, Iterable, Iterator
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
    """One command, or the word in front of several."""

    #: Its words, such as ``list`` or ``db check``.
    name: str
    #: First sentence of its help.
    help: str
    #: Its options.
    options: tuple[Option, ...]
    #: What its arguments are: ``file``, a command that lists them, or nothing.
    takes: str
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
    takes = _ARGUMENTS.get(arguments[0].metavar or "", "") if arguments else ""
    said = re.split(r"\.\s|;|\n", command.help or "", maxsplit=1)[0].rstrip(".")
    # A new schedule has a name that is not there yet.
    takes = "" if name == "add" else takes
    below = getattr(command, "commands", {})
    return Verb(
        name=name, help=said, options=(*options, _HELP), takes=takes,
        subcommands=tuple(_verb(f"{name} {word}", below[word]) for word in below),
    )  # fmt: skip


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
            *) case $verb in {groups}) verb=${{verb:+$verb }}${{COMP_WORDS[index]}} ;; esac ;;
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
    every = [each for verb in verbs() for each in (verb, *verb.subcommands)]
    groups = "|".join(["''", *(verb.name for verb in every if verb.subcommands)])
    before = " ".join(flag for option in global_options() for flag in option.flags)
    words = f"{' '.join(VERBS)} {before}"
    cases = [f"        '') COMPREPLY=($(compgen -W '{words}' -- \"$word\")) ;;"]
    cases += [f"        {_bash_case(verb.name)}) {_bash_words(verb)} ;;" for verb in every]
    return _BASH.format(
        groups=groups, values="\n".join(_bash_values(every)), verbs="\n".join(cases)
    )


def _bash_case(name: str) -> str:
    return f"'{name}'" if " " in name else name


def _bash_values(every: list[Verb]) -> Iterator[str]:
    """Yield what follows an option that takes a value."""
    seen: dict[str, tuple[Option, list[str]]] = {}
    for name, options in [("", global_options()), *((v.name, v.options) for v in every)]:
        for option in options:
            if option.valued:
                key = f"{option.flags}{option.values}"
                seen.setdefault(key, (option, []))[1].append(_bash_case(name))
    for option, names in seen.values():
        cases = "|".join(f"{name}:{flag}" for name in names for flag in option.flags)
        yield f"        {cases})\n            {_bash_reply(option.values)}return ;;"


def _bash_reply(values: str) -> str:
    if not values:
        return ""
    how = {"file": "-f", "folder": "-d"}.get(values, f"-W '{values}'")
    return f'COMPREPLY=($(compgen {how} -- "$word")); '


def _bash_words(verb: Verb) -> str:
    below = [each.word for each in verb.subcommands]
    flags = " ".join([*below, *(flag for option in verb.options for flag in option.flags)])
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

{functions}

_flytesched "$@"
"""


#: A function for the words behind ``flytesched``, or behind a verb that has subcommands.
_ZSH_FUNCTION = """\
{name}() {{
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
}}"""


def zsh() -> str:
    """Return the completion for zsh."""
    groups = [
        _zsh_function(_zsh_name(verb), verb.options, verb.subcommands)
        for verb in verbs()
        if verb.subcommands
    ]
    functions = [*groups, _zsh_function("_flytesched", global_options(), verbs())]
    return _ZSH.format(functions="\n\n".join(functions))


def _zsh_function(name: str, options: Iterable[Option], below: Iterable[Verb]) -> str:
    return _ZSH_FUNCTION.format(
        name=name,
        commands="\n".join(f"        {_quoted(f'{v.word}:{v.help}')}" for v in below),
        options=" \\\n".join(f"        {x}" for option in options for x in _zsh_option(option)),
        verbs="\n".join(_zsh_verb(verb) for verb in below),
    )


def _zsh_name(verb: Verb) -> str:
    return f"_flytesched_{verb.name}"


def _zsh_verb(verb: Verb) -> str:
    if verb.subcommands:
        return f"        {verb.word}) {_zsh_name(verb)} ;;"
    lines = [line for option in verb.options for line in _zsh_option(option)]
    how = {_NAMES: "_flytesched_names", _RUNS: "_flytesched_runs", "file": "_files"}
    if verb.takes:
        lines.append(f"'*: :{how[verb.takes]}'")
    said = " \\\n".join(f"                {line}" for line in lines)
    return f"        {verb.word})\n            _arguments \\\n{said} ;;"


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
        lines += _fish_verb(verb, none)
    return "\n".join(lines) + "\n"


def _fish_verb(verb: Verb, before: str) -> Iterator[str]:
    """Yield the lines of a verb, offered where the condition holds, and of its subcommands."""
    offer = f"complete -c flytesched -n '{before}'"
    yield f"{offer} -a {verb.word} -d {_fish_quoted(verb.help)}"
    seen = f"__fish_seen_subcommand_from {verb.word}"
    if verb.name != verb.word:
        seen = f"{before.partition('; ')[0]}; and {seen}"
    below = " ".join(each.word for each in verb.subcommands)
    inside = f"{seen}; and not __fish_seen_subcommand_from {below}" if below else seen
    for option in verb.options:
        yield _fish_option(inside, option)
    if verb.takes == "file":
        yield f"complete -c flytesched -n '{seen}' -F"
    elif verb.takes:
        yield f"complete -c flytesched -n '{seen}' -a '({verb.takes} 2>/dev/null)'"
    for each in verb.subcommands:
        yield from _fish_verb(each, inside)


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
