"""Schedules as a crontab: golden texts, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from flytesched.core.calendars import Calendar
from flytesched.core.schedule import Schedule
from flytesched.crontab.writing import Written, write

BERLIN = "Europe/Berlin"
LIKE_CRON: dict[str, Any] = {
    "timezone": BERLIN, "overlap": "allow", "catchup": "none", "env": {"PATH": "/usr/bin:/bin"},
}  # fmt: skip
BASH = {"shell": "/bin/bash"}


def _schedule(name: str = "job", **keys: Any) -> Schedule:
    when = (
        {} if keys.keys() & {"every", "daily", "hourly", "at", "aws_cron"} else {"cron": "@daily"}
    )
    return Schedule(name, **{**LIKE_CRON, "command": "true", **when, **keys})


def _written(*schedules: Schedule, user: str | None = None) -> Written:
    return write(schedules, timezone=BERLIN, user=user)


def _lines(*schedules: Schedule, user: str | None = None) -> list[str]:
    """Return the lines below the first, without blank ones."""
    written = _written(*schedules, user=user)
    assert written.refused == ()
    return [line for line in written.text.split("\n")[1:] if line]


def test_a_schedule_like_crons_is_a_name_and_a_line() -> None:
    """With its description, which stays on one line."""
    written = _written(
        _schedule("backup", description="nightly\nload\x1b[31m"), _schedule("other", daily="02:30")
    )

    assert written.notes == {}
    assert written.refused == ()
    assert written.text == (
        "# made by: flytesched export crontab\n"
        "\n"
        "# schedule: backup\n"
        "# nightly load [31m\n"
        "@daily true\n"
        "\n"
        "# schedule: other\n"
        "30 2 * * * true\n"
    )


def test_nothing_is_an_empty_crontab() -> None:
    """It may be installed."""
    assert _written().text == "# made by: flytesched export crontab\n"


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ("date +%F", r"date +\%F"),
        ("  a; b\n", "a; b"),
        (["echo", "it's", "50%", "", "$HOME"], "echo 'it'\"'\"'s' 50\\% '' '$HOME'"),
        ("exec <<'STDIN'\nDear all,\n\n9%\nSTDIN\nmail root", r"mail root%Dear all,%%9\%"),
        ("echo \\n \\a", "echo \\n \\a"),
    ],
)  # fmt: skip
def test_a_command_is_written_for_the_shell_and_for_cron(
    command: str | list[str], line: str
) -> None:
    """Percent signs are escaped, words are quoted."""
    assert _lines(_schedule(command=command))[-1] == f"@daily {line}"


@pytest.mark.parametrize(
    ("cwd", "line"),
    [
        ("~", "@daily true"),
        ("/srv/my app", "@daily cd '/srv/my app' || exit; true"),
        ("~/my app", "@daily cd ~/'my app' || exit; true"),
        ("app", "@daily cd app || exit; true"),
    ],
)
def test_a_directory_is_gone_to_first(cwd: str, line: str) -> None:
    """cron starts everything at home."""
    assert _lines(_schedule(cwd=cwd))[-1] == line


def test_variables_are_set_above_and_unset_where_they_do_not_belong() -> None:
    """A crontab cannot take back what it has set; those that need little come first."""
    assert _lines(
        _schedule("a", env={"A": "1", "B": " x", "PATH": "/opt/bin"}, **BASH),
        _schedule("b", env={"A": "2", "PATH": "/usr/bin:/bin"}),
        _schedule("c"),
        _schedule("d", env={"C": "", "D": "", "PATH": "/usr/bin:/bin"}),
    ) == [
        "# schedule: c", "@daily true",
        "A=2", "# schedule: b", "@daily true",
        "SHELL=/bin/bash", "PATH=/opt/bin", "A=1", 'B=" x"', "# schedule: a", "@daily true",
        "SHELL=/bin/sh", "PATH=/usr/bin:/bin", 'C=""', 'D=""', "# schedule: d",
        "@daily unset A B; true",
    ]  # fmt: skip


def test_a_home_of_its_own_comes_last() -> None:
    """No line says where the real one is."""
    assert _lines(
        _schedule("a", cwd="/srv", env={"HOME": "/srv", "PATH": "/usr/bin:/bin"}),
        _schedule("b", timezone="Asia/Tokyo"),
    ) == [
        "CRON_TZ=Asia/Tokyo", "# schedule: b", "@daily true",
        "HOME=/srv", "CRON_TZ=Europe/Berlin", "# schedule: a", "@daily true",
    ]  # fmt: skip


def test_other_zones_have_blocks_of_their_own() -> None:
    """After the machine's, which needs none; what has no clock goes anywhere."""
    tokyo = {"timezone": "Asia/Tokyo"}
    written = _written(_schedule("a", **tokyo), _schedule("b"), _schedule("c", **tokyo),
                       _schedule("d", every="5m"), _schedule("e", every="6h"))  # fmt: skip

    assert [line for line in written.text.split("\n") if line][1:] == [
        "# schedule: b", "@daily true",
        "# schedule: d", "*/5 * * * * true",
        "CRON_TZ=Asia/Tokyo", "# schedule: a", "@daily true", "# schedule: c", "@daily true",
        "CRON_TZ=UTC", "# schedule: e", "0 */6 * * * true",
    ]  # fmt: skip
    assert [
        (names, "Debian's cron ignores it" in what) for what, names in written.notes.items()
    ] == [(("a", "c", "e"), True)]


