"""Selection: which schedules names, patterns and labels mean."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from flytesched.core.suggestion import suggest
from flytesched.errors import NotFound, UsageError, shortened

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from flytesched.bootstrap import Site
    from flytesched.core.schedule import Schedule

_PATTERN = frozenset("*?[")
#: What lists things that have names.
_LISTS = {"schedule": "list", "calendar": "calendars", "channel": "notify list"}


def select(
    schedules: Mapping[str, Schedule], words: Sequence[str] = (), labels: Sequence[str] = ()
) -> dict[str, Schedule]:
    """Return the schedules that are meant, in the order of the words; without words, all.

    Raises:
        NotFound: a name or pattern means none.
        UsageError: a label is not KEY=VALUE.
    """
    names = named(schedules, words) if words else list(schedules)
    wanted = _pairs(labels)
    return {
        name: schedules[name]
        for name in names
        if all(schedules[name].labels.get(key) == value for key, value in wanted)
    }


def nobody(schedules: Mapping[str, Schedule], labels: Sequence[str]) -> str:
    """Say that labels select nothing, and which one may have been meant."""
    known = {f"{key}={value}" for each in schedules.values() for key, value in each.labels.items()}
    wrong = next((label for label in labels if label not in known), None)
    if wrong is None:
        return f"no schedule has {'all of these labels' if len(labels) > 1 else 'this label'}"
    near = suggest(wrong, sorted(known))
    return f"no schedule has the label {shortened(repr(wrong))}" + (f"; {near}" if near else "")


def named(known: Collection[str], words: Sequence[str], *, thing: str = "schedule") -> list[str]:
    """Return the known names that names and patterns mean, each once, in the order of the words.

    Args:
        known: the names there are.
        words: names and patterns.
        thing: what has such a name, for the error: a schedule, a calendar or a channel.

    Raises:
        NotFound: a word means none; the hint names a near one.
    """
    found: dict[str, None] = {}
    for word in words:
        found.update(dict.fromkeys(_meant(known, word, thing)))
    return list(found)


def remembered(site: Site, words: Sequence[str]) -> list[str]:
    """Return the names, of those with a history or a definition, that names and patterns mean.

    A name that the run log knows needs no look into the manifest, which may be long or broken.

    Raises:
        NotFound: a word means none; the hint names a near one.
    """
    reader = site.reader()
    if reader is not None:
        with reader:
            # No name holds other characters, and SQLite takes no lone surrogate.
            if all(word.isascii() and reader.revision(word) for word in words):
                return list(dict.fromkeys(words))
    return named(known(site), words)


def asked_for(site: Site, words: Sequence[str], labels: Sequence[str]) -> list[str] | None:
    """Return the names, of those with a history or a definition, that are meant; None for all.

    Labels are the manifest's, names also those of schedules that are no longer in it.

    Raises:
        NotFound: a word means none; the hint names a near one.
        UsageError: a label is not KEY=VALUE.
    """
    chosen = remembered(site, words) if words else None
    if not labels:
        return chosen
    labelled = select(site.manifest().schedules, (), labels)
    return [name for name in labelled if chosen is None or name in chosen]


def known(site: Site) -> list[str]:
    """Return every name that has a history or a definition, the manifest's first.

    A manifest that cannot be read leaves those with a history.
    """
    from flytesched.errors import Invalid

    try:
        names = list(site.manifest().schedules)
    except Invalid:
        names = []
    reader = site.reader()
    if reader is None:
        return names
    with reader:
        return list(dict.fromkeys([*names, *reader.states()]))


def _meant(known: Collection[str], word: str, thing: str) -> list[str]:
    if word in known:
        return [word]
    see = f"see: flytesched {_LISTS[thing]}"
    if not _PATTERN.isdisjoint(word):
        if matching := [name for name in known if fnmatchcase(name, word)]:
            return matching
        msg = f"no {thing} matches {word!r}"
        raise NotFound(msg, hint=see)
    msg = f"no {thing} is named {word!r}"
    raise NotFound(msg, hint=suggest(word, list(known)) or see)


def _pairs(labels: Sequence[str]) -> list[tuple[str, str]]:
    pairs = []
    for label in labels:
        key, equals, value = label.partition("=")
        if not (key and equals):
            msg = f"--label: {label!r} is not KEY=VALUE"
            raise UsageError(msg, hint="write a label such as team=ops")
        pairs.append((key, value))
    return pairs
