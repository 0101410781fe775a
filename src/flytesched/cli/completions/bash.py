"""The completion for bash."""

from flytesched.cli.app import VERBS
from flytesched.cli.completions.surface import ASK, Verb, global_options, verbs

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
    if values.startswith(ASK):
        return f"_flytesched_ask {values.removeprefix(ASK)}; "
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
