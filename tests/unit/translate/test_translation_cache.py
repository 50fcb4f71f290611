"""The translation cache: memory bounded in bytes, least recently used entries evicted first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from parley.translate.translations.cache import TranslationCache, cache_key


class FakeRepository:
    """Stores translations in memory, and records which keys were looked up."""

    def __init__(self) -> None:
        self.translations: dict[bytes, str] = {}
        self.lookups: list[bytes] = []

    async def find(self, keys: Sequence[bytes]) -> Mapping[bytes, str]:
        self.lookups.extend(keys)
        return {key: self.translations[key] for key in keys if key in self.translations}

    async def save(self, translations: Mapping[bytes, str], conversation_id: int | None) -> None:
        self.translations.update(translations)


def test_key_depends_on_text_source_and_target() -> None:
    keys = {
        cache_key("a", "de", "en"),
        cache_key("b", "de", "en"),
        cache_key("a", "fr", "en"),
        cache_key("a", "de", "fr"),
        cache_key("a", None, "en"),
    }
    assert len(keys) == 5


async def test_entries_in_memory_are_not_looked_up_in_the_repository() -> None:
    repository = FakeRepository()
    cache = TranslationCache(repository, 10_000)
    await cache.save({b"1": "eins"})
    assert await cache.find([b"1", b"2"]) == {b"1": "eins"}
    assert repository.lookups == [b"2"]


async def test_entries_found_in_the_repository_are_kept_in_memory() -> None:
    repository = FakeRepository()
    repository.translations[b"1"] = "eins"
    cache = TranslationCache(repository, 10_000)
    await cache.find([b"1"])
    await cache.find([b"1"])
    assert repository.lookups == [b"1"]


async def test_memory_is_bounded_and_evicts_the_least_recently_used() -> None:
    repository = FakeRepository()
    cache = TranslationCache(repository, 5_000)
    await cache.save({b"first": "ä" * 400, b"second": "ä" * 400})
    for number in range(20):
        await cache.find([b"first"])
        await cache.save({str(number).encode(): "ß" * 400})
        assert cache.memory_bytes <= 5_000
    repository.lookups.clear()
    await cache.find([b"first", b"second"])
    assert repository.lookups == [b"second"]


async def test_text_larger_than_the_memory_is_only_in_the_repository() -> None:
    repository = FakeRepository()
    cache = TranslationCache(repository, 0)
    await cache.save({b"1": "eins"})
    assert cache.memory_bytes == 0
    assert await cache.find([b"1"]) == {b"1": "eins"}


async def test_saving_the_same_entry_again_needs_no_more_memory() -> None:
    cache = TranslationCache(FakeRepository(), 100_000)
    await cache.save({b"1": "eins"})
    size = cache.memory_bytes
    await cache.save({b"1": "eins"})
    assert cache.memory_bytes == size


async def test_cleared_memory_does_not_return_erased_translations() -> None:
    repository = FakeRepository()
    cache = TranslationCache(repository, 10_000)
    await cache.save({b"1": "eins"}, 50)
    repository.translations.clear()
    cache.clear_memory()
    assert await cache.find([b"1"]) == {}
    assert cache.memory_bytes == 0
