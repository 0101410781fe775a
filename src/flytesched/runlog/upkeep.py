"""Upkeep of the run log: checkpoints, checks and retention, all in bounded steps."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from flytesched.errors import RunLogBusy, RunLogError
from flytesched.runlog.database import close_unchanged, translated
from flytesched.runlog.rows import OLD_GAPS, OLD_NOTICES, OLD_RUNS
from flytesched.runlog.wishes import Wishes

if TYPE_CHECKING:
    import sqlite3

#: Bytes up to which every index is compared with its table at a start; beyond, page by page.
_CHECK_ALL = 4 * 2**20
#: Bytes beyond which a start does not wait for a check: `flytesched db check` makes it.
_CHECK_PAGES = 32 * 2**20
#: Stretches without anything to delete that one step of `prune` passes over at most.
_STRETCHES = 8

_OLD_RUNS = f"""
    WITH step AS (SELECT * FROM runs WHERE seq > :position ORDER BY seq LIMIT :limit)
    SELECT seq, created < :before, {OLD_RUNS} FROM step AS runs"""
_DELETE_GAPS = f"""
    DELETE FROM gaps WHERE id IN (
        SELECT id FROM gaps WHERE {OLD_GAPS} ORDER BY until LIMIT :limit)"""
_DELETE_NOTICES = f"""
    DELETE FROM notices WHERE id IN (
        SELECT id FROM notices WHERE {OLD_NOTICES} ORDER BY ended LIMIT :limit)"""
_NOTE = """
    INSERT INTO meta (key, value) VALUES ('pruned_before', ?1) ON CONFLICT DO UPDATE
    SET value = excluded.value WHERE CAST(excluded.value AS REAL) > CAST(value AS REAL)"""


class Upkeep(Wishes):
    """A run log that its holder looks after, in quiet moments."""

    #: Closed gaps that `prune` has deleted through this object.
    gaps_pruned = 0
    #: Ended notices that it has deleted.
    notices_pruned = 0
    #: Row number up to which `prune` has looked.
    _position = 0

    @property
    def written(self) -> int:
        """Rows that were written through this object since it was opened."""
        return self._connection.total_changes

    @property
    def pruning(self) -> bool:
        """Whether the last `prune` ended before it had looked at everything."""
        return self._position > 0

    @property
    def unused(self) -> int:
        """Bytes of the file that hold nothing: what is written next fills them."""
        return self._pragma("freelist_count") * self._pragma("page_size")

    @property
    def wal_size(self) -> int:
        """Bytes of the WAL file; what is in it may have been moved into the database already."""
        try:
            return os.stat(f"{self._name}-wal").st_size  # noqa: PTH116  it is asked at each turn
        except OSError:
            return 0

    def checkpoint(self) -> bool:
        """Move what is in the WAL into the database; True when nothing is left in it.

        Only the holder of the scheduler's lock may call this: until SQLite 3.51.3, two processes
        that make checkpoints at once can, rarely, damage the file. Nobody is made to wait.
        """
        busy, pages, moved = self._all("PRAGMA wal_checkpoint(PASSIVE)")[0]
        return not busy and pages == moved

    def integrity_check(self, *, whole: bool = False) -> str:
        """Check the file and return how: ``integrity_check``, ``quick_check`` or ``none``.

        Up to 4 MiB everything is checked, up to 32 MiB the pages without the order of indexes
        (``quick_check``), beyond that nothing, because a start must not wait for it.

        Args:
            whole: check everything, whatever the size.

        Raises:
            RunLogError: the file is damaged. The run log is closed, and as it was.
        """
        try:
            return self._checked(whole=whole)
        except RunLogBusy:
            raise
        except RunLogError:
            close_unchanged(self._connection, Path(self._name))
            raise

    def _checked(self, *, whole: bool) -> str:
        size = self._pragma("page_count") * self._pragma("page_size")
        if size > _CHECK_PAGES and not whole:
            return "none"
        check = "integrity_check" if whole or size <= _CHECK_ALL else "quick_check"
        found = self._all(f"PRAGMA {check}(1)")[0][0]
        if found != "ok":
            what = f"the run log {self._name} is damaged: {' '.join(found.split())}"
            raise RunLogError(what, hint="stop the scheduler, move the file away or restore it")
        return check

    def prune(self, before: float, limit: int = 500, *, through: int = 0) -> int:
        """Delete runs that got their verdict before ``before``, in one short transaction.

        Active runs stay, and so do gaps that are open with their runs: a pruned slot never comes
        back as missed. Closed gaps and ended notices go when they are as old. The fact
        ``pruned_before`` in `meta` says how far back the run log may have forgotten.

        Args:
            before: epoch seconds.
            limit: runs to look at in one stretch; about that many are deleted at most.
            through: row number up to which to look in any case. Else the first stretch with a run
                that is not old is the last one, and what a clock that was ahead stored later waits.

        Returns:
            How many runs were deleted. `pruning` tells whether there may be more.
        """
        with self.transaction() as connection:
            values = {"before": before, "limit": limit}
            gaps = connection.execute(_DELETE_GAPS, values).rowcount
            notices = connection.execute(_DELETE_NOTICES, values).rowcount
            deleted = self._delete_runs(connection, before, limit, through)
            if gaps or deleted:
                connection.execute(_NOTE, (f"{before:.0f}",))
        self.gaps_pruned += gaps
        self.notices_pruned += notices
        return deleted

    def _delete_runs(
        self, connection: sqlite3.Connection, before: float, limit: int, through: int
    ) -> int:
        for _ in range(_STRETCHES):
            values = {"position": self._position, "before": before, "limit": limit}
            rows = connection.execute(_OLD_RUNS, values).fetchall()
            doomed = [(seq,) for seq, _, gone in rows if gone]
            connection.executemany("DELETE FROM runs WHERE seq = ?", doomed)
            older, last = sum(row[1] for row in rows), int(rows[-1][0]) if rows else 0
            at_end = len(rows) < limit or (older < limit and last >= through)
            self._position = 0 if at_end else last
            if doomed or at_end:
                return len(doomed)
        return 0

    def _pragma(self, name: str) -> int:
        with self._lock, translated(self._name):
            return int(self._connection.execute(f"PRAGMA {name}").fetchone()[0])
