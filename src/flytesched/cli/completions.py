"""Completions for bash, zsh and fish, made from the app: ``python -m flytesched.cli.completions``.

The files of the package are what this prints. Names of schedules, ids of runs and the like are
asked of the program itself when somebody presses the key: see ``flytesched.cli.offering``.
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
#: Options whose value the program offers, and as which of its kinds.
_OFFERED = {
    "--label": "labels", "--labels": "labels", "--timezone": "zones", "--status": "statuses",
    "--cron": "cron", "--aws-cron": "aws_cron", "--every": "every", "--daily": "daily",
    "--hourly": "hourly", "--to": "revisions", "--diff": "revisions",
}  # fmt: skip
#: What the program offers for arguments, by their placeholder.
_ARGUMENTS = {
    "NAME": "names", "NAME|RUN": "named", "RUN": "recent", "KEY": "settings",
    "OLD": "names", "EXPR": "expressions", "EXPR|NAME": "expressions",
}  # fmt: skip
#: Verbs whose first argument is something else than its placeholder says.
_OTHERWISE = {"add": "", "cancel": "active", "import crontab": "file"}
#: What values may be, beside words that are known beforehand.
_ASK = "ask "


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
    return kind if kind in {"", "file"} else f"{_ASK}{kind}"


def _option(param: Any) -> Option:
    flags = tuple(sorted([*param.opts, *param.secondary_opts], key=len))
    placeholder = param.metavar or ""
    words = placeholder if re.fullmatch(r"[a-z_]+(\|[a-z_]+)+", placeholder) else ""
    values = words.replace("|", " ")
    if offered := [_OFFERED[flag] for flag in flags if flag in _OFFERED]:
        values = f"{_ASK}{offered[0]}"
    if not _FILES.isdisjoint(flags):
        values = "file"
    elif not _FOLDERS.isdisjoint(flags):
        values = "folder"
    return Option(
        flags=flags, help=param.help or "", valued=not param.is_flag, many=param.multiple,
        values=values,
    )  # fmt: skip


# -- bash ---------------------------------------------------------------------------------------

_BASH = r"""# bash completion for flytesched; made by: python -m flytesched.cli.completions bash

