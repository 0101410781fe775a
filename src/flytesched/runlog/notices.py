"""Notices in a run log: written with what they tell of, claimed by conditional update, listed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flytesched.core.telling.events import OUR_FAULT, PING_URL, WENT, Event, Notice, NoticeStatus
from flytesched.runlog.migrations import NOTICES, schema_version
from flytesched.runlog.rows import NOTICE, NOTICE_COLUMNS, columns, notice_row, places, to_notice

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from flytesched.core.telling.events import NoticeMove

#: What a move of a notice may change.
_MOVED = ("status", "tries", "not_before", "ended", "why", "facts")
_INSERT = (
    f"INSERT INTO notices ({columns(NOTICE)}) VALUES ({places(NOTICE)})"
    " ON CONFLICT (channel, event, about) DO NOTHING"
)
_MOVE = (
    f"UPDATE notices SET {', '.join(f'{column} = ?' for column in _MOVED)}"
    " WHERE id = ? AND status = ?"
)
_OPEN = f"SELECT {NOTICE_COLUMNS} FROM notices WHERE ended IS NULL AND id > ? ORDER BY id LIMIT ?"
_NOTICED = "SELECT NULL FROM notices WHERE channel = ? AND event = ? AND about = ?"
# Notices that went as one message ended at one moment.
_MESSAGES = """
    SELECT DISTINCT ended FROM notices WHERE channel = ? AND status = ? AND ended > ?
    ORDER BY ended DESC LIMIT ?"""
# Each of these reads a stretch of the index of channels and, where it asks for more than a number,
# one row: there may be millions of notices, and they are asked for every other second.
_WAITING = "SELECT count(*) FROM notices WHERE channel = ? AND status IN ('queued', 'sending')"
_ENDED = "SELECT count(*) FROM notices WHERE channel = ? AND status = ? AND ended >= ?"
_REFUSED = f"""
    SELECT {NOTICE_COLUMNS} FROM notices
    WHERE channel = ? AND status IN ('queued', 'sending') AND why IS NOT NULL
    ORDER BY id LIMIT 1"""
_FAILED = f"""
    SELECT {NOTICE_COLUMNS} FROM notices WHERE channel = ? AND status = ? AND ended > ?
    AND (why IS NULL OR why NOT IN ({places(OUR_FAULT)})) ORDER BY ended {{order}}, id LIMIT 1"""
_FIRST_FAILED, _LAST_FAILED = _FAILED.format(order="ASC"), _FAILED.format(order="DESC")
_NEWEST = f"""
    SELECT {NOTICE_COLUMNS} FROM notices WHERE channel = ? AND status = ?
    ORDER BY ended DESC, id DESC LIMIT 1"""
_CHANNELS = """
    WITH RECURSIVE each (channel) AS (
        SELECT min(channel) FROM notices
        UNION ALL
        SELECT (SELECT min(channel) FROM notices WHERE notices.channel > each.channel)
        FROM each WHERE each.channel IS NOT NULL)
    SELECT channel FROM each WHERE channel IS NOT NULL"""
_ALL = 2**31


#: States of notices that somebody was not told of, or perhaps not.
LOST = (NoticeStatus.FAILED, NoticeStatus.UNKNOWN, NoticeStatus.DROPPED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelRecord:
    """How a channel has done."""

    #: Its name.
    channel: str
    #: Notices that are queued or being sent.
    waiting: int
    #: Notices that did not arrive, or perhaps not, since the moment asked about, by state.
    lost: Mapping[NoticeStatus, int]
    #: The last notice that ended in each state.
    newest: Mapping[NoticeStatus, Notice]
    #: The oldest notice that was refused and will be, or is just being, tried again.
    refused: Notice | None
    #: The first and the last notice since the last one that was sent of which the channel did not
    #: say that it takes it.
    failed: tuple[Notice, Notice] | None

    @property
    def last_sent(self) -> float | None:
        """Moment at which something was last sent."""
        sent = self.newest.get(NoticeStatus.SENT)
        return None if sent is None else sent.ended

    @property
    def last_loss(self) -> str | None:
        """Why the last notice that did not arrive, or perhaps not, did not."""
        lost = [self.newest[status] for status in self.lost]
        return _why(max(lost, key=_end)) if lost else None

    @property
    def failing(self) -> tuple[float, str] | None:
        """Since when nothing gets through for sure, and why not; None while all is well.

        Of ping URLs, each of which has its own way, since when one of them does not work. A channel
        that takes a message and leaves somebody out fails too.
        """
        first, last = self.failed or (None, None)
        lost = [notice for notice in (first, self.refused) if notice is not None]
        if (last := self.refused or last) is None:
            sent = self.newest.get(NoticeStatus.SENT)
            return None if sent is None or sent.why is None else (sent.created, sent.why)
        since = min(notice.created for notice in lost)
        if self.channel != PING_URL:
            # One that was refused is overtaken by none: it may only have waited behind this one.
            since = max(since, self.last_sent or 0.0)
        return since, _why(last) or "nobody knows why"


def _why(notice: Notice) -> str | None:
    """Return why a notice did not arrive, and for a ping URL, whose it is."""
    if notice.channel != PING_URL or notice.why is None:
        return notice.why
    return f"{notice.schedule}: {notice.why}"


def put(connection: sqlite3.Connection, notices: Iterable[Notice], lost: AbstractSet[str]) -> None:
    """Store notices; one that is there stays as it is, those of runs that lost are left out."""
    rows = [notice_row(notice) for notice in notices if notice.about not in lost]
    if rows:
        connection.executemany(_INSERT, rows)


def move(connection: sqlite3.Connection, moves: Iterable[NoticeMove]) -> Iterator[str]:
    """Move notices; yield the keys of those that had moved on."""
    for one in moves:
        said = one.notice
        values = (
            said.status.value, said.tries, said.not_before, said.ended, said.why, said.facts,
        )  # fmt: skip
        if not connection.execute(_MOVE, (*values, said.id, one.was.value)).rowcount:
            yield said.key


def stored_open(
    connection: sqlite3.Connection, limit: int | None = None, after: int = 0
) -> list[Notice]:
    """Return notices that are queued or being sent, oldest first."""
    return _read(connection, _OPEN, (after, _ALL if limit is None else limit))


def noticed(
    connection: sqlite3.Connection, channels: Iterable[str], event: Event, about: str
) -> bool:
    """Tell whether one of the channels has a notice of an event about a run or gap."""
    return known(connection) and any(
        connection.execute(_NOTICED, (channel, event.value, about)).fetchone() is not None
        for channel in channels
    )


def messages_since(
    connection: sqlite3.Connection, channel: str, since: float, limit: int
) -> list[float]:
    """Return when a channel was sent messages, or may have been: the last ones, ascending."""
    found: set[float] = set()
    for status in WENT:
        values = (channel, status.value, since, limit)
        found.update(ended for (ended,) in connection.execute(_MESSAGES, values))
    return sorted(found)[-limit:]


def records(connection: sqlite3.Connection, since: float) -> list[ChannelRecord]:
    """Return how each channel with a notice has done, by name."""
    if not known(connection):
        return []
    channels = [channel for (channel,) in connection.execute(_CHANNELS)]
    return [_record(connection, channel, since) for channel in channels]


def page(
    connection: sqlite3.Connection,
    *,
    channels: Collection[str] | None,
    schedules: Collection[str] | None,
    statuses: Collection[NoticeStatus] | None,
    since: float,
    limit: int,
) -> list[Notice]:
    """Return notices written at ``since`` or later that are of all these, the newest first."""
    where: list[str] = ["created >= ?"]
    values: list[Any] = [since]
    for column, wanted in (("channel", channels), ("schedule", schedules), ("status", statuses)):
        if wanted is not None:
            where.append(f"{column} IN ({places([*wanted])})")
            values += map(str, wanted)
    sql = f"SELECT {NOTICE_COLUMNS} FROM notices WHERE {' AND '.join(where)}"
    return _read(connection, f"{sql} ORDER BY id DESC LIMIT ?", (*values, limit))


def known(connection: sqlite3.Connection) -> bool:
    """Tell whether a run log has notices at all; one of an earlier version has none."""
    return schema_version(connection) >= NOTICES


def _record(connection: sqlite3.Connection, channel: str, since: float) -> ChannelRecord:
    newest = _newest(connection, channel)
    sent = newest.get(NoticeStatus.SENT)
    after = sent.ended if sent is not None else 0.0
    refused = _read(connection, _REFUSED, (channel,))
    ((waiting,),) = connection.execute(_WAITING, (channel,))
    counts = {
        status: connection.execute(_ENDED, (channel, status.value, since)).fetchone()[0]
        for status in LOST
    }
    return ChannelRecord(
        channel=channel, waiting=waiting, newest=newest,
        lost={status: count for status, count in counts.items() if count},
        refused=refused[0] if refused else None, failed=_failed(connection, channel, after or 0.0),
    )  # fmt: skip


def _failed(
    connection: sqlite3.Connection, channel: str, after: float
) -> tuple[Notice, Notice] | None:
    """Return the first and the last notice after a moment that a channel did not take for sure."""
    found: list[list[Notice]] = [[], []]
    for status in (NoticeStatus.FAILED.value, NoticeStatus.UNKNOWN.value):
        for which, sql in enumerate((_FIRST_FAILED, _LAST_FAILED)):
            found[which] += _read(connection, sql, (channel, status, after, *OUR_FAULT))
    first, last = found
    return (min(first, key=_end), max(last, key=_end)) if first else None


def _end(notice: Notice) -> float:
    return notice.ended or 0.0


def _newest(connection: sqlite3.Connection, channel: str) -> dict[NoticeStatus, Notice]:
    """Return the last notice in each last state."""
    last = (NoticeStatus.SENT, *LOST)
    found = {status: _read(connection, _NEWEST, (channel, status.value)) for status in last}
    return {status: notices[0] for status, notices in found.items() if notices}


def _read(connection: sqlite3.Connection, sql: str, values: Sequence[Any]) -> list[Notice]:
    if not known(connection):
        return []
    return [to_notice(row) for row in connection.execute(sql, values)]
