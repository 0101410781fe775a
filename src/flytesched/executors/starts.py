"""Starts of local commands: made ready ahead of their moment, then carried out."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flytesched.executors import logs
from flytesched.executors.delays import start_error
from flytesched.executors.environment import command_environment, working_directory
from flytesched.executors.spawn import (
    EVALUATING_SUPERVISOR,
    READING_SUPERVISOR,
    SHELL,
    SUPERVISOR,
    open_null,
    spawn,
)
from flytesched.executors.words import is_built_in, is_one_command, reads_alike, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flytesched.core.protocols import Order
    from flytesched.core.runs import Attempt, AttemptKey
    from flytesched.core.schedule import Schedule
    from flytesched.executors.record import Records

#: Starts that are made ready to the last step at once: each has two files open.
_MOST_READY = 128
#: Starts that lack only that at once: each takes some kilobytes.
_MOST_NEAR = 8192


@dataclass(frozen=True, slots=True)
class _Near:
    """A start that lacks its files."""

    #: The program, its argument vector and its environment.
    path: str
    argv: list[str]
    env: dict[str, str]
    #: The directory to start it in.
    cwd: str
    #: Its log, if that was made already.
    log: logs.Made | None


@dataclass(frozen=True, slots=True)
class Ready:
    """A start that lacks nothing but its moment."""

    #: All but its files.
    near: _Near
    #: Descriptors of its input, output and errors.
    standard: tuple[int, int, int]
    #: Those of them that were opened for it.
    opened: tuple[int, ...]

    def close(self) -> None:
        """Let go of the files that were opened for it."""
        for fd in self.opened:
            os.close(fd)


class Starts:
    """Makes starts ready, keeps those that are, and carries them out."""

    def __init__(
        self, state_dir: str, manifest: str, environ: Mapping[str, str], records: Records
    ) -> None:
        """Begin with none.

        Args:
            state_dir: an absolute path, told to commands, and where logs are made.
            manifest: an absolute path, told to commands.
            environ: what commands inherit.

        Raises:
            OSError: no descriptor is left.
        """
        self._state_dir, self._manifest, self._environ = state_dir, manifest, environ
        self._records = records
        self._null = open_null()
        self._here = os.open(".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self._ready: dict[AttemptKey, Ready] = {}
        self._near: dict[AttemptKey, _Near] = {}

    def prepare(self, order: Order) -> None:
        """Do what can be done of a start ahead of its moment.

        As many as may have files open are made ready to the last step. For the others the log is
        made: where a file system has just seen many files go, that is most of a start.

        Raises:
            StartError: it can never start as it is defined.
            StartDelayed: it cannot start now.
            Taken: there is, or was, a supervisor for it already.
        """
        key = order.attempt.key
        if key in self._ready:
            return
        if len(self._ready) < _MOST_READY:
            self._ready[key] = self._made(order)
        elif key not in self._near and len(self._near) < _MOST_NEAR:
            self._near[key] = self._nearly(order, with_log=True)

    def take(self, order: Order) -> Ready:
        """Return all that a start needs, its files open; whoever takes it closes them.

        Raises:
            StartError: it can never start as it is defined.
            StartDelayed: it cannot start now.
            Taken: there is, or was, a supervisor for it already.
        """
        return self._ready.pop(order.attempt.key, None) or self._made(order)

    def carry_out(self, ready: Ready) -> int:
        """Start a process, and return its pid.

        Raises:
            StartError: it can never start as it is defined.
            StartDelayed: it cannot start now; nothing was started.
        """
        near = ready.near
        with self._inside(near.cwd):
            try:
                return spawn(near.path, near.argv, near.env, ready.standard)
            except OSError as error:
                what = f"cannot execute {near.path!r}"
                raise start_error(what, error) from error

    def forget(self, key: AttemptKey) -> None:
        """Drop what was prepared for a start that shall not be."""
        self._near.pop(key, None)
        if (ready := self._ready.pop(key, None)) is not None:
            ready.close()

    def close(self) -> None:
        """Let go of all descriptors."""
        for ready in self._ready.values():
            ready.close()
        os.close(self._here)
        os.close(self._null)

    # -- making ready -------------------------------------------------------------------------

    def _made(self, order: Order) -> Ready:
        attempt = order.attempt
        near = self._near.pop(attempt.key, None) or self._nearly(order)
        out = self._open_log(attempt, near.log)
        if not attempt.survive:
            return Ready(near, (self._null, out, out), (out,))
        try:
            record = self._claim(attempt.key)
        except BaseException:
            os.close(out)
            raise
        return Ready(near, (record, out, self._null), (record, out))

    def _nearly(self, order: Order, *, with_log: bool = False) -> _Near:
        env = command_environment(
            order, self._environ, state_dir=self._state_dir, manifest=self._manifest
        )
        env["PWD"] = cwd = working_directory(order.schedule, self._environ)
        with self._inside(cwd):
            path, argv = words(order, env)
        if order.attempt.survive:
            path, argv = SHELL, ["sh", "-c", *_supervised(order.schedule, path, argv)]
        log = None
        if with_log:
            fd = self._open_log(order.attempt)
            try:
                log = logs.Made.of(fd)
            finally:
                os.close(fd)
        return _Near(path, argv, env, cwd, log)

    def _open_log(self, attempt: Attempt, made: logs.Made | None = None) -> int:
        name = attempt.log or logs.log_name("", attempt.run, attempt.attempt)
        try:
            if made is not None and (fd := logs.reopen_log(self._state_dir, name, made)) >= 0:
                return fd
            return logs.open_log(self._state_dir, name)
        except OSError as error:
            what = f"cannot open the log {f'{self._state_dir}/{name}'!r}"
            raise start_error(what, error) from error

    def _claim(self, key: AttemptKey) -> int:
        """Give a record to an attempt, once; raise Taken if it was started already."""
        try:
            return self._records.claim(key)
        except OSError as error:
            what = "cannot make a record of the attempt"
            raise start_error(what, error) from error

    @contextlib.contextmanager
    def _inside(self, cwd: str) -> Iterator[None]:
        """Be in a command's directory: posix_spawn starts a program where its parent is.

        Nobody else in this process minds: all paths of the scheduler are absolute.
        """
        try:
            os.chdir(cwd)
        except OSError as error:
            what = f"cannot enter the directory {cwd!r}"
            raise start_error(what, error) from error
        try:
            yield
        finally:
            os.fchdir(self._here)


def _supervised(schedule: Schedule, path: str, argv: list[str]) -> list[str]:
    """Return what a supervisor is told: its script, its name, and what to execute."""
    is_text = schedule.command is not None and schedule.command.text is not None
    if is_text and argv[:-1] == [SHELL, "-c"] and reads_alike(argv[-1]):
        script = EVALUATING_SUPERVISOR if is_one_command(argv[-1]) else READING_SUPERVISOR
        return [script, SHELL, argv[-1]]
    # It looks names up as we did, but might carry some of them out itself.
    return [SUPERVISOR, "sh", path if is_built_in(argv[0]) else argv[0], *argv[1:]]
