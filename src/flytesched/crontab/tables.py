"""What a job of a crontab is as a schedule's table: as much as keeps its meaning, and no more."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from flytesched.crontab.percent import fed

if TYPE_CHECKING:
    from flytesched.crontab.reading import Job

#: What cron gives a command where the crontab says nothing.
PATH = "/usr/bin:/bin"
SHELL = "/bin/sh"
#: Variables that cron itself reads. A command gets them as well, and hardly any asks for them.
_CRONS_OWN = frozenset(
    {
        "MAILTO", "MAILFROM", "CONTENT_TYPE", "CONTENT_TRANSFER_ENCODING", "CRON_TZ",
        "RANDOM_DELAY",
    }
)  # fmt: skip
#: Shells that know no here-document as /bin/sh does.
_FOREIGN = frozenset({"csh", "tcsh", "fish", "nu", "xonsh", "pwsh"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user of the machine."""

    #: Login name.
    name: str
    #: Home directory.
    home: str


def table(job: Job, account: Account | None = None) -> dict[str, Any]:
    """Return the table of a schedule that means what the job means.

    cron starts a job although the last one still runs, makes up nothing that was missed, and gives
    commands an environment of its own; this is written down. What is the same here is not.

    Args:
        job: of a crontab.
        account: whose job it is, if it is not whoever runs the scheduler, which is root then.
    """
    given = job.variables
    shell = given.get("SHELL", SHELL)
    text = fed(job.command, job.stdin)
    found: dict[str, Any] = {} if job.description is None else {"description": job.description}
    found |= {"cron": job.expression, "timezone": job.timezone}
    if delay := _delay(given.get("RANDOM_DELAY", "")):
        found["jitter"] = delay
    found["command"] = text if account is None else as_another(account.name, shell, text)
    if (home := given.get("HOME")) is not None:
        found["cwd"] = home
    elif account is not None:
        found["cwd"] = account.home
    found["env"] = _environment(job, account)
    if shell != SHELL:
        found["shell"] = shell
    return {**found, "overlap": "allow", "catchup": "none"}


def as_another(user: str, shell: str, text: str) -> list[str]:
    """Return the command with which root has a shell text run by another user."""
    return ["runuser", "-u", user, "--", shell, "-c", text]


def feeds(job: Job) -> bool:
    """Tell whether the job's shell can be given the job's stdin within its text."""
    return not job.stdin or PurePosixPath(job.variables.get("SHELL", SHELL)).name not in _FOREIGN


def _environment(job: Job, account: Account | None) -> dict[str, str]:
    """Return the variables that the command gets, PATH first."""
    kept = {
        name: value
        for name, value in job.variables.items()
        if name not in _CRONS_OWN or name in job.command
    }
    kept.pop("LOGNAME", None)  # cron sets it itself, over what the crontab says
    if kept.get("SHELL") == SHELL:
        del kept["SHELL"]
    whose = {} if account is None else {"HOME": account.home, "LOGNAME": account.name,
                                        "USER": account.name}  # fmt: skip
    return {"PATH": PATH, **whose, **kept}


def _delay(minutes: str) -> str | None:
    """Return the longest random delay, which cronie takes in minutes."""
    return f"{int(minutes)}m" if re.fullmatch(r"[0-9]{1,5}", minutes) and int(minutes) else None
