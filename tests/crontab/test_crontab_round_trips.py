"""Crontab to schedules to crontab to schedules: when and what stay the same."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from flytesched.core.schedule import Schedule
from flytesched.core.timetables import slots
from flytesched.core.timetables.zones import HORIZON
from flytesched.crontab.names import assign, name_of
from flytesched.crontab.percent import unfed
from flytesched.crontab.reading import Job, read
from flytesched.crontab.tables import Account, feeds, table
from flytesched.crontab.writing import write

BERLIN = "Europe/Berlin"
COLLECTION = (Path(__file__).parent / "collection.txt").read_bytes()
JOBS = read(COLLECTION, timezone=BERLIN).jobs
#: Some hours before Berlin's clock goes forward in 2026, and back.
CHANGES = (1_774_735_200, 1_792_879_200)


def _schedules(jobs: tuple[Job, ...]) -> list[Schedule]:
    tables = [table(job) for job in jobs]
    bases = [job.name or name_of(job.command) for job in jobs]
    names = assign(list(zip(bases, tables, strict=True)), {})
    return [Schedule(name, **keys) for name, keys in zip(names, tables, strict=True)]


def _again(schedules: list[Schedule]) -> list[Schedule]:
    """Return what a second import makes of an export."""
    written = write(schedules, timezone=BERLIN)
    assert written.refused == ()
    crontab = read(written.text.encode(), timezone=BERLIN)
    assert [each for each in crontab.remarks if each.grade != "note"] == []
    return _schedules(crontab.jobs)


def _meaning(schedule: Schedule) -> tuple[Any, ...]:
    """Return when a schedule starts what: a hundred slots around each change of the clock."""
    assert schedule.command is not None
    walks = [islice(slots(schedule.timetable, after, HORIZON), 100) for after in CHANGES]
    return (
        *map(tuple, walks), schedule.command, dict(schedule.env), schedule.shell, schedule.cwd,
        schedule.overlap, schedule.catchup, schedule.description,
    )  # fmt: skip


def test_the_collection_is_long_and_all_of_it_is_carried_over() -> None:
    """At least thirty lines as people write them, and only notes on them."""
    crontab = read(COLLECTION, timezone=BERLIN)
    lines = [
        line for line in COLLECTION.decode().splitlines() if line and line[0] in "*@0123456789"
    ]

    assert len(crontab.jobs) == len(lines) >= 30
    assert {remark.grade.value for remark in crontab.remarks} == {"note"}


@pytest.mark.parametrize("job", JOBS, ids=lambda job: f"line {job.line}")
def test_a_job_keeps_its_command_and_its_times(job: Job) -> None:
    """Each line alone; its schedule has the expression as it stands."""
    (first,) = _schedules((job,))
    (second,) = _again([first])

    assert first.command is not None
    assert unfed(first.command.text or "") == (job.command, job.stdin)
    assert _meaning(second) == _meaning(first)
    assert second.name == first.name


def test_the_whole_collection_comes_back_with_its_names() -> None:
    """Variables and zones change within it."""
    first = _schedules(JOBS)
    second = _again(first)

    assert {each.name: _meaning(each) for each in second} == {
        each.name: _meaning(each) for each in first
    }
    assert write(_again(second), timezone=BERLIN).text == write(second, timezone=BERLIN).text


def test_a_job_is_carried_over_with_what_cron_gives_it() -> None:
    """And with nothing else."""
    (job,) = read(b"# nightly\n0 2 * * * backup\n", timezone=BERLIN).jobs

    assert table(job) == {
        "description": "nightly", "cron": "0 2 * * *", "timezone": BERLIN, "command": "backup",
        "env": {"PATH": "/usr/bin:/bin"}, "overlap": "allow", "catchup": "none",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("variables", "keys"),
    [
        ("SHELL=/bin/bash", {"shell": "/bin/bash", "env": {"SHELL": "/bin/bash"}}),
        ("SHELL=/bin/sh", {}),
        ("PATH=/opt/bin", {"env": {"PATH": "/opt/bin"}}),
        ("HOME=/srv", {"cwd": "/srv", "env": {"HOME": "/srv"}}),
        ("TZ=Asia/Tokyo", {"env": {"TZ": "Asia/Tokyo"}}),
        ("MAILTO=me", {}),
        ("TO=me\nMAILFROM=you\nLOGNAME=x", {"env": {"TO": "me"}}),
        ("RANDOM_DELAY=45", {"jitter": "45m"}),
        ("RANDOM_DELAY=0", {}),
        ("RANDOM_DELAY=some", {}),
    ],
)
def test_variables_are_what_they_mean(variables: str, keys: dict[str, Any]) -> None:
    """What cron alone reads is no variable of the command."""
    (job,) = read(f"{variables}\n@daily x\n".encode(), timezone=BERLIN).jobs
    plain = {
        "cron": "@daily", "timezone": BERLIN, "command": "x", "env": {"PATH": "/usr/bin:/bin"},
        "overlap": "allow", "catchup": "none",
    }  # fmt: skip

    found = table(job)

    env = {**plain["env"], **keys.pop("env", {})}  # type: ignore[dict-item]
    assert found == {**plain, "env": env, **keys}


def test_a_variable_that_cron_reads_is_kept_where_the_command_asks_for_it() -> None:
    """cron passes it on, after all."""
    (job,) = read(b'MAILTO=me\n@daily mail -s x "$MAILTO"\n', timezone=BERLIN).jobs

    assert table(job)["env"]["MAILTO"] == "me"


def test_the_job_of_another_is_run_by_root_as_that_user() -> None:
    """With the home and the names that cron gives it; and it finds its column again."""
    jobs = read(b"@daily www-data date%x\n", timezone=BERLIN, system=True).jobs
    account = Account(name="www-data", home="/var/www")
    keys = table(jobs[0], account)

    text = "exec <<'STDIN'\nx\nSTDIN\ndate"
    assert keys["command"] == ["runuser", "-u", "www-data", "--", "/bin/sh", "-c", text]
    assert keys["cwd"] == "/var/www"
    assert keys["env"] == {
        "PATH": "/usr/bin:/bin", "HOME": "/var/www", "LOGNAME": "www-data", "USER": "www-data",
    }  # fmt: skip
    written = write([Schedule("a", **keys)], timezone=BERLIN, user="root")
    assert "@daily www-data date%x\n" in written.text
    (again,) = read(written.text.encode(), timezone=BERLIN, system=True).jobs
    assert table(again, account) == keys


def test_a_shell_without_here_documents_takes_no_stdin() -> None:
    """What it would make of one nobody knows."""
    fish, bash = read(b"SHELL=/usr/bin/fish\n@daily a%b\nSHELL=/bin/bash\n@daily a%b\n",
                      timezone=BERLIN).jobs  # fmt: skip

    assert (feeds(fish), feeds(bash)) == (False, True)


FIELDS = st.tuples(
    st.sampled_from(["*", "*/7", "0", "5-55/10", "0,30", "59", "1-3,7,40-50/3"]),
    st.sampled_from(["*", "*/2", "2", "0-23/3", "2,3", "1-4"]),
    st.sampled_from(["*", "1", "*/2", "1-7", "31", "28-31"]),
    st.sampled_from(["*", "3", "10", "mar,oct", "1-12/3"]),
    st.sampled_from(["*", "0", "7", "mon-fri", "*/7", "SUN", "5-7"]),
).map(" ".join)
WHEN = FIELDS | st.sampled_from(["@hourly", "@daily", "@weekly", "@monthly", "@yearly"])
COMMANDS = st.text("abc/ '\"\\%$&;|#=\u00e4\x1b", min_size=1, max_size=20)
SETTINGS = st.tuples(
    st.sampled_from(["A", "B", "PATH", "SHELL", "HOME", "CRON_TZ", "TZ"]),
    st.sampled_from(["x", "", "a b", "/bin/bash", "Asia/Tokyo", "UTC", "it's"]),
).map(lambda pair: f'{pair[0]}="{pair[1]}"')
LINES = st.lists(st.tuples(WHEN, COMMANDS).map(" ".join) | SETTINGS, max_size=8)


@given(LINES)
def test_what_is_carried_over_comes_back(lines: list[str]) -> None:
    """Whatever stands in a crontab: it is refused with a reason, or it keeps its meaning."""
    crontab = read("\n".join(lines).encode(), timezone=BERLIN)
    jobs = tuple(job for job in crontab.jobs if _usable(job))
    assume(jobs)
    schedules = _schedules(jobs)
    written = write(schedules, timezone=BERLIN)
    refused = {each.name for each in written.refused}
    kept = [each for each in schedules if each.name not in refused]

    found = {
        each.name: each for each in _schedules(read(written.text.encode(), timezone=BERLIN).jobs)
    }

    assert list(found) != [] or not kept
    assert found.keys() == {each.name for each in kept}
    for each in kept:
        assert _when(found[each.name]) == _when(each)
        assert _what(found[each.name]) == _what(each)


def _usable(job: Job) -> bool:
    try:
        Schedule("job", **table(job))
    except ValueError:
        return False
    return bool(job.command.strip())


def _when(schedule: Schedule) -> list[int]:
    return list(islice(slots(schedule.timetable, CHANGES[0], HORIZON), 20))


def _what(schedule: Schedule) -> tuple[str, dict[str, str], str]:
    """Return what the shell gets; what earlier lines have set is unset in front of the command."""
    text, env = schedule.command.text or "", dict(schedule.env)  # type: ignore[union-attr]
    command, stdin = unfed(text)
    if command.startswith("unset "):
        names, _, command = command.removeprefix("unset ").partition("; ")
        env = {name: value for name, value in env.items() if name not in names.split()}
    return f"{stdin}\0{command.rstrip()}", env, schedule.shell
