"""Text surgery: carry changes of schedules into a manifest's text, and touch nothing else.

Pure: text and changes in, text out. Whoever calls it parses the result and compares.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flytesched.manifest.places import Entry, Kind, Misplaced, Statement, entries, scan
from flytesched.manifest.toml import assignment, block, literal, same, word

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from flytesched.manifest.places import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What an edit does to one schedule's table."""

    #: Name of the schedule.
    name: str
    #: Its table before, as written; None if there was none.
    before: Mapping[str, Any] | None
    #: Its table after; None if it is removed.
    after: Mapping[str, Any] | None

    def keys(self) -> dict[str, Any]:
        """Return the keys that differ, with their new values; None stands for one removed."""
        before, after = self.before or {}, self.after or {}
        changed = {k: v for k, v in after.items() if k not in before or not same(before[k], v)}
        return {**dict.fromkeys(key for key in before if key not in after), **changed}

    def __bool__(self) -> bool:
        """Tell whether anything differs."""
        return (self.before is None) != (self.after is None) or bool(self.keys())


#: Replace the characters ``[start, end)`` by a text.
Cut = tuple[int, int, str]


def splice(text: str, changes: Iterable[Change], *, afresh: bool = False) -> str:
    """Return ``text`` with the changes made.

    Args:
        text: a manifest that tomllib accepts.
        changes: at most one per schedule.
        afresh: write changed tables anew instead of key by key; loses comments inside them.

    Raises:
        Misplaced: a table is written in a way this does not know.
    """
    return _Splice(text, afresh=afresh).carry_out([change for change in changes if change])


class _Splice:
    """One pass over one text; collects cuts, then makes them all."""

    def __init__(self, text: str, *, afresh: bool) -> None:
        self.text = text
        self.afresh = afresh
        self.statements = scan(text)
        first = text.find("\n")
        self.newline = "\r\n" if first > 0 and text[first - 1] == "\r" else "\n"
        self.cuts: list[Cut] = []
        self.places: dict[str, list[int]] = {}
        self.inline: Statement | None = None  # ``schedules = { ... }``
        for index, statement in enumerate(self.statements):
            if statement.path == ("schedules",) and statement.kind is Kind.VALUE:
                self.inline = statement
            elif statement.path[:1] == ("schedules",) and len(statement.path) > 1:
                self.places.setdefault(statement.path[1], []).append(index)

    def carry_out(self, changes: Sequence[Change]) -> str:
        if self.inline is not None:
            self._inside(self.inline.value, changes)
            return self._cut()
        for change in changes:
            if change.before is not None:
                self._change(change)
        new = {each.name: each.after for each in changes if each.before is None}
        there = {name: table for name, table in new.items() if table is not None}
        return self._appended(self._cut(), there)

    def _change(self, change: Change) -> None:
        own = [self.statements[index] for index in self.places.get(change.name, ())]
        if not own:
            raise Misplaced(0, f"cannot find the table of {change.name}")
        value = own[0] if len(own) == 1 and own[0].kind is Kind.VALUE else None
        if change.after is None:
            self._delete(self._regions(self.places[change.name]))
        elif value is not None and len(value.path) == 2:
            self._change_value(value.value, change)
        elif self.afresh:
            self._rewrite(change.name, change.after)
        else:
            for key, new in change.keys().items():
                self._change_key(change.name, key, new)

    def _change_value(self, span: tuple[int, int], change: Change) -> None:
        """Change a table that is written inline."""
        found = entries(self.text, span)
        if self.afresh or found is None:
            self.cuts.append((*span, literal(change.after)))
            return
        new = {k: None if v is None else literal(v) for k, v in change.keys().items()}
        self.cuts += _inline_cuts(found, span, new)

    def _inside(self, span: tuple[int, int], changes: Sequence[Change]) -> None:
        """Change tables inside ``schedules = { ... }``."""
        found = entries(self.text, span)
        if found is None:
            raise Misplaced(span[0], "schedules is no table")
        whole: dict[str, str | None] = {}
        for change in changes:
            exact = [entry for entry in found if entry.path == (change.name,)]
            if change.after is None:
                whole[change.name] = None
            elif exact:
                self._change_value(exact[0].value, change)
            else:
                whole[change.name] = literal(change.after)
        self.cuts += _inline_cuts(found, span, whole)

    def _change_key(self, name: str, key: str, new: Any) -> None:
        path = ("schedules", name, key)
        own = [i for i in self.places[name] if self.statements[i].path[:3] == path]
        first = self.statements[own[0]] if own else None
        exact = len(own) == 1 and first and first.kind is Kind.VALUE and first.path == path
        if new is not None and first and exact:
            self.cuts.append((*first.value, literal(new)))
            return
        self._delete(self._regions(own))
        if new is not None:
            self._insert(name, key, new)

    def _insert(self, name: str, key: str, new: Any) -> None:
        """Write a new key below the last one of the table."""
        after = self._last_of_block(name)
        if after is None:
            dotted = [self.statements[i] for i in self.places[name] if self._is_dotted(i)]
            if not dotted:
                raise Misplaced(0, f"cannot place {key} of {name}")
            after = dotted[-1]
        inner = ("schedules", name)[min(after.depth, 2) :]
        line = assignment((*inner, key), new)
        self.cuts.append((after.end, after.end, self._line_after(after, line)))

    def _last_of_block(self, name: str) -> Statement | None:
        """Return the last key below ``[schedules.NAME]``, or the header if it has none."""
        last = None
        for index in self.places[name]:
            statement = self.statements[index]
            header = statement.kind is Kind.HEADER and len(statement.path) == 2
            if header or (last and statement.kind is Kind.VALUE and statement.depth == 2):
                last = statement
        return last

    def _is_dotted(self, index: int) -> bool:
        statement = self.statements[index]
        return statement.kind is Kind.VALUE and statement.depth < 2

    def _line_after(self, before: Statement, line: str) -> str:
        """Give a line the indentation of the one before it, and keep a missing final newline."""
        source = self.text[before.start : before.end]
        line = source[: len(source) - len(source.lstrip(" \t"))] + line
        return line + self.newline if source.endswith("\n") else self.newline + line

    def _rewrite(self, name: str, table: Mapping[str, Any]) -> None:
        """Write a whole table anew where it stands, in the form it has."""
        regions = self._regions(self.places[name])
        headed = next((r for r in regions if any(s.kind is not Kind.VALUE for s in r)), None)
        place = headed or regions[0]
        last = place[-1]
        if headed:
            new = block(name, table, self.newline)
        else:
            inner = ("schedules", name)[last.depth :]
            lines = [assignment((*inner, key), value) for key, value in table.items()]
            new = "".join(line + self.newline for line in lines)
        if not self.text[last.start : last.end].endswith("\n"):
            new = new.removesuffix(self.newline)
        self.cuts.append((place[0].start, last.end, new))
        self._delete([region for region in regions if region is not place])

    def _regions(self, indices: Sequence[int]) -> list[list[Statement]]:
        """Group statements into stretches with nothing but blanks between them."""
        regions: list[list[Statement]] = []
        previous = -1
        for index in indices:
            between = self.statements[previous + 1 : index]
            if regions and all(statement.kind is Kind.BLANK for statement in between):
                regions[-1].append(self.statements[index])
            else:
                regions.append([self.statements[index]])
            previous = index
        return regions

    def _delete(self, regions: Iterable[Sequence[Statement]]) -> None:
        self.cuts += [(region[0].start, region[-1].end, "") for region in regions]

    def _cut(self) -> str:
        pieces = []
        at = 0
        for start, end, new in sorted(self.cuts, key=lambda cut: cut[:2]):
            if start < at:
                raise Misplaced(start, "two changes meet")
            pieces += [self.text[at:start], new]
            at = end
        return "".join([*pieces, self.text[at:]])

    def _appended(self, text: str, tables: Mapping[str, Mapping[str, Any]]) -> str:
        """Put new tables at the end, each with a blank line before it."""
        if not tables:
            return text
        if text and not text.endswith("\n"):
            text += self.newline
        if text and not re.search(r"(?:\A|\n)[ \t]*\r?\n\Z", text):
            text += self.newline
        blocks = [block(name, table, self.newline) for name, table in tables.items()]
        return text + self.newline.join(blocks)


