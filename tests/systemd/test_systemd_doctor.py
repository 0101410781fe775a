"""What the doctor says of the unit under real systemd."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from systemd_machine import PROGRAM

if TYPE_CHECKING:
    from systemd_machine import Host

pytestmark = [pytest.mark.systemd, pytest.mark.timeout(900)]

#: Enabled, and falls due in no test's time.
IDLE = """
[schedules.idle]
at = 2999-01-01T00:00:00
timezone = "UTC"
command = "true"
"""


def told(host: Host, about: str = "unit") -> list[tuple[str, str]]:
    """Return level and advice, or else what was found, of an examination."""
    said = json.loads(host.machine.ask(PROGRAM, "doctor", "--json").stdout)
    found = [each for each in said["findings"] if each["about"] == about]
    return [(each["level"], each["do"] or each["what"]) for each in found]


def test_the_doctor_follows_the_life_of_a_unit(host: Host) -> None:
    """Not installed, as it should be, not enabled, changed, of another version, stopped, gone."""
    host.write(IDLE)
    assert told(host) == [("warning", "flytesched service install --now")]

    host.install("--now")
    unit = f"/etc/systemd/system/{host.unit}"
    fine = [("ok", f"{unit} is enabled, runs, and is as this program makes it")]
    assert told(host) == fine
    assert told(host, "scheduler")[0][0] == "ok"
    assert told(host, "environment")[0][0] == "ok"
    host.install("--now", "--harden")
    assert told(host) == fine

    host.systemctl("disable", host.unit)
    assert told(host) == [("warning", f"systemctl enable {host.unit}")]
    host.systemctl("enable", host.unit)
    with (host.machine.root / unit.lstrip("/")).open("a") as file:
        file.write("# mine\n")
    assert told(host) == [("warning", "systemctl daemon-reload")]
    host.systemctl("daemon-reload")
    assert told(host) == fine

    host.systemctl("stop", host.unit)
    assert told(host) == [("problem", f"systemctl start {host.unit}")]


def test_a_program_that_only_a_terminal_finds_is_told(host: Host) -> None:
    """The PATH of a service is that of its manager."""
    host.machine.run("mkdir", "-p", "/opt/tools")
    host.machine.run("cp", "/bin/true", "/opt/tools/mine")
    host.write('[schedules.x]\nevery = "1h"\ncommand = ["mine"]\n')
    host.install("--now")

    path = "PATH=/opt/tools:/usr/bin:/bin"
    said = json.loads(host.machine.ask("env", path, PROGRAM, "doctor", "--json").stdout)

    (found,) = [each for each in said["findings"] if each["about"] == "commands"]
    assert found["level"] == "problem"
    assert found["what"] == "x: no such command 'mine'"
    assert found["do"] == "this terminal finds /opt/tools/mine: write that, or set PATH with env"
