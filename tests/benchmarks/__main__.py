"""Measure flytesched beside its limits and its peers: ``python tests/benchmarks``.

One table, and with ``--json`` the same as a file. Every goal is a ratio within one run, or a
count; absolute times say more of the machine. The short form (``--quick``) is what CI runs.
"""

from __future__ import annotations

import argparse
import importlib
import signal
import sys
import tempfile
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from report import Bench, Noise, Row, as_json, line, table

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Sections in the order they are told; each is a module with ``measure(bench)``, which returns
#: rows, or yields them as it goes.
SECTIONS = (
    "burst",
    "peers",
    "survival",
    "start_up",
    "slots",
    "outage",
    "history",
    "year",
    "idle",
    "frame",
    "ready",
)


def main() -> int:
    """Measure what was asked for; 1 when a section could not be measured at all."""
    parser = argparse.ArgumentParser(prog="python tests/benchmarks", description=__doc__)
    parser.add_argument("section", nargs="*", help=f"of {', '.join(SECTIONS)} (default: all)")
    parser.add_argument("--quick", action="store_true", help="fewer and smaller rounds")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there too")
    parser.add_argument(
        "--flytesched", default=sys.executable, metavar="PYTHON",
        help="the interpreter of an environment whose flytesched is measured (default: this one)",
    )  # fmt: skip
    asked = parser.parse_args()
    if unknown := set(asked.section) - set(SECTIONS):
        parser.error(f"no section {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}")
    # Else a peer that is being measured would go on, beside all that is measured later.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    noise, failed = Noise(), False
    rows: list[Row] = []
    for section in asked.section or SECTIONS:
        noise.probe()
        print(f"measuring {section} ...", file=sys.stderr, flush=True)
        try:
            for row in measured(section, quick=asked.quick, python=asked.flytesched):
                rows.append(row)  # one by one: a failure keeps what came before it
                print(line(row), file=sys.stderr, flush=True)
        except Exception:
            failed = True
            traceback.print_exc()
    noise.probe()
    print(table(rows))
    said = noise.said()
    print(f"\nnoise: a fixed piece of work took {said['p90_over_median']} times its median at the")
    print(f"90th percentile, {said['max_over_median']} times at most ({said['probes']} probes)")
    if asked.json:
        asked.json.write_text(as_json(rows, said) + "\n", encoding="utf-8")
    return int(failed)


def measured(section: str, *, quick: bool, python: str) -> Iterator[Row]:
    """Yield the rows of one section."""
    module = importlib.import_module(section)
    with tempfile.TemporaryDirectory(prefix="flytesched-bench-") as folder:
        yield from module.measure(Bench(folder=Path(folder), quick=quick, python=python))


if __name__ == "__main__":
    sys.exit(main())
