"""Translates one text: protect, look up, call the engines for what is missing, and put it together again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from parley.common.texts import clean_text
from parley.translate.site_options import SiteOptions
from parley.translate.translations.cache import TranslationCache, cache_key
from parley.translate.translations.model import TranslationRequest
from parley.translate.translations.placeholders import Segment, has_words, is_placeholder, protect, unescape
from parley.translate.translations.ports import SiteOptionsProvider, TextTranslator


class Translator:
    """Translates texts segment by segment. Only segments that are not cached are sent to an engine."""

    def __init__(self, engines: TextTranslator, cache: TranslationCache, sites: SiteOptionsProvider) -> None:
        self._engines = engines
        self._cache = cache
        self._sites = sites

    async def translate(self, request: TranslationRequest) -> str:
        """Return the text in the target language. Raises NoTranslation."""
        options = await self._sites.get(request.site_id)
        segments = protect(request.text, options.glossary)
        to_translate = {segment.words: segment for segment in segments if segment.has_text}
        translations: Mapping[str, str] = {}
        if to_translate:
            translations = await self._translate_segments(request, options, list(to_translate.values()))
        lines = (segment.restore(translations.get(segment.words, segment.words)) for segment in segments)
        # Engines and the cache of earlier versions do not keep the rule for texts.
        return clean_text("\n".join(lines))

    async def _translate_segments(
        self, request: TranslationRequest, options: SiteOptions, segments: Sequence[Segment]
    ) -> Mapping[str, str]:
        """Return the translation of each segment's words. Raises NoTranslation."""
        keys = {segment.words: cache_key(segment.words, request.source, request.target) for segment in segments}
        cached = await self._cache.find(list(keys.values()))
        # The cached words may come from a segment with other placeholders: use them only if they fit this segment.
        translations = {
            segment.words: cached[keys[segment.words]]
            for segment in segments
            if keys[segment.words] in cached and segment.is_intact(cached[keys[segment.words]])
        }
        missing = [segment for segment in segments if segment.words not in translations]
        if missing:
            new = await self._call_engines(request, options, missing)
            await self._cache.save({keys[words]: text for words, text in new.items()}, request.conversation_id)
            translations.update(new)
        return translations

    async def _call_engines(
        self, request: TranslationRequest, options: SiteOptions, segments: Sequence[Segment]
    ) -> dict[str, str]:
        texts = await self._translate_texts(request, options, [segment.words for segment in segments])
        translations = {
            segment.words: text for segment, text in zip(segments, texts, strict=True) if segment.is_intact(text)
        }
        for segment in segments:
            if segment.words not in translations:
                translations[segment.words] = await self._translate_pieces(request, options, segment)
        return translations

    async def _translate_pieces(self, request: TranslationRequest, options: SiteOptions, segment: Segment) -> str:
        """Translate the words between the placeholders one by one: with less context, but nothing gets lost."""
        pieces = segment.split_at_placeholders()
        to_translate = [piece.strip() for piece in pieces if has_words(piece)]
        texts = iter(await self._translate_texts(request, options, to_translate) if to_translate else ())
        translated = "".join(_keep_spaces(piece, next(texts)) if has_words(piece) else piece for piece in pieces)
        return translated if segment.is_intact(translated) else segment.words

    async def _translate_texts(
        self, request: TranslationRequest, options: SiteOptions, texts: Sequence[str]
    ) -> Sequence[str]:
        translated = await self._engines.translate(request.site_id, options, texts, request.source, request.target)
        return [unescape(text) for text in translated]


def _keep_spaces(piece: str, translation: str) -> str:
    """Return the translation with the leading and trailing spaces of the piece; the piece if it is a placeholder."""
    if is_placeholder(translation.strip()):
        # The engine invented a placeholder.
        return piece
    leading = piece[: len(piece) - len(piece.lstrip())]
    trailing = piece[len(piece.rstrip()) :]
    return f"{leading}{translation.strip()}{trailing}"
