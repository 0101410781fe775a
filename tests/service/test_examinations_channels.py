"""doctor: what it finds wrong with channels and ping URLs."""

from __future__ import annotations

import socket
import sys
from typing import TYPE_CHECKING, Any

import pytest

from desk import Desk
from flytesched.bootstrap import open_site
from flytesched.clock import now
from flytesched.core.decision import Decision
from flytesched.core.telling.events import Event, Notice, NoticeStatus
from flytesched.service import vitals
from flytesched.service.doctor import doctor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flytesched.bootstrap import Site

DAY = 86_400.0
OPS = """
[channels.ops]
kind = "mail"
to = "ops@example.org"
"""
JOB = """
[schedules.job]
every = "1h"
command = "true"
notify = ["ops"]
"""


class Ward:
    """A site whose channels can be spoilt."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environ = {"HOME": str(home), "PATH": "/usr/bin:/bin"}

    @property
    def site(self) -> Site:
        return open_site(
            manifest=str(self.home / "schedules.toml"), state_dir=str(self.home / "state"),
            environ=self.environ,
        )  # fmt: skip

    def write(self, text: str) -> None:
        (self.home / "schedules.toml").write_text(f"version = 1\n{text}")

    def told(self, channel: str, status: NoticeStatus, ago: float, **keys: Any) -> None:
        """Let a channel have been told something, some seconds ago."""
        moment = now() - ago
        ended = None if status is NoticeStatus.QUEUED else moment
        notice = Notice(
            channel=channel, event=Event.FAILURE, schedule="job", about=f"{moment}", facts="{}",
            created=moment, status=status, ended=ended, **keys,
        )  # fmt: skip
        runlog = self.site.runlog()
        runlog.apply(Decision(notices=(notice,)))
        runlog.close()

    def told_of(self) -> list[str]:
        """Return what the doctor tells of channels, as people read it."""
        examinations = [each for each in vitals.EXAMINATIONS if each.about == "channels"]
        return [
            f"{each.level}: {each.what}; {each.do}" if each.do else f"{each.level}: {each.what}"
            for each in doctor(self.site, examinations).findings
        ]


@pytest.fixture
def ward(tmp_path: Path) -> Ward:
    """Give a site with nothing but a home."""
    return Ward(tmp_path)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Give a desk in the same home, for a scheduler; its loops are ended with the test."""
    desk = Desk([sys.executable, "-m", "flytesched"], tmp_path)
    yield desk
    desk.clear()


def test_nobody_need_be_told_of_anything(ward: Ward) -> None:
    """A schedule without channels and hooks is not ill."""
    ward.write('[schedules.job]\nevery = "1h"\ncommand = "true"\n')

    assert ward.told_of() == ["ok: there is no channel, and nobody is told of anything"]


def test_a_broken_manifest_hides_its_channels(ward: Ward) -> None:
    """That it is broken is another finding."""
    ward.write("broken")

    assert ward.told_of() == ["ok: none can be looked at in a manifest that is broken"]


def test_channels_that_work_are_well(ward: Ward) -> None:
    """Mail goes by this machine's own server, which knows its names."""
    ward.write(OPS + JOB)
    ward.told("ops", NoticeStatus.SENT, 5)

    (told,) = ward.told_of()

    assert told.startswith("ok: each is named by a schedule, has what it needs")


def test_a_channel_that_nobody_names_is_told_of_nothing(ward: Ward) -> None:
    """Somebody may rely on it."""
    ward.write(OPS)

    assert ward.told_of() == [
        'warning: no schedule names ops: it is told of nothing; write notify = ["ops"] in a '
        "schedule or in [defaults], or remove the table"
    ]


# -- secrets ------------------------------------------------------------------------------------


def test_a_file_with_a_secret_that_is_not_there_is_a_problem(ward: Ward) -> None:
    """A path may begin with the home of whoever sends."""
    ward.write(f'{OPS}user = "me"\npassword_file = "~/secret"\n{JOB}')

    (told,) = ward.told_of()

    assert told == (
        "problem: ops: password_file cannot be read: no such file or directory "
        f"({ward.home}/secret); make that file, or name the one that is meant"
    )


def test_a_file_with_a_secret_has_one_line(ward: Ward) -> None:
    """Or something else was written into it by mistake."""
    (ward.home / "secret").write_text("one\ntwo\n")
    (ward.home / "secret").chmod(0o600)
    ward.write(f'{OPS}user = "me"\npassword_file = "{ward.home}/secret"\n{JOB}')

    (told,) = ward.told_of()

    assert told.startswith("problem: ops: password_file does not hold one line of text")
    assert "two" not in told


@pytest.mark.parametrize(("mode", "ill"), [(0o600, False), (0o640, False), (0o644, True)])
def test_a_secret_that_anybody_may_read_is_a_warning(ward: Ward, mode: int, ill: bool) -> None:
    """A group may: it is how a scheduler of its own user gets at it."""
    path = ward.home / "secret"
    path.write_text("https://chat.example.org/s3cret\n")
    path.chmod(mode)
    ward.write(f'[channels.ops]\nkind = "webhook"\nurl_file = "{path}"\n{JOB}')

    (told,) = ward.told_of()

    said = f"warning: ops: anybody may read {path}, its url_file; chmod o= it"
    assert (told == said) is ill
    assert "s3cret" not in told


