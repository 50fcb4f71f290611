"""Cached site options: read once, again after a change, and the last known while chat cannot be reached."""

from __future__ import annotations

from typing import Any, cast

import pytest

from parley.common.errors import Unavailable
from parley.common.events import new_event
from parley.common.events.team import SiteChanged
from parley.common.messaging import RpcClient
from parley.translate.clients.site_options import CachedSiteOptions
from parley.translate.site_options import SiteOptions
from parley.translate.timeouts import SITE_OPTIONS_FALLBACK_TTL_SECONDS, SITE_OPTIONS_TTL_SECONDS

DEFAULT = SiteOptions(("google", "local"), ("Parley",), 1000)
SITE = 7


class FakeChat:
    """Answers the RPC method `site`."""

    def __init__(self) -> None:
        self.translation: dict[str, Any] | None = None
        self.unavailable = False
        self.calls = 0

    async def __call__(self, method: str, *, site_id: int) -> dict[str, Any]:
        self.calls += 1
        if self.unavailable:
            raise Unavailable
        return {"tenant_id": 1, "name": "A site", "translation": self.translation}


@pytest.fixture
def chat() -> FakeChat:
    return FakeChat()


class FakeClock:
    """A monotonic clock that the test advances."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def sites(chat: FakeChat, clock: FakeClock) -> CachedSiteOptions:
    return CachedSiteOptions(cast("RpcClient", chat), DEFAULT, lambda: True, clock)


async def change_site(sites: CachedSiteOptions) -> None:
    await sites.on_event(new_event(SiteChanged(site_id=SITE), tenant_id=1, site_id=SITE))


async def test_options_are_read_once(sites: CachedSiteOptions, chat: FakeChat) -> None:
    chat.translation = {"engines": ["local"], "glossary": ["Acme"], "daily_characters": 50}
    expected = SiteOptions(("local",), ("Parley", "Acme"), 50)
    assert [await sites.get(SITE), await sites.get(SITE)] == [expected, expected]
    assert chat.calls == 1


@pytest.mark.parametrize(("requested", "limit"), [(None, 1000), (0, 1000), (50, 50), (5000, 1000)])
async def test_site_may_lower_the_limit_but_not_raise_it(
    sites: CachedSiteOptions, chat: FakeChat, requested: int | None, limit: int
) -> None:
    chat.translation = {"daily_characters": requested}
    assert (await sites.get(SITE)).daily_characters == limit


async def test_options_are_read_again_after_a_change(sites: CachedSiteOptions, chat: FakeChat) -> None:
    assert await sites.get(SITE) == DEFAULT
    chat.translation = {"engines": ["local"]}
    await change_site(sites)
    assert (await sites.get(SITE)).engines == ("local",)


async def test_options_are_read_again_after_a_gap(sites: CachedSiteOptions, chat: FakeChat) -> None:
    assert await sites.get(SITE) == DEFAULT
    chat.translation = {"engines": ["local"]}
    sites.on_gap()
    assert (await sites.get(SITE)).engines == ("local",)


async def test_default_applies_while_chat_is_unavailable(sites: CachedSiteOptions, chat: FakeChat) -> None:
    chat.unavailable = True
    assert await sites.get(SITE) == DEFAULT
    assert await sites.get(SITE) == DEFAULT
    assert chat.calls == 1


async def test_last_known_options_apply_while_chat_is_unavailable(
    sites: CachedSiteOptions, chat: FakeChat, clock: FakeClock
) -> None:
    chat.translation = {"engines": ["local"]}
    await sites.get(SITE)
    chat.unavailable = True
    clock.now = SITE_OPTIONS_TTL_SECONDS
    assert (await sites.get(SITE)).engines == ("local",)
    chat.unavailable = False
    chat.translation = {"engines": ["google"]}
    clock.now += SITE_OPTIONS_FALLBACK_TTL_SECONDS
    assert (await sites.get(SITE)).engines == ("google",)


async def test_invalid_options_are_replaced_by_the_default(sites: CachedSiteOptions, chat: FakeChat) -> None:
    chat.translation = {"engines": "local"}
    assert await sites.get(SITE) == DEFAULT
