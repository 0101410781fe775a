"""Linux calls that the standard library of Python 3.11 lacks.

ctypes takes milliseconds to import, so it is imported at the first call that needs it.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import stat
import struct
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

_REALTIME = 0
_TFD_NONBLOCK = os.O_NONBLOCK
_TFD_CLOEXEC = os.O_CLOEXEC
_TFD_TIMER_ABSTIME = 1
_TFD_TIMER_CANCEL_ON_SET = 2
#: Seconds and nanoseconds of the year 2106: a timer without expiry would not tell of a set clock.
_NEVER = (2**32 - 1, 0)

#: inotify(7) masks: what says that a file of a folder has new content, and loss of the watch.
IN_MODIFY = 0x2
IN_ATTRIB = 0x4
IN_CLOSE_WRITE = 0x8
IN_MOVED_FROM = 0x40
IN_MOVED_TO = 0x80
IN_CREATE = 0x100
IN_DELETE = 0x200
IN_DELETE_SELF = 0x400
IN_MOVE_SELF = 0x800
IN_Q_OVERFLOW = 0x4000
IN_IGNORED = 0x8000
IN_CHANGES = (
    IN_MODIFY | IN_ATTRIB | IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_CREATE | IN_DELETE
    | IN_DELETE_SELF | IN_MOVE_SELF
)  # fmt: skip
_EVENT = struct.Struct("iIII")

_FALLOC_FL_KEEP_SIZE = 1
_FALLOC_FL_PUNCH_HOLE = 2

#: File system types in /proc/self/mountinfo whose locks or mmap other machines take part in.
_NETWORK = frozenset(
    {
        "9p", "afs", "beegfs", "ceph", "cifs", "coda", "gfs2", "glusterfs", "gpfs", "lustre",
        "ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "panfs", "pvfs2", "smb3", "smbfs", "virtiofs",
        "fuse",
    }
)  # fmt: skip


@functools.cache
def _libc() -> Any:
    import ctypes

    return ctypes.CDLL(None, use_errno=True)


def _call(name: str, *args: Any) -> int:
    """Call a function of the C library; a negative result is raised as OSError."""
    import ctypes

    result = int(getattr(_libc(), name)(*args))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def give_back_memory() -> None:
    """Return memory that was needed for a moment, where the C library can (malloc_trim(3))."""
    with contextlib.suppress(OSError, AttributeError):
        _libc().malloc_trim(0)


class Timer:
    """A timer on the wall clock that also notices when the clock is set (timerfd_create(2))."""

    def __init__(self) -> None:
        """Make a timer that is not set.

        Raises:
            OSError: no descriptor is left.
        """
        self._fd = _call("timerfd_create", _REALTIME, _TFD_NONBLOCK | _TFD_CLOEXEC)

    def fileno(self) -> int:
        """Return the descriptor, readable at the moment set and when the clock is set."""
        return self._fd

    def set(self, moment: float | None) -> bool:
        """Ask to be woken at ``moment`` (epoch seconds); None only for a clock that is set.

        A moment that passed during a suspend is told at the resume.

        Returns:
            Whether the clock was set since the last call, which ``read`` then does not tell
            again; the timer is set in any case.
        """
        import ctypes

        whole, nanos = _NEVER if moment is None else _split(moment)
        value = (ctypes.c_long * 4)(0, 0, whole, nanos)
        flags = _TFD_TIMER_ABSTIME | _TFD_TIMER_CANCEL_ON_SET
        try:
            _call("timerfd_settime", self._fd, flags, ctypes.byref(value), None)
        except OSError as error:
            if error.errno != errno.ECANCELED:
                raise
            return True
        return False

    def read(self) -> bool:
        """Take what the timer has to say; True if the clock was set (it has to be set again)."""
        try:
            os.read(self._fd, 8)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno != errno.ECANCELED:
                raise
            return True
        return False

    def close(self) -> None:
        """Let go of the descriptor."""
        os.close(self._fd)


def _split(moment: float) -> tuple[int, int]:
    """Return seconds and nanoseconds, rounded up so that a timer is never early."""
    nanos = max(-int(-moment * 1e9 // 1), 1)
    return divmod(nanos, 10**9)


class Inotify:
    """Watches folders and files for changes (inotify(7))."""

    def __init__(self) -> None:
        """Begin with nothing watched.

        Raises:
            OSError: the user's limit of inotify instances, or of descriptors, is reached.
        """
        self._fd = _call("inotify_init1", os.O_NONBLOCK | os.O_CLOEXEC)
        self._paths: dict[int, str] = {}

    def fileno(self) -> int:
        """Return the descriptor, readable when something changed."""
        return self._fd

    def watch(self, path: str | Path, mask: int = IN_CHANGES) -> None:
        """Watch a folder or file; a second call for the same one replaces the mask.

        Raises:
            OSError: it does not exist, or the user's limit of watches is reached.
        """
        name = os.fspath(path)
        wd = _call("inotify_add_watch", self._fd, os.fsencode(name), mask)
        self._paths[wd] = name

    def unwatch(self, path: str | Path) -> None:
        """Stop watching; a path that is not watched is no error."""
        name = os.fspath(path)
        for wd in [wd for wd, watched in self._paths.items() if watched == name]:
            del self._paths[wd]
            try:
                _call("inotify_rm_watch", self._fd, wd)
            except OSError as error:
                if error.errno != errno.EINVAL:  # it went away by itself
                    raise

    def read(self) -> list[tuple[str, str]]:
        """Return what changed as ``(watched path, name in it)``, without waiting.

        The name is empty for the watched path itself. Lost events (the queue was full) are told
        as ``("", "")``: anything may have changed.
        """
        try:
            data = os.read(self._fd, 65536)
        except BlockingIOError:
            return []
        found = []
        at = 0
        while at < len(data):
            wd, mask, _, length = _EVENT.unpack_from(data, at)
            at += _EVENT.size
            name = os.fsdecode(data[at : at + length].rstrip(b"\0"))
            at += length
            if mask & IN_Q_OVERFLOW:
                found.append(("", ""))
            elif (path := self._paths.get(wd)) is not None:
                found.append((path, name))
                if mask & IN_IGNORED:
                    del self._paths[wd]
        return found

    def close(self) -> None:
        """Let go of the descriptor and of every watch."""
        os.close(self._fd)


def punch_hole(fd: int, start: int, length: int) -> bool:
    """Give back the disk space of a stretch of a file, which then reads as NULs.

    Returns:
        Whether the file system can do that.

    Raises:
        OSError: any other failure.
    """
    import ctypes

    flags = _FALLOC_FL_KEEP_SIZE | _FALLOC_FL_PUNCH_HOLE
    # glibc on 32-bit machines has a second name for the call with wide offsets; musl has one.
    name = "fallocate64" if hasattr(_libc(), "fallocate64") else "fallocate"
    try:
        _call(name, fd, flags, ctypes.c_int64(start), ctypes.c_int64(length))
    except OSError as error:
        if error.errno in {errno.EOPNOTSUPP, errno.ENOSYS}:
            return False
        raise
    return True


#: What passes by itself: a machine short of something, a disk in trouble.
PASSING = frozenset(
    {
        errno.EAGAIN, errno.EDQUOT, errno.EINTR, errno.EIO, errno.EMFILE, errno.ENFILE,
        errno.ENOBUFS, errno.ENOLCK, errno.ENOMEM, errno.ENOSPC, errno.EROFS, errno.ESTALE,
        errno.ETIMEDOUT,
    }
)  # fmt: skip

#: Holes are made of whole blocks; in file systems with larger ones, of theirs.
_BLOCK = 4096


def keep_ends(fd: int, limit: int) -> bool:
    """Give back the middle of a file that takes more than ``limit`` bytes of disk.

    At least ``limit // 2`` bytes of head and of tail are kept, and up to a block more of each. A
    limit of 0 is none. A file system without holes keeps the whole file.

    Returns:
        Whether something was left out now.

    Raises:
        OSError: the file cannot be changed.
    """
    facts = os.fstat(fd)
    block = max(facts.st_blksize, _BLOCK)
    if limit <= 0 or facts.st_size <= limit or facts.st_blocks * 512 <= limit + 2 * block:
        return False
    start = -(-(limit // 2) // block) * block
    end = (facts.st_size - limit // 2) // block * block
    return end > start and punch_hole(fd, start, end - start)


#: What a name says to which a symbolic link, or something that is no plain file, stands in the way.
_LINK = "a symbolic link is in the way, and is not followed"
_ODD = "it is not a plain file"


def open_below(folder: str, path: str, flags: int) -> int:
    """Open a plain file at a relative path below ``folder``, and follow no symbolic link to it.

    What is planted there, a link, a FIFO, a device, is neither waited for nor written. A new file
    gets 0600, whatever the umask.

    Raises:
        FileNotFoundError: it, or a folder on the way, is not there.
        OSError: something else is there, or it cannot be opened.
    """
    *way, name = path.split("/")
    if not {"", ".", ".."}.isdisjoint((*way, name)):
        raise OSError(errno.EINVAL, "it leads out of its folder", path)
    at = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in way:
            inner = _opened(part, os.O_PATH | os.O_DIRECTORY, at)
            os.close(at)
            at = inner
        # Without O_NONBLOCK the open of a FIFO would wait for its other end.
        fd = _opened(name, flags | os.O_NONBLOCK | os.O_NOCTTY, at)
    finally:
        os.close(at)
    try:
        facts = os.fstat(fd)
        if not stat.S_ISREG(facts.st_mode):
            raise OSError(errno.EINVAL, _ODD, path)
        if flags & os.O_CREAT and not facts.st_size:
            os.fchmod(fd, 0o600)
        os.set_blocking(fd, True)
    except BaseException:
        os.close(fd)
        raise
    return fd


def _opened(name: str, flags: int, folder: int) -> int:
    try:
        return os.open(name, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=folder)
    except OSError as error:
        if error.errno == errno.ENXIO:  # a FIFO that nobody reads, a socket
            raise OSError(errno.EINVAL, _ODD, name) from None
        if error.errno in {errno.ELOOP, errno.ENOTDIR} and _is_link(name, folder):
            raise OSError(errno.ELOOP, _LINK, name) from None
        raise


def _is_link(name: str, folder: int) -> bool:
    try:
        return stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return False


def make_folder(path: str | Path) -> None:
    """Make a folder for its owner's eyes only, whatever the umask; one that is there will do.

    Raises:
        FileNotFoundError: the folder it shall lie in is not there.
        OSError: something else is there, a symbolic link say, or it cannot be made.
    """
    try:
        os.mkdir(path, 0o700)  # noqa: PTH102  takes what open() takes
    except FileExistsError:
        mode = os.lstat(path).st_mode
        if stat.S_ISLNK(mode):
            raise OSError(errno.ELOOP, _LINK, os.fspath(path)) from None
        if not stat.S_ISDIR(mode):
            code = errno.ENOTDIR
            raise NotADirectoryError(code, os.strerror(code), os.fspath(path)) from None
    else:
        os.chmod(path, 0o700)  # noqa: PTH101


def make_folders(path: Path) -> None:
    """Make a folder and those above it that are missing, as ``make_folder`` does.

    Raises:
        OSError: something else is there, or it cannot be made.
    """
    if not path.is_dir():
        make_folders(path.parent)
        make_folder(path)


def sync_folder(folder: str | Path) -> None:
    """Make names in a folder durable, such as one that was just given to a file.

    Raises:
        OSError: it cannot be done now.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def boot_id() -> str:
    """Return the id of this boot of the machine (random(4))."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()


#: Nanoseconds of a clock tick, the unit of proc(5).
_TICK = 10**9 // os.sysconf("SC_CLK_TCK")


def ticks() -> int:
    """Return the time since boot in clock ticks, as ``process_start`` says it of a process."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // _TICK


