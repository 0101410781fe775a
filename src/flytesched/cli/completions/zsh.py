"""The completion for zsh."""

import re
from collections.abc import Iterable, Iterator

from flytesched.cli.completions.surface import ASK, Option, Verb, global_options, verbs

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
    if values.startswith(ASK):
        return f" _flytesched_ask {values.removeprefix(ASK)}"
    how = {"file": "_files", "folder": "_files -/", "": " "}
    return how.get(values, f"({values})")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
