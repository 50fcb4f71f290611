"""The cache in memory: bounded in bytes, the least used goes first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from parley.translate.translations.cache import Cache, cache_key


class Shelf:
    """A store that counts how often it is asked."""

    def __init__(self) -> None:
        self.kept: dict[bytes, str] = {}
        self.asked: list[bytes] = []

    async def find(self, keys: Sequence[bytes]) -> Mapping[bytes, str]:
        self.asked.extend(keys)
        return {key: self.kept[key] for key in keys if key in self.kept}

    async def keep(self, made: Mapping[bytes, str], conversation_id: int | None) -> None:
        self.kept.update(made)

    async def made_for(self, conversation_ids: Sequence[int]) -> Sequence[str]:
        return []

    async def erase(self, conversation_ids: Sequence[int]) -> None:
        self.kept.clear()


def test_text_source_and_target_each_make_another_key() -> None:
    keys = {
        cache_key("a", "de", "en"),
        cache_key("b", "de", "en"),
        cache_key("a", "fr", "en"),
        cache_key("a", "de", "fr"),
        cache_key("a", None, "en"),
    }
    assert len(keys) == 5


async def test_what_is_in_memory_is_not_asked_of_the_store() -> None:
    shelf = Shelf()
    cache = Cache(shelf, 10_000)
    await cache.keep({b"1": "eins"})
    assert await cache.find([b"1", b"2"]) == {b"1": "eins"}
    assert shelf.asked == [b"2"]


async def test_what_the_store_knew_is_remembered() -> None:
    shelf = Shelf()
    shelf.kept[b"1"] = "eins"
    cache = Cache(shelf, 10_000)
    await cache.find([b"1"])
    await cache.find([b"1"])
    assert shelf.asked == [b"1"]


async def test_memory_is_bounded_in_bytes_and_the_least_used_goes_first() -> None:
    shelf = Shelf()
    cache = Cache(shelf, 5_000)
    await cache.keep({b"first": "ä" * 400, b"second": "ä" * 400})
    for number in range(20):
        await cache.find([b"first"])
        await cache.keep({str(number).encode(): "ß" * 400})
        assert cache.size <= 5_000
    shelf.asked.clear()
    await cache.find([b"first", b"second"])
    assert shelf.asked == [b"second"]


async def test_the_same_again_takes_no_more_room() -> None:
    cache = Cache(Shelf(), 100_000)
    await cache.keep({b"1": "eins"})
    size = cache.size
    await cache.keep({b"1": "eins"})
    assert cache.size == size


async def test_what_was_erased_of_the_store_is_gone_from_memory_too() -> None:
    shelf = Shelf()
    cache = Cache(shelf, 10_000)
    await cache.keep({b"1": "eins"}, 50)
    await shelf.erase([50])
    cache.forget_near()
    assert await cache.find([b"1"]) == {}
    assert cache.size == 0