def test_times_that_share_no_minute_have_lines_and_names_of_their_own() -> None:
    """The slots are those of one schedule."""
    assert _lines(_schedule("a", daily=["02:00", "03:30"])) == [
        "# schedule: a", "0 2 * * * true", "# schedule: a-2", "30 3 * * * true",
    ]  # fmt: skip


def test_what_is_disabled_is_a_comment() -> None:
    """It means the same, and is said."""
    written = _written(_schedule("a", enabled=False))

    assert written.text.endswith("# schedule: a\n# disabled: @daily true\n")
    assert written.refused == ()
    assert written.notes == {"it is disabled: its line is a comment": ("a",)}


def test_the_crontab_of_the_system_has_a_user() -> None:
    """Root's scheduler runs others with runuser; that is what the column is for."""
    other = ["runuser", "-u", "www-data", "--", "/bin/bash", "-c", "date +%F"]
    env = {"PATH": "/usr/bin:/bin", "HOME": "/var/www", "LOGNAME": "www-data", "USER": "www-data"}

    assert _lines(_schedule("a"), _schedule("b", command=other, env=env, cwd="/var/www"),
                  user="root") == [
        "# schedule: a", "@daily root true",
        "SHELL=/bin/bash", "HOME=/var/www", "# schedule: b", r"@daily www-data date +\%F",
    ]  # fmt: skip


def test_what_cron_does_otherwise_is_noted() -> None:
    """With the schedules it is true of."""
    plain = Schedule("plain", cron="@daily", timezone=BERLIN, command="true")
    notes = _written(_schedule("a"), plain, _schedule("b", overlap="queue")).notes

    assert {what.partition(";")[0]: names for what, names in notes.items()} == {
        "cron starts it although the last run still runs": ("plain", "b"),
        "cron never makes up what was missed": ("plain",),
        "cron gives it PATH=/usr/bin:/bin": ("plain",),
    }


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"timeout": "2h"}, "a crontab has no timeout; put timeout(1) in front"),
        ({"retry": {"max_attempts": 3}}, "a crontab has no retry"),
        ({"jitter": "5m"}, "a crontab has no jitter"),
        ({"env_file": "/etc/default/x"}, "a crontab has no env_file"),
        ({"kickoff_time_arg": "--at"}, "a crontab has no kickoff_time_arg"),
        ({"on_failure": "mail root"}, "a crontab has no on_failure"),
        ({"on_late": "mail root"}, "a crontab has no on_late"),
        ({"notify": ["ops"]}, "a crontab has no notify"),
        ({"ping_url": "https://hc-ping.com/x"}, "a crontab has no ping_url"),
        ({"paused_until": "2999-01-01"}, "a crontab has no paused_until"),
        ({"calendars": [Calendar(name="x", weekdays=["sat"])]}, "a crontab has no calendars; let"),
        ({"executor": "python", "command": "m:f"}, "cron runs no Python functions"),
        ({"on_interrupted": "rerun"}, "cron does not run again"),
        ({"every": "90s"}, "cron knows no period of 1m30s"),
        ({"at": "2999-01-01T00:00:00"}, "a crontab has no line for a single moment; use at(1)"),
        ({"command": "a\nb"}, "its command has several lines; put them into a script"),
        ({"command": "*x"}, "its command begins with *"),
        ({"command": "x" * 999}, "its command has over 998 bytes"),
        ({"command": "echo $FLYTESCHED_SCHEDULED_AT"}, "reads FLYTESCHED_SCHEDULED_AT, which"),
        ({"env": {"A": "' \""}}, "a crontab cannot set A to that value"),
        ({"env": {"A": "b "}}, "a crontab cannot set A to that value"),
        ({"env": {"A": "b\nc"}}, "a crontab cannot set A to that value"),
        ({"env": {"A": "x" * 999}}, "a crontab cannot set A to that value"),
        ({"env": {"LOGNAME": "x"}}, "cron sets LOGNAME itself"),
        ({"env": {"HOME": "/x"}}, "cron would run it in the HOME that env sets"),
        ({"command": None}, "it has no command"),
    ],
)
def test_what_no_crontab_can_say_is_left_out_with_its_reason(
    keys: dict[str, Any], says: str
) -> None:
    """As a comment, so that nobody forgets it."""
    written = _written(_schedule("a", description="why", **keys))

    (refused,) = written.refused
    (reason,) = refused.reasons
    assert says in reason
    assert written.text.endswith(f"\n# schedule: a\n# why\n# left out: {reason}\n")


def test_every_reason_is_said() -> None:
    """Not only the first one."""
    written = _written(_schedule(timeout="2h", every="90s", command="a\nb"))

    assert [len(each.reasons) for each in written.refused] == [3]
