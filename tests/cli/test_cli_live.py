"""The parts of the live screen: keys, what they make of the view, and what is drawn of it."""

from __future__ import annotations

import select
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from flytesched.cli.call import Call
from flytesched.cli.live.draw import Scene, frame
from flytesched.cli.live.errand import Errand, doing
from flytesched.cli.live.keys import PASTED, Key, decode
from flytesched.cli.live.layout import Look, shared, windows
from flytesched.cli.live.pane import Pane
from flytesched.cli.live.view import (
    Deed,
    Mode,
    View,
    Wish,
    at,
    pressed,
    rows,
    settled,
)
from flytesched.core.decision import Decision
from flytesched.core.runs import Origin, Run, RunStatus
from flytesched.core.schedule import Schedule
from flytesched.core.statistics import Spread
from flytesched.core.waiting import Wait
from flytesched.errors import Conflict, NotFound
from flytesched.lock import Holder
from flytesched.runlog.board import Failing, Tally
from flytesched.service.board import Board, Coming, Going, Waiting, done

if TYPE_CHECKING:
    from collections.abc import Collection

    from terminal import Terminal

#: 2026-11-25T10:00:00Z, a whole hour.
T = 1_795_600_800


# -- keys -----------------------------------------------------------------------------------------

SENT = {
    b"q": ["q"],
    b"\x1b[A": [Key.UP],
    b"\x1bOB": [Key.DOWN],
    b"\x1b[5~\x1b[6~": [Key.PAGE_UP, Key.PAGE_DOWN],
    b"\x1b[H\x1b[F\x1b[1~\x1b[4~\x1b[7~\x1b[8~": [Key.HOME, Key.END] * 3,
    b"\x1b[1;5A": [Key.UP],
    b"\t\x1b[Z": [Key.TAB, Key.BACK_TAB],
    b"\r\n\x1bOM": [Key.ENTER] * 3,
    b"\x7f\x08": [Key.BACKSPACE] * 2,
    b"\x1b": [Key.ESCAPE],
    b"\x1b\x1b[A": [Key.ESCAPE, Key.UP],
    b"\x1by": [Key.ESCAPE, "y"],
    b"\x1b[200~cy\r\x1b[A\xe9 ty\x1b[201~": [f"{PASTED}cy[A ty"],
    b"\x1b[200~\x1b[201~q": [PASTED, "q"],
    b"\x1b]11;rgb:0/0/0\x07\x1bP1$r0m\x1b\\": [],
    b"\x1b[<35;7;9M\x1b[M": [],
    b"\x1b[15~\x1b[?1;2c\x1bOP": [],
    b"\x00\x01\x80": [],
    "é日".encode(): [],
    b"\x1b[1": [Key.ESCAPE, "[", "1"],
}


@pytest.mark.parametrize(("sent", "keys"), SENT.items(), ids=repr)
def test_what_a_terminal_sends_is_a_key(sent: bytes, keys: list[str]) -> None:
    """Those that nobody asks for are none; ESC is one if nothing follows that belongs to it."""
    assert decode(sent, whole=True) == (keys, b"")


WHOLE = [sent for sent in SENT if sent not in {b"\x1b", b"\x1b[1"}]


@given(parts=st.lists(st.sampled_from(WHOLE), max_size=6), cuts=st.lists(st.integers(1, 4)))
def test_keys_are_the_same_however_they_are_cut(parts: list[bytes], cuts: list[int]) -> None:
    """A slow line sends the parts of a sequence one by one."""
    sent, whole = b"".join(parts), [key for part in parts for key in SENT[part]]
    found: list[str] = []
    held = b""
    for cut in [*cuts, len(sent)]:
        part, sent = sent[:cut], sent[cut:]
        keys, held = decode(held + part, whole=False)
        found += keys
    keys, held = decode(held + sent, whole=True)

    assert (found + keys, held) == (whole, b"")


@given(sent=st.binary(max_size=40))
def test_nothing_that_is_sent_is_too_much(sent: bytes) -> None:
    """Noise on a line is some keys, and then it is over."""
    keys, held = decode(sent, whole=False)
    assert sent.endswith(held)
    keys, held = decode(sent, whole=True)
    assert held == b""
    assert all(len(key) == 1 or key in set(Key) for key in keys)


