"""Entry of ``executor = "python"``: calls ``module:function`` in a process of its own.

``python -P -m flytesched.executors.call module:function [ARGUMENT...]``. The current directory
can be imported from; arguments are left in ``sys.argv``. What the function returns is of no
account: it raises to report a failure.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def main(argv: Sequence[str]) -> int:
    """Call the function that the first of ``argv`` names; return the exit code."""
    sys.argv = list(argv)
    sys.path.insert(0, str(Path.cwd()))
    try:
        function = find(argv[0])
    except LookupError as error:
        print(f"flytesched: {error.args[0]}", file=sys.stderr)  # noqa: T201  its only voice
        return 1
    _finish(function())
    return 0


def find(target: str) -> Callable[[], Any]:
    """Return the callable that ``module:function`` names; the function may be dotted.

    Raises:
        LookupError: there is none. What the module itself raises is let through.
    """
    module_name, colon, path = target.partition(":")
    if not (module_name and colon and path):
        msg = f"{target!r} does not read module:function"
        raise LookupError(msg)
    found: Any = _module(module_name)
    for name in path.split("."):
        if not hasattr(found, name):
            msg = f"module {module_name!r} has no {path!r}"
            raise LookupError(msg)
        found = getattr(found, name)
    if not callable(found):
        msg = f"{target!r} cannot be called: it is of type {type(found).__name__}"
        raise LookupError(msg)
    function: Callable[[], Any] = found
    return function


def _module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        # What a module that exists fails to import is the module's own failure.
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise
        msg = f"no module named {error.name!r} in {Path.cwd()} or on the import path"
        raise LookupError(msg) from error


def _finish(result: object) -> None:
    """Run what an ``async def`` returned, which would otherwise do nothing and look well."""
    import inspect

    if inspect.iscoroutine(result):
        import asyncio

        asyncio.run(result)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
