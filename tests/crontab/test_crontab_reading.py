"""A crontab is taken apart: jobs, what is in force for them, and what has to be said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flytesched.crontab.reading import MOST_LINES, Crontab, Grade, Job, read

BERLIN = "Europe/Berlin"


def _read(text: str | bytes, *, system: bool = False) -> Crontab:
    content = text if isinstance(text, bytes) else text.encode()
    return read(content, timezone=BERLIN, system=system)


def _job(text: str, *, system: bool = False) -> Job:
    crontab = _read(text, system=system)
    assert len(crontab.jobs) == 1, crontab
    return crontab.jobs[0]


@pytest.mark.parametrize(
    ("line", "expression", "command"),
    [
        ("0 2 * * * backup", "0 2 * * *", "backup"),
        ("  0\t2 *  * *\t backup --all ", "0 2 * * *", "backup --all "),
        ("@daily backup", "@daily", "backup"),
        ("@daily\tbackup", "@daily", "backup"),
        ("-*/5 * * * * quiet", "*/5 * * * *", "quiet"),
        ("0 9 * jan-mar mon,WED x", "0 9 * jan-mar mon,WED", "x"),
        ("* * * * * A=1 b", "* * * * *", "A=1 b"),
        ("* * * * * # no comment here", "* * * * *", "# no comment here"),
        ("0 2 * * * backup\r\n", "0 2 * * *", "backup"),
        ("\ufeff0 2 * * * backup", "0 2 * * *", "backup"),
    ],
)
def test_a_job_is_its_fields_and_the_rest_of_the_line(
    line: str, expression: str, command: str
) -> None:
    """Blanks and tabs separate; a last line needs no end."""
    job = _job(line)

    assert (job.expression, job.command, job.user) == (expression, command, None)


@pytest.mark.parametrize(
    ("line", "user", "command"),
    [
        ("17 * * * * root cd / && run", "root", "cd / && run"),
        ("17 * * * *\troot\tcd /\t&& run", "root", "cd /\t&& run"),
        ("@daily www-data  php x", "www-data", "php x"),
    ],
)
def test_a_job_of_the_system_names_its_user(line: str, user: str, command: str) -> None:
    """Between the fields and the command."""
    job = _job(line, system=True)

    assert (job.user, job.command) == (user, command)


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("A=b", "A", "b"),
        ("A = b c  ", "A", "b c"),
        ("  A\t=\tb", "A", "b"),
        ('A=" b "', "A", " b "),
        ("A = ' b '  ", "A", " b "),
        ('A="it\'s"', "A", "it's"),
        ('"A"=b', "A", "b"),
        ("'A' = b", "A", "b"),
        ('A=""', "A", ""),
        ("A=", "A", ""),
        ("A=b # c", "A", "b # c"),
        ("A=$HOME/bin:$PATH", "A", "$HOME/bin:$PATH"),
        ("A=x=y", "A", "x=y"),
        ('A=b"c', "A", 'b"c'),
    ],
)
def test_a_variable_is_in_force_for_the_jobs_below(line: str, name: str, value: str) -> None:
    """Quotes keep blanks; nothing is expanded, and nothing is a comment."""
    above, below = _read(f"* * * * * x\n{line}\n* * * * * y\n").jobs

    assert above.variables == {}
    assert below.variables == {name: value}


def test_a_variable_may_be_set_anew() -> None:
    """Each job has what was set last above it."""
    jobs = _read("A=1\n* * * * * x\nA=2\nB=3\n* * * * * y\n").jobs

    assert [job.variables for job in jobs] == [{"A": "1"}, {"A": "2", "B": "3"}]


def test_cron_tz_moves_the_times_below() -> None:
    """And an empty one moves them back."""
    jobs = _read("@daily a\nCRON_TZ=Asia/Tokyo\n@daily b\nCRON_TZ=\n@daily c\n").jobs

    assert [job.timezone for job in jobs] == [BERLIN, "Asia/Tokyo", BERLIN]


@pytest.mark.parametrize(
    ("comment", "description"),
    [
        ("# nightly", "nightly"),
        ("#nightly", "nightly"),
        ("### nightly  load ###", "nightly load ###"),
        ("# the nightly\n# load", "the nightly load"),
        ("# other\n\n# nightly", "nightly"),
        ("# other\n#\n# nightly", "nightly"),
        ("# other\n# -----\n# nightly", "nightly"),
        ("# nightly\n", None),
        ("# m h  dom mon dow   command", None),
        ("# Minute Hour Day Month Weekday Command", None),
        ("# nightly\n# m h dom mon dow command", "nightly"),
        ("#0 3 * * * /old/backup", None),
        ("# @reboot /old/start", None),
        ("# nightly\nA=1", None),
        ("# \x1b[31mred\x07", "[31mred"),
        ("# sch\u00f6n", "sch\u00f6n"),
    ],
)
def test_the_comment_right_above_describes_a_job(comment: str, description: str | None) -> None:
    """Not headings, not jobs taken out of use, not what stands apart."""
    assert _job(f"{comment}\n0 2 * * * backup\n").description == description


def test_a_comment_of_an_export_names_its_job() -> None:
    """Beside what describes it; what can be no name is none."""
    named = _job("# schedule: backup\n# nightly\n@daily x")
    unnamed = _job("# schedule: -x\n@daily x")

    assert (named.name, named.description) == ("backup", "nightly")
    assert (unnamed.name, unnamed.description) == (None, None)


@pytest.mark.parametrize(
    ("line", "grade", "says", "instead"),
    [
        ("@reboot start", Grade.LOST, "@reboot names no time", "systemd"),
        ("MAILTO=me@example.org", Grade.LOST, "not mailed to me@example.org", "on_failure"),
        ("CRON_TZ=Asia/Tokyo", Grade.NOTE, "in Asia/Tokyo", "Debian's cron ignores CRON_TZ"),
        ("CRON_TZ=", Grade.NOTE, "an empty CRON_TZ leaves the times below", "CRON_TZ=UTC"),
        ('CRON_TZ=""', Grade.NOTE, "to the machine's time zone", "CRON_TZ=UTC"),
        ("TZ=Asia/Tokyo", Grade.NOTE, "for the commands alone", "set timezone"),
        (r"@daily a \\ b", Grade.NOTE, r"\\ is one backslash", "cronie, which leaves two"),
        ("LOGNAME=x", Grade.NOTE, "cron sets LOGNAME itself", "no effect"),
        ("0~30 * * * * x", Grade.UNREADABLE, "cannot be read", "jitter"),
        ("22-2 * * * * x", Grade.UNREADABLE, "runs backward", "22-59,0-2"),
        ("0 24 * * * x", Grade.UNREADABLE, "24 is not one of 0 to 23", "midnight is hour 0"),
        ("0 0 31 2 * x", Grade.UNREADABLE, "it never fires", "L is the last day"),
        ("0 0 15W * * x", Grade.UNREADABLE, "cannot be read", "aws_cron"),
        ("@noon x", Grade.UNREADABLE, "'@noon' is no cron expression", "@daily"),
        ("@every 5m x", Grade.UNREADABLE, "cron knows no @every", "--every"),
        ("0 2 * * *", Grade.UNREADABLE, "there is no command", "write it behind"),
        ("@daily", Grade.UNREADABLE, "there is no command", "write it behind"),
        ("0 2 * * backup", Grade.UNREADABLE, "'BACKUP'", "the names are SUN to SAT"),
        ("0 0 2 * * * x", Grade.UNREADABLE, "a field too many", "a line has five fields"),
        ("hello", Grade.UNREADABLE, "no line of a crontab", "five fields and a command"),
        ('A="b" c', Grade.UNREADABLE, "no line of a crontab", "NAME=value"),
        ("0 0 * * * \x00", Grade.UNREADABLE, "not UTF-8 text", "save the file as UTF-8"),
        ("9A=b", Grade.UNREADABLE, "'9A' is no name of a variable", "not a digit first"),
    ],
)
def test_what_is_not_carried_over_is_said(line: str, grade: Grade, says: str, instead: str) -> None:
    """With its line, and what to do."""
    (remark,) = _read(f"# first\n{line}\n").remarks

    assert (remark.line, remark.grade) == (2, grade)
    assert says in remark.what
    assert instead in (remark.instead or "")
    assert str(remark) == f"{remark.what}; {remark.instead}"


def test_nobody_is_mailed_is_nothing_lost() -> None:
    """MAILTO="" asks for what happens here anyway."""
    assert _read('MAILTO=""\n@daily x').remarks == ()


@pytest.mark.parametrize("line", ["@daily", "@daily root", "@daily root "])
def test_a_job_of_the_system_needs_user_and_command(line: str) -> None:
    """The user alone is none."""
    (remark,) = _read(line, system=True).remarks

    assert (remark.what, remark.instead) == (
        "there is no command", "write the user, then the command",
    )  # fmt: skip


def test_bytes_that_are_no_text_cost_their_line_only() -> None:
    """In a comment they cost nothing."""
    crontab = _read(b"# caf\xe9\n@daily caf\xe9\n@hourly tea\n")

    assert [job.command for job in crontab.jobs] == ["tea"]
    assert [(each.line, each.what) for each in crontab.remarks] == [(2, "it is not UTF-8 text")]


def test_more_lines_than_cron_takes_are_refused() -> None:
    """What stands above them counts."""
    crontab = _read("@daily x\n" * (MOST_LINES + 7))

    assert len(crontab.jobs) == MOST_LINES
    (remark,) = crontab.remarks
    assert (remark.line, remark.grade) == (MOST_LINES + 1, Grade.LOST)
    assert remark.what == "this and the 6 lines that follow are too many"


@given(
    st.lists(
        st.one_of(
            st.binary(max_size=40),
            st.text("*/0123456789,-@~%=\"'#Aab \t\r", max_size=40).map(str.encode),
            st.sampled_from([b"@daily x", b"* * * * * a%b", b"A=b", b"# c", b"CRON_TZ=No/Where"]),
        ),
        max_size=6,
    ),
    st.booleans(),
)
def test_each_line_is_a_job_a_setting_or_told_about(lines: list[bytes], system: bool) -> None:
    """Whatever it holds; nothing crashes, and nothing is passed over in silence."""
    content = b"\n".join(lines)
    crontab = read(content, timezone=BERLIN, system=system)
    told = {job.line for job in crontab.jobs} | {remark.line for remark in crontab.remarks}

    for number, line in enumerate(content.removesuffix(b"\n").split(b"\n"), 1):
        silent = line.removeprefix(b"\xef\xbb\xbf").strip(b" \t\r")
        assert number in told or not silent.strip() or silent[:1] == b"#" or b"=" in silent
