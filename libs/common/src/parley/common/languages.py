"""Which of several languages fits a language tag best: as the widget does (`web/widget/src/i18n/language.ts`)."""

from __future__ import annotations

from collections.abc import Collection

_ALIASES = {
    "no": "nb",
    "nn": "nb",
    "iw": "he",
    "in": "id",
    "zh": "zh-cn",
    "zh-hant": "zh-tw",
    "zh-hk": "zh-tw",
    "zh-mo": "zh-tw",
}
"""Tags of languages that usually go by another."""


def match_language(tag: str | None, available: Collection[str]) -> str | None:
    """The best of the available languages for a tag (BCP 47): the tag itself, or the tag without its last parts."""
    by_tag = {one.lower(): one for one in available}
    candidate = (tag or "").lower()
    while candidate:
        language = by_tag.get(candidate) or by_tag.get(_ALIASES.get(candidate, ""))
        if language is not None:
            return language
        candidate = candidate.rpartition("-")[0]
    return None
