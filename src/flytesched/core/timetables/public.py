"""Public holidays of countries as the package `holidays` has them: facts, as those of time zones.

The package is an extra, and imported when a calendar names a country.
"""

from __future__ import annotations

import warnings
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from flytesched.errors import InvalidTimetable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

#: What to type where the package is missing.
INSTALL = "pip install 'flytesched[holidays]'"
#: Choices that are listed where none is near.
_LISTED = 20


@lru_cache(maxsize=2**12)
def public_holidays(
    year: int,
    country: str,
    subdivision: str | None = None,
    categories: tuple[str, ...] = (),
    language: str | None = None,
) -> Mapping[date, str]:
    """Return the holidays of a year and their names, joined as the package joins several.

    The package knows no holidays after 2100, and of some countries none before they began. Without
    a language it would ask the environment for one: then the country's own is asked for.

    Raises:
        InvalidTimetable: the package is missing, or does not know what is asked for; `field` says
            which of the arguments is wrong.
    """
    entity = known(country, subdivision, categories, language)
    with warnings.catch_warnings():
        # Of some countries the package warns which years it knows all holidays of.
        warnings.simplefilter("ignore")
        found = entity(
            years=year,
            subdiv=subdivision,
            categories=categories or None,
            language=language or entity.default_language,
        )
    return dict(sorted(found.items()))


@lru_cache(maxsize=2**10)
def known(
    country: str,
    subdivision: str | None = None,
    categories: tuple[str, ...] = (),
    language: str | None = None,
) -> Any:
    """Return the package's class of a country that knows all that is asked for.

    Raises:
        InvalidTimetable: as `public_holidays`.
    """
    package = _package()
    entity = getattr(package, country, None) if country.isalpha() and country.isupper() else None
    if entity is None or country not in package.list_supported_countries():
        raise _no_country(package, country)
    places = (*entity.subdivisions, *entity.subdivisions_aliases)
    for field, thing, words, choices in (
        ("subdivision", "subdivision", (subdivision,), places),
        ("categories", "category", categories, entity.supported_categories),
        ("language", "language", (language,), entity.supported_languages),
    ):
        for word in words:
            if word is not None and word not in choices:
                said = f"no {thing} {word!r} for {country}"
                raise _unknown(said, word, choices, field=field)
    return entity


def _no_country(package: Any, country: str) -> InvalidTimetable:
    """Say that there is no such country; of a name, what its code is."""
    codes = sorted(package.list_supported_countries())
    named = getattr(package, "".join(country.title().split()), None)
    code = getattr(named, "country", None)
    said = f"no country {country!r}"
    word = code if isinstance(code, str) and code in codes else country
    return _unknown(said, word, codes, field="country")


def _package() -> Any:
    """Return the package `holidays`."""
    try:
        import holidays  # 40 ms, and an extra
    except ImportError as error:
        missing = isinstance(error, ModuleNotFoundError) and error.name == "holidays"
        what = "public holidays need the Python package holidays, which is not installed"
        if not missing:
            what = f"the Python package holidays cannot be imported: {error}"
        raise InvalidTimetable(what, hint=INSTALL, field="country") from error
    return holidays


def _unknown(said: str, word: str, choices: Sequence[str], *, field: str) -> InvalidTimetable:
    """Say that the package does not know a word, and which one may have been meant."""
    what = f"the Python package holidays knows {said}"
    return InvalidTimetable(what, hint=_instead(word, choices), field=field)


def _instead(word: str, choices: Sequence[str]) -> str:
    from difflib import get_close_matches  # only a mistake pays for this import

    spelled = {choice.casefold(): choice for choice in choices}
    if near := get_close_matches(word.casefold(), spelled, n=1):
        return f"did you mean {spelled[near[0]]!r}?"
    if not choices:
        return "leave it out: there is no choice"
    more = ", ..." if len(choices) > _LISTED else ""
    return f"there are {', '.join(choices[:_LISTED])}{more}"
