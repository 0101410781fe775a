"""Inputs for each target: from its corpus, from its words, and from the shape of what is right."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from oracle_files import NEXT
from oracle_runlog import DAY, FILES, TABLES
from oracle_times import ZONES
from targets import TARGETS, corpus

from flytesched.core.keys import ALL_KEYS
from flytesched.core.schedule import Schedule
from flytesched.errors import InvalidSchedule
from flytesched.manifest.toml import assignment, block, headed, literal
from flytesched.runlog import rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypothesis.strategies import SearchStrategy


def inputs(name: str) -> SearchStrategy[bytes]:
    """Return inputs for a target, a third of each kind."""
    return st.one_of(_mutated(name), _soup(name), SHAPED[name]())


def _soup(name: str) -> SearchStrategy[bytes]:
    """Words of the target, and some that are none."""
    words = st.sampled_from(TARGETS[name].words).map(str.encode)
    return st.lists(words | st.binary(max_size=3), max_size=24).map(b"".join)


@st.composite
def _mutated(draw: st.DrawFn, name: str) -> bytes:
    """One or two files of the corpus, cut and mixed, with words put in and bytes changed."""
    kept = st.sampled_from([path.read_bytes() for path in corpus(name)])
    data = draw(kept)
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(len(data), start + 40)))
        new = draw(_soup(name)) if draw(st.booleans()) else draw(kept)[start : start + 60]
        data = data[:start] + new + data[end:]
    return data


# -- the shape of what is right ---------------------------------------------------------------


SCALARS = st.one_of(
    st.booleans(), st.integers(-(2**40), 2**40), st.floats(), st.text(max_size=6),
    st.datetimes(), st.dates(), st.times(),
    st.sampled_from(
        ["1h", "10s", "* * * * *", "@daily", "02:00", "UTC", "Pacific/Apia", "skip", "all", "02:00",
         "0 0 L * *", "2026-12-24", "9999-12-31T23:59:59-10:00", "1970-01-01T00:00:00+10:00", 15,
         [15, 45], ["02:00", "14:30"], {"max_attempts": 3}, [0, 2], ["a", "b"]]
    ),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)
#: What some keys may be; of the others, and now and then of these, anything is tried.
GOOD: dict[str, list[Any]] = {
    "description": ["nightly", "é\n'\"\\"], "labels": [{"team": "x"}, {}], "enabled": [True, False],
    "paused_until": ["2026-12-01", datetime(2026, 12, 1, tzinfo=UTC)], "pause_reason": ["holiday"],
    "jitter": ["1m", "0s"], "cwd": ["/tmp", "~"], "env": [{"A": "b", "C": "\x7f"}, {}],
    "env_file": ["e"], "shell": ["/bin/bash"], "kickoff_time_arg": ["--at"],
    "overlap": ["skip", "queue"], "queue_limit": [1, 2**31], "catchup": ["all", "none"],
    "catchup_window": ["2d"], "catchup_limit": [0, 7], "timeout": ["2h"], "kill_after": ["5s"],
    "retry": [{"max_attempts": 3}, {"delay": "1s", "multiplier": 1.5}], "survive": [False],
    "on_interrupted": ["rerun"], "success_exit_codes": [0, [0, 2]], "on_failure": ["x", ["a", "b"]],
    "timezone": ["Europe/Berlin", "Pacific/Apia"],
    "start": [date(2026, 1, 1), "2026-01-01T00:00:00Z"],
    "end": [date(2030, 1, 1), datetime(2030, 1, 1)],  # noqa: DTZ001
    "calendars": ["work", ["home", "work"], []], "on_holiday": ["skip", "next", "previous"],
    "notify": ["ops", ["chat", "ops"], []], "ping_url": ["https://hc.example.org/s3cret"],
    "late_after": ["1m"], "long_after": ["2h"], "on_late": ["x"], "on_long": [["a", "b"]],
}  # fmt: skip
#: What schedules may name, and what may be wrong with it.
SHARED: dict[str, dict[str, list[Any]]] = {
    "calendars": {
        "work": [{"weekdays": ["sat", "sun"]}, {"dates": [date(2026, 12, 24)], "except": []}, {}],
        "home": [{"dates": {"12-25": "Christmas 'Day'", "2026-12-27/2026-12-31": "é"}}, 5],
    },
    "channels": {
        "ops": [{"kind": "mail", "to": ["root"]}, {"kind": "mail", "at_most": "1"}],
        "chat": [{"kind": "webhook", "url": "https://x/s3cret", "headers": {"X": "y"}}, {}],
    },
}
WHEN = [
    {"cron": "0 2 * * *", "offset": "5m"}, {"cron": "0 0 2 * * *", "seconds": True},
    {"aws_cron": "0 10 ? * 6#3 *"}, {"every": "90s", "anchor": "2026-01-01"}, {"daily": ["02:00"]},
    {"hourly": 15}, {"hourly": [15, 45]}, {"at": date(2029, 1, 1)},
    {"at": datetime(2026, 12, 24, 18)},  # noqa: DTZ001
]  # fmt: skip


@st.composite
def _tables(draw: st.DrawFn) -> dict[str, Any]:
    """The keys of a schedule, most of them right."""
    table = {
        "command": draw(st.sampled_from(["x", "a 'b'", ["a", "b"]])),
        **draw(st.sampled_from(WHEN)),
    }
    for key in draw(st.lists(st.sampled_from(sorted(GOOD)), max_size=4, unique=True)):
        table[key] = draw(st.sampled_from(GOOD[key]))
    if draw(st.integers(0, 5)) == 5:
        table[draw(st.sampled_from(ALL_KEYS))] = draw(VALUES)
    return table


NAMES = st.sampled_from(["a", "b", "a.b", "A-1", "c", "0", "a_b", "x y"])


@st.composite
def _shared(draw: st.DrawFn, there: bool) -> str:
    """Calendars and channels, most of them right, each written in one way or another."""
    text = ""
    for kind, names in SHARED.items() if there else ():
        # The first one is right, and chosen most often.
        tables = {name: draw(st.sampled_from([each[0], *each])) for name, each in names.items()}
        if draw(st.booleans()):
            text += f"[{kind}]\n" + "".join(
                f"{assignment((n,), t)} # in\n" for n, t in tables.items()
            )
        else:
            text += "".join(
                headed((kind, n), t, "\n") if isinstance(t, dict) else "" for n, t in tables.items()
            )
    return text


@st.composite
def _manifests(draw: st.DrawFn) -> bytes:
    """A manifest whose tables are written in every way there is."""
    tables = draw(st.dictionaries(NAMES, _tables(), min_size=1, max_size=3))
    gaps = st.sampled_from(["", "\n", "# note\n", "  \t\n"])
    way = draw(st.sampled_from(["all inline", "mixed"]))
    text = draw(gaps) + "version = 1\n"
    if way == "all inline":
        text += f"schedules = {literal(tables)} # all\n"
        tables = {}
    under = [name for name in tables if draw(st.booleans())]
    if under:
        text += "[schedules]\n"
    for name in under:
        if draw(st.booleans()):
            text += assignment((name,), tables[name]) + " # inline\n"
        else:
            lines = (assignment((name, key), value) for key, value in tables[name].items())
            text += "".join(f"{line}\n" for line in lines)
        text += draw(gaps)
    for name in tables.keys() - set(under):
        text += draw(gaps) + block(name, tables[name], "\n")
    text += draw(_shared(draw(st.booleans())))
    key = draw(st.sampled_from(sorted(GOOD)))
    text += "[defaults]\n" + assignment((key,), draw(st.sampled_from(GOOD[key]))) + "\n"
    if draw(st.booleans()):
        text = text.removesuffix("\n")
    return text.encode()


NUMBERS = st.integers(0, 60).map(str)
ITEMS = st.one_of(
    st.sampled_from(["*", "*/2", "?", "L", "5L", "5#3", "15W", "LW", "MON-FRI", "JAN", "7", "31",
    "29"]),
    NUMBERS, st.builds("{}-{}".format, NUMBERS, NUMBERS),
    st.builds("{}-{}/{}".format, NUMBERS, NUMBERS, NUMBERS), st.builds("*/{}".format, NUMBERS),
)  # fmt: skip
FIELDS = st.one_of(st.just("*"), ITEMS, st.lists(ITEMS, min_size=1, max_size=3).map(",".join))
CLOCKS = st.builds("{:02}:{:02}".format, st.integers(0, 24), st.integers(0, 60))
EXPRESSIONS: dict[str, SearchStrategy[str]] = {
    "cron": st.lists(FIELDS, min_size=5, max_size=6).map(" ".join),
    "aws_cron": st.lists(FIELDS, min_size=4, max_size=4).map(lambda f: " ".join([*f, "?", "*"])),
    "every": st.builds("{}{}".format, st.integers(0, 10**6), st.sampled_from("smhdw")),
    "daily": st.lists(CLOCKS, min_size=1, max_size=3).map(",".join),
    "hourly": st.lists(NUMBERS, min_size=1, max_size=3).map(",".join),
    "at": st.datetimes().map(lambda t: t.isoformat()[:19]) | st.dates().map(str),
}


@st.composite
def _timetables(draw: st.DrawFn) -> bytes:
    kind = draw(st.sampled_from(sorted(EXPRESSIONS)))
    head = [kind, draw(st.sampled_from(ZONES))]
    for option in ("seconds", "start=", "end=", "anchor=", "offset=", ""):
        if not draw(st.integers(0, 3)):
            number = "" if option == "seconds" else str(draw(st.integers(0, 2**32)))
            head.append(option + number)
    return f"{' '.join(head)}\n{draw(EXPRESSIONS[kind])}".encode()


def _durations() -> SearchStrategy[bytes]:
    part = st.builds(
        "{}{}".format, st.integers(0, 10**9) | st.decimals(0, 1000, places=3),
        st.sampled_from(["w", "d", "h", "m", "s", "ms", "us", "W", "D", "H", "M", "S", ""]),
    )  # fmt: skip
    return st.lists(part, max_size=4).map(" ".join).map(str.encode)


def _moments() -> SearchStrategy[bytes]:
    said = st.one_of(
        _durations().map(bytes.decode), CLOCKS, st.dates().map(str),
        st.datetimes().map(lambda t: t.isoformat(sep=" ")[:19]),
        st.datetimes().map(lambda t: t.isoformat()[:19] + "-10:00"),
        st.builds("{} {}".format, st.sampled_from(["yesterday", "today", "tomorrow"]), CLOCKS),
    )  # fmt: skip
    return st.builds("{}\n{}".format, st.sampled_from(ZONES), said).map(str.encode)


def _env_files() -> SearchStrategy[bytes]:
    value = st.text(st.characters(codec="utf-8"), max_size=12)
    line = st.builds(
        "{}{}{}{}{}".format,
        st.sampled_from(["", "export ", " "]),
        st.sampled_from(["A", "B_2", "c"]),
        st.sampled_from(["=", " = ", "='", '="']),
        value,
        st.sampled_from(["", "'", '"', " # c"]),
    )  # fmt: skip
    return st.lists(line, max_size=5).map("\n".join).map(str.encode)


JSONS: SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
    | st.sampled_from(["1m", "0 2 * * *", "02:00", "15", "UTC", "2026-12-24T18:00:00Z", "10s"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2)
    ),
    max_leaves=3,
)  # fmt: skip


@st.composite
def _definitions(draw: st.DrawFn) -> bytes:
    """The definition, or the timing alone, of a real schedule; one key of it may be anything."""
    table = draw(_tables())
    try:
        kept = json.loads(Schedule("a", **table).definition())
    except InvalidSchedule:
        kept = {"timing": "{}"}
    timing = json.loads(kept["timing"])
    if draw(st.booleans()):
        timing[draw(st.sampled_from(sorted(timing) or ["kind"]))] = draw(JSONS)
    if draw(st.booleans()):
        return json.dumps(timing).encode()
    if draw(st.booleans()):
        kept[draw(st.sampled_from(ALL_KEYS))] = draw(JSONS)
    return json.dumps({**kept, "timing": json.dumps(timing)}).encode()


def _records() -> SearchStrategy[bytes]:
    line = st.builds(
        "{} {}\n".format, st.sampled_from("ASEX"),
        st.one_of(
            st.sampled_from(["sched-a-60.1", "sched-a-60.2", "sched-b-1.1", "", "x"]),
            st.integers(-1, 2**40).map(str),
        ),
    )  # fmt: skip
    record = st.lists(line, max_size=5).map("".join).map(str.encode)
    padded = record.map(lambda content: content.ljust(512, b"\0"))
    return st.lists(record | padded, max_size=3).map(NEXT.join)


def _notes() -> SearchStrategy[bytes]:
    keys = ("pid", "started", "boot_id", "kind", "since")
    truth = ("PID", "START", '"BOOT"', '"run"', "1.5")
    value = st.sampled_from([*truth, '"command"']) | JSONS.map(json.dumps)
    return st.tuples(*(st.just(true) | value for true in truth)).map(
        lambda found: "{" + ", ".join(map('"{}": {}'.format, keys, found)) + "}"
    ).map(str.encode)  # fmt: skip


def _damages() -> SearchStrategy[bytes]:
    columns = sorted({*rows.RUN, *rows.ATTEMPT, *rows.GAP, *rows.STATE, "definition", "value"})
    place = st.integers(0, 80_000)
    some_bytes = st.binary(max_size=8).map(bytes.hex)
    value = JSONS.map(json.dumps)
    line = st.one_of(
        st.builds("{} {} {}".format, st.sampled_from(FILES), place, some_bytes),
        st.builds("{} cut {}".format, st.sampled_from(FILES), place),
        st.builds("row {} {} {}".format, st.sampled_from(TABLES), st.sampled_from(columns), value),
    )
    return st.lists(line, min_size=1, max_size=4).map("\n".join).map(str.encode)


def _run_ids() -> SearchStrategy[bytes]:
    number = st.integers(0, 200).map(lambda n: DAY + 30 * n) | st.integers(0, 10**25)
    return st.builds(
        "{}-{}-{}".format, st.sampled_from(["sched", "manual"]), NAMES, number
    ).flatmap(lambda said: st.integers(0, len(said)).map(lambda end: said[:end].encode()))


SHAPED: dict[str, Callable[[], SearchStrategy[bytes]]] = {
    "manifest": _manifests,
    "edit": _manifests,
    "timetable": _timetables,
    "duration": _durations,
    "moment": _moments,
    "env_file": _env_files,
    "stored": _definitions,
    "records": _records,
    "lock": _notes,
    "runlog": _damages,
    "run_id": _run_ids,
}
