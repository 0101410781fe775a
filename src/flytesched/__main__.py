"""The program: ``flytesched``, or ``python -m flytesched``."""

from __future__ import annotations

import gc
import sys

#: Objects that are made between two collections: more than a short command makes. At Python's own
#: 700 it would look through all that was imported again and again, which is an eighth of its time.
COLLECT_AFTER = 100_000
#: The word by which a shell asks what may stand next: at each press of a key, and so without Typer.
ASKED = "__complete"


def main() -> int:
    """Run the command line and return its exit code."""
    gc.set_threshold(COLLECT_AFTER)
    if sys.argv[1:2] == [ASKED]:
        from flytesched.cli.offering import answer as run
    else:
        from flytesched.cli.app import main as run

    try:
        return run(sys.argv[1:])
    finally:
        gc.freeze()  # the process ends: what is left needs no last collection either


if __name__ == "__main__":
    sys.exit(main())
