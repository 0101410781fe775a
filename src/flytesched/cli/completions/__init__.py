"""Completions for bash, zsh and fish, made from the app: ``python -m flytesched.cli.completions``.

The files of the package are what this prints. Names of schedules, ids of runs and the like are
asked of the program itself when somebody presses the key: see ``flytesched.cli.offering``.
"""

from collections.abc import Callable

from flytesched.cli.completions.bash import bash
from flytesched.cli.completions.fish import fish
from flytesched.cli.completions.surface import Option, Verb, commands, global_options, verbs
from flytesched.cli.completions.zsh import zsh

__all__ = ["SHELLS", "Option", "Verb", "commands", "global_options", "verbs"]

#: Shells by name, and the file of the package that holds the completion.
SHELLS: dict[str, tuple[str, Callable[[], str]]] = {
    "bash": ("flytesched.bash", bash),
    "zsh": ("_flytesched", zsh),
    "fish": ("flytesched.fish", fish),
}