def process_start(pid: int) -> int | None:
    """Return when a process began, in clock ticks since boot (proc(5)); None if there is none.

    Together with the pid and the boot id it names a process for ever.
    """
    facts = process_facts(pid)
    return None if facts is None else facts[1]


def process_facts(pid: int) -> tuple[int, int, str] | None:
    """Return a process's session, its start in clock ticks since boot, and its state letter.

    None if there is no such process.

    Raises:
        OSError: it cannot be read now (no descriptors).
    """
    try:
        fd = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, ProcessLookupError):
        return None
    try:
        text = os.read(fd, 4096)
    except ProcessLookupError:
        return None
    finally:
        os.close(fd)
    # The second field is the program's name in brackets, which may hold anything, ")" included.
    fields = text[text.rindex(b")") + 2 :].split()
    return int(fields[3]), int(fields[19]), fields[0].decode("ascii")


def process_environment(pid: int) -> dict[str, str] | None:
    """Return the environment that a process was started with; None if that cannot be told."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            lines = os.fsdecode(file.read()).split("\0")
    except OSError:
        return None
    pairs = (line.partition("=") for line in lines)
    return {name: value for name, equals, value in pairs if equals}


def process_unit(pid: int) -> str | None:
    """Return the service of systemd that a process belongs to (cgroups(7)); None if to none."""
    try:
        with open(f"/proc/{pid}/cgroup", encoding="utf-8", errors="surrogateescape") as file:
            groups = [line.rstrip("\n").rpartition("/")[2] for line in file]
    except OSError:
        return None
    return next((group for group in groups if group.endswith(".service")), None)


#: What adjtimex(2) returns while nothing keeps the clock right.
_TIME_ERROR = 5
#: Larger than ``struct timex`` on any machine; all zeros, so that nothing is set.
_TIMEX = 512


def clock_is_kept() -> bool | None:
    """Tell whether something keeps the clock right, NTP say; None if that cannot be told."""
    import ctypes

    try:
        return _call("adjtimex", ctypes.create_string_buffer(_TIMEX)) != _TIME_ERROR
    except (OSError, AttributeError):
        return None


def network_filesystem(path: str | Path) -> str | None:
    """Return the type of the file system if other machines may take part in it, else None.

    Local locks and shared memory, which the run log and the scheduler's lock live by, cannot be
    trusted there. FUSE says nothing of what is behind it, but for local disks (``fuseblk``).

    Raises:
        OSError: the path does not exist.
    """
    kind = filesystem(path)
    return kind if kind is not None and kind.split(".")[0] in _NETWORK else None


def filesystem(path: str | Path) -> str | None:
    """Return the type of the file system that a path lies in, such as ``ext4``, if it is told.

    Raises:
        OSError: the path does not exist.
    """
    device = os.stat(path).st_dev  # noqa: PTH116  takes what open() takes
    wanted = f"{os.major(device)}:{os.minor(device)}"
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as mounts:
        for line in mounts:
            # Optional fields of unknown number end at a lone dash; see proc(5).
            before, _, after = line.partition(" - ")
            if before.split(" ")[2] == wanted:
                return after.split(" ")[0]
    return None
