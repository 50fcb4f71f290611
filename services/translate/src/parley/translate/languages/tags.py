"""Language tags (BCP 47): which are real, and which of an engine's codes means one."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import langcodes

from parley.common.errors import Invalid

LONGEST_TAG = 64
_SPECIAL = frozenset({"und", "mul", "zxx", "mis"})
_CLOSE = 6
"""How far apart two tags may be and still be one language to an engine: de-AT is de, nb is no, da is not no."""


def language_tag(value: str, field: str) -> str:
    """The tag in its standard form. Raises Invalid, naming the field, where it names no language."""
    try:
        valid = langcodes.tag_is_valid(value)
        language = langcodes.Language.get(value) if valid else None
    except ValueError as exc:
        raise Invalid({field: "is not a language (BCP 47)"}) from exc
    if language is None or not language.language or language.language in _SPECIAL or _private(language.language):
        raise Invalid({field: "is not a language (BCP 47)"})
    return language.to_tag()


def _private(code: str) -> bool:
    return code.startswith("x-") or (len(code) == 3 and "qaa" <= code <= "qtz")


def best_code(tag: str, codes: Iterable[str]) -> str | None:
    """The code among an engine's that means the tag; None where none does."""
    return _best_code(tag, frozenset(codes))


@lru_cache(maxsize=2048)
def _best_code(tag: str, codes: frozenset[str]) -> str | None:
    found, _ = langcodes.closest_match(tag, sorted(codes), max_distance=_CLOSE)
    return None if found == "und" else found


@lru_cache(maxsize=2048)
def same_language(one: str, other: str) -> bool:
    """Whether who reads one reads the other, so that nothing needs translating: en-GB and en, not nb and da."""
    return langcodes.tag_distance(one, other) <= _CLOSE