def test_a_paste_ends_at_its_end_alone() -> None:
    """Nothing of it is taken for keys, however long it is, or takes; its last words are kept."""
    held, keys = b"", []
    for part in (b"j\x1b[200~cy", b"", *[b"x" * 1_000] * 50, b"", b"ty\x1b[20", b"", b"1~k"):
        found, held = decode(held + part, whole=not part)
        keys += found
        assert len(held) < 2_000

    assert (keys[0], keys[2:], held) == ("j", ["k"], b"")
    assert keys[1].startswith(f"{PASTED}xx")
    assert keys[1].endswith("xty")


# -- a board --------------------------------------------------------------------------------------


def a_run(name: str, status: RunStatus = RunStatus.RUNNING, **keys: Any) -> Run:
    """Return a run; where it runs, since ten seconds."""
    started = None if status is RunStatus.QUEUED else T - 10.0
    given = {"started": started, "created": T - 20.0, "attempt": 1, **keys}
    return Run(
        id=f"sched-{name}-{T}", schedule=name, scheduled_at=T, origin=Origin.SCHEDULE,
        status=status, **given,
    )  # fmt: skip


FAILED = a_run("bad", RunStatus.FAILED, ended=T - 3.0, exit_code=3)
GOOD = a_run("good", RunStatus.SUCCEEDED, ended=T - 5.0, exit_code=0)
BOARD = Board(
    now=float(T),
    holder=Holder(pid=1, started=1, boot_id="b", kind="run", since=T - 3_600.0),
    used=2, places=2, day=Tally(good=97, runs=100),
    schedules={
        name: Schedule(name, every="1h", command="true", description="all that is dear")
        for name in ("slow", "hog", "queued", "again", "bad", "good")
    } | {"paused": Schedule("paused", every="1h", command="true", paused_until="2999-01-01")},
    running=(Going(run=a_run("slow"), long=True), Going(run=a_run("hog", attempt=2))),
    waiting=(
        Waiting(run=a_run("queued", RunStatus.QUEUED), wait=Wait.PLACE, late=True),
        Waiting(run=a_run("again", RunStatus.RETRY_WAIT, not_before=T + 8.0), wait=Wait.TIME),
    ),
    failing=(
        Failing(run=FAILED, times=12, good_since=False),
        Failing(run=a_run("healed", RunStatus.TIMED_OUT, ended=T - 60.0), times=1, good_since=True),
    ),
    ended=(done(FAILED), done(GOOD)),
    coming=(
        Coming(schedule="slow", at=T + 90),
        Coming(schedule="paused", at=T + 3_600, paused_until=T + 3_500),
    ),
)  # fmt: skip
ROWS = rows(BOARD)
USUAL = {"slow": Spread(p50=8.0, p90=9.0, p99=9.0, most=9.0), "hog": None}


def selected(name: str) -> View:
    """Return a view with the row of a schedule selected."""
    number = next(n for n, row in enumerate(ROWS) if row.schedule == name)
    return at(View(), number, ROWS)


def keyed(view: View, *keys: str) -> tuple[View, Wish | None]:
    """Press keys; return the view, and the last wish."""
    wish = None
    for key in keys:
        view, wish = pressed(view, key, ROWS, BOARD, page=3)
    return view, wish


# -- what keys make of a view ---------------------------------------------------------------------


