"""News that come while the loop is busy are news all the same."""

from __future__ import annotations

import select
from typing import TYPE_CHECKING

from flytesched import wakeup
from flytesched.bootstrap import build, open_site
from flytesched.notify import Notifier
from flytesched.service.ground import Ground
from flytesched.service.serve import Service
from flytesched.testing import RecordingJournal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from flytesched.core.protocols import Roster

TEXT = 'version = 1\n[schedules.s]\nat = 2099-01-01T00:00:00\ncommand = "true"\n'


def heard_during_a_tick(
    home: Path, monkeypatch: pytest.MonkeyPatch, happens: Callable[[], None]
) -> bool:
    """Let something happen right after a tick has looked; tell whether the loop is woken again."""
    (home / "m.toml").write_text(TEXT)
    where = {"manifest": str(home / "m.toml"), "state_dir": str(home / "state")}
    site = open_site(**where, environ={"HOME": str(home)})
    journal = RecordingJournal()
    works = build(site, site.runlog(holder=True), journal)
    try:
        notifier = Notifier(None, None, lambda: 0.0)
        service = Service(site, works, notifier, journal, beat=lambda: None, ground=Ground([]))
        service._turn()
        # What wakes the loop, such as the file that an editor is about to put in place.
        (home / "new.toml").write_text(TEXT + "# edited\n")
        looked = works.source.poll

        def poll() -> Roster | None:
            found = looked()
            happens()
            return found

        # The moment cannot be met from outside: it is some microseconds long.
        monkeypatch.setattr(works.source, "poll", poll)
        service._turn()
        return bool(select.select([works.wakeup.fileno()], [], [], 0)[0])
    finally:
        works.close()


def test_an_edit_during_a_tick_wakes_the_loop_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not taken for the news that caused the tick, and so not put off to the next slot."""

    def edit() -> None:
        (tmp_path / "new.toml").rename(tmp_path / "m.toml")

    assert heard_during_a_tick(tmp_path, monkeypatch, edit)


def test_a_wish_during_a_tick_wakes_the_loop_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command that waits for its run must not wait for somebody else's slot."""
    state = tmp_path / "state"

    assert heard_during_a_tick(tmp_path, monkeypatch, lambda: wakeup.touch(state))


def test_a_tick_in_which_nothing_happens_leaves_no_news(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or the loop would turn for ever."""
    assert not heard_during_a_tick(tmp_path, monkeypatch, lambda: None)
