"""Secrets: read where they are needed, at the moment they are needed."""

from __future__ import annotations

import os

#: Bytes of a file with a secret: a log or a device given by mistake is not read.
_LIMIT = 2**16


class Missing(Exception):  # noqa: N818  it is no error of ours
    """A secret that cannot be read; that may be mended."""


def from_file(key: str, path: str) -> str:
    """Return the one line of the file that a key of a channel names.

    Raises:
        Missing: there is no such line.
    """
    try:
        fd = os.open(os.path.expanduser(path), os.O_RDONLY | os.O_NONBLOCK)  # noqa: PTH111
        with open(fd, "rb") as file:
            # A pipe that nobody writes to now has None.
            said = (file.read(_LIMIT) or b"").decode().strip()
    except OSError as error:
        msg = f"{key} cannot be read: {(error.strerror or '').lower()}"
        raise Missing(msg) from None
    except UnicodeDecodeError:
        said = ""
    if not said or not said.isprintable():
        msg = f"{key} does not hold one line of text"
        raise Missing(msg)
    return said


def from_variable(key: str, name: str) -> str:
    """Return the variable of the scheduler's environment that a key of a channel names.

    Raises:
        Missing: it is not set.
    """
    if said := os.environ.get(name):
        return said
    msg = f"{key} names a variable that the scheduler does not have"
    raise Missing(msg)
