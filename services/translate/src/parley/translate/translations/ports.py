"""The interfaces that translations depend on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from parley.translate.site_options import SiteOptions


class TextTranslator(Protocol):
    """The translation engines."""

    async def translate(
        self, site_id: int, options: SiteOptions, texts: Sequence[str], source: str | None, target: str
    ) -> Sequence[str]:
        """Return the texts in the target language, in order. Raises NoTranslation."""


class SiteOptionsProvider(Protocol):
    """Sites' translation options."""

    async def get(self, site_id: int) -> SiteOptions:
        """Return the site's options, or the deployment's if the site has none. Never fails."""


class TranslationRepository(Protocol):
    """Stored translations, shared by all replicas."""

    async def find(self, keys: Sequence[bytes]) -> Mapping[bytes, str]:
        """Return the stored translations by key."""

    async def save(self, translations: Mapping[bytes, str], conversation_id: int | None) -> None:
        """Store translations and the conversation they were made for."""