def test_a_variable_that_is_not_set_here_may_be_set_there(ward: Ward) -> None:
    """Nobody knows without a scheduler that runs."""
    ward.write(f'{OPS}user = "me"\npassword_env = "MAIL_SECRET"\n{JOB}')
    missing = ward.told_of()
    ward.environ |= {"MAIL_SECRET": "x"}

    assert missing == [
        "warning: ops: password_env names MAIL_SECRET, which is not set here; see that it is set "
        "where the scheduler starts"
    ]
    assert ward.told_of()[0].startswith("ok: ")


def test_a_variable_that_the_scheduler_does_not_have_is_a_problem(ward: Ward, desk: Desk) -> None:
    """Whatever this terminal has."""
    ward.write(f'{OPS}user = "me"\npassword_env = "MAIL_SECRET"\n{JOB}')
    ward.environ |= {"MAIL_SECRET": "x"}
    desk.start()

    (told,) = ward.told_of()

    assert told.startswith("problem: ops: the scheduler has no variable MAIL_SECRET, which pass")


# -- addresses ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ('from = "me"', "from = 'me' is no address elsewhere: many servers refuse such mail"),
        ('from = "me@db1"', "from = 'me@db1' is no address elsewhere"),
        ('from = "me@.db1."', "from = 'me@.db1.' is no address elsewhere"),
        ('from = "me@example.org"\nto = "root"', "to: 'root' is no address elsewhere"),
    ],
)
def test_an_address_that_only_this_machine_knows_is_a_warning(
    ward: Ward, lines: str, says: str
) -> None:
    """Where the mail goes by another machine."""
    to = "" if "to =" in lines else 'to = "ops@example.org"\n'
    ward.write(f'[channels.ops]\nkind = "mail"\nhost = "mail.example.org"\n{to}{lines}\n{JOB}')

    (told,) = ward.told_of()

    assert told.startswith(f"warning: ops: {says}")
    assert told.endswith("with a whole domain")


def test_without_a_from_the_name_of_the_machine_counts(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is what mail is sent from then."""
    ward.write(OPS + 'host = "mail.example.org"\n' + JOB)
    # The machine of a test has some name or other.
    monkeypatch.setattr(socket, "gethostname", lambda: "db1.example.org")
    whole = ward.told_of()
    monkeypatch.setattr(socket, "gethostname", lambda: "db1")

    assert whole[0].startswith("ok: ")
    assert "without a from it is 'flytesched@db1', which is no address" in ward.told_of()[0]


@pytest.mark.parametrize(
    ("url", "ill"),
    [
        ("https://hc.example.org/s3cret", False),
        ("http://localhost:8000/s3cret", False),
        ("http://127.0.0.1/s3cret", False),
        ("http://[::1]:80/s3cret", False),
        ("http://hc.example.org:8000/s3cret", True),
        ("HTTP://hc.example.org?s3cret", True),
    ],
)
def test_what_can_be_read_on_its_way_is_a_warning(ward: Ward, url: str, ill: bool) -> None:
    """Ping URLs and webhooks; this machine is no way."""
    ward.write(
        f'[channels.ops]\nkind = "webhook"\nurl = "{url}"\n{JOB}ping_url = "{url}"\n'
        f'[schedules.more]\nevery = "1h"\ncommand = "true"\nping_url = "{url}"\n'
    )

    told = ward.told_of()

    assert [each.partition(" is not https")[0].partition("/...")[0] for each in told] == (
        [f"warning: ops: {url[: url.index('s3cret') - 1]}",
         "warning: 2 schedules, such as job: ping_url"]
        if ill else told
    )  # fmt: skip
    assert "s3cret" not in "".join(told)


# -- what got through ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ago", "level"), [(DAY / 2, "warning"), (DAY + 60, "problem")], ids=["hours", "a day"]
)
def test_a_channel_that_fails_for_a_day_is_a_problem(ward: Ward, ago: float, level: str) -> None:
    """What went wrong in the meantime, nobody was told."""
    ward.write(OPS + JOB)
    ward.told("ops", NoticeStatus.QUEUED, ago, why="localhost: connection refused", tries=9)

    (told,) = ward.told_of()

    assert told.startswith(f"{level}: ops: it fails since 20")
    assert told.endswith(
        ": localhost: connection refused; see that host and port are right, and that the server "
        "runs; flytesched notify test ops"
    )


def test_ping_urls_that_fail_are_tried_by_schedule(ward: Ward) -> None:
    """Each schedule has its own."""
    ward.write(f'{OPS}{JOB}ping_url = "https://hc.example.org/x"\n')
    ward.told("ping_url", NoticeStatus.FAILED, 5, why="no check has the address of ping_url")

    (told,) = ward.told_of()

    assert ": job: no check has the address of ping_url; copy the ping URL of the check" in told
    assert told.endswith("; flytesched notify test --schedule NAME")
