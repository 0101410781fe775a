"""Verb: turns a function that takes a Call into a Typer command with the global options."""

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any

import typer

from flytesched.cli.call import Call
from flytesched.errors import UsageError

Work = Callable[..., int | None]


def _option(name: str, kind: Any, *flags: str, **said: Any) -> inspect.Parameter:
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None if kind is str else False,
        annotation=Annotated[(str | None) if kind is str else bool, typer.Option(*flags, **said)],
    )


#: Options that every command takes, before the verb or after it.
GLOBAL = (
    _option("manifest", str, "--manifest", metavar="FILE", help="The manifest to work on."),
    _option("state_dir", str, "--state-dir", metavar="DIR", help="Where run log and logs are."),
    _option("plain", bool, "--no-color", help="Never colour; NO_COLOR does the same."),
    _option("utc", bool, "--utc", help="Type and show times in UTC, not on the machine's clock."),
    _option("debug", bool, "--debug", help="Show where an error came from."),
)
JSON = _option("json", bool, "--json", help="Answer in JSON.")


#: Options of what can be watched.
WATCH = (
    _option("watch", bool, "--watch", "-w", help="Show it again and again, until Ctrl-C or q."),
    inspect.Parameter(
        "interval",
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[
            float | None,
            typer.Option(
                "--interval",
                metavar="SECONDS",
                help="Watch, with this time between two looks; 2 if not given.",
            ),
        ],
    ),
)


def verb(
    *,
    reads: bool = False,
    watched: bool = False,
    options: Sequence[inspect.Parameter] = (),
) -> Callable[[Work], Callable[..., None]]:
    """Return a decorator that makes a command of ``work(call, ...)``.

    The wrapped function returns an exit code, or None for success. Global options are added to
    its own, and those given before the verb count too.

    Args:
        reads: whether the command answers, and so takes ``--json``.
        watched: whether it may be watched, and so takes ``--watch``.
        options: further options, handed to the ``**`` argument of ``work``.
    """
    shared = (*GLOBAL, JSON) if reads else GLOBAL
    looking = WATCH if watched else ()

    def decorate(work: Work) -> Callable[..., None]:
        def command(ctx: typer.Context, **given: Any) -> None:
            own = {option.name: given.pop(option.name) for option in shared}
            watch, interval = (given.pop(option.name, None) for option in WATCH)
            call = _call(ctx, own, reads=reads)
            if watch or interval is not None:
                _watch(ctx, call, lambda call: work(call, **given), interval)
            elif code := work(call, **given):
                raise typer.Exit(code)

        _, *parameters = inspect.signature(work).parameters.values()
        parameters = [
            parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
            for parameter in parameters
            if parameter.kind is not inspect.Parameter.VAR_KEYWORD
        ]
        _declare(command, [*parameters, *options, *looking, *shared])
        command.__doc__ = work.__doc__
        command.__name__ = work.__name__
        return command

    return decorate


def _watch(
    ctx: typer.Context, call: Call, show: Callable[[Call], object], interval: float | None
) -> None:
    """Show it again and again; an interval alone asks for that too."""
    from flytesched.cli import screen  # hardly any call is watched

    every = screen.USUAL if interval is None else interval
    screen.watch(call, show, title=ctx.command_path, interval=every)


def between(ctx: typer.Context, **given: Any) -> None:
    """Keep the global options that stand between a verb and its subcommand."""
    ctx.obj.update({name: value for name, value in given.items() if _is_given(value)})


def _is_given(value: Any) -> bool:
    """Tell whether an option was given: with an empty text it was, by mistake, and is refused."""
    return value is not None and value is not False


def _declare(command: Callable[..., None], parameters: Iterable[inspect.Parameter]) -> None:
    """Let Typer see these parameters of a function that takes ``**``."""
    context = inspect.Parameter(
        "ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context
    )
    every = [context, *parameters]
    # Typer reads both; a function of our own would need one signature per command.
    command.__signature__ = inspect.Signature(every)  # type: ignore[attr-defined]
    command.__annotations__ = {each.name: each.annotation for each in every}


_declare(between, (*GLOBAL, JSON))


def _call(ctx: typer.Context, own: dict[str, Any], *, reads: bool) -> Call:
    before: dict[str, Any] = ctx.obj or {}
    said = {**before, **{name: value for name, value in own.items() if _is_given(value)}}
    if said.get("json") and not reads:
        msg = f"{ctx.command_path.removeprefix('flytesched ')} has no --json"
        raise UsageError(msg, hint="it is for commands that read")
    said.pop("debug", None)
    return Call(**{name: value for name, value in said.items() if value is not None})
