"""Starting a process the quick way: posix_spawn(3), half the cost of subprocess.

What subprocess does besides is done once for all: descriptors are made close-on-exec, and the
directory is changed around the call by the caller.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

SHELL = "/bin/sh"

#: The supervisor of a command that outlives the scheduler. It has the record as its input, the
#: log as its output, and /dev/null, both ways, as its errors. Signals sent to the whole session
#: find a handler that does nothing: what is ignored would be ignored by the command too, whereas
#: no handler outlasts an exec. The command gets no descriptor of the record, so that what it
#: leaves behind does not hold the lock. A supervisor that cannot say S does not start it.
_SUPERVISOR = """\
trap : HUP INT QUIT USR1 USR2 PIPE ALRM TERM XCPU VTALRM PROF
echo "S $$" >&0 || exit
{} <&2 2>&1
e=$?
echo "E $e" >&0
exit $e
"""
#: The one that executes an argument vector.
SUPERVISOR = _SUPERVISOR.format('"$@"')
#: The one that lets a copy of itself read the text of a shell command, instead of a shell of its
#: own: see ``words.reads_alike``. In the copy no signal is trapped any more.
READING_SUPERVISOR = _SUPERVISOR.format('(eval "shift;$1")')
#: The one that reads a text itself which is one external command: see ``words.is_one_command``.
#: It starts that as if it stood in the script, without a copy of itself in between.
EVALUATING_SUPERVISOR = _SUPERVISOR.format('eval "$1"')
#: All of them.
SUPERVISORS = (SUPERVISOR, READING_SUPERVISOR, EVALUATING_SUPERVISOR)

#: Commands find every signal at its default, whatever the scheduler does with it.
_DEFAULTS = tuple(signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP})


def spawn(
    path: str, argv: list[str], env: Mapping[str, str], standard: tuple[int, int, int]
) -> int:
    """Start a program in a session of its own, in the current directory; return its pid.

    A script that does not say what reads it is read by ``/bin/sh``, as execvp(3) does it.

    Args:
        standard: descriptors of its input, output and errors; none of them below 3.

    Raises:
        OSError: it was not started.
    """
    try:
        return _spawn(path, argv, env, standard)
    except OSError as error:
        if error.errno != errno.ENOEXEC:
            raise
        return _spawn(SHELL, [SHELL, path, *argv[1:]], env, standard)


def _spawn(
    path: str, argv: list[str], env: Mapping[str, str], standard: tuple[int, int, int]
) -> int:
    return os.posix_spawn(
        path, argv, env,
        file_actions=[(os.POSIX_SPAWN_DUP2, fd, number) for number, fd in enumerate(standard)],
        setsid=True, setsigmask=(), setsigdef=_DEFAULTS,
    )  # fmt: skip


def open_null() -> int:
    """Open /dev/null for both directions, and see that 0, 1 and 2 are taken."""
    while (fd := os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)) <= 2:
        pass  # this process was started without it; it keeps this one
    return fd


def keep_descriptors() -> None:
    """Make close-on-exec what this process inherited; what Python opens itself always is."""
    for entry in tuple(Path("/proc/self/fd").iterdir()):
        if (fd := int(entry.name)) > 2:
            with contextlib.suppress(OSError):  # the listing's own is closed
                os.set_inheritable(fd, False)


def keep_children() -> None:
    """Undo an inherited "ignore" of SIGCHLD, which would throw exit codes away."""
    if signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
