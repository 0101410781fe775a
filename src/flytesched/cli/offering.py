"""What a shell asks when somebody presses the key that completes: ``flytesched __complete``.

``flytesched __complete KIND -- WORDS...`` prints a line for each word that may stand next, with
what it is behind a tab. It is no command for people: the files in ``completions/`` call it, and
Typer, which would cost as much as the answer, is not asked.
"""

import os
import shlex
import sys
from collections.abc import Iterable, Sequence

from flytesched.bootstrap import open_site
from flytesched.cli import render
from flytesched.errors import FlyteschedError
from flytesched.service.offers import Offer, offers

#: Columns of a description: what is longer would break the list of a shell.
_MOST = 60


def answer(words: Sequence[str]) -> int:
    """Print what may stand next; ``words`` are ``__complete``, the kind wanted, and the line."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    _, kind, *line = [*words, "", ""]
    line = [_plain(word) for word in line if word not in {"", "--"}]
    try:
        site = open_site(
            manifest=_value(line, "--manifest"), state_dir=_value(line, "--state-dir"),
            environ=os.environ,
        )  # fmt: skip
        _show(offers(site, kind, line))
        sys.stdout.flush()
    except FlyteschedError as error:
        render.talk(f"flytesched: {render.safe(error.message)}")
        return error.exit_code
    except BrokenPipeError:  # the shell has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _show(offered: Iterable[Offer]) -> None:
    for word, said in offered:
        # Whatever a terminal would obey is no word that anybody wants to have typed.
        if word.isprintable():
            what = render.cut(render.safe(said), _MOST)
            render.write(f"{word}\t{what}\n" if what else f"{word}\n")


def _plain(word: str) -> str:
    """Return a word of a command line as a command would get it, but for variables.

    Some shells hand words over as they were typed, and some as they are meant.
    """
    try:
        parts = shlex.split(word)
    except ValueError:  # an open quote
        return word
    return parts[0] if len(parts) == 1 else word


def _value(line: Sequence[str], option: str) -> str | None:
    """Return the last value that an option is given."""
    found = None
    for index, word in enumerate(line):
        if word == option and index + 1 < len(line):
            found = line[index + 1]
        elif word.startswith(f"{option}="):
            found = word.partition("=")[2]
    return found
