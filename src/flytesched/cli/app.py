"""The Typer app, and the one boundary at which errors become sentences and exit codes."""

import errno
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from typing import Annotated, Any

import typer

from flytesched.cli import render
from flytesched.cli.verb import between
from flytesched.errors import FlyteschedError, UsageError, shortened

#: Every verb, in the order of the help, which lists those with subcommands last.
VERBS = (
    "add", "set", "edit", "rename", "remove", "enable", "disable", "pause", "resume",
    "revisions", "revert", "list", "show", "next", "calendars", "explain",
    "run", "trigger", "catchup", "backfill", "history", "stats", "logs", "ps", "cancel", "retry",
    "status", "top", "health", "metrics", "validate", "config", "doctor", "prune",
    "notify", "import", "export", "service", "db",
)  # fmt: skip
#: Global options that stand before a verb or a subcommand and take a value.
_VALUED = ("--manifest", "--state-dir")
#: What a write to stdout fails with where that is a file; whatever is opened by name has one.
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
#: Typer's errors of usage. It has a Click of its own, or not; its public names are in both.
_USAGE, _SHOWN = typer.BadParameter.__mro__[1:3]


def build(verbs: Iterable[str] = VERBS) -> typer.Typer:
    """Return the app with these verbs; each one's file is imported now.

    A file has either ``command``, or ``COMMANDS`` (its subcommands by word) and ``HELP``.
    """
    app = typer.Typer(
        name="flytesched",
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    app.callback()(_before)
    for word in verbs:
        file = _file(word)
        if commands := _subcommands(word):
            app.add_typer(_group(commands), name=word, help=file.HELP)
        else:
            app.command(word)(file.command)
    return app


def _group(commands: Mapping[str, Callable[..., None]]) -> typer.Typer:
    """Return the app below a verb that has subcommands."""
    group = typer.Typer(rich_markup_mode=None, add_completion=False)
    group.callback()(between)
    for word, command in commands.items():
        group.command(word)(command)
    return group


def _file(verb: str) -> Any:
    return import_module(f"flytesched.cli.{verb}")


def _subcommands(verb: str) -> Mapping[str, Callable[..., None]]:
    """Return the subcommands of a verb by word; none if it is a command itself."""
    found: Mapping[str, Callable[..., None]] = getattr(_file(verb), "COMMANDS", {})
    return found


def main(words: Sequence[str]) -> int:
    """Carry out a command line and return its exit code."""
    words = list(words)
    debug = "--debug" in _front(words)
    _stand_in()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _carry_out(words)
        sys.stdout.flush()
    except FlyteschedError as error:
        return _refused(error, debug=debug)
    except BrokenPipeError:
        return _nobody_reads()
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        if isinstance(error, OSError) and error.filename is None and error.errno in _FULL:
            render.talk(f"flytesched: cannot write to stdout: {error.strerror}")
            return _nobody_reads()
        if isinstance(error, _SHOWN):
            return _misused(error, words, debug=debug)
        if isinstance(error, typer.Abort):
            return 130
        return _surprised(error, debug=debug)
    return code


def _stand_in() -> None:
    """Put /dev/null in the place of a standard stream that is closed.

    Otherwise the next file opened would take its number, and what is said would be written there.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free: this one
            os.set_inheritable(number, True)
            stream = os.fdopen(number, "w" if number else "r", encoding="utf-8", closefd=False)
            setattr(sys, name, stream)


def _carry_out(words: list[str]) -> int:
    verb, word = _named(words)
    if verb is None:
        return _without_a_command(build(() if "--version" in words else VERBS), words)
    if verb not in VERBS:
        raise _unknown(verb, VERBS)
    helped = not {"--help", "-h"}.isdisjoint(words[: words.index(verb)])
    app = build() if helped else build((verb,))
    if subcommands := _subcommands(verb):
        if word is None:
            return _without_a_command(app, words)
        if word not in subcommands:
            raise _unknown(word, subcommands, group=f"{verb} ")
    return _asked(app, words)


def _without_a_command(app: typer.Typer, words: list[str]) -> int:
    """Answer ``--help`` and ``--version``; show who asks for nothing what there is, as misuse."""
    asked = not {"--help", "-h", "--version"}.isdisjoint(words)
    if not asked and _named(words)[0] is None and _says_only_where(words):
        from flytesched.cli.welcome import welcome

        render.write(welcome(*(_value(words, option) for option in _VALUED)))
    code = _asked(app, words if asked else [*words, "--help"])
    return code if asked else code or UsageError.exit_code


def _asked(app: typer.Typer, words: list[str]) -> int:
    """Let Typer carry out the words, and return the exit code."""
    front = _front(words)
    behind = len(words) - len(front) - 1 if len(front) < len(words) else None
    try:
        code = app(words, prog_name="flytesched", standalone_mode=False, obj={"behind": behind})
    except SystemExit as left:
        # Typer leaves so when stdout is closed, and nowhere else without its standalone mode.
        code = left.code if isinstance(left.code, int) else 1
    return code if isinstance(code, int) else 0


def _before(
    ctx: typer.Context,
    *,
    manifest: Annotated[
        str | None, typer.Option("--manifest", metavar="FILE", help="The manifest to work on.")
    ] = None,
    state_dir: Annotated[
        str | None,
        typer.Option("--state-dir", metavar="DIR", help="Where run log and logs are."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
    plain: Annotated[bool, typer.Option("--no-color", help="Never colour.")] = False,
    utc: Annotated[bool, typer.Option("--utc", help="Type and show times in UTC.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error came from.")] = False,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            is_eager=True,
            callback=lambda value: _version(asked=value),
            help="Show the version.",
        ),
    ] = False,
) -> None:
    """Run commands on time, and give every slot one visible verdict.

    Options stand before or after the command: flytesched COMMAND --help tells more.
    """
    del debug, version  # looked at before Typer is asked
    ctx.obj.update(manifest=manifest, state_dir=state_dir, json=json, plain=plain, utc=utc)


def _version(*, asked: bool) -> None:
    if asked:
        from flytesched.version import __version__

        render.write(f"flytesched {__version__}\n")
        raise typer.Exit


def _front(words: Sequence[str]) -> Sequence[str]:
    """Return the words before ``--``."""
    return words[: words.index("--")] if "--" in words else words


def _named(words: Sequence[str]) -> tuple[str | None, str | None]:
    """Return the first two words that are no option and no value of one: verb and subcommand."""
    found: list[str | None] = []
    rest = iter(_front(words))
    for word in rest:
        if word in _VALUED:
            next(rest, None)
        elif not word.startswith("-"):
            found.append(word)
    found += [None, None]
    return found[0], found[1]


def _says_only_where(words: Sequence[str]) -> bool:
    """Tell whether no option is given but those for places."""
    return all(word.partition("=")[0] in _VALUED for word in words if word.startswith("-"))


def _value(words: Sequence[str], option: str) -> str | None:
    """Return the value of a global option that takes one; None if it is not given."""
    for word, following in zip(words, [*words, None][1:], strict=True):
        if word == option:
            return following
        if word.startswith(f"{option}="):
            return word.partition("=")[2]
    return None


# -- the boundary -------------------------------------------------------------------------------


def _refused(error: FlyteschedError, *, debug: bool) -> int:
    if debug:
        render.talk(traceback.format_exc().rstrip("\n"))
    for line in render.refusal(error):
        render.talk(line)
    return error.exit_code


def _misused(error: Exception, words: Sequence[str], *, debug: bool) -> int:
    """Say what Typer does not understand, in the shape of our own errors."""
    if debug:
        render.talk(traceback.format_exc().rstrip("\n"))
    said: Any = error
    hint = _meant(said, words) or _help_on(words)
    # The newest Typer says "Value error" in front of what its own validator found.
    message = " ".join(said.format_message().split()).replace(": Value error, ", ": ")
    render.talk(f"flytesched: {render.safe(shortened(message[:1].lower() + message[1:]))}")
    render.talk(f"hint: {hint}")
    return 2 if isinstance(error, _USAGE) else 1


def _meant(error: Any, words: Sequence[str]) -> str | None:
    """Say what was meant by an option that there is none of, if that can be said."""
    option, near = (getattr(error, name, None) for name in ("option_name", "possibilities"))
    if option is None or not hasattr(error, "possibilities"):
        return None
    error.possibilities = None  # Typer would list them
    verb = _named(words)[0]
    if verb in {"add", "set"} and "--" not in words and _in_a_command(option, words, verb):
        return f"put -- in front of the command; see flytesched {verb} --help"
    from flytesched.core.suggestion import suggest

    return suggest(option, near or [])


def _in_a_command(option: str, words: Sequence[str], verb: str) -> bool:
    """Tell whether an option stands behind more words than the name, such as ``rsync`` of one."""
    behind = words[words.index(verb) + 1 :]
    at = next((at for at, word in enumerate(behind) if word.startswith(option)), len(behind))
    bare = 0
    for before, word in zip(["", *behind], behind[:at], strict=False):
        valued = before.startswith("-") and "=" not in before
        bare += not (valued or word.startswith("-"))
    return bare > 1


def _help_on(words: Sequence[str]) -> str:
    verb, word = _named(words)
    if verb not in VERBS:
        return "see flytesched --help"
    path = f"{verb} {word}" if word in _subcommands(verb) else verb
    return f"see flytesched {path} --help"


def _surprised(error: Exception, *, debug: bool) -> int:
    if debug:
        render.talk(traceback.format_exc().rstrip("\n"))
    if isinstance(error, OSError) and error.filename is not None:
        said = f"cannot use {os.fsdecode(error.filename)}: {error.strerror}"
    else:
        said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        said = f"unexpected: {said}"
    render.talk(f"flytesched: {render.safe(shortened(said))}")
    if not debug:
        render.talk("hint: --debug shows where it came from")
    return 1


def _nobody_reads() -> int:
    """Leave without a further word when the reader of a pipe is gone, or its disk is full."""
    # The interpreter would flush stdout once more at its end.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1


def _unknown(word: str, known: Iterable[str], *, group: str = "") -> UsageError:
    from flytesched.core.suggestion import suggest

    msg = f"there is no command {group + word!r}"
    return UsageError(msg, hint=suggest(word, [*known]) or f"see flytesched {group}--help")