def test_rows_are_in_the_order_of_the_sections() -> None:
    """Each with an id that no other has."""
    assert [(row.section.value, row.schedule) for row in ROWS] == [
        ("running", "slow"), ("running", "hog"), ("waiting", "queued"), ("waiting", "again"),
        ("failed", "bad"), ("failed", "healed"), ("ended", "bad"), ("ended", "good"),
        ("next", "slow"), ("next", "paused"),
    ]  # fmt: skip
    assert len({row.id for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize(
    ("keys", "number"),
    [
        (["j", "j"], 2),
        ([Key.DOWN, Key.DOWN, Key.UP], 1),
        (["k"], 0),
        ([Key.PAGE_DOWN], 3),
        ([Key.PAGE_DOWN] * 9, 9),
        ([Key.END, Key.PAGE_UP], 6),
        (["G"], 9),
        (["G", "g"], 0),
        ([Key.TAB], 2),
        ([Key.TAB] * 4, 8),
        ([Key.TAB] * 5, 0),
        ([Key.BACK_TAB], 8),
        ([Key.DOWN, Key.TAB, Key.BACK_TAB], 0),
        (["x", "\x7e"], 0),
    ],
)
def test_keys_move_over_all_sections(keys: list[str], number: int) -> None:
    """And not beyond them."""
    view, wish = keyed(settled(View(), ROWS), *keys)

    assert (view.number, view.selected, wish) == (number, ROWS[number].id, None)


def test_a_selected_run_stays_selected_when_it_moves_to_another_section() -> None:
    """One that is gone leaves the selection where it was."""
    view = selected("again")

    assert settled(view, ROWS[2:]).number == 1
    assert settled(view, [row for row in ROWS if row.schedule != "again"]).number == 3
    assert settled(view, ROWS[:2]).number == 1
    assert settled(view, []) == View()


@pytest.mark.parametrize(
    ("name", "keys", "wish"),
    [
        ("slow", ["c", "y"], Wish(deed=Deed.CANCEL, to=f"sched-slow-{T}")),
        ("queued", ["c", "Y"], Wish(deed=Deed.CANCEL, to=f"sched-queued-{T}")),
        ("slow", ["t", "y"], Wish(deed=Deed.TRIGGER, to="slow")),
        ("paused", ["t", "y"], Wish(deed=Deed.TRIGGER, to="paused")),
        ("bad", ["r", "y"], Wish(deed=Deed.RETRY, to=f"sched-bad-{T}")),
        ("slow", ["p", Key.ENTER], Wish(deed=Deed.PAUSE, to="slow", span="1h")),
        ("bad", ["p", Key.BACKSPACE, *"3h", *[Key.BACKSPACE] * 2, *"2d", Key.ENTER],
         Wish(deed=Deed.PAUSE, to="bad", span="2d")),
        ("paused", ["p", "y"], Wish(deed=Deed.RESUME, to="paused")),
        ("slow", ["l"], Wish(deed=Deed.FOLLOW, to=f"sched-slow-{T}")),
        ("paused", [Key.ENTER], Wish(deed=Deed.FOLLOW, to="paused")),
        ("slow", ["q"], Wish(deed=Deed.QUIT)),
        ("slow", [Key.ESCAPE], Wish(deed=Deed.LOOK)),
    ],
)  # fmt: skip
def test_keys_ask_for_what_is_selected(name: str, keys: list[str], wish: Wish) -> None:
    """And nothing is done before consent."""
    before, said = keyed(selected(name), *keys[:-1])
    view, found = keyed(before, keys[-1])

    assert said is None
    assert found == wish
    assert (view.mode, view.wish, view.typed) == (Mode.BROWSE, None, "")


@pytest.mark.parametrize(
    ("name", "keys", "message"),
    [
        ("bad", ["c"], "only active runs can be cancelled"),
        ("paused", ["c"], "only active runs can be cancelled"),
        ("good", ["r"], "only runs that have not succeeded can be run again"),
        ("slow", ["r"], "only runs that have not succeeded can be run again"),
        ("paused", ["r"], "only runs that have not succeeded can be run again"),
        ("slow", ["c", "n"], "nothing was done"),
        ("slow", ["c", "x"], "nothing was done"),
        ("slow", ["c", Key.ENTER], "nothing was done"),
        ("slow", ["c", f"{PASTED}yes"], "nothing was done"),
        ("slow", [f"{PASTED}cyty"], ""),
        ("slow", ["t", Key.ESCAPE], "nothing was done"),
        ("slow", ["p", "y", Key.ESCAPE], "nothing was done"),
        ("slow", ["c", "n", Key.DOWN], ""),
    ],
)
def test_what_cannot_be_done_or_is_not_wanted_is_said(
    name: str, keys: list[str], message: str
) -> None:
    """Until the next key."""
    view, wish = keyed(selected(name), *keys)

    assert (view.message, view.mode, wish) == (message, Mode.BROWSE, None)


def test_where_there_is_nothing_there_is_nothing_to_be_done() -> None:
    """Nor to be moved over."""
    for key in "ctprl":
        assert pressed(View(), key, [], Board(now=0.0), page=3)[0].message == "nothing is selected"
    for key in (Key.TAB, Key.DOWN, Key.END):
        assert pressed(View(), key, [], Board(now=0.0), page=3) == (View(), None)


def test_a_filter_holds_as_it_is_typed() -> None:
    """Enter keeps it, Esc shows all again; it is there to be changed the next time."""
    look = Wish(deed=Deed.LOOK)

    view, wish = keyed(View(), "/", "b", "a")
    assert (view.part, view.mode, wish) == ("ba", Mode.FILTER, look)
    view, wish = keyed(view, Key.BACKSPACE, Key.UP, Key.ENTER)
    assert (view.part, view.mode, wish) == ("b", Mode.BROWSE, None)
    assert keyed(view, "/", "q")[0].part == "bq"
    assert keyed(view, "/", Key.ESCAPE) == (View(), look)
    assert keyed(view, Key.ESCAPE) == (View(), look)
    assert len(keyed(View(), "/", *"x" * 200)[0].part) == 100
    assert keyed(View(), "/", f"{PASTED}bad")[0].part == "bad"
    assert settled(keyed(View(), "G", "/", "b")[0], ROWS[4:7]).number == 0
    assert settled(keyed(View(), "j", "/", "h")[0], ROWS[:3]).number == 1
    assert len(keyed(View(), "/", PASTED + "x" * 200)[0].part) == 100


def test_a_log_is_scrolled_and_left() -> None:
    """Lines below the screen are counted from the end of the log, which grows."""
    log = View(mode=Mode.LOG)

    assert keyed(log, Key.UP, Key.UP, "k", Key.DOWN)[0].below == 2
    assert keyed(log, Key.PAGE_UP, Key.DOWN)[0].below == 2
    assert keyed(log, Key.DOWN, "x")[0].below == 0
    assert keyed(log, "g")[0].below > 10**6
    assert keyed(log, "g", "G")[0].below == 0
    for key in (Key.ESCAPE, "q", "l", Key.ENTER):
        assert keyed(log, "g", key) == (View(), None)


def test_any_key_leaves_the_help() -> None:
    """And does nothing else."""
    assert keyed(View(), "?")[0].mode is Mode.HELP
    assert keyed(View(), "?", "q") == (View(), None)


# -- layout ---------------------------------------------------------------------------------------


@given(wanted=st.lists(st.integers(0, 50), max_size=5), room=st.integers(-3, 120))
def test_lines_are_shared_fairly(wanted: list[int], room: int) -> None:
    """None gets more than it wants, none is left over, and none starves for another's plenty."""
    given = shared(wanted, room)

    assert sum(given) == min(sum(wanted), max(room, 0))
    assert all(0 <= got <= want for got, want in zip(given, wanted, strict=True))
    hungry = [got for got, want in zip(given, wanted, strict=True) if got < want]
    assert not hungry or max(given) - min(hungry) <= 1


@given(count=st.integers(1, 300), chosen=st.integers(0, 299), room=st.integers(2, 60))
def test_the_selected_row_is_on_the_screen(count: int, chosen: int, room: int) -> None:
    """However many there are."""
    board = replace(BOARD, running=tuple(Going(run=a_run(f"r{n}")) for n in range(count)))
    view = at(View(), chosen, every := rows(board))

    found = windows(every, view.selected, room)

    shown = [row.id for window in found for row in window.rows]
    assert len(shown) + len(found) <= room
    assert view.selected in shown


# -- drawing --------------------------------------------------------------------------------------


def look(columns: int = 80, lines: int = 24, **given: Any) -> Look:
    """Return a terminal."""
    return Look(columns=columns, lines=lines, zone="UTC", **given)


def drawn(
    view: View | None = None, board: Board = BOARD, *, on: Look | None = None, **given: Any
) -> list[str]:
    """Return what is drawn of a board."""
    every = rows(board)
    view = settled(view or View(), every)

    def usual(names: Collection[str]) -> dict[str, Spread | None]:
        return {name: USUAL[name] for name in names if name in USUAL}

    on = on or look(**given)
    return frame(Scene(board=board, rows=every, view=view, look=on, usual=usual))


def test_a_screen_of_80_by_24() -> None:
    """All there is to see of a board."""
    assert drawn() == [
        "up since 09:00 | 2 of 2 places | 2 waiting | 24 h: 3 of 100 failed      10:00:00",
        "   RUNNING 2                         ELAPSED      USUAL     90% IN",
        ">  slow                  ########        10s         8s         9s  long",
        "   hog                                   10s          -          -  try 2",
        "   WAITING 2             STATE        WAITED  WAITS FOR",
        "   queued                queued          20s  late; a place",
        "   again                 try 2           20s  its time, in 8s",
        "   FAILED 2              LAST VERDICT                             AGO    IN 24 H",
        "   bad                   failed(exit 3)                            3s         12",
        "   healed                timed_out; succeeded since              1min          1",
        "   ENDED                 VERDICT                        AGO       LAG       TOOK",
        "   bad                   failed(exit 3)                  3s       0ms         7s",
        "   good                  succeeded                       5s       0ms         5s",
        "   NEXT                  AT                   IN",
        "   slow                  10:01:30       1min 30s",
        "   paused                11:00                1h  paused until 10:58:20",
        *[""] * 6,
        f"sched-slow-{T} (schedule)  every 1h  all that is dear",
        "? help  q quit  enter log  c cancel  t trigger  p pause  r retry  / filter",
    ]


def test_a_wide_screen_has_the_ids_of_runs() -> None:
    """Whole, as far as they are of usual length."""
    lines = drawn(columns=120, lines=40)

    assert [line.rpartition("  ")[2] for line in lines[2:4]] == [
        f"sched-slow-{T}",
        f"sched-hog-{T}",
    ]
    assert lines[1].split() == ["RUNNING", "2", "ELAPSED", "USUAL", "90%", "IN", "RUN"]
    assert max(map(len, lines)) <= 120
    assert len(lines) == 40


def test_a_narrow_screen_does_without() -> None:
    """Bars, lag and percentiles first."""
    lines = drawn(columns=50, lines=9)

    assert lines[0] == "up since 09:00 | 2 of 2 places            10:00:00"
    assert lines[1].split() == ["RUNNING", "2", "ELAPSED", "USUAL"]
    assert lines[2].split() == [">", "slow", "10s", "8s", "long"]
    assert lines[-1] == "? help  q quit  enter log  c cancel  t trigger  p"


@pytest.mark.parametrize(
    ("holder", "said"),
    [
        (None, "no scheduler is running"),
        (Holder(pid=1, started=1, boot_id="b", kind="command"), "no scheduler; a command does"),
    ],
)
def test_the_head_says_who_decides(holder: Holder | None, said: str) -> None:
    """First of all, so that the smallest screen says it."""
    assert drawn(board=replace(BOARD, holder=holder), columns=40)[0].startswith(said)


def test_what_is_wrong_is_said_below_the_head() -> None:
    """Three sentences at most, of two lines each, and of when the runs are that are shown."""
    long = "/some/where/m.toml:7: " + "why " * 30 + "not"
    board = replace(BOARD, troubles=("one\x1b[2J", long, "three", "four"), stale_since=T - 60.0)

    lines = drawn(board=board)
    assert lines[1] == "one\\x1b[2J"
    assert f"{lines[2]} {lines[3].strip()}".count("why") == 30
    assert lines[4:6] == ["three", "runs are shown as of 09:59:00"]
    assert drawn(board=board, lines=9)[3:5] == ["three", "runs are shown as of 09:59:00"]


def test_a_small_screen_spends_no_line_on_what_there_is_not() -> None:
    """Rather on a row; where nothing has failed there is no word of it on any screen."""
    board = replace(BOARD, running=(), waiting=(), failing=(), ended=())

    titles = [[line.split()[0] for line in drawn(board=board, lines=n)[1:4]] for n in (6, 24)]

    assert titles == [["NEXT", ">", "paused"], ["RUNNING", "WAITING", "ENDED"]]


def test_a_day_without_a_failure_is_good() -> None:
    """And one without a run is not told of."""
    good = replace(BOARD, day=Tally(good=1_000, runs=1_000))

    assert " | 24 h: all 1,000 succeeded " in drawn(board=good)[0]
    assert "24 h" not in drawn(board=replace(good, day=Tally(good=0, runs=0)))[0]


def test_what_is_special_about_runs_is_said_in_words() -> None:
    """Not by colours alone."""
    going = [
        Going(run=a_run("a", end_as="timed_out")),
        Going(run=a_run("b", RunStatus.CLAIMED, started=None), late=True),
    ]
    gap = replace(done(GOOD), run=None, status="missed", verdict="missed(no scheduler)", count=12)
    board = replace(BOARD, running=tuple(going), ended=(gap,), day=None, places=0)

    lines = drawn(board=board, columns=120)

    assert "2 running" in lines[0]
    assert lines[2].split()[1:6] == ["a", "10s", "-", "-", "ending"]
    assert lines[3].split()[:4] == ["b", "-", "-", "-"]
    assert "late, clai…" in lines[3]
    assert "missed(no scheduler), 12" in "\n".join(lines)


def test_colours_say_what_words_say() -> None:
    """A run that takes longer than nine of ten is odd, one that takes too long bad."""
    board = replace(BOARD, running=(Going(run=a_run("slow")),), waiting=())

    odd = "\n".join(drawn(board=board, colour=True))
    bad = "\n".join(drawn(board=replace(board, running=BOARD.running[:1]), colour=True))

    assert "\x1b[7;33m      10s" in odd  # reversed, for it is selected
    assert "\x1b[7;31m      10s" in bad
    assert "\x1b" not in "".join(drawn(colour=False))


@pytest.mark.parametrize(
    ("keys", "last"),
    [
        ("c", f"Cancel sched-slow-{T}? [y/N]"),
        ("t", "Trigger slow? [y/N]"),
        ("p2", "Pause slow for [1h]: 2_"),
        ("/sl", "/sl_"),
        ("r", "only runs that have not succeeded can be run again"),
        ("?", "any key goes back"),
    ],
)
def test_questions_and_answers_stand_on_the_last_line(keys: str, last: str) -> None:
    """In the place of the keys."""
    assert drawn(keyed(selected("slow"), *keys)[0])[-1] == last


def test_what_is_being_done_is_said_until_it_is_done() -> None:
    """Whatever is pressed meanwhile; the answer to a key goes before."""
    view = replace(selected("slow"), doing=Wish(deed=Deed.CANCEL, to="x"))

    assert drawn(view)[-1] == drawn(keyed(view, Key.DOWN)[0])[-1] == "Cancel x: it is being done"
    assert drawn(keyed(view, "r")[0])[-1].startswith("only runs that have not")


def test_the_last_line_tells_of_a_filter_and_of_a_retry() -> None:
    """By their own words."""
    assert drawn(View(part="x"))[-1] == "only x; Esc shows all"
    nothing = drawn(View(part="x"), Board(now=float(T)))
    assert nothing[-1] == "no name has x in it; Esc shows all"
    assert drawn(keyed(selected("bad"), "r")[0])[-1] == f"Run again sched-bad-{T}? [y/N]"


def test_a_long_message_takes_two_lines() -> None:
    """Rather than losing what to do about it."""
    words = " ".join(["word"] * 25)

    lines = drawn(View(message=words))

    assert f"{lines[-2]} {lines[-1]}" == words
    assert len(lines) == 24
    assert len(drawn(View(message=words), lines=6)) == 6


def test_the_help_names_every_key() -> None:
    """Of those that act, and the words of the screen that nobody can guess."""
    said = "\n".join(drawn(View(mode=Mode.HELP)))

    assert all(f"\n{key}" in said for key in ("Up Down", "Tab", "Enter, l", "c ", "t ", "p ", "r "))
    assert all(f"\n{word}" in said for word in ("places", "USUAL, 90% IN", "late, long", "LAG"))
    assert all(line in said for line in drawn(View(mode=Mode.HELP), columns=200)[1:16])


NAMES = st.text(st.characters(categories=["Lu", "Lo", "Nd", "So", "Cc", "Mn"]), max_size=60)


LOOKS = st.builds(
    look, st.integers(1, 140), st.integers(1, 45), colour=st.booleans(), plain=st.booleans()
)


@given(
    names=st.lists(NAMES, min_size=1, max_size=30), on=LOOKS, mode=st.sampled_from(Mode),
    typed=NAMES, troubles=st.lists(NAMES, max_size=5),
)  # fmt: skip
def test_a_screen_fits_whatever_it_shows(
    names: list[str], on: Look, mode: Mode, typed: str, troubles: list[str]
) -> None:
    """Names of any length and width, in terminals of any size; and it is one line each."""
    board = replace(
        BOARD, troubles=tuple(troubles), stale_since=T - 1.0,
        running=tuple(Going(run=replace(a_run("x"), id=n, schedule=n)) for n in names),
        ended=tuple(replace(done(FAILED), id=n, schedule=n, verdict=n) for n in names),
        coming=tuple(Coming(schedule=n, at=T + 7) for n in names),
    )  # fmt: skip
    wish = Wish(deed=Deed.PAUSE, to=names[0])
    view = View(mode=mode, typed=typed, message=typed, wish=wish)

    found = drawn(view, board, on=on)

    assert len(found) <= on.lines
    bare = [_without_colour(line) for line in found]
    assert all(cell_len(line) <= on.columns for line in bare)
    assert all(line.isprintable() for line in bare)


def _without_colour(line: str) -> str:
    first, *others = line.split("\x1b[")
    return first + "".join(part.partition("m")[2] for part in others)


# -- the log of a run -----------------------------------------------------------------------------


def pane_of(terminal: Terminal, text: str, command: str = "true") -> tuple[Pane, Any]:
    """Return the pane of a run that wrote a text, and its log's path."""
    terminal.write(f'version = 1\n[schedules.x]\nevery = "1h"\ncommand = "{command}"\n')
    terminal.run("trigger", "x")
    (path,) = (terminal.state / "logs/x").iterdir()
    path.write_text(text)
    return Pane(Call().site, "x"), path


def test_a_pane_shows_the_last_lines(empty: Terminal) -> None:
    """And those above; a line that has not ended yet, too. Nothing that a terminal obeys."""
    pane, path = pane_of(empty, "one\ntwo\tx\r\nthr\x1b[2Jee\n")
    assert pane.shown(2, 0) == ["two     x", "thr\\x1b[2Jee"]
    with path.open("ab") as file:
        file.write(b"fo" + "ü".encode()[:1])
    pane.read_on()
    assert pane.shown(1, 0) == ["fo"]
    with path.open("ab") as file:
        file.write("ü".encode()[1:] + b"r\nfive")
    pane.read_on()

    assert pane.shown(2, 0) == ["foür", "five"]
    assert pane.shown(2, 3) == ["one", "two     x"]
    assert pane.shown(9, 0) == ["one", "two     x", "thr\\x1b[2Jee", "foür", "five"]
    assert [pane.most_below(room) for room in (2, 5, 9, -1)] == [3, 0, 0, 5]
    assert pane.title(0.0).startswith("LOG manual-x-")
    assert pane.title(0.0).endswith(", attempt 1, succeeded")


def test_of_a_line_that_is_written_over_the_last_words_are_shown(empty: Terminal) -> None:
    """As on a terminal: the bar of a progress, whichever end its CR stands at; and no colours."""
    pane, path = pane_of(empty, "\r 1 %\r 2 %\r\n\x1b[1;31mred\x1b[0m\n")
    assert pane.shown(9, 0) == [" 2 %", "red"]

    seen = []
    for part in ("10 %", "\r20 %", "\r", "30 %", "\r" + "x" * 2_000, "\r40 %\r", "\ndone\n"):
        with path.open("a") as file:
            file.write(part)
        pane.read_on()
        seen.append(pane.shown(1, 0)[0][:4])

    assert seen == ["10 %", "20 %", "20 %", "30 %", "xxxx", "40 %", "done"]
    assert pane.shown(2, 0)[0] == "40 %"


def test_of_a_long_log_the_end_is_read_alone(empty: Terminal) -> None:
    """However long it is; and no line of it fills the memory."""
    pane, _ = pane_of(empty, "first\n" + "x" * 2_000_000 + "\n" + "line\n" * 10 + "last")

    assert pane.shown(2, 0) == ["line", "last"]
    assert max(map(len, pane.shown(2_000, 0))) == 1_000
    assert "first" not in pane.shown(2_000, 0)


def test_a_pane_follows_what_it_was_opened_for(empty: Terminal) -> None:
    """Of a log, or a run log, that is gone it says so, and stays."""
    pane, path = pane_of(empty, "said\n")
    path.unlink()
    path.symlink_to("elsewhere")
    pane.read_on()
    assert "; cannot read the log " in pane.title(0.0)
    assert pane.shown(5, 0) == ["said"]
    path.unlink()
    pane.read_on()
    assert pane.title(0.0).endswith("succeeded")


def test_a_pane_goes_on_with_the_next_attempt(empty: Terminal) -> None:
    """Of a run that is tried again; one that is gone from the run log is said to be."""
    pane, path = pane_of(empty, "first\n")
    log = Call().site.runlog(holder=True)
    (run,) = log.runs([path.name.removesuffix(".1.log")])
    log._connection.execute("DROP TRIGGER verdict_stands")
    log._connection.execute("UPDATE runs SET status = 'running', ended = NULL")
    pane = Pane(Call().site, "x")
    path.with_name(f"{run.id}.2.log").write_text("second\n")
    with Call().site.reader() as reader:
        second = replace(*reader.attempts(run.id), attempt=2, log=f"logs/x/{run.id}.2.log")
    log.apply(Decision(attempts=(second,)))

    pane.read_on()

    assert pane.shown(5, 0) == ["second"]
    assert ", attempt 2, running for " in pane.title(run.created + 60.0)
    log._connection.execute("DELETE FROM runs")
    pane.read_on()
    assert pane.title(0.0).endswith("; it is not in the run log any more")
    log.close()


def test_a_pane_is_drawn_with_what_is_below(empty: Terminal) -> None:
    """If somebody has scrolled up."""
    pane, _ = pane_of(empty, "".join(f"line {number}\n" for number in range(100)))
    scene = Scene(
        board=BOARD, rows=ROWS, view=View(mode=Mode.LOG, below=7), look=look(), pane=pane,
        usual=lambda _: {},
    )  # fmt: skip

    lines = frame(scene)

    assert lines[1].endswith(", attempt 1, succeeded; 7 lines below")
    assert [lines[2], lines[-3]] == ["line 73", "line 92"]


def test_what_never_ran_has_no_log(empty: Terminal) -> None:
    """Neither a schedule nor a run."""
    empty.write('version = 1\n[schedules.x]\nevery = "1h"\ncommand = "true"\n')

    with pytest.raises(NotFound, match="x has not run yet"):
        Pane(Call().site, "x")


# -- what keys do ---------------------------------------------------------------------------------


def came_of(errand: Errand) -> str:
    """Wait for the end of an errand, and return what came of it."""
    select.select([errand.fileno()], [], [], 60)
    said = errand.result()
    assert said is not None
    return said


def test_an_errand_says_what_came_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    """In one line, whatever happens; what it tells stderr is not shown."""

    def fails() -> str:
        print("noise", file=sys.stderr)
        msg = "this is wrong\nand more"
        raise Conflict(msg, hint="do that")

    def breaks() -> str:
        raise ZeroDivisionError

    errand = Errand()
    try:
        said = []
        for do in (lambda: "done", fails, breaks):
            assert not errand.busy
            errand.begin(do)
            assert errand.busy
            said.append(came_of(errand))
        assert errand.result() is None
    finally:
        errand.close()

    assert said == ["done", "this is wrong (do that)", "unexpected: ZeroDivisionError: "]
    assert capsys.readouterr().err == ""


def test_an_errand_that_is_under_way_is_waited_for_at_the_end() -> None:
    """It is not given up half done."""
    errand, ends = Errand(), []
    errand.begin(lambda: ends.append("done") or "so it was")
    assert errand.wait() == "so it was"
    assert errand.wait() is None
    errand.begin(lambda: ends.append("again") or "")

    errand.close()

    assert ends == ["done", "again"]


def carried_out(deed: Deed, to: str, **given: Any) -> str:
    """Do what is wished for as an errand does it."""
    errand = Errand()
    try:
        errand.begin(doing(Call(utc=True), Wish(deed=deed, to=to, **given)))
        return came_of(errand)
    finally:
        errand.close()


def test_schedules_are_paused_and_resumed_by_the_manifest(terminal: Terminal) -> None:
    """As by the verbs; what is disabled stays so, and what is no duration is refused."""
    assert carried_out(Deed.PAUSE, "backup", span="2h").startswith("backup: paused until 2")
    assert _state(terminal) == "paused"
    assert carried_out(Deed.RESUME, "backup") == "backup: resumed"
    assert _state(terminal) == "enabled"
    assert carried_out(Deed.PAUSE, "report", span="2h") == "report: disabled, and stays so"
    assert carried_out(Deed.PAUSE, "backup", span="soon").startswith("pause: 'soon' is no duration")
    assert carried_out(Deed.PAUSE, "nobody", span="1h").startswith("no schedule is named 'nobody'")


def _state(terminal: Terminal) -> str:
    (listed,) = terminal.json("list", "backup")["schedules"]
    return str(listed["state"])


def test_what_waits_is_cancelled_without_a_scheduler(terminal: Terminal) -> None:
    """It has its verdict at once."""
    run = Run(
        id="manual-backup-5", schedule="backup", scheduled_at=None, origin=Origin.MANUAL,
        status=RunStatus.QUEUED, created=5.0,
    )  # fmt: skip
    log = Call().site.runlog()
    log.apply(Decision(runs=(run,)))
    log.close()

    assert carried_out(Deed.CANCEL, run.id) == "manual-backup-5: cancelled"
    assert terminal.json("ps")["runs"] == []


def test_without_a_scheduler_nothing_is_asked_of_one(terminal: Terminal) -> None:
    """It would be carried out at a time when nobody thinks of it any more."""
    run = terminal.json("history", "report", "--limit", "1")["entries"][0]["id"]

    assert "or use: flytesched trigger backup" in carried_out(Deed.TRIGGER, "backup")
    assert f"or use: flytesched retry {run}" in carried_out(Deed.RETRY, run)
    assert carried_out(Deed.CANCEL, run) == (
        f"{run} has ended: failed(exit 3)"
        " (only active runs can be cancelled; see: flytesched ps)"
    )  # fmt: skip
    assert len(terminal.json("history")["entries"]) == 2
