"""Say a manifest in plain lines: ``python -m flytesched.manifest.plainly FILE ZONE``.

Reading a large manifest that is written in an unusual way, or has faults, takes seconds. A
running scheduler has it done by this process, and gets what it can read in steps: each schedule
as one table in plain lines, or the faults.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from flytesched.errors import Fault, InvalidManifest
from flytesched.manifest.read import VERSION, NoManifest, Unreadable, read
from flytesched.manifest.toml import block, headed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flytesched.manifest.read import Manifest

#: The first line of an answer.
GOOD, FAULTY = b"good\n", b"faulty\n"
#: The last line of an answer, without which it is none: whoever wrote it was interrupted.
END = b"# end\n"
#: Seconds of CPU after which nobody waits for the answer any more.
_PATIENCE = 120


def main(words: Sequence[str]) -> int:
    """Write the answer; nothing at all when the file cannot be read just now."""
    path, timezone = words
    _step_back()
    try:
        manifest = read(Path(path), timezone=timezone)
    except (NoManifest, Unreadable):
        return 1
    except InvalidManifest as error:
        answer = FAULTY + json.dumps([asdict(fault) for fault in error.faults]).encode() + b"\n"
    else:
        answer = GOOD + "".join(_plain(manifest)).encode()
    with suppress(BrokenPipeError), open(1, "wb", closefd=False) as out:
        out.write(answer + END)
    return 0


def faults(answer: bytes) -> list[Fault]:
    """Return the faults of an answer that begins with FAULTY."""
    said = json.loads(answer.removeprefix(FAULTY).removesuffix(END))
    return [Fault(**{**fault, "table": tuple(fault["table"])}) for fault in said]


def _step_back() -> None:
    """Go behind everything else: slots have to start, and the scheduler has to stay."""
    with suppress(OSError):
        os.nice(10)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CPU, (_PATIENCE, _PATIENCE))


def _plain(manifest: Manifest) -> Iterator[str]:
    """Yield the manifest, a table at a time, what the schedules share before them."""
    yield f"version = {VERSION}\n"
    yield headed(("settings",), manifest.settings_table, "\n")
    yield headed(("defaults",), manifest.defaults, "\n")
    for kind, tables in manifest.named.items():
        for name, table in tables.items():
            yield headed((kind, name), table, "\n")
    for name, table in manifest.tables.items():
        yield block(name, table, "\n")


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)  # a hundred thousand schedules take a while to be forgotten
