"""The completion for fish."""

from collections.abc import Iterator

from flytesched.cli.app import VERBS
from flytesched.cli.completions.surface import ASK, Option, Verb, global_options, verbs


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
    if option.values.startswith(ASK):
        return f"{said} -x -k -a {_fish_asked(option.values)}"
    how = {"file": "-r -F", "folder": "-x -a '(__fish_complete_directories)'", "": "-x"}
    return f"{said} {how.get(option.values, f'-x -a {_fish_quoted(option.values)}')}"


def _fish_asked(values: str) -> str:
    return f"'(__flytesched_ask {values.removeprefix(ASK)})'"


def _fish_quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
