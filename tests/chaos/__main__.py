"""One command for every story: ``python -m chaos storm --seconds 600`` (in ``tests/``)."""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from chaos.faults import ALL, APART, usual
from chaos.plants import PLANTS
from chaos.stage import Stuck
from chaos.story import LONG_PAUSES, PAUSES, tell
from chaos.windows import WINDOWS
from chaos.workload import SOAK, STORM

#: Set for the inner process, whose processes and mounts nobody outside sees.
_INSIDE = "CHAOS_INSIDE"
#: Bytes of the small disk: room for a run log and some logs, and soon full.
_SMALL = "24m"


def main() -> int:
    """Play a story, print its figures, and leave with 1 if anything was violated."""
    options = _options()
    if os.geteuid() == 0 and _INSIDE not in os.environ and not options.open:
        return _inside()
    home = options.home or Path(tempfile.mkdtemp(prefix="chaos-"))
    home.mkdir(parents=True, exist_ok=True)
    seed = options.seed if options.seed is not None else random.randrange(2**32)
    soak = options.story == "soak"
    faults = options.faults.split(",") if options.faults else usual(soak=soak)
    windows = WINDOWS if options.windows == "all" else (options.windows or "").split(",")
    windows = [name for name in windows if name]
    state = _small_disk(home) if "full disk" in faults else None
    _say(f"seed {seed}, {home}")
    try:
        figures = tell(
            home, SOAK if soak else STORM, seed=seed, seconds=options.seconds, faults=faults,
            windows=windows, pauses=LONG_PAUSES if soak and not options.quick else PAUSES,
            state=state, plant=options.plant, say=_say,
        )  # fmt: skip
    except Stuck as stuck:
        figures = {"seed": seed, "violation_count": 1, "violations": {"stuck": [str(stuck)]}}
    print(json.dumps(figures, indent=2))
    if options.report:
        options.report.write_text(json.dumps(figures))
    if not figures["violation_count"] and options.home is None:
        shutil.rmtree(home, ignore_errors=True)
    return int(bool(figures["violation_count"]))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("story", choices=["storm", "soak"])
    parser.add_argument("--seconds", type=float, default=60, help="how long damage is done")
    parser.add_argument("--seed", type=int, help="what chance follows from; drawn if not given")
    parser.add_argument("--faults", help=f"of: {', '.join(ALL)}; those of a machine of its own"
                        f" ({', '.join(APART)}) only by name")  # fmt: skip
    parser.add_argument("--windows", help=f"death in each of these first: all, or of"
                        f" {', '.join(WINDOWS)}")  # fmt: skip
    parser.add_argument("--quick", action="store_true", help="fault upon fault, in a soak too")
    parser.add_argument("--plant", choices=PLANTS, help="a bug to find")
    parser.add_argument("--home", type=Path, help="an empty folder, kept; else one that is not")
    parser.add_argument("--report", type=Path, help="where figures go as JSON")
    parser.add_argument("--open", action="store_true", help="no namespaces of its own")
    return parser.parse_args()


def _inside() -> int:
    """Go on in namespaces of our own: whatever is left running ends with them.

    The first process there is a shell, which waits for orphans as an init does.
    """
    words = [sys.executable, "-m", "chaos", *sys.argv[1:]]
    unshare = ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child"]
    shell = ["/bin/sh", "-c", '"$@" & wait $!', "sh"]
    return subprocess.run([*unshare, *shell, *words], env=os.environ | {_INSIDE: "1"}).returncode


def _small_disk(home: Path) -> Path:
    state = home / "state"
    state.mkdir(mode=0o700)
    options = f"size={_SMALL},mode=0700"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "chaos", state], check=True)
    return state


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
