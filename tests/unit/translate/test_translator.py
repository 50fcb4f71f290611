"""The translator and its engines, on engines made for the test: what is asked, how often, and in which order."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from parley.translate.engines.chain import EngineFault, Engines, NoTranslation, Reason, SiteOptions
from parley.translate.translations.cache import Cache
from parley.translate.translations.translator import Translation, Translator


class Made:
    """An engine that does as it is told."""

    paid = True

    def __init__(self, name: str = "one", fault: Reason | None = None, seconds: float = 0.0) -> None:
        self.name = name
        self.fault = fault
        self.seconds = seconds
        self.asked: list[Sequence[str]] = []

    def supports(self, source: str | None, target: str) -> bool:
        return target != "tlh"

    async def translate(self, texts: Sequence[str], source: str | None, target: str) -> list[str]:
        self.asked.append(texts)
        await asyncio.sleep(self.seconds)
        if self.fault is not None:
            raise EngineFault(self.fault)
        return [f"{target}:{text}" for text in texts]

    async def refresh(self) -> None: ...
    async def close(self) -> None: ...


class Purse:
    """A budget without a bottom, that is counted."""

    def __init__(self) -> None:
        self.spent = 0

    async def spend(self, site_id: int, characters: int, limit: int) -> bool:
        if limit and self.spent + characters > limit:
            return False
        self.spent += characters
        return True

    async def give_back(self, site_id: int, characters: int) -> None:
        self.spent -= characters


class Nowhere:
    """A store that keeps nothing."""

    async def find(self, keys: Sequence[bytes]) -> Mapping[bytes, str]:
        return {}

    async def keep(self, made: Mapping[bytes, str], conversation_id: int | None) -> None: ...

    async def made_for(self, conversation_ids: Sequence[int]) -> Sequence[str]:
        return []

    async def erase(self, conversation_ids: Sequence[int]) -> None: ...


class Alike:
    """Every site has chosen the same."""

    def __init__(self, *engines: str, glossary: tuple[str, ...] = (), limit: int = 0) -> None:
        self._options = SiteOptions(engines, glossary, limit)

    async def options(self, site_id: int) -> SiteOptions:
        return self._options


def translator(*engines: Made, at_once: int = 64, call_seconds: float = 0.2) -> Translator:
    chain = Engines(engines, Purse(), call_seconds=call_seconds)
    sites = Alike(*(engine.name for engine in engines))
    return Translator(chain, Cache(Nowhere(), 100_000), sites, seconds=1.0, longest=1000, at_once=at_once)


async def test_the_same_text_asked_for_at_the_same_time_is_one_call() -> None:
    engine = Made(seconds=0.02)
    use = translator(engine)

    made = await asyncio.gather(*(use.translate(1, "Guten Tag", "de", "en") for _ in range(10)))

    assert set(made) == {Translation("en", "done", "en:Guten Tag")}
    assert len(engine.asked) == 1


async def test_lines_that_are_alike_are_asked_for_once() -> None:
    engine = Made()
    made = await translator(engine).translate(1, "Ja 1\nNein\nJa 2", "de", "en")
    assert made.content == "en:Ja 1\nen:Nein\nen:Ja 2"
    assert engine.asked == [["Ja X0X", "Nein"]]


async def test_what_is_in_the_right_language_already_is_given_back_as_it_is() -> None:
    engine = Made()
    assert await translator(engine).translate(1, "Hello", "en-GB", "en") == Translation("en", "done", "Hello")
    assert not engine.asked


async def test_a_text_beyond_the_longest_costs_nothing() -> None:
    engine = Made()
    assert (await translator(engine).translate(1, "a " * 501, "de", "en")).status == "failed"
    assert not engine.asked


async def test_more_texts_at_once_than_allowed_fail_at_once() -> None:
    use = translator(Made(seconds=0.05), at_once=2)
    made = await asyncio.gather(*(use.translate(1, text, "de", "en") for text in ("eins", "zwei", "drei")))
    assert [one.status for one in made] == ["done", "done", "failed"]
    assert (await use.translate(1, "drei", "de", "en")).status == "done"


async def test_a_pair_that_none_can_do_is_told_from_engines_that_fail() -> None:
    assert (await translator(Made()).translate(1, "Guten Tag", "de", "tlh")).status == "unsupported"
    assert (await translator(Made(fault=Reason.UNSUPPORTED)).translate(1, "Tag", "de", "en")).status == "unsupported"
    assert (await translator(Made(fault=Reason.OUTAGE)).translate(1, "Tag", "de", "en")).status == "failed"
    assert (await translator().translate(1, "Tag", "de", "en")).status == "unsupported"


@pytest.mark.parametrize("reason", [Reason.AUTH, Reason.QUOTA])
async def test_an_engine_that_will_not_is_left_alone_at_once(reason: Reason) -> None:
    refusing, other = Made("one", reason), Made("two")
    use = translator(refusing, other)
    for text in ("eins", "zwei", "drei"):
        assert (await use.translate(1, text, "de", "en")).content == f"en:{text}"
    assert len(refusing.asked) == 1


@pytest.mark.parametrize(("reason", "asked"), [(Reason.OUTAGE, 5), (Reason.REFUSED, 8), (Reason.UNSUPPORTED, 8)])
async def test_only_failures_of_the_engine_itself_open_its_breaker(reason: Reason, asked: int) -> None:
    failing = Made("one", reason)
    use = translator(failing, Made("two"))
    for number in range(8):
        await use.translate(1, f"Satz {chr(97 + number)}", "de", "en")
    assert len(failing.asked) == asked


async def test_a_slow_engine_is_given_up_and_the_next_one_asked() -> None:
    slow, quick = Made("slow", seconds=5), Made("quick")
    assert (await translator(slow, quick).translate(1, "Tag", "de", "en")).content == "en:Tag"


async def test_a_call_given_up_in_the_middle_of_a_trial_leaves_the_next_one_free() -> None:
    engine = Made(seconds=5)
    chain = Engines([engine], Purse(), call_seconds=60)
    options = SiteOptions(("one",), (), 0)
    chain._breakers["one"].open(0.0, 0.0)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await chain.translate(1, options, ["Tag"], "de", "en")
    engine.seconds = 0.0

    assert (await chain.translate(1, options, ["Tag"], "de", "en")).texts == ("en:Tag",)


async def test_a_site_over_its_limit_is_refused_without_a_call() -> None:
    engine = Made()
    chain = Engines([engine], Purse(), call_seconds=1)
    with pytest.raises(NoTranslation):
        await chain.translate(1, SiteOptions(("one",), (), 5), ["Guten Tag"], "de", "en")
    assert not engine.asked


async def test_an_engine_that_answers_with_another_number_of_texts_is_not_believed() -> None:
    class Short(Made):
        async def translate(self, texts: Sequence[str], source: str | None, target: str) -> list[str]:
            return ["only one"]

    made = await translator(Short(), Made("two")).translate(1, "eins\nzwei", "de", "en")
    assert made.content == "en:eins\nen:zwei"
