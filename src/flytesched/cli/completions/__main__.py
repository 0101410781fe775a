"""Print the completion for the shell that is named: bash, zsh or fish."""

import sys

from flytesched.cli import render
from flytesched.cli.completions import SHELLS

if __name__ == "__main__":
    render.write(SHELLS[sys.argv[1]][1]())
