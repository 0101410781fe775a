"""Which failures of a start pass by themselves, and which never will."""

from __future__ import annotations

import errno

from flytesched.errors import StartDelayed, StartError

#: A machine short of something, or a disk in trouble: the same start may work later.
_PASSING = frozenset(
    {
        errno.EAGAIN, errno.EDQUOT, errno.EINTR, errno.EIO, errno.EMFILE, errno.ENFILE,
        errno.ENOBUFS, errno.ENOMEM, errno.ENOSPC, errno.EROFS, errno.ESTALE, errno.ETIMEDOUT,
        errno.ETXTBSY,
    }
)  # fmt: skip


def start_error(what: str, error: OSError) -> StartError:
    """Return the error to raise when ``error`` kept a command from starting.

    Args:
        what: what could not be done, such as ``cannot enter the directory '/x'``.
    """
    kind = StartDelayed if error.errno in _PASSING else StartError
    return kind(f"{what}: {(error.strerror or str(error)).lower()}")
