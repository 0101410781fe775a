"""Where crontabs are: a file, stdin, or what crontab(1) lists."""

from __future__ import annotations

import sys
from typing import NamedTuple

from flytesched.errors import Invalid

#: The crontab of the machine.
SYSTEM = "/etc/crontab"
#: Bytes of a crontab: ten thousand lines of four hundred.
_MOST = 4 * 2**20


class Source(NamedTuple):
    """A crontab, not yet read."""

    #: What messages call it.
    name: str
    #: What it holds.
    content: bytes

    @property
    def lines(self) -> int:
        """How many lines it has."""
        return self.content.count(b"\n")


def fetch(file: str | None, *, user: str | None = None, system: bool = False) -> Source:
    """Read the crontab that is meant.

    Args:
        file: its path, or ``-`` for stdin; None for the one in use.
        user: whose crontab, if not one's own.
        system: whether it is the machine's.

    Raises:
        Invalid: there is none, or it cannot be read.
    """
    if file is None and not system:
        return _checked(Source("crontab", _listed(user)))
    path = file or SYSTEM
    try:
        if path == "-":
            source = Source("stdin", sys.stdin.buffer.read(_MOST + 1))
        else:
            with open(path, "rb") as opened:
                source = Source(path, opened.read(_MOST + 1))
    except (OSError, ValueError) as error:
        what = f"cannot read {path!r}: {getattr(error, 'strerror', None) or error}"
        raise Invalid(what, hint="name a file that is a crontab, or - for stdin") from None
    return _checked(source)


def _checked(source: Source) -> Source:
    if len(source.content) <= _MOST:
        return source
    what = f"{source.name} has over {_MOST // 2**20} MiB, and is no crontab"
    raise Invalid(what, hint="name another file")


def _listed(user: str | None) -> bytes:
    """Return what ``crontab -l`` says."""
    import subprocess

    words = ["crontab", "-l", *(() if user is None else ("-u", user))]
    try:
        done = subprocess.run(words, capture_output=True, check=False, stdin=subprocess.DEVNULL)
    except (OSError, ValueError) as error:
        what = f"cannot run crontab(1): {getattr(error, 'strerror', None) or error}"
        raise Invalid(what, hint="name a file: flytesched import crontab FILE") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().partition("\n")[0]
        what = f"crontab -l: {said or f'exit code {done.returncode}'}"
        raise Invalid(what, hint="name a file: flytesched import crontab FILE")
    return done.stdout
