"""Translations on fake engines: which engine is called, how often, in which order, and what a failure leads to."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest
from pymongo.errors import AutoReconnect

from parley.common.runtime.tasks import BackgroundTasks
from parley.translate.engines.chain import EngineChain
from parley.translate.engines.model import EngineError, FailureReason, NoTranslation
from parley.translate.site_options import SiteOptions
from parley.translate.translations.cache import TranslationCache
from parley.translate.translations.model import Translation, TranslationRequest
from parley.translate.translations.service import TranslationService
from parley.translate.translations.translator import Translator


class FakeEngine:
    """An engine that translates "Tag" to "en:Tag", or fails, or is slow."""

    paid = True

    def __init__(self, name: str = "one", failure: FailureReason | None = None, seconds: float = 0.0) -> None:
        self.name = name
        self.failure = failure
        self.seconds = seconds
        self.calls: list[Sequence[str]] = []

    def supports(self, source: str | None, target: str) -> bool:
        return target != "tlh"

    async def translate(self, texts: Sequence[str], source: str | None, target: str) -> list[str]:
        self.calls.append(texts)
        await asyncio.sleep(self.seconds)
        if self.failure is not None:
            raise EngineError(self.failure)
        return [f"{target}:{text}" for text in texts]

    async def refresh(self) -> None: ...
    async def close(self) -> None: ...


class FakeQuota:
    """One counter for all sites."""

    def __init__(self) -> None:
        self.used = 0

    async def charge(self, site_id: int, characters: int, limit: int) -> bool:
        if limit and self.used + characters > limit:
            return False
        self.used += characters
        return True

    async def refund(self, site_id: int, characters: int) -> None:
        self.used -= characters


class NullRepository:
    """Stores nothing."""

    async def find(self, keys: Sequence[bytes]) -> Mapping[bytes, str]:
        return {}

    async def save(self, translations: Mapping[bytes, str], conversation_id: int | None) -> None: ...


class FixedSiteOptions:
    """Returns the same options for every site."""

    def __init__(self, *engines: str) -> None:
        self._options = SiteOptions(engines, glossary=(), daily_characters=0)

    async def get(self, site_id: int) -> SiteOptions:
        return self._options


def create_service(
    *engines: FakeEngine, max_concurrency: int = 64, call_timeout_seconds: float = 0.2
) -> TranslationService:
    chain = EngineChain(engines, FakeQuota(), call_timeout_seconds=call_timeout_seconds)
    sites = FixedSiteOptions(*(engine.name for engine in engines))
    return TranslationService(
        Translator(chain, TranslationCache(NullRepository(), 100_000), sites),
        BackgroundTasks("translator"),
        timeout_seconds=1.0,
        max_text_length=1000,
        max_concurrency=max_concurrency,
    )


async def translate(
    service: TranslationService, text: str = "Tag", source: str = "de", target: str = "en"
) -> Translation:
    return await service.translate(TranslationRequest(1, text, source, target))


async def test_concurrent_requests_for_the_same_text_are_one_call() -> None:
    engine = FakeEngine(seconds=0.02)
    service = create_service(engine)

    translations = await asyncio.gather(*(translate(service, "Guten Tag") for _ in range(10)))

    assert set(translations) == {Translation("en", "done", "en:Guten Tag")}
    assert len(engine.calls) == 1


async def test_equal_segments_are_translated_once() -> None:
    engine = FakeEngine()
    translation = await translate(create_service(engine), "Ja 1\nNein\nJa 2")
    assert translation.content == "en:Ja 1\nen:Nein\nen:Ja 2"
    assert engine.calls == [["Ja X0X", "Nein"]]


async def test_text_in_the_target_language_is_returned_unchanged() -> None:
    engine = FakeEngine()
    translation = await translate(create_service(engine), "Hello", "en-GB", "en")
    assert translation == Translation("en", "done", "Hello")
    assert not engine.calls


async def test_too_long_text_fails_without_a_call() -> None:
    engine = FakeEngine()
    assert (await translate(create_service(engine), "a " * 501)).status == "failed"
    assert not engine.calls


async def test_requests_beyond_the_concurrency_limit_fail_at_once() -> None:
    service = create_service(FakeEngine(seconds=0.05), max_concurrency=2)
    translations = await asyncio.gather(*(translate(service, text) for text in ("eins", "zwei", "drei")))
    assert [translation.status for translation in translations] == ["done", "done", "failed"]
    assert (await translate(service, "drei")).status == "done"


async def test_unsupported_pairs_differ_from_failures() -> None:
    assert (await translate(create_service(FakeEngine()), target="tlh")).status == "unsupported"
    assert (await translate(create_service(FakeEngine(failure=FailureReason.UNSUPPORTED)))).status == "unsupported"
    assert (await translate(create_service(FakeEngine(failure=FailureReason.OUTAGE)))).status == "failed"
    assert (await translate(create_service())).status == "unsupported"


@pytest.mark.parametrize("reason", [FailureReason.AUTH, FailureReason.QUOTA])
async def test_engine_without_quota_or_credentials_is_not_called_again(reason: FailureReason) -> None:
    refusing, other = FakeEngine("one", reason), FakeEngine("two")
    service = create_service(refusing, other)
    for text in ("eins", "zwei", "drei"):
        assert (await translate(service, text)).content == f"en:{text}"
    assert len(refusing.calls) == 1


@pytest.mark.parametrize(
    ("reason", "calls"), [(FailureReason.OUTAGE, 5), (FailureReason.REFUSED, 8), (FailureReason.UNSUPPORTED, 8)]
)
async def test_only_outages_open_the_circuit_breaker(reason: FailureReason, calls: int) -> None:
    failing = FakeEngine("one", reason)
    service = create_service(failing, FakeEngine("two"))
    for number in range(8):
        await translate(service, f"Satz {chr(97 + number)}")
    assert len(failing.calls) == calls


async def test_next_engine_is_called_after_a_timeout() -> None:
    slow, fast = FakeEngine("slow", seconds=5), FakeEngine("fast")
    assert (await translate(create_service(slow, fast))).content == "en:Tag"


async def test_cancelled_trial_call_allows_the_next_one() -> None:
    engine = FakeEngine(seconds=5)
    chain = EngineChain([engine], FakeQuota(), call_timeout_seconds=60)
    options = SiteOptions(("one",), (), 0)
    chain._breakers["one"].open(0.0, 0.0)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await chain.translate(1, options, ["Tag"], "de", "en")
    engine.seconds = 0.0

    assert await chain.translate(1, options, ["Tag"], "de", "en") == ["en:Tag"]


async def test_trial_call_without_a_readable_quota_allows_the_next_one() -> None:
    class UnreadableQuota(FakeQuota):
        async def charge(self, site_id: int, characters: int, limit: int) -> bool:
            raise AutoReconnect("the primary is being elected")

    engine = FakeEngine()
    chain = EngineChain([engine], UnreadableQuota(), call_timeout_seconds=1)
    options = SiteOptions(("one",), (), 0)
    chain._breakers["one"].open(0.0, 0.0)
    with pytest.raises(AutoReconnect):
        await chain.translate(1, options, ["Tag"], "de", "en")
    chain._quota = FakeQuota()

    assert await chain.translate(1, options, ["Tag"], "de", "en") == ["en:Tag"]


async def test_site_over_its_quota_is_refused_without_a_call() -> None:
    engine = FakeEngine()
    chain = EngineChain([engine], FakeQuota(), call_timeout_seconds=1)
    with pytest.raises(NoTranslation):
        await chain.translate(1, SiteOptions(("one",), (), 5), ["Guten Tag"], "de", "en")
    assert not engine.calls


async def test_response_with_a_different_number_of_texts_is_discarded() -> None:
    class ShortEngine(FakeEngine):
        async def translate(self, texts: Sequence[str], source: str | None, target: str) -> list[str]:
            return ["only one"]

    translation = await translate(create_service(ShortEngine(), FakeEngine("two")), "eins\nzwei")
    assert translation.content == "en:eins\nen:zwei"
