"""What an enemy, or a bad day, brings: planted files, full disks, texts that command terminals."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from desk import Desk

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# -- terminals ------------------------------------------------------------------------------

#: One of everything that a terminal obeys, hides or turns round, and what rich would obey.
EVIL = (
    "\x1b[31mred\x1b]0;title\x07\x1b]52;c;Zm9v\x07\x1b]8;;http://x\x1b\\\x9b2J\x85"
    "\r\x08\x7f\u202egnp\u2066\u200b\u2028\ufeff[red]markup[/red]"
)
#: What must never come out: C0 but for tab and newline, DEL, C1, line separators, zero-width and
#: bidirectional controls, lone surrogates.
OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)
#: What the program itself tells a terminal: colours, and how a progress bar moves.
_OWN = re.compile("\r?\x1b\\[[0-9;]*[mKA]\r?|\x1b\\[\\?25[lh]")


def obeyed(output: bytes, *, terminal: bool = False) -> list[str]:
    """Return what a terminal would obey in an output, each with what stands around it."""
    text = output.decode(errors="surrogateescape")
    if terminal:
        text = _OWN.sub("", text).replace("\r\n", "\n")
    return [repr(text[max(0, at.start() - 40) : at.end() + 20]) for at in OBEYED.finditer(text)]


def on_a_terminal(words: Sequence[str], environ: Mapping[str, str]) -> bytes:
    """Run a program whose standard streams are a terminal, and return what that got to see."""
    pid, master = pty.fork()
    if pid == 0:
        os.execvpe(words[0], list(words), dict(environ))  # noqa: S606  a terminal's child
    seen = b""
    with contextlib.suppress(OSError):  # EIO: the other end is closed
        while chunk := os.read(master, 65536):
            seen += chunk
    os.close(master)
    os.waitpid(pid, 0)
    return seen


# -- planted files --------------------------------------------------------------------------


class Victim:
    """A file that somebody wants us to write, and a place where somebody wants a file."""

    def __init__(self, folder: Path) -> None:
        """Make the one and not the other."""
        self.path = folder / "victim"
        self.path.write_text("precious\n")
        self.path.chmod(0o640)
        os.utime(self.path, (1, 1))
        self.folder = folder / "victims"
        self.folder.mkdir()
        self.folder.chmod(0o755)
        (self.folder / "inside").write_text("precious\n")
        os.utime(self.folder, (1, 1))
        self.nowhere = folder / "nowhere"
        self._before = self._print()

    def plant(self, kind: str, path: Path) -> None:
        """Put something at a path at which the program keeps a file or a folder."""
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        path.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        if kind == "link":
            path.symlink_to(self.path)
        elif kind == "link to a folder":
            path.symlink_to(self.folder)
        elif kind == "dangling link":
            path.symlink_to(self.nowhere)
        elif kind == "folder":
            path.mkdir()
            (path / "inside").write_text("precious\n")
        elif kind == "file":
            path.write_text("precious\n")
        elif kind == "another's file":
            path.touch()
            os.chown(path, 12345, 12345)
        else:
            os.mkfifo(path)

    def unharmed(self) -> bool:
        """Tell whether nothing was written, made or removed through what was planted."""
        return self._print() == self._before and not os.path.lexists(self.nowhere)

    def _print(self) -> list[object]:
        found: list[object] = [self.path.read_text(), sorted(self.folder.rglob("*"))]
        for path in (self.path, self.folder):
            status = path.stat()
            found.append((status.st_mode, status.st_mtime_ns, status.st_uid, status.st_ino))
        return found


# -- disks ----------------------------------------------------------------------------------


class Disk(Desk):
    """A desk whose state directory is a small disk, mounted where nobody else sees it.

    A process that sleeps keeps the name space of mounts; the program enters it, and the test looks
    in through /proc.
    """

    def __init__(self, home: Path, options: str, program: list[str]) -> None:
        """Mount a tmpfs with these options; skip where that is not allowed."""
        if shutil.which("unshare") is None or subprocess.run(["unshare", "-m", "true"]).returncode:
            pytest.skip("THE FULL DISK IS NOT TESTED: no mount name spaces here (not root?)")
        state = home / "state"
        state.mkdir(mode=0o700)
        script = f'mount -t tmpfs -o mode=700,{options} none "$1" && echo up && exec sleep 100000'
        self._keeper = subprocess.Popen(
            ["unshare", "-m", "sh", "-c", script, "sh", str(state)],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._keeper.stdout is not None
        assert self._keeper.stdout.readline() == "up\n"
        entered = ["nsenter", "-t", str(self._keeper.pid), "-m", f"--wd={home}"]
        super().__init__([*entered, *program], home)
        self.inside = Path(f"/proc/{self._keeper.pid}/root{state}")

    def fill(self) -> None:
        """Take every byte that is left."""
        with (self.inside / "filler").open("ab", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))

    def fill_inodes(self) -> None:
        """Take every inode that is left."""
        with contextlib.suppress(OSError):
            for number in range(100_000):
                (self.inside / f"filler.{number}").touch()

    def free(self) -> None:
        """Give back what was taken."""
        for path in self.inside.glob("filler*"):
            path.unlink()

    def remount(self, options: str) -> None:
        """Change how the disk is mounted."""
        enter = ["nsenter", "-t", str(self._keeper.pid), "-m"]
        subprocess.run(
            [*enter, "mount", "-o", f"remount,{options}", self.home / "state"], check=True
        )

    def close(self) -> None:
        """End loops, and let go of the disk."""
        self.clear()
        self._keeper.kill()
        self._keeper.wait()
        if self._keeper.stdout is not None:
            self._keeper.stdout.close()
