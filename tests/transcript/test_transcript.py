"""An evening with flytesched, in a real terminal of 80 and of 120 columns.

Each scene is a command that is typed into a shell, and the screen that a person then sees; what
is compared is the screen after a terminal emulator has drawn it. Screens that are meant to look
otherwise are stored by: REWRITE=1 python -m pytest tests/transcript
"""

from __future__ import annotations

import difflib
import json
import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from readme import Step, absent, tour
from still import cut_ids, still, without
from window import Window

from desk import wait_for
from flytesched.bootstrap import open_site
from flytesched.service.catchup import Choice, missing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

pytestmark = pytest.mark.slow

SCREENS = Path(__file__).parent / "screens"
SOURCE = Path(__file__).parent.parent.parent / "src"
WIDTHS = (80, 120)
#: The width at which README shows what comes out, and that of the scheduler's own window: its
#: lines are for a journal, and long.
README_AT, LONG = 120, 200
#: Columns of a history that a narrow terminal has room for on some days.
SPARE = frozenset({"EXIT", "TRY", "ORIGIN", "LAG"})
#: What the scheduler says of an edit that is in force.
CHANGED = " schedules changed "


class Place:
    """A home with nothing in it, the program on its path, and windows of one width."""

    def __init__(self, home: Path, columns: int) -> None:
        """Prepare the home; windows are opened by whoever looks through them."""
        self.home, self.columns = home, columns
        self._windows: list[Window] = []
        program = home / "bin/flytesched"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -m flytesched "$@"\n')
        program.chmod(0o755)
        # It is about noon there, so that no column changes its width with the hour.
        hours = (12 - time.gmtime().tm_hour + 11) % 24 - 11  # from 11 behind UTC to 12 ahead of it
        self.environ = {
            "HOME": str(home), "PATH": f"{home}/bin:/usr/bin:/bin", "LANG": "C.UTF-8",
            "TZ": f"Etc/GMT{-hours:+d}", "PYTHONPATH": str(SOURCE),
            "FLYTESCHED_MANIFEST": f"{home}/schedules.toml",
            "FLYTESCHED_STATE_DIR": f"{home}/state",
            # Downtime shall be over soon.
            "FLYTESCHED_MISSED_AFTER": "1s",
        }  # fmt: skip

    def window(self, name: str, columns: int) -> Window:
        """Open a window."""
        self._windows.append(Window(columns, self.environ, self.home, name))
        return self._windows[-1]

    def close(self) -> None:
        """Close the windows, which ends what runs in front of them."""
        for window in self._windows:
            window.close()


class Evening:
    """Scenes that are told one after the other, and what was wrong with them."""

    def __init__(self, place: Place) -> None:
        """Begin in an empty home, with two windows side by side."""
        self.place = place
        self.first = place.window("first", place.columns)
        self.second = place.window("second", LONG)
        #: What each screen showed, by the name of the scene.
        self.screens: dict[str, str] = {}
        self.faults: list[str] = []

    def scene(
        self,
        name: str,
        command: str,
        code: int = 0,
        *,
        counts: bool = True,
        until: str | None = None,
        spare: frozenset[str] = frozenset(),
    ) -> None:
        """Type a command, and keep what the screen shows.

        Args:
            name: name of the scene, which is that of its file.
            command: what is typed.
            code: the exit code that it has to end with.
            counts: whether its numbers are compared.
            until: what the rest begins with that is not kept.
            spare: columns that are not kept of a narrow screen, where they may have no room.
        """
        if (ended := self.first.type(command)) != code:
            self.faults.append(f"{name}: exit code {ended}, not {code}\n{self.first.look()}")
        shown = self.first.look()
        self.faults += [f"{name}: too long: {line}" for line in self.first.wrapped]
        self.faults += [f"{name}: cut: {each}" for each in cut_ids(shown)]
        shown = shown if until is None else shown[: shown.index(until)]
        shown = still(shown, str(self.place.home), counts=counts)
        narrow = spare and self.place.columns == min(WIDTHS)
        self.screens[name] = without(shown, spare) if narrow else shown

    def coloured(self, **tones: str) -> None:
        """Demand colours of words on the present screen."""
        for word, colour in tones.items():
            if colour not in (found := self.first.tone(word)):
                self.faults.append(f"{[*self.screens][-1]}: {word} is {found}, not {colour}")

    def serve(self) -> None:
        """Start the scheduler in the second window, and see it start something."""
        self.second.begin("flytesched run")
        self.second.shows(" succeeded run=sched-pulse-")

    def pid(self) -> int:
        """Return the process id of the scheduler, as it stands beside its lock."""
        return int(json.loads((self.place.home / "state/scheduler.json").read_text())["pid"])

    def let_slots_pass(self, least: int) -> None:
        """Wait until so many slots are missed that nobody decides."""
        site = open_site(environ=self.place.environ)
        wait_for(
            "missed slots", lambda: sum(m.count for m in missing(site, Choice(limit=0))) >= least
        )

    def compare(self) -> None:
        """Hold the screens against those that are stored."""
        folder = SCREENS / str(self.place.columns)
        if os.environ.get("REWRITE"):
            _rewrite(folder, self.screens)
        stored = {path.stem: path.read_text() for path in sorted(folder.iterdir())}
        for name in sorted(stored.keys() | self.screens.keys()):
            lines = [screens.get(name, "").splitlines() for screens in (stored, self.screens)]
            difference = difflib.unified_diff(*lines, f"{name} as stored", "as shown", lineterm="")
            if said := "\n".join(difference):
                self.faults.append(said)


