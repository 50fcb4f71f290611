"""Shows and changes the translations of a site's own texts."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from parley.chat.site_texts.errors import TooManyTranslations, TranslationUnavailable
from parley.chat.site_texts.model import (
    MAX_CHARACTERS_PER_SITE,
    MAX_TRANSLATIONS_PER_SITE,
    ApprovedText,
    DraftText,
    SiteTexts,
    TextTranslation,
    hash_original,
)
from parley.chat.site_texts.originals import list_originals
from parley.chat.site_texts.ports import TextTranslator
from parley.chat.sites.model import Site
from parley.chat.sites.service import SiteService
from parley.common.auth.identity import OperatorCaller
from parley.common.errors import ValidationFailed
from parley.common.languages import match_language
from parley.common.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class TextChange:
    """A new version of a translation."""

    content: str
    approved: bool
    original: str | None
    """The original that was translated; None for the present one."""


@dataclass(frozen=True, slots=True)
class SiteTextService:
    """Each method raises SiteNotFound, and Forbidden without the permission that the route requires."""

    sites: SiteService
    translate: TextTranslator
    clock: Clock

    async def get(self, caller: OperatorCaller, site_id: int) -> Site:
        return await self.sites.get(caller, site_id)

    async def update(
        self, caller: OperatorCaller, site_id: int, language: str, changes: Mapping[str, TextChange | None]
    ) -> Site:
        """Set translations into a language; None removes one. An approved version replaces the draft.

        Raises ValidationFailed, TooManyTranslations, EditConflict.
        """
        site = await self.sites.get(caller, site_id)
        _check_language(site, language)
        originals = list_originals(site.settings)
        unknown = [key for key, change in changes.items() if change is not None and key not in originals]
        if unknown:
            raise ValidationFailed({f"texts.{key}": "is not one of the site's own texts" for key in unknown})

        def apply(texts: SiteTexts) -> SiteTexts:
            for key, change in changes.items():
                changed = self._changed(caller, texts.get(language, key), originals.get(key, ""), change)
                texts = texts.with_translation(language, key, changed)
            return _checked(texts)

        approved = sorted(key for key, change in changes.items() if change is not None and change.approved)
        details = {"language": language, "texts": sorted(changes), "approved": approved}
        return await self.sites.update_texts(caller, site_id, apply, "site.texts_updated", details)

    def _changed(
        self, caller: OperatorCaller, before: TextTranslation, original: str, change: TextChange | None
    ) -> TextTranslation:
        if change is None:
            return TextTranslation()
        digest = hash_original(original if change.original is None else change.original)
        if not change.approved:
            return TextTranslation(before.approved, DraftText(change.content, digest, self.clock()))
        return TextTranslation(
            ApprovedText(change.content, digest, self.clock(), caller.operator_id, caller.name), draft=None
        )

    async def draft(
        self, caller: OperatorCaller, site_id: int, language: str, keys: Sequence[str] | None
    ) -> tuple[Site, Sequence[str]]:
        """Let the translation service write drafts: of the keys, or of all texts without a current version.

        Returns the site, and the keys that could not be translated. Visitors see none of it.
        Raises ValidationFailed, TooManyTranslations, TranslationUnavailable, EditConflict.
        """
        site = await self.sites.get(caller, site_id)
        _check_language(site, language)
        originals = list_originals(site.settings)
        if unknown := sorted({*(keys or ())} - originals.keys()):
            raise ValidationFailed({"keys": f"{unknown[0]} is not one of the site's own texts"})
        selected = [key for key in originals if (key in keys if keys else _lacks_version(site, language, key))]
        drafts = await self._translate(site, language, {key: originals[key] for key in selected})
        if selected and not drafts:
            raise TranslationUnavailable

        def apply(texts: SiteTexts) -> SiteTexts:
            for key, draft in drafts.items():
                approved = texts.get(language, key).approved
                texts = texts.with_translation(language, key, TextTranslation(approved, draft))
            return _checked(texts)

        if drafts:
            details = {"language": language, "texts": sorted(drafts)}
            site = await self.sites.update_texts(caller, site_id, apply, "site.texts_translated", details)
        return site, [key for key in selected if key not in drafts]

    async def _translate(self, site: Site, language: str, originals: Mapping[str, str]) -> dict[str, DraftText]:
        contents = await asyncio.gather(
            *(self.translate(site.id, text, language, site.language) for text in originals.values())
        )
        drafts = zip(originals.items(), contents, strict=True)
        return {
            key: DraftText(content, hash_original(text), self.clock())
            for (key, text), content in drafts
            if content is not None
        }


def _check_language(site: Site, language: str) -> None:
    if match_language(language, [site.language]) == site.language and len(language) == len(site.language):
        raise ValidationFailed({"language": "is the language of the site's own texts"})


def _lacks_version(site: Site, language: str, key: str) -> bool:
    """Whether a text has neither a draft nor an approved version of the present original."""
    digest = hash_original(list_originals(site.settings)[key])
    translation = site.texts.get(language, key)
    versions = (translation.approved, translation.draft)
    return all(version is None or version.original_hash != digest for version in versions)


def _checked(texts: SiteTexts) -> SiteTexts:
    if sum(1 for _ in texts) > MAX_TRANSLATIONS_PER_SITE or texts.characters > MAX_CHARACTERS_PER_SITE:
        raise TooManyTranslations
    return texts
