"""What engines return: cleaned like every text, and refused if it is empty or endless."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from parley.translate.engines.chain import EngineChain
from parley.translate.engines.model import NoTranslation
from parley.translate.site_options import SiteOptions
from parley.translate.translations.model import TranslationRequest
from parley.translate.translations.translator import Translator

OPTIONS = SiteOptions(("fake",), (), 0)


class FakeEngine:
    """An engine that returns what a test sets."""

    name = "fake"
    paid = False

    def __init__(self, translation: str) -> None:
        self.translation = translation

    def supports(self, source: str | None, target: str) -> bool:
        return True

    async def translate(self, texts: Sequence[str], source: str | None, target: str) -> list[str]:
        return [self.translation for _ in texts]

    async def refresh(self) -> None: ...

    async def close(self) -> None: ...


class FakeQuota:
    async def charge(self, site_id: int, characters: int, limit: int | None) -> bool:
        return True

    async def refund(self, site_id: int, characters: int) -> None: ...


class FakeSites:
    async def get(self, site_id: int) -> SiteOptions:
        return OPTIONS


class NoCache:
    async def find(self, keys: Sequence[str]) -> Mapping[str, str]:
        return {}

    async def save(self, translations: Mapping[str, str], conversation_id: int) -> None: ...


async def translate(translation: str, text: str = "Guten Tag") -> str:
    chain = EngineChain([FakeEngine(translation)], FakeQuota(), call_timeout_seconds=5)
    translator = Translator(chain, NoCache(), FakeSites())  # type: ignore[arg-type]
    return await translator.translate(TranslationRequest(1, text, "de", "en"))


@pytest.mark.parametrize(
    ("translation", "stored"),
    [
        ("Good\x00 day", "Good day"),
        ("Good \u202eday", "Good \u202eday\u202c"),
        ("Good &#x202e;day", "Good \u202eday\u202c"),
        ("Cafe\u0301", "Caf\u00e9"),
        ("Good \ufeffday", "Good day"),
        ("Tom &amp; Jerry &lt;3", "Tom & Jerry <3"),
        ("&amp;amp;", "&amp;"),
        ("It&#39;s &quot;good&quot;", 'It\'s "good"'),
    ],
)
async def test_the_rule_for_texts_holds_for_translations(translation: str, stored: str) -> None:
    assert await translate(translation) == stored


@pytest.mark.parametrize("translation", ["", " \n", "\u200b\u3164", "word " * 5000])
async def test_an_empty_or_endless_translation_is_none(translation: str) -> None:
    with pytest.raises(NoTranslation):
        await translate(translation)
