"""Somebody at an interactive shell, who presses the key that completes."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pexpect

if TYPE_CHECKING:
    from collections.abc import Mapping

COMPLETIONS = Path(__file__).parent.parent / "completions"
#: The keys: complete, show the line between marks, empty it.
TAB, SHOW, EMPTY = "\t", "\x07", "\x15"
#: What a terminal obeys; what is left is text.
_ESCAPES = re.compile(
    r"\x1b(\[[0-9;?>=]*[a-zA-Z]|\][^\x07\x1b]*(\x07|\x1b\\)|[()][A-Z0-9]|[=>])|\x0f"
)

_BASH = r"""
PS1='> '
for setting in 'bell-style none' 'show-all-if-ambiguous on' 'page-completions off' \
    'completion-query-items 0' 'enable-bracketed-paste off'; do bind "set $setting"; done
show() { printf '\n<<%s>>\n' "$READLINE_LINE"; }
bind -x '"\C-g": show'
source FOLDER/flytesched.bash
"""
_ZSH = r"""
PS1='> ' PROMPT_EOL_MARK= LISTMAX=10000
fpath=(FOLDER $fpath)
autoload -Uz compinit && compinit -u -D
unsetopt beep auto_menu list_ambiguous
show() { zle -I; print -r -- "<<$BUFFER>>" }
zle -N show
bindkey '^I' complete-word '^G' show '^U' kill-whole-line
"""
_FISH = r"""
set -g fish_greeting
set -g fish_autosuggestion_enabled 0
function fish_prompt; printf '> '; end
bind \cg 'printf "\n<<%s>>\n" (commandline -b | string collect)'
source FOLDER/flytesched.fish
"""
#: How each shell is started without anybody's start-up files, and what it is told first.
_STARTED = {
    "bash": (["--noprofile", "--rcfile", "FILE", "-i"], _BASH),
    "zsh": (["-f", "-i"], _ZSH),
    "fish": (["--no-config", "-C", "source FILE", "-i"], _FISH),
}


class Shell:
    """An interactive shell in a terminal of its own, with our completion."""

    def __init__(self, name: str, home: Path, environ: Mapping[str, str]) -> None:
        """Start it; everything that it is told first has been carried out at the end."""
        self.name = name
        words, told = _STARTED[name]
        file = home / f"first.{name}"
        file.write_text(told.replace("FOLDER", str(COMPLETIONS)))
        path = f"{Path(sys.executable).parent}:{environ['PATH']}"
        program = shutil.which(name)
        assert program is not None
        self._process = pexpect.spawn(
            program, [word.replace("FILE", str(file)) for word in words], cwd=home,
            env={**environ, "PATH": path, "TERM": "xterm", "LC_ALL": "C.UTF-8"},
            dimensions=(200, 200), encoding="utf-8", timeout=60, echo=False,
        )  # fmt: skip
        if name == "zsh":
            self._process.sendline(f"source {file}")
        self._process.sendline("echo rea''dy")
        self._process.expect("ready")

    def press(self, line: str) -> tuple[str, str]:
        """Type a line and the key; return the line as it is then, and all that was shown."""
        self._process.send(line + TAB + SHOW)
        self._process.expect(r"<<(.*?)>>\r?\n")
        shown = _ESCAPES.sub("", self._process.before + self._process.match[0])
        marked = re.search(r"<<(.*?)>>", shown)
        assert marked is not None
        self._process.send(EMPTY + SHOW)
        self._process.expect_exact("<<>>")
        return marked[1], shown

    def close(self) -> None:
        """End it."""
        self._process.close(force=True)
