"""Jobs get names: what they do, unique, and the same ones each time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flytesched.core.keys import NAME
from flytesched.crontab.names import assign, name_of, same
from flytesched.crontab.reading import read


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("/usr/local/bin/backup.sh --full", "backup"),
        ("backup", "backup"),
        ("~/bin/backup.py", "backup"),
        ('"$HOME/bin/back up.sh" now', "back-up-now"),
        ("cd /srv/app && ./bin/deploy --quick", "deploy"),
        ("test -x /a || ( cd / && run-parts --report /etc/cron.daily )", "cron.daily"),
        ("[ -x /a ] && if [ ! -d /run ]; then /usr/lib/php/sessionclean; fi", "sessionclean"),
        ("certbot -q renew", "certbot"),
        ("certbot renew -q", "certbot-renew"),
        ("git pull", "git-pull"),
        ("php artisan schedule:run", "artisan"),
        ("/usr/bin/php8.2 -q /var/www/cron.php", "cron"),
        ("python3 -m quarterly.report", "quarterly.report"),
        ("/usr/bin/env python3 /opt/job.py", "job"),
        ("LANG=C TZ=UTC /opt/job", "job"),
        ("sudo -u www-data /var/www/run-jobs.php", "run-jobs"),
        ("nice -n 19 ionice -c2 -n7 restic backup /home", "restic-backup"),
        ("flock -n /run/lock/sync.lock rsync -a /a /b", "rsync"),
        ("flock -n /run/lock/sync.lock -c 'rsync -a /a /b'", "rsync"),
        ("timeout 10m curl -fsS https://example.org", "curl"),
        ("su - postgres -c 'pg_dump shop'", "pg_dump-shop"),
        ("bash -c 'cd /x; exec /opt/tool run'", "tool-run"),
        ("bash -lc 'tool'", "tool"),
        ("bash", "bash"),
        ("perl -e 'sleep int(rand(9))' && certbot renew", "certbot-renew"),
        ("perl -e 'sleep int(rand(9))'", "perl"),
        ("cd /tmp", "cd"),
        ("echo hello > /tmp/x", "echo-hello"),
        ("'", "job"),
        ("", "job"),
        ("\u00e4\u00f6\u00fc", "job"),
        ("-x", "x"),
        ("/opt/" + "x" * 200, "x" * 60),
    ],
)  # fmt: skip
def test_a_name_says_what_a_command_does(command: str, name: str) -> None:
    """A row each."""
    assert name_of(command) == name


@given(st.text(max_size=60) | st.text("abc /;&|'\"=-.(){}$\n", max_size=60))
def test_every_command_has_a_name(command: str) -> None:
    """One that a schedule may have."""
    assert NAME.fullmatch(name_of(command))


def test_the_names_of_a_long_crontab_say_what_it_does() -> None:
    """So that a reader finds the line again."""
    content = (Path(__file__).parent / "collection.txt").read_bytes()
    crontab = read(content, timezone="Europe/Berlin")

    assert " ".join(name_of(job.command) for job in crontab.jobs) == (
        "tar mysqldump pg_dump find rotate-tapes certbot cron.hourly cron.daily debian-sa1"
        " debian-sa1 sessionclean cron artisan rsync restic-backup restic-forget logrotate"
        " docker-system curl monthly echo mail echo echo echo quarterly.report first-sunday"
        " run-jobs close-month zpool-scrub btrfs-balance fetchmail apt-get long-months"
        " bundle-exec backup expire-links open-market close-market"
    )


def _tables(*texts: str) -> list[tuple[str, dict[str, Any]]]:
    return [("job", {"command": text}) for text in texts]


def test_jobs_alike_are_numbered() -> None:
    """In their order."""
    assert assign(_tables("a", "b", "c"), {}) == ["job", "job-2", "job-3"]


def test_a_second_import_finds_the_names_of_the_first() -> None:
    """Wherever the lines stand by now, and whatever was switched off meanwhile."""
    known = {"job": {"command": "a"}, "job-2": {"command": "b", "enabled": False}}

    assert assign(_tables("new", "b", "a"), known) == ["job-3", "job-2", "job"]


def test_a_job_that_changed_asks_for_its_old_name() -> None:
    """Whoever asks is told that it is taken by what it was."""
    known = {"job": {"command": "a"}, "job-2": {"command": "b"}}

    assert assign(_tables("a", "changed"), known) == ["job", "job-2"]


def test_a_table_known_under_another_name_is_another_schedule() -> None:
    """It was not made from this job."""
    assert assign(_tables("a"), {"mine": {"command": "a"}, "job-x": {"command": "a"}}) == ["job"]


def test_two_jobs_alike_in_everything_are_two() -> None:
    """Each of them has a name of its own, at the second time too."""
    twice = _tables("a", "a")
    first = assign(twice, {})

    assert first == ["job", "job-2"]
    assert assign(twice, {name: {"command": "a"} for name in first}) == first


def test_a_switch_makes_no_difference() -> None:
    """Everything else does."""
    assert same({"cron": "x"}, {"cron": "x", "enabled": False, "pause_reason": "later"})
    assert not same({"cron": "x"}, {"cron": "y"})