def at_each_width(story: Callable[[Evening], None]) -> None:
    """Tell a story in terminals of both widths at the same time, and say all that was wrong."""
    with ExitStack() as stack, ThreadPoolExecutor(len(WIDTHS)) as pool:
        evenings = [Evening(stack.enter_context(_place(columns))) for columns in WIDTHS]
        for ended in [pool.submit(story, evening) for evening in evenings]:
            ended.result()
    faults = [f"{e.place.columns} columns: {fault}" for e in evenings for fault in e.faults]
    assert not faults, "\n\n".join(faults)


@contextmanager
def _place(columns: int) -> Iterator[Place]:
    """Give a place with a short name, as homes have."""
    with TemporaryDirectory(prefix="t-", dir="/tmp", ignore_cleanup_errors=True) as home:
        place = Place(Path(home), columns)
        yield place
        place.close()


def _rewrite(folder: Path, screens: Mapping[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    for name, text in screens.items():
        (folder / f"{name}.txt").write_text(text)


def test_an_evening_in_a_terminal() -> None:
    """From the first word to a catch-up after a crash; each screen is as it was reviewed."""
    at_each_width(_evening)


def _evening(evening: Evening) -> None:
    scene = evening.scene

    scene("01-first-word", "flytesched", code=2, until="\nUsage: ")
    scene("02-add", "flytesched add backup --daily 02:30 --timeout 4h -- 'echo saving; echo done'")
    scene("03-add-another", "flytesched add pulse --every 3s -- 'date +%T'")
    scene("04-add-a-third", "flytesched add report --cron '0 9 * * MON-FRI' -- 'exit 3'")
    scene("05-list", "flytesched list")
    evening.coloured(NAME="bold")
    scene("06-next", "flytesched next backup -n 3")
    scene("07-show", "flytesched show backup")
    scene("08-a-wrong-name", "flytesched show bakup", code=3)

    evening.serve()
    scene("09-trigger", "flytesched trigger backup")
    scene("10-trigger-what-fails", "flytesched trigger report", code=3)
    scene("11-history", "flytesched history backup report", spare=SPARE)
    evening.coloured(succeeded="green", failed="red")
    scene("12-disable", "flytesched disable pulse --reason 'seen enough'")
    evening.second.shows(CHANGED)
    scene("13-list-with-one-disabled", "flytesched list")
    scene("14-status", "flytesched status")
    scene("15-enable", "flytesched enable pulse")
    evening.second.press("c")
    assert evening.second.end() == 130
    assert " stopped" in evening.second.look()

    evening.serve()
    # At once: a moment later something may run.
    os.kill(evening.pid(), signal.SIGKILL)
    assert evening.second.end() == 137
    evening.let_slots_pass(2)
    scene("16-list-after-a-crash", "flytesched list", counts=False)
    scene("17-status-after-a-crash", "flytesched status", counts=False)
    scene("18-catchup-dry-run", "flytesched catchup pulse --dry-run", counts=False)
    scene("19-catchup", "flytesched catchup pulse --yes", counts=False)
    scene("20-history-of-it", "flytesched history pulse --limit 1", counts=False, spare=SPARE)

    evening.compare()


# -- README -------------------------------------------------------------------------------------


def test_readmes_commands_do_what_it_says() -> None:
    """Typed as they stand, one block after the other, they show the lines that README has.

    Each succeeds, and nothing that it shows runs over.
    """
    at_each_width(_readme)


def _readme(evening: Evening) -> None:
    for number, block in enumerate(tour()):
        if number:
            _let_time_pass(evening)
        for step in block:
            _take(evening, step)
    evening.second.press("c")
    evening.second.end()


def _take(evening: Evening, step: Step) -> None:
    """Type a command; what README puts into the background has a window of its own here."""
    home = str(evening.place.home)
    if step.command.endswith(" &"):
        evening.second.begin(step.command.removesuffix(" &"))
        wait_for(step.shown, lambda: not absent(step, evening.second.look(), home))
        return
    evening.scene(step.command, step.command)
    if evening.place.columns == README_AT:
        lines = absent(step, evening.first.look(), home)
        evening.faults += [f"{step.command}: README shows: {line}" for line in lines]


def _let_time_pass(evening: Evening) -> None:
    """Stop the scheduler for so long that it has missed something, as a later block takes it."""
    changed = evening.second.look().count(CHANGED)
    evening.first.type("flytesched enable '*'")
    evening.second.shows(CHANGED, changed + 1)
    evening.second.press("c")
    assert evening.second.end() == 130
    evening.let_slots_pass(2)
