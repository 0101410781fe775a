"""add, set, enable, disable, remove: what they write, and what they say."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from flytesched.core.keys import ALL_KEYS

if TYPE_CHECKING:
    from terminal import Terminal

#: An option for every key, with a value; what the manifest holds then.
EVERY_KEY: dict[str, tuple[list[str], Any]] = {
    "description": (["the nightly load"], "the nightly load"),
    "labels": (["team=ops", "tier=1"], {"team": "ops", "tier": "1"}),
    "timezone": (["Asia/Tokyo"], "Asia/Tokyo"),
    "start": (["2026-01-01"], "2026-01-01"),
    "end": (["2999-01-01T00:00:00Z"], "2999-01-01T00:00:00Z"),
    "offset": (["5m"], "5m"),
    "calendars": (["germany,company", "office"], ["germany", "company", "office"]),
    "on_holiday": (["next"], "next"),
    "seconds": (["true"], True),
    "paused_until": (["2998-01-01"], "2998-01-01"),
    "pause_reason": (["later"], "later"),
    "jitter": (["30s"], "30s"),
    "executor": (["local"], "local"),
    "cwd": (["/tmp"], "/tmp"),
    "env": (["A=1", "B=x=y"], {"A": "1", "B": "x=y"}),
    "env_file": (["/etc/default/x"], "/etc/default/x"),
    "shell": (["/bin/bash"], "/bin/bash"),
    "kickoff_time_arg": (["--at"], "--at"),
    "overlap": (["queue"], "queue"),
    "queue_limit": (["7"], 7),
    "catchup": (["all"], "all"),
    "catchup_window": (["2d"], "2d"),
    "catchup_limit": (["9"], 9),
    "timeout": (["1h30m"], "1h30m"),
    "kill_after": (["3s"], "3s"),
    "retry": (["max_attempts=3,delay=5s"], {"max_attempts": 3, "delay": "5s"}),
    "on_interrupted": (["rerun"], "rerun"),
    "survive": (["false"], False),
    "success_exit_codes": (["0,2"], [0, 2]),
    "on_success": (["echo ok"], "echo ok"),
    "on_failure": (["echo bad"], "echo bad"),
    "on_missed": (["echo missed"], "echo missed"),
    "on_recovered": (["echo again"], "echo again"),
    "on_late": (["echo late"], "echo late"),
    "on_long": (["echo long"], "echo long"),
    "notify": (["ops", "chat,pager"], ["ops", "chat", "pager"]),
    "ping_url": (["https://hc.example.org/uuid"], "https://hc.example.org/uuid"),
    "late_after": (["1m"], "1m"),
    "long_after": (["2h"], "2h"),
    "cron": (["0 30 9 * * 1-5"], "0 30 9 * * 1-5"),
}
#: Keys that cannot stand beside those above, or are no options.
ELSEWHERE = {"aws_cron", "every", "daily", "hourly", "at", "anchor", "command", "enabled"}
#: What schedules may name.
NAMED = "version = 1\n" + "".join(
    [f'[calendars.{name}]\ndates = ["12-25"]\n' for name in ("germany", "company", "office")]
    + [f'[channels.{name}]\nkind = "mail"\nto = ["root"]\n' for name in ("ops", "chat", "pager")]
)


def _table(terminal: Terminal, name: str) -> dict[str, Any]:
    return tomllib.loads(terminal.manifest.read_text())["schedules"][name]


def test_add_has_an_option_for_every_key(empty: Terminal) -> None:
    """What is given is what the manifest holds."""
    assert {*EVERY_KEY, *ELSEWHERE} == set(ALL_KEYS)
    words = [
        word
        for key, (values, _) in EVERY_KEY.items()
        for value in values
        for word in ("--" + key.replace("_", "-"), value)
    ]
    empty.write(NAMED)

    empty.ok("add", "all", *words, "--", "/bin/echo", "two  words", "$HOME")

    wanted = {key: held for key, (_, held) in EVERY_KEY.items()}
    assert _table(empty, "all") == {**wanted, "command": ["/bin/echo", "two  words", "$HOME"]}


@pytest.mark.parametrize(
    ("words", "held"),
    [
        (["--cron", "0 2 * * *"], {"cron": "0 2 * * *", "timezone": "Europe/Berlin"}),
        (["--cron", "CRON_TZ=Asia/Tokyo 0 2 * * *"],
         {"cron": "CRON_TZ=Asia/Tokyo 0 2 * * *", "timezone": "Asia/Tokyo"}),
        (["--aws-cron", "0 10 ? * MON-FRI *"],
         {"aws_cron": "0 10 ? * MON-FRI *", "timezone": "Europe/Berlin"}),
        (["--every", "90s"], {"every": "90s"}),
        (["--every", "1h", "--anchor", "2026-01-01T00:15:00Z"],
         {"every": "1h", "anchor": "2026-01-01T00:15:00Z"}),
        (["--daily", "02:00"], {"daily": "02:00", "timezone": "Europe/Berlin"}),
        (["--daily", "02:00", "--daily", "14:30"],
         {"daily": ["02:00", "14:30"], "timezone": "Europe/Berlin"}),
        (["--hourly", "15,45"], {"hourly": [15, 45], "timezone": "Europe/Berlin"}),
        (["--at", "2998-12-24 18:00"], {"at": "2998-12-24 18:00", "timezone": "Europe/Berlin"}),
        (["--at", "2998-12-24T18:00:00Z"], {"at": "2998-12-24T18:00:00Z"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_add_takes_every_kind_of_timetable_and_writes_the_zone_down(
    empty: Terminal, words: list[str], held: dict[str, Any]
) -> None:
    """A fixed rate has no zone; an instant with an offset needs none."""
    empty.ok("add", "x", *words, "--", "true")

    assert _table(empty, "x") == {**held, "command": "true"}


def test_add_shows_three_slots_on_the_schedules_clock_and_that_nobody_runs(
    empty: Terminal,
) -> None:
    """So that a mistake is seen at once."""
    said = empty.ok("add", "tea", "--daily", "17:00", "--timezone", "Asia/Tokyo", "--", "true")

    assert [line[13:] for line in said.out.splitlines()[1:]] == ["17:00:00+09:00"] * 3
    assert said.err == "no scheduler is running; start one with: flytesched run\n"


def test_words_behind_the_dashes_are_the_commands_own(empty: Terminal) -> None:
    """Whatever they look like."""
    empty.ok("add", "x", "--every", "5m", "--", "-x", "--json", "--", "--manifest")
    empty.ok("add", "y", "--every", "5m", "--", "--help")

    assert _table(empty, "x")["command"] == ["-x", "--json", "--", "--manifest"]
    assert _table(empty, "y")["command"] == "--help"


def test_add_takes_its_zone_from_the_defaults(empty: Terminal) -> None:
    """Of the manifest it writes into."""
    empty.write('version = 1\n[defaults]\ntimezone = "Asia/Kathmandu"\n')

    empty.ok("add", "x", "--daily", "02:00", "--", "true")

    assert _table(empty, "x")["timezone"] == "Asia/Kathmandu"


def test_add_disabled_lets_no_slot_fall_due(empty: Terminal) -> None:
    """And says so instead of showing slots."""
    said = empty.ok("add", "x", "--every", "5m", "--disabled", "--", "true")

    assert "disabled" in said.out
    assert empty.json("list")["schedules"][0]["state"] == "disabled"
    assert empty.json("next")["slots"] == []


def test_replace_replaces_the_whole_table(terminal: Terminal) -> None:
    """Nothing of the old one stays, and everything around it does; each key is said."""
    said = terminal.ok("add", "backup", "--every", "5m", "--replace", "--", "true")

    assert said.out.startswith("replaced backup\n")
    assert "backup: cron: 0 2 * * * -> (none)\n" in said.out
    assert "backup: every: (none) -> 5m\n" in said.out
    assert "backup: env: TOKEN=... -> (none)\n" in said.out
    assert _table(terminal, "backup") == {"every": "5m", "command": "true"}
    assert "# the family's photos" in terminal.manifest.read_text()


def test_set_says_old_and_new(terminal: Terminal) -> None:
    """Values of env stay unsaid."""
    said = terminal.ok(
        "set", "backup", "--timeout", "2h", "--env", "TOKEN=other", "--unset", "labels"
    )

    assert "backup: timeout: (none) -> 2h" in said.out
    assert "backup: env: TOKEN=... -> TOKEN=..." in said.out
    assert "backup: labels: team=ops, tier=1 -> (none)" in said.out
    assert "s3cret" not in said.out + said.err
    assert "other" not in said.out + said.err
    assert _table(terminal, "backup")["env"] == {"TOKEN": "other"}


def test_set_replaces_one_timetable_by_another(terminal: Terminal) -> None:
    """With what belonged to the old one alone, and shows the new slots."""
    terminal.ok("set", "backup-photos", "--anchor", "2026-01-01")

    said = terminal.ok("set", "backup-photos", "--daily", "03:00", "--", "echo", "new")

    table = _table(terminal, "backup-photos")
    assert "every" not in table
    assert "anchor" not in table
    assert table["command"] == ["echo", "new"]
    assert "backup-photos; next:" in said.out


def test_set_changes_all_that_a_pattern_means(terminal: Terminal) -> None:
    """In one edit."""
    terminal.ok("set", "backup*", "--kill-after", "1s")

    assert _table(terminal, "backup")["kill_after"] == "1s"
    assert _table(terminal, "backup-photos")["kill_after"] == "1s"
    assert "kill_after" not in _table(terminal, "report")


@pytest.mark.parametrize(
    "words",
    [("set", "--timeout", "2h"), ("disable",), ("enable",)],
    ids=lambda words: words[0],
)
def test_an_edit_of_many_reads_the_manifest_no_more_often_than_one_of_a_single(
    empty: Terminal, opened: list[str], words: tuple[str, ...]
) -> None:
    """Or a pattern that means thousands would take time with the square of them."""
    table = 'command = "true"\nevery = "1h"\npause_reason = "new"\n'
    empty.write("version = 1\n" + "".join(f"[schedules.job-{n}]\n{table}" for n in range(20)))
    verb, *options = words
    empty.ok(verb, "job-0", *options)
    once = opened.count(str(empty.manifest))
    empty.ok(verb, "job-*", *options)

    assert opened.count(str(empty.manifest)) == 2 * once


def test_set_to_what_is_there_changes_nothing(terminal: Terminal) -> None:
    """Not a byte."""
    before = terminal.manifest.read_bytes()

    said = terminal.ok("set", "backup", "--cron", "0 2 * * *")

    assert said.out == "backup: nothing changed\n"
    assert terminal.manifest.read_bytes() == before


def test_disable_and_enable_say_what_changed_and_may_be_repeated(terminal: Terminal) -> None:
    """A reason is kept while it is disabled."""
    off = ("disable", "backup", "report", "--reason", "holidays")
    *changed, moved, already = terminal.ok(*off).out.splitlines()
    assert changed == [
        "backup: enabled: true -> false",
        "backup: pause_reason: (none) -> holidays",
    ]
    assert re.fullmatch(r"backup: next: 20..-..-.. 02:00:00\+0.:00 -> \(none\)", moved)
    assert already == "report: already disabled"
    assert terminal.json("show", "backup")["schedule"]["pause_reason"] == "holidays"

    *changed, moved, already = terminal.ok("enable", "-l", "team=ops").out.splitlines()
    assert changed == [
        "backup: enabled: false -> true",
        "backup: pause_reason: holidays -> (none)",
    ]
    assert moved.startswith("backup: next: (none) -> 20")
    assert already == "backup-photos: already enabled"
    assert "pause_reason" not in _table(terminal, "backup")


def test_enable_outdoes_a_default(empty: Terminal) -> None:
    """Taking the key out would leave it disabled."""
    empty.write(
        "version = 1\n[defaults]\nenabled = false\n[schedules.x]\nevery = '5m'\ncommand = 'true'\n"
    )

    said = empty.ok("enable", "x")

    assert said.out.startswith("x: enabled: false -> true\n")
    assert empty.json("list")["schedules"][0]["enabled"] is True


def test_remove_takes_names_and_patterns_and_keeps_history(terminal: Terminal) -> None:
    """The history of what is gone can still be asked for."""
    assert terminal.ok("remove", "backup*").out == (
        "removed backup (cron 0 2 * * *): "
        "echo $FLYTESCHED_ATTEMPT; echo from $FLYTESCHED_SCHEDULE\n"
        "removed backup-photos (every 1h): false\n"
    )

    assert [row["name"] for row in terminal.json("list")["schedules"]] == ["report"]
    assert len(terminal.json("history", "backup")["entries"]) == 1


DRY = [
    "add new --every 5m -- true",
    "add backup --every 5m --replace -- true",
    "set backup --timeout 2h --unset labels --daily 03:00",
    "enable report",
    "disable backup --reason holidays",
    "pause backup --for 2h",
    "resume backup",
    "remove backup*",
    "remove --all",
]


@pytest.mark.parametrize("words", DRY)
def test_a_dry_run_says_what_would_change_and_leaves_no_trace(
    terminal: Terminal, words: str
) -> None:
    """No other byte, no lock file, no time of a file; what it says is what then comes true."""
    front, dashes, behind = words.partition(" --")
    before = _everything(terminal)

    tried = terminal.ok(*front.split(), "--dry-run", *f"{dashes}{behind}".split())

    assert _everything(terminal) == before
    assert tried.err == "nothing was changed: this was a dry run\n"
    done = terminal.ok(*words.split(), *(["--yes"] if "--all" in words else []))
    past = {"would add": "added", "would replace": "replaced", "would remove": "removed"}
    for word, other in past.items():
        tried.out = tried.out.replace(word, other)
    if words.startswith("add new"):
        assert "new: every: (none) -> 5m\n" in tried.out
        assert tried.out.partition("; next:")[2] == done.out.partition("; next:")[2]
    else:
        assert tried.out == done.out


def test_a_dry_run_of_the_first_schedule_makes_no_folder(empty: Terminal) -> None:
    """Neither for the manifest nor for its lock."""
    there = empty.home / "config" / "schedules.toml"

    empty.ok("add", "x", "--every", "5m", "--dry-run", "--manifest", str(there), "--", "true")

    assert list(empty.home.iterdir()) == []


def test_a_dry_run_is_refused_where_the_change_would_be(terminal: Terminal) -> None:
    """Or it would promise too much."""
    taken = terminal.run("add", "backup", "--every", "5m", "--dry-run", "--", "true")
    terminal.manifest.chmod(0o400)
    read_only = terminal.run("set", "backup", "--timeout", "2h", "--dry-run")

    assert (taken.code, read_only.code) == (4, 1)
    assert "is read-only" in read_only.err


def test_a_replaced_schedule_may_have_been_faulty(empty: Terminal) -> None:
    """Its keys are said all the same."""
    empty.write("version = 1\n[schedules.x]\nenabled = false\n")

    said = empty.ok("add", "x", "--every", "5m", "--replace", "--", "true")

    assert "x: enabled: false -> true\n" in said.out
    assert "x: command: (none) -> true\n" in said.out


def _everything(terminal: Terminal) -> dict[str, tuple[int, bytes]]:
    """Return all files below a home with their time and content, those that pass too."""
    return {
        str(path): (path.lstat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
        for path in sorted(terminal.home.rglob("*"))
    }


def test_remove_all_with_consent(terminal: Terminal) -> None:
    """And once more, which is no error."""
    terminal.ok("remove", "--all", "--yes")
    terminal.ok("remove", "--all", "--yes")

    assert terminal.json("list")["schedules"] == []


def test_global_options_count_before_and_after_the_verb(terminal: Terminal) -> None:
    """Wherever they stand."""
    other = str(terminal.home / "other.toml")
    terminal.ok("--manifest", other, "add", "x", "--every", "5m", "--", "true")

    before = terminal.ok("--json", f"--manifest={other}", "list").json
    after = terminal.ok("list", "--manifest", other, "--json").json

    assert [row["name"] for row in before["schedules"]] == ["x"]
    assert before["schedules"][0]["timetable"] == after["schedules"][0]["timetable"]