def _inline_cuts(
    found: Sequence[Entry], span: tuple[int, int], new: Mapping[str, str | None]
) -> list[Cut]:
    """Return the cuts that give an inline table the ``new`` entries; None removes one."""
    paths: dict[str, list[Path]] = {}
    for entry in found:
        paths.setdefault(entry.path[0], []).append(entry.path)
    in_place = {
        key for key, value in new.items() if value is not None and paths.get(key) == [(key,)]
    }
    cuts = [(*e.value, new[e.path[0]] or "") for e in found if e.path[0] in in_place]
    gone = [e.path[0] in new and e.path[0] not in in_place for e in found]
    cuts += _removals(found, gone)
    added = [f"{word(key)} = {value}" for key, value in new.items()
             if value is not None and key not in in_place]  # fmt: skip
    if not added:
        return cuts
    if not found:
        return [(*span, "{ " + ", ".join(added) + " }")]
    lead = "" if all(gone) else ", "
    behind = found[-1].value[1]
    return [*cuts, (behind, behind, lead + ", ".join(added))]


def _removals(found: Sequence[Entry], gone: Sequence[bool]) -> list[Cut]:
    """Return the cuts that take out entries, each stretch with the comma that it needs no more."""
    cuts: list[Cut] = []
    index = 0
    while index < len(found):
        if not gone[index]:
            index += 1
            continue
        first = index
        while index < len(found) and gone[index]:
            index += 1
        if index < len(found):
            cuts.append((found[first].start, found[index].start, ""))
        else:
            start = found[first - 1].value[1] if first else found[first].start
            cuts.append((start, found[-1].value[1], ""))
    return cuts
