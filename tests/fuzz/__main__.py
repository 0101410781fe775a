"""Fuzz one target under atheris, led by the code that an input reaches.

Inputs that reach new code are kept in a folder of their own, and so is the one that fails. What is
worth keeping is made small (``--minimise``) and put into the corpus under a name that says what
it is.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent


def main() -> None:
    """Read the options; the rest is atheris."""
    names = sorted(path.name for path in (HERE / "corpus").iterdir())
    parser = argparse.ArgumentParser(prog="python tests/fuzz", description=__doc__)
    parser.add_argument("target", choices=names)
    parser.add_argument("--seconds", type=int, default=60, help="how long (default: 60)")
    parser.add_argument("--into", type=Path, metavar="FOLDER", help="where new inputs are kept")
    parser.add_argument("--minimise", type=Path, metavar="FILE", help="make a failing input small")
    parser.add_argument("--seed", type=int, default=1, help="of chance (default: 1)")
    asked = parser.parse_args()
    if asked.minimise:
        _minimise(asked.target, asked.minimise)
    else:
        _fuzz(asked)


def _minimise(name: str, path: Path) -> None:
    from smaller import failure, smaller
    from targets import TARGETS

    data = smaller(TARGETS[name], path.read_bytes())
    small = path.with_name(f"{path.name}.small")
    small.write_bytes(data)
    print(f"{len(data)} bytes in {small}: {failure(TARGETS[name], data)}")


def _fuzz(asked: argparse.Namespace) -> None:
    try:
        import atheris
    except ModuleNotFoundError:
        sys.exit("atheris is missing: pip install atheris (or this project with its extra, fuzz)")
    _leave_nothing_behind()
    # Only what is imported here is watched.
    with atheris.instrument_imports(include=["flytesched", "tomllib"]):
        from targets import CORPUS, TARGETS
    target = TARGETS[asked.target]
    folder = asked.into or Path(tempfile.mkdtemp(prefix=f"fuzz-{asked.target}-"))
    folder.mkdir(parents=True, exist_ok=True)
    words = folder / ".words"
    words.write_text("".join(f'"{_escaped(word)}"\n' for word in target.words), encoding="ascii")
    options = [
        f"-max_total_time={asked.seconds}", f"-max_len={target.longest}", f"-dict={words}",
        f"-seed={asked.seed}", f"-artifact_prefix={folder}/", "-timeout=30", "-rss_limit_mb=4096",
        "-print_final_stats=1",
    ]  # fmt: skip
    begin = [str(folder), str(CORPUS / asked.target)]
    print(f"{asked.target}: {asked.seconds} s; what is new goes to {folder}", flush=True)
    # What regular expressions and comparisons of texts want to see is offered to them.
    atheris.enabled_hooks.add("RegEx")
    atheris.enabled_hooks.add("str")
    atheris.Setup([sys.argv[0], *options, *begin], target)
    atheris.Fuzz()


def _leave_nothing_behind() -> None:
    """Go on as a child; the parent removes where inputs are written, as atheris just ends."""
    from places import desk

    desk()
    if child := os.fork():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def _escaped(word: str) -> str:
    """Write a word as libFuzzer reads its dictionaries."""
    return "".join(
        chr(byte) if 32 < byte < 127 and byte not in b'"\\' else f"\\x{byte:02x}"
        for byte in word.encode()
    )


if __name__ == "__main__":
    main()
