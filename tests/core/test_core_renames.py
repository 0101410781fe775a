"""What a schedule was called when: the stretches of time that are its history."""

from __future__ import annotations

import pytest

from flytesched.core.renames import Rename, Span, name_now, spans


def _history(*renames: tuple[str, str, float | None]) -> list[Rename]:
    return [Rename(name=n, was=w, asked_at=0.0, seen_at=at) for n, w, at in renames]


EVER = float("inf")


@pytest.mark.parametrize(
    ("renames", "name", "expected"),
    [
        ([], "a", {("a", -EVER, EVER)}),
        ([("b", "a", 5.0)], "b", {("b", -EVER, EVER), ("a", -EVER, 5.0)}),
        ([("b", "a", 5.0)], "a", {("a", 5.0, EVER)}),
        ([("b", "a", None)], "b", {("b", -EVER, EVER), ("a", -EVER, EVER)}),
        ([("b", "a", 5.0), ("c", "b", 9.0)], "c",
         {("c", -EVER, EVER), ("b", -EVER, 9.0), ("a", -EVER, 5.0)}),
        ([("b", "a", 5.0), ("a", "b", 9.0)], "a",
         {("a", 5.0, EVER), ("b", -EVER, 9.0), ("a", -EVER, 5.0)}),
        ([("b", "a", 5.0), ("c", "a", 9.0)], "c", {("c", -EVER, EVER), ("a", 5.0, 9.0)}),
        ([("b", "a", 5.0), ("c", "a", 9.0)], "b", {("b", -EVER, EVER), ("a", -EVER, 5.0)}),
        ([("b", "a", 5.0), ("b", "c", 9.0)], "b",
         {("b", -EVER, EVER), ("a", -EVER, 5.0), ("c", -EVER, 9.0)}),
    ],
)  # fmt: skip
def test_what_a_schedule_was_called_when(
    renames: list[tuple[str, str, float | None]],
    name: str,
    expected: set[tuple[str, float, float]],
) -> None:
    """Each stretch of time ends where the name went to another."""
    found = spans(_history(*renames), name)

    assert {(span.name, span.after, span.until) for span in found} == expected
    assert len(found) == len(expected)


def test_a_name_that_nobody_has_since_is_found_with_all_that_it_was() -> None:
    """It came back only if it was seen since."""
    renames = _history(("b", "a", 5.0))

    assert spans(renames, "a", seen_at=1.0)[0].after == -EVER
    assert spans(renames, "a", seen_at=6.0)[0].after == 5.0


def test_the_name_now_of_what_was_written_then() -> None:
    """Also when the old name is another's by now."""
    renames = _history(("b", "a", 5.0), ("c", "b", 9.0), ("d", "a", 12.0))

    assert [name_now(renames, "a", at) for at in (4.0, 5.0, 6.0, 13.0)] == ["c", "c", "d", "a"]
    assert [name_now(renames, "b", at) for at in (4.0, 10.0)] == ["c", "b"]
    assert name_now([], "a", 1.0) == "a"


def test_a_span_holds_what_was_written_in_it() -> None:
    """Its end included."""
    span = Span(name="a", after=5.0, until=9.0)

    assert [span.holds("a", at) for at in (5.0, 5.1, 9.0, 9.1)] == [False, True, True, False]
    assert not span.holds("b", 6.0)
