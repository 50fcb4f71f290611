"""Language tags (BCP 47): validation, and matching with the codes of an engine."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import langcodes

from parley.common.errors import ValidationFailed

MAX_TAG_LENGTH = 64
_SPECIAL_CODES = frozenset({"und", "mul", "zxx", "mis"})
_MAX_TAG_DISTANCE = 6
"""Distance of two tags up to which they count as one language: de-AT and de, nb and no, but not da and no."""


def parse_language_tag(value: str, field: str) -> str:
    """Return the tag in its standard form. Raises ValidationFailed for `field` if it names no language."""
    try:
        valid = langcodes.tag_is_valid(value)
        language = langcodes.Language.get(value) if valid else None
    except ValueError as exc:
        raise ValidationFailed({field: "is not a language (BCP 47)"}) from exc
    if (
        language is None
        or not language.language
        or language.language in _SPECIAL_CODES
        or _is_private_use(language.language)
    ):
        raise ValidationFailed({field: "is not a language (BCP 47)"})
    return language.to_tag()


def match_language_code(tag: str, codes: Iterable[str]) -> str | None:
    """Return the engine's code that means the language of the tag; None if there is none."""
    return _match_language_code(tag, frozenset(codes))


@lru_cache(maxsize=2048)
def is_same_language(first: str, second: str) -> bool:
    """Return whether readers of one language read the other, so that no translation is needed: en-GB and en."""
    return langcodes.tag_distance(first, second) <= _MAX_TAG_DISTANCE


def _is_private_use(code: str) -> bool:
    return code.startswith("x-") or (len(code) == 3 and "qaa" <= code <= "qtz")


@lru_cache(maxsize=2048)
def _match_language_code(tag: str, codes: frozenset[str]) -> str | None:
    code, _ = langcodes.closest_match(tag, sorted(codes), max_distance=_MAX_TAG_DISTANCE)
    return None if code == "und" else code