# Reply with those lines, a word and what it is behind a tab, that begin like the word typed.
_flytesched_reply() {{
    local line offer
    while IFS= read -r line; do
        offer=${{line%%$'\t'*}}
        [[ $offer == "$typed"* ]] || continue
        offer=${{offer#"$stem"}}
        # Readline puts what stands in quotes behind the quote that was typed, and the other one.
        if [[ -z $quote && $offer == *[!A-Za-z0-9_@%+=:,./-]* ]]; then
            offer="'${{offer//\'/\'\\\'\'}}'"
        fi
        COMPREPLY+=("$offer")
    done
}}

_flytesched_ask() {{
    _flytesched_reply < <(flytesched __complete "$1" -- "${{words[@]}}" 2> /dev/null)
}}

_flytesched_say() {{
    _flytesched_reply < <(printf '%s\n' "$@")
}}

# Reply with files (-f) or folders (-d); readline quotes their names.
_flytesched_path() {{
    compopt -o filenames 2> /dev/null
    mapfile -t COMPREPLY < <(compgen "$1" -- "$typed")
    COMPREPLY=("${{COMPREPLY[@]#"$stem"}}")
}}

# Whether an option of a verb takes a value.
_flytesched_valued() {{
    case $1 in
{valued}
    esac
}}

_flytesched() {{
    local word before verb= part typed stem= quote= index count=0 rest=${{COMP_LINE:0:COMP_POINT}}
    local -a words=()
    COMPREPLY=()
    # Readline cuts words at =, : and @ as well; here they are whole again.
    for ((index = 0; index <= COMP_CWORD; index++)); do
        part=${{COMP_WORDS[index]}}
        if ((index == 0)) || [[ $rest == [[:blank:]]* ]]; then
            words+=("$part")
        else
            words[${{#words[@]}}-1]+=$part
        fi
        rest=${{rest#"${{rest%%[![:blank:]]*}}"}}
        rest=${{rest#"$part"}}
    done
    word=${{words[${{#words[@]}}-1]}}
    words=("${{words[@]:0:${{#words[@]}}-1}}")
    before=${{words[${{#words[@]}}-1]}}
    for ((index = 1; index < ${{#words[@]}}; index++)); do
        part=${{words[index]}}
        case $part in
            --) return ;;
            -*) if _flytesched_valued "$verb:$part"; then ((index++)); fi ;;
            *) case $verb in {groups}) verb=${{verb:+$verb }}$part ;; *) ((count++)) ;; esac ;;
        esac
    done
    if [[ $word == --*=* ]]; then
        before=${{word%%=*}} word=${{word#*=}}
    fi
    case $word in
        [\"\']*) quote=${{word:0:1}} typed=${{word:1}} ;;
        *) typed=${{word//\\/}} stem=${{typed%"${{typed##*[=:]}}"}} ;;
    esac
    case $verb:$before in
{values}
    esac
    case $verb in
{verbs}
    esac
}}

complete -o nosort -F _flytesched flytesched 2> /dev/null || complete -F _flytesched flytesched
"""


def bash() -> str:
    """Return the completion for bash."""
    every = [each for verb in verbs() for each in (verb, *verb.subcommands)]
    groups = "|".join(["''", *(f"'{verb.name}'" for verb in every if verb.subcommands)])
    before = " ".join(flag for option in global_options() for flag in option.flags)
    cases = [f"        '') _flytesched_say {' '.join(VERBS)} {before} ;;"]
    cases += [f"        {_bash_case(verb.name)}) {_bash_words(verb)} ;;" for verb in every]
    kinds = _bash_kinds(every)
    return _BASH.format(
        groups=groups, verbs="\n".join(cases),
        valued="\n".join([*(f"        {cases}) ;;" for cases, _ in kinds), "        *) false ;;"]),
        values="\n".join(f"        {cases}) {_bash_reply(how)}return ;;" for cases, how in kinds),
    )  # fmt: skip


def _bash_case(name: str) -> str:
    return f"'{name}'" if " " in name else name


def _bash_kinds(every: list[Verb]) -> list[tuple[str, str]]:
    """Return patterns of ``verb:option``, and what the value of such an option is.

    An option that is the same wherever it stands, such as ``--manifest``, needs no verb.
    """
    having = [("", global_options()), *((verb.name, verb.options) for verb in every)]
    flags = [
        (flag, name, option.values if option.valued else None)
        for name, options in having
        for option in options
        for flag in option.flags
    ]
    kinds: dict[str, set[str | None]] = {}
    for flag, _, values in flags:
        kinds.setdefault(flag, set()).add(values)
    found: dict[str, dict[str, None]] = {}
    for flag, name, values in flags:
        if values is not None:
            case = f"*:{flag}" if len(kinds[flag]) == 1 else f"{_bash_case(name)}:{flag}"
            found.setdefault(values, {})[case] = None
    return [("|".join(cases), values) for values, cases in found.items()]


def _bash_reply(values: str) -> str:
    if not values:
        return ""
    if values.startswith(_ASK):
        return f"_flytesched_ask {values.removeprefix(_ASK)}; "
    how = {"file": "_flytesched_path -f", "folder": "_flytesched_path -d"}
    return f"{how.get(values, f'_flytesched_say {values}')}; "


def _bash_words(verb: Verb) -> str:
    below = [each.word for each in verb.subcommands]
    flags = " ".join([*below, *(flag for option in verb.options for flag in option.flags)])
    said = f"_flytesched_say {flags}"
    if not verb.takes:
        return said
    other = _bash_reply(verb.takes).removesuffix("; ")
    if not verb.many:
        other = f"((count)) || {other}"
    return f"if [[ $word == -* ]]; then {said}; else {other}; fi"


# -- zsh ----------------------------------------------------------------------------------------

_ZSH = r"""#compdef flytesched
# zsh completion for flytesched; made by: python -m flytesched.cli.completions zsh

# Offer what the program answers: a line for each word, with what it is behind a tab.
_flytesched_ask() {{
    local line tab=$'\t'
    local -a words_offered shown
    for line in ${{(f)"$(flytesched __complete $1 -- $flytesched_words 2> /dev/null)"}}; do
        words_offered+=("${{line%%$tab*}}")
        shown+=("${{line/$tab/  -- }}")
    done
    compadd -l -d shown -a words_offered
}}

{functions}

_flytesched "$@"
"""


#: A function for the words behind ``flytesched``, or behind a verb that has subcommands.
_ZSH_FUNCTION = """\
{name}() {{
    local context state state_descr line
    typeset -A opt_args
    local -a commands{more}
    commands=(
{commands}
    )
    _arguments -C \\
{options} \\
        '(-)1: :->command' \\
        '(-)*:: :->words' && return
    if [[ $state == command ]]; then
        _describe command commands
        return
    fi
    case $words[1] in
{verbs}
    esac
}}"""


_ZSH_FIRST = "_flytesched"
_ZSH_WORDS = """
    local -a flytesched_words=("${(@)words[1,CURRENT-1]}")"""


def zsh() -> str:
    """Return the completion for zsh."""
    groups = [
        _zsh_function(_zsh_name(verb), verb.options, verb.subcommands)
        for verb in verbs()
        if verb.subcommands
    ]
    functions = [*groups, _zsh_function(_ZSH_FIRST, global_options(), verbs())]
    return _ZSH.format(functions="\n\n".join(functions))


def _zsh_function(name: str, options: Iterable[Option], below: Iterable[Verb]) -> str:
    # Deeper functions see what is local here, and the words before zsh leaves some of them out.
    more = _ZSH_WORDS if name == _ZSH_FIRST else ""
    return _ZSH_FUNCTION.format(
        name=name,
        more=more,
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
    # Without a word for arguments, options that follow one would not be completed.
    lines.append(
        _quoted(f"{'*' if verb.many or not verb.takes else '1'}: :{_zsh_action(verb.takes)}")
    )
    said = " \\\n".join(f"                {line}" for line in lines)
    return f"        {verb.word})\n            _arguments \\\n{said} ;;"


def _zsh_option(option: Option) -> Iterator[str]:
    said = re.sub(r"([\[\]:\\])", r"\\\1", option.help)
    for flag in option.flags:
        again = "*" if option.many else ""
        value = f": :{_zsh_action(option.values)}" if option.valued else ""
        yield _quoted(f"{again}{flag}[{said}]{value}")


def _zsh_action(values: str) -> str:
    """Return what offers values; one that begins with a space gets no options for compadd."""
    if values.startswith(_ASK):
        return f" _flytesched_ask {values.removeprefix(_ASK)}"
    how = {"file": "_files", "folder": "_files -/", "": " "}
    return how.get(values, f"({values})")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


# -- fish ---------------------------------------------------------------------------------------


def fish() -> str:
    """Return the completion for fish."""
    lines = [
        "# fish completion for flytesched; made by: python -m flytesched.cli.completions fish",
        "",
        "# Offer what the program answers: a line for each word, with what it is behind a tab.",
        "function __flytesched_ask",
        "    flytesched __complete $argv[1] -- (commandline -opc) 2> /dev/null",
        "end",
        "",
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
        yield f"complete -c flytesched -n '{seen}' -k -a {_fish_asked(verb.takes)}"
    for each in verb.subcommands:
        yield from _fish_verb(each, inside)


def _fish_option(condition: str, option: Option) -> str:
    flags = " ".join(f"-l {f[2:]}" if f.startswith("--") else f"-s {f[1:]}" for f in option.flags)
    said = f"complete -c flytesched -n '{condition}' {flags} -d {_fish_quoted(option.help)}"
    if not option.valued:
        return said
    if option.values.startswith(_ASK):
        return f"{said} -x -k -a {_fish_asked(option.values)}"
    how = {"file": "-r -F", "folder": "-x -a '(__fish_complete_directories)'", "": "-x"}
    return f"{said} {how.get(option.values, f'-x -a {_fish_quoted(option.values)}')}"


def _fish_asked(values: str) -> str:
    return f"'(__flytesched_ask {values.removeprefix(_ASK)})'"


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
