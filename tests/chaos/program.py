"""The program under test, as installed; with a window to die at, or a bug planted in it.

``python -m chaos.program [--plant NAME] [--die WINDOW:COUNT] -- WORDS...`` does what
``flytesched WORDS...`` does, until then.
"""

from __future__ import annotations

import sys


def main(words: list[str]) -> int:
    """Carry out a command line of the program."""
    ours, theirs = words[: words.index("--")], words[words.index("--") + 1 :]
    for option, value in zip(ours[::2], ours[1::2], strict=True):
        if option == "--plant":
            from chaos.plants import plant

            plant(value)
        else:
            from chaos.windows import doom

            name, _, count = value.rpartition(":")
            doom(name, int(count))
    from flytesched.__main__ import main as flytesched

    sys.argv = ["flytesched", *theirs]
    return flytesched() or 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
