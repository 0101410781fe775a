"""What the very first ``flytesched`` says: three lines to copy."""

from __future__ import annotations

import os

from flytesched.cli import render
from flytesched.errors import UsageError
from flytesched.settings import paths

#: Quotes and a variable are in it, for they are what people ask about next.
_BEGIN = """\
There is no schedule yet: {manifest} is still to be written.
To begin, copy these three lines; Ctrl-C ends the last one.

  flytesched add hello --every 10s -- 'echo "hello from $FLYTESCHED_RUN_ID"'
  flytesched list
  flytesched run

"""


def welcome(manifest: str | None, state_dir: str | None) -> str:
    """Return how to begin where there is no manifest yet; nothing where there is one.

    Nothing, too, where it cannot be told which one: there may be no home, or an option is wrong.

    Args:
        manifest: ``--manifest``.
        state_dir: ``--state-dir``.
    """
    given = {"manifest": manifest, "state_dir": state_dir}
    flags = {key: value for key, value in given.items() if value is not None}
    try:
        path, *_ = paths(os.environ, flags)
    except UsageError:
        return ""
    return "" if os.path.lexists(path) else _BEGIN.format(manifest=render.safe(path))
