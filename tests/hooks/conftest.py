"""What tests of channels share: servers that are closed afterwards, and an empty environment."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from flytesched.hooks.connection import tls_context

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def keep() -> Iterator[Callable[[Any], Any]]:
    """Return a function that takes what is to be closed after the test, and returns it."""
    kept: list[Any] = []

    def take(thing: Any) -> Any:
        kept.append(thing)
        return thing

    yield take
    for thing in reversed(kept):
        thing.close()


@pytest.fixture(autouse=True)
def _nothing_from_outside(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let no proxy and no certificate of this machine matter."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name.startswith("SSL_CERT_"):
            monkeypatch.delenv(name)
    tls_context.cache_clear()
    yield
    tls_context.cache_clear()
