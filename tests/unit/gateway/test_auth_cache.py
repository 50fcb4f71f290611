"""The gateway's caches of other services' responses: how long values and absences are kept."""

from __future__ import annotations

from parley.common.errors import NotFound
from parley.gateway.auth.cache import build_cache


class SiteDirectory:
    """Counts lookups; knows the sites in `sites`."""

    def __init__(self) -> None:
        self.sites: dict[str, str] = {"known": "first"}
        self.lookups = 0

    async def get_site(self, key: str) -> str:
        self.lookups += 1
        if key not in self.sites:
            raise NotFound
        return self.sites[key]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_value_is_kept_for_30_seconds_and_for_2_while_events_are_not_received() -> None:
    directory, clock, connected = SiteDirectory(), Clock(), True
    cache = build_cache("test", directory.get_site, lambda: connected, 2**20, len, clock)
    assert await cache.get("known") == "first"
    directory.sites["known"], clock.now = "second", 29.9
    assert await cache.get("known") == "first"
    clock.now = 30.0
    assert await cache.get("known") == "second"
    connected = False
    clock.now = 31.9
    assert await cache.get("known") == "second"
    assert directory.lookups == 2
    clock.now = 32.0
    assert await cache.get("known") == "second"
    assert directory.lookups == 3


async def test_absence_is_kept_for_5_seconds() -> None:
    directory, clock = SiteDirectory(), Clock()
    cache = build_cache("test", directory.get_site, lambda: True, 2**20, len, clock)
    assert [await cache.get("new") for _ in range(3)] == [None] * 3
    assert directory.lookups == 1
    directory.sites["new"], clock.now = "created", 4.9
    assert await cache.get("new") is None
    clock.now = 5.0
    assert await cache.get("new") == "created"
