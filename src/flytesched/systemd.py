"""A service manager: systemd's own, or that of a user, asked by systemctl(1)."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from flytesched.errors import FlyteschedError

if TYPE_CHECKING:
    from collections.abc import Mapping


class Manager:
    """The manager of the machine's services, or of this user's."""

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        user: bool = False,
        etc: Path = Path("/etc"),
        run: Path = Path("/run"),
        state: Path = Path("/var/lib"),
    ) -> None:
        """Say which one; nothing is asked yet.

        Args:
            environ: the environment of this process.
            user: that of this user instead of the machine's.
            etc: folder of the machine's configuration.
            run: folder of what lasts until the next boot.
            state: folder of what lasts.
        """
        self._environ, self.user = environ, user
        self._etc, self._run, self._state = etc, run, state

    @property
    def folder(self) -> Path:
        """Where units are put by hand (systemd.unit(5))."""
        if not self.user:
            return self._etc / "systemd/system"
        given = self._environ.get("XDG_CONFIG_HOME", "")
        config = Path(given) if given.startswith("/") else Path(self._home(), ".config")
        return config / "systemd/user"

    def _home(self) -> str:
        return self._environ.get("HOME") or pwd.getpwuid(os.getuid()).pw_dir

    def version(self) -> int | None:
        """Return systemd's version; None if it is not installed, or does not say."""
        try:
            said = self._ask("--version").stdout
        except FlyteschedError:
            return None
        match = re.match(r"systemd (\d+)", said)
        return int(match[1]) if match else None

    def check(self) -> None:
        """Refuse to go on without a manager that would listen to this user.

        Raises:
            FlyteschedError: there is none, or it listens to root only.
        """
        if self.user:
            self._check_user()
            return
        if not self.runs():
            msg = "systemd does not run this machine"
            raise FlyteschedError(msg, hint="start the scheduler in the foreground: flytesched run")
        if os.geteuid() != 0:
            msg = "only root may change the services of the machine"
            raise FlyteschedError(msg, hint="become root, or pass --user for a service of your own")

    def _check_user(self) -> None:
        if self.runs():
            return
        runtime = self._environ.get("XDG_RUNTIME_DIR", "")
        why = f"nobody listens in {runtime}" if runtime else "XDG_RUNTIME_DIR is not set"
        msg = f"there is no manager for services of your own: {why}"
        raise FlyteschedError(
            msg,
            hint="log in as yourself instead of by su or sudo, or see: loginctl enable-linger, and"
            f" set XDG_RUNTIME_DIR=/run/user/{os.getuid()}",
        )

    def lingers(self) -> bool:
        """Tell whether services run while nobody is logged in; the machine's always do."""
        if not self.user:
            return True
        try:
            name = pwd.getpwuid(os.getuid()).pw_name
        except KeyError:
            return False
        return (self._state / "systemd/linger" / name).exists()

    def tell(self, *words: str) -> None:
        """Let systemctl do something.

        Raises:
            FlyteschedError: it does not.
        """
        done = self._ask(*words)
        if done.returncode:
            said = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
            msg = f"{self.spelled(*words)} failed: {said}"
            raise FlyteschedError(msg)

    def main_pid(self, unit: str) -> int:
        """Return the main process of a service; 0 if it has none."""
        said = self._show(unit, "MainPID")
        return int(said) if said.isdecimal() else 0

    def refuses(self, unit: str, path: Path) -> str | None:
        """Return why the manager does not take a unit from ``path``; None if it does."""
        if (state := self._show(unit, "LoadState")) != "loaded":
            return f"it says {state or 'nothing'}"
        if (read := self._show(unit, "FragmentPath")) and os.path.realpath(read) == str(
            path.resolve()
        ):
            return None
        return f"it reads {read or 'no file'} instead"

    def runs(self) -> bool:
        """Tell whether there is such a manager, to be asked by this user."""
        if not self.user:
            return (self._run / "systemd/system").is_dir()  # as sd_booted(3) does it
        runtime = self._environ.get("XDG_RUNTIME_DIR", "")
        return bool(runtime) and Path(runtime, "systemd").is_dir()

    def facts(self, unit: str, *names: str) -> dict[str, str]:
        """Return what the manager knows of a unit, by property; nothing if it does not answer."""
        said = self._ask("show", f"--property={','.join(names)}", unit).stdout
        pairs = (line.partition("=") for line in said.splitlines())
        return {name: value for name, equals, value in pairs if equals}

    def _show(self, unit: str, fact: str) -> str:
        return self._ask("show", f"--property={fact}", "--value", unit).stdout.strip()

    def spelled(self, *words: str) -> str:
        """Return what to type for a call of systemctl."""
        return " ".join(("systemctl", *(("--user",) if self.user else ()), *words))

    def _ask(self, *words: str) -> subprocess.CompletedProcess[str]:
        program = shutil.which("systemctl", path=self._environ.get("PATH"))
        if program is None:
            msg = "systemctl is not installed"
            raise FlyteschedError(msg, hint="start the scheduler in the foreground: flytesched run")
        argv = [program, *(("--user",) if self.user else ()), "--no-ask-password", *words]
        try:
            return subprocess.run(
                argv, capture_output=True, check=False, text=True, errors="backslashreplace",
                env={**self._environ, "SYSTEMD_COLORS": "0", "LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
            )  # fmt: skip
        except OSError as error:
            msg = f"{program} cannot be started: {error.strerror}"
            raise FlyteschedError(msg) from error
