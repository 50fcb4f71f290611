"""A site's own texts in other languages.

A translation has two versions: the approved one, which visitors read, and a draft, which they do not. Each knows the
original that it translates; when that has changed, the version is stale. A stale text is still shown: it says more to
its reader than an original in a foreign language.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from parley.common.languages import match_language

MAX_TRANSLATIONS_PER_SITE = 1000
MAX_CHARACTERS = 3000
"""Of a translation: the longest original, a consent, has 2000."""
MAX_CHARACTERS_PER_SITE = 500_000
"""Of all translations: they are part of the site's document."""


@dataclass(frozen=True, slots=True)
class DraftText:
    """A translation that nobody has approved."""

    content: str
    original_hash: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ApprovedText:
    content: str
    original_hash: str
    at: datetime
    approved_by_id: int
    approved_by_name: str


@dataclass(frozen=True, slots=True)
class TextTranslation:
    """One text in one language."""

    approved: ApprovedText | None = None
    draft: DraftText | None = None


@dataclass(frozen=True, slots=True)
class SiteTexts:
    """The translations of a site's texts, by language and key."""

    translations: Mapping[str, Mapping[str, TextTranslation]] = field(default_factory=dict)

    def __iter__(self) -> Iterator[tuple[str, str, TextTranslation]]:
        for language, texts in self.translations.items():
            for key, translation in texts.items():
                yield language, key, translation

    def get(self, language: str, key: str) -> TextTranslation:
        return self.translations.get(language, {}).get(key, TextTranslation())

    def find_approved(
        self, key: str, language: str | None, site_language: str, original: str | None = None
    ) -> str | None:
        """What a visitor reads in place of the original; None if that fits their language best.

        With an `original`, only a translation that is not stale.
        """
        available = [tag for tag, texts in self.translations.items() if key in texts and texts[key].approved]
        best = match_language(language, [*available, site_language])
        if best is None or best == site_language:
            return None
        approved = self.translations[best][key].approved
        if approved is None or (original is not None and approved.original_hash != hash_original(original)):
            return None
        return approved.content

    @property
    def characters(self) -> int:
        versions = (version for _, _, one in self for version in (one.approved, one.draft))
        return sum(len(version.content) for version in versions if version is not None)

    def with_translation(self, language: str, key: str, translation: TextTranslation) -> SiteTexts:
        """Set a translation; one without a version is removed."""
        texts = {**self.translations.get(language, {}), key: translation}
        if translation == TextTranslation():
            del texts[key]
        translations = {**self.translations, language: texts}
        if not texts:
            del translations[language]
        return replace(self, translations=translations)


def hash_original(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
