"""The unit that runs the scheduler under systemd, as text; nothing here looks or writes.

Sources: systemd.unit(5), systemd.service(5), systemd.exec(5), systemd.syntax(7).
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from flytesched.errors import UsageError
from flytesched.notify import STOP_MARGIN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

#: The first systemd that knows a service which tells when it has reloaded.
NOTIFY_RELOAD = 253
#: What ends a quoted word, and what a terminal would obey, hide or turn round.
_UNSHOWN = re.compile(
    '["\\\\\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]'
)
#: Words that need no quotes in a unit file.
_PLAIN = re.compile(r"[A-Za-z0-9_@+=:,./%-]+")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9:._-]{0,99}")
_MARK = re.compile(r"# Made by flytesched; sha256 of what follows: ([0-9a-f]{64})\n")
#: What lets nothing be written below some folders.
_SHIELDS = {
    "ProtectSystem=full": ("/usr", "/boot", "/efi", "/etc"),
    "ProtectHome=read-only": ("/home", "/root", "/run/user"),
}

_ORDER = """\
# While its manifest is broken, this unit is activating. By default the target that wants it would
# wait for that, at boot too; these are the default dependencies without it.
DefaultDependencies=no
"""
_SYSTEM_ORDER = """\
Requires=sysinit.target
After=sysinit.target basic.target time-set.target nss-user-lookup.target remote-fs.target
"""
_USER_ORDER = """\
Requires=basic.target
After=basic.target
"""
_LIFE = """\
# A start may take as long as it takes to mend the manifest.
TimeoutStartSec=infinity
TimeoutStopSec={stop}s
WatchdogSec=60s
TimeoutAbortSec=10s
# Commands outlive the scheduler, and the next one adopts them.
KillMode=process
OOMPolicy=continue
Restart=always
RestartSec=2s
# Commands inherit what is set here; so nothing is that would bound them.
TasksMax=infinity
"""
#: What any service manager may set, since it takes no more than a filter of system calls.
_HARD = """\
# Commands inherit all of this. PrivateTmp= is not among it: commands that outlive a stop would
# lose their files in /tmp.
NoNewPrivileges=yes
RestrictSUIDSGID=yes
RestrictRealtime=yes
RestrictNamespaces=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
"""
#: What takes namespaces and capabilities, which the manager of a user has not.
_HARDER = """\
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
PrivateDevices=yes
CapabilityBoundingSet=~CAP_SYS_ADMIN CAP_SYS_BOOT CAP_NET_ADMIN CAP_BPF CAP_PERFMON CAP_SYSLOG
CapabilityBoundingSet=~CAP_LEASE CAP_SYS_PACCT CAP_SYS_TTY_CONFIG CAP_WAKE_ALARM CAP_MKNOD
"""


class Found(Enum):
    """What is there where a unit shall be."""

    #: Nothing.
    NOTHING = "nothing"
    #: A unit as this program made it, perhaps in an earlier version.
    OURS = "ours"
    #: A unit that this program made and somebody changed.
    EDITED = "edited"
    #: Something else.
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """What a unit has to say."""

    #: Its name, without ``.service``.
    name: str
    #: The words that start the program; the first is an absolute path.
    program: tuple[str, ...]
    #: The manifest in force.
    manifest: Path
    #: The state directory in force.
    state_dir: Path
    #: Options that say what the service would not find by itself, such as ``--manifest``.
    options: tuple[str, ...] = ()
    #: Variables that it would not have, such as ``FLYTESCHED_TIMEZONE``.
    environment: Mapping[str, str]
    #: Seconds that a stop waits for what runs.
    shutdown_grace: float = 0.0
    #: Whether it is for the manager of a user.
    user: bool = False
    #: Whether to sandbox it, and with it every command.
    harden: bool = False
    #: Version of systemd; None where there is none to be asked.
    systemd: int | None = None

    def __post_init__(self) -> None:
        """Refuse a name that is none for a unit.

        Raises:
            UsageError: it is none.
        """
        if not _NAME.fullmatch(self.name):
            msg = f"{self.name!r} cannot be the name of a unit"
            raise UsageError(msg, hint="use letters, digits, and : . _ - behind the first")

    @property
    def file(self) -> str:
        """The name of its file, by which systemctl knows it."""
        return f"{self.name}.service"

    def text(self) -> str:
        """Return the file: a line by which it is known again, then what systemd reads.

        Raises:
            UsageError: a path cannot be written into a unit.
        """
        body = "\n".join(("\n".join(self._head()), "\n".join(self._service()), self._install()))
        return f"# Made by flytesched; sha256 of what follows: {_digest(body)}\n{body}"

    def _head(self) -> Iterator[str]:
        yield f"# To change it: systemctl {'--user ' if self.user else ''}edit {self.name}"
        yield "[Unit]"
        yield "Description=flytesched: run commands on time"
        yield "Documentation=man:flytesched(1) man:flytesched.toml(5)"
        yield (_ORDER + (_USER_ORDER if self.user else _SYSTEM_ORDER)).rstrip()
        yield "Conflicts=shutdown.target"
        yield "Before=shutdown.target"
        yield "# A state directory whose disk is not mounted would look like a fresh one."
        yield f"RequiresMountsFor={word(str(self.state_dir))} {word(str(self.manifest))}"
        yield "# It never gives up: slots fall due whether or not somebody decides them."
        yield "StartLimitIntervalSec=0"
        yield ""

    def _service(self) -> Iterator[str]:
        yield "[Service]"
        yield from self._kind()
        yield "ExecStart=" + command_line((*self.program, *self.options, "run"))
        for name, value in self.environment.items():
            yield "Environment=" + word(f"{name}={value}")
        yield _LIFE.format(stop=STOP_MARGIN + round(self.shutdown_grace)).rstrip()
        yield f"SyslogIdentifier={self.name}"
        if self.harden:
            yield _HARD.rstrip()
            if not self.user:
                yield _HARDER.rstrip()
                yield from self._shields()
        yield ""

    def _kind(self) -> Iterator[str]:
        if self.systemd is not None and self.systemd >= NOTIFY_RELOAD:
            yield "Type=notify-reload"
        else:
            yield "Type=notify"
            # The shell's own kill: a small system has no other.
            yield "ExecReload=/bin/sh -c 'kill -HUP $MAINPID'"

    def _shields(self) -> Iterator[str]:
        """Yield what protects folders, unless the scheduler has to write below them."""
        for shield, folders in _SHIELDS.items():
            if not any(self.state_dir.is_relative_to(folder) for folder in folders):
                yield shield

    def _install(self) -> str:
        target = "default" if self.user else "multi-user"
        return f"[Install]\nWantedBy={target}.target\n"


def recognise(text: str) -> Found:
    """Tell whose unit a text is."""
    mark = _MARK.match(text)
    if mark is None:
        return Found.FOREIGN
    return Found.OURS if _digest(text[mark.end() :]) == mark[1] else Found.EDITED


def command_line(words: tuple[str, ...]) -> str:
    """Return words as a unit's command line, in which nothing is replaced."""
    # In front of the program, a colon keeps $ from meaning anything.
    prefix = ":" if any("$" in each for each in words) else ""
    return prefix + " ".join(map(word, words))


def word(text: str) -> str:
    """Return a text as one word of a unit file.

    Raises:
        UsageError: it cannot be one, since unit files are UTF-8.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        msg = f"{text!r} cannot be written into a unit: it is not UTF-8"
        raise UsageError(msg, hint="use another path") from None
    escaped = text.replace("%", "%%")
    if _PLAIN.fullmatch(escaped):
        return escaped
    return '"' + _UNSHOWN.sub(_escaped, escaped) + '"'


def _escaped(match: re.Match[str]) -> str:
    char = match[0]
    if char in '"\\':
        return f"\\{char}"
    return "".join(f"\\x{byte:02x}" for byte in char.encode())


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode(errors="surrogateescape")).hexdigest()
