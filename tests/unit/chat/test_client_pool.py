"""Pooled clients of AI endpoints: when they are created, reused and closed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from parley.chat.ai.client_pool import Endpoint, SiteClientPool
from parley.chat.sites.chatbot import AiSettings, ChatbotSettings
from parley.chat.sites.model import Site
from parley.chat.sites.site_settings import SiteSettings
from support.wait import wait_until

URL = "https://ai.example.com/v1"


class Client:
    def __init__(self, site: SiteSettings, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.closed = False

    async def close(self) -> None:
        self.closed = True


@pytest.fixture
async def pool() -> AsyncIterator[SiteClientPool[Client]]:
    pool = SiteClientPool(Client, max_clients=3)
    yield pool
    await pool.stop()


def site(site_id: int, **ai: object) -> SiteSettings:
    settings = replace(AiSettings(), **ai)  # type: ignore[arg-type]
    bot = ChatbotSettings(engine="openai", ai=settings)
    return Site(site_id, 1, "Shop", "pk", datetime(2026, 1, 1, tzinfo=UTC), chatbot=bot).settings


def borrow(pool: SiteClientPool[Client], site: SiteSettings) -> Client:
    with pool.borrow(site) as client:
        return client


async def test_sites_without_an_endpoint_of_their_own_share_a_client(pool: SiteClientPool[Client]) -> None:
    shared = borrow(pool, site(1))
    assert borrow(pool, site(2)) is shared
    assert shared.endpoint == Endpoint(None, None)
    assert borrow(pool, site(2, base_url=URL)) is not shared


async def test_the_least_recently_used_client_is_closed_when_there_are_too_many(pool: SiteClientPool[Client]) -> None:
    first, second = borrow(pool, site(1, base_url=URL)), borrow(pool, site(2, base_url=URL))
    borrow(pool, site(3, base_url=URL))
    assert borrow(pool, site(1, base_url=URL)) is first
    borrow(pool, site(4, base_url=URL))
    await wait_until(lambda: second.closed)
    assert not first.closed


async def test_a_client_is_not_closed_while_a_reply_uses_it(pool: SiteClientPool[Client]) -> None:
    with pool.borrow(site(1, base_url=URL)) as client:
        pool.invalidate(1)
        assert borrow(pool, site(1, base_url=URL)) is not client
        assert not client.closed
    await wait_until(lambda: client.closed)


async def test_a_changed_endpoint_gets_a_new_client_before_the_event_arrives(pool: SiteClientPool[Client]) -> None:
    before = borrow(pool, site(1, base_url=URL))
    after = borrow(pool, site(1, base_url=URL, encrypted_key="another"))
    assert after.endpoint == Endpoint(URL, "another")
    pool.invalidate(1)
    await wait_until(lambda: before.closed)


async def test_the_endpoints_of_a_site_have_a_client_each(pool: SiteClientPool[Client]) -> None:
    first, second = borrow(pool, site(1, base_url=URL)), borrow(pool, site(1, base_url=f"{URL}/other"))
    assert borrow(pool, site(1, base_url=URL)) is first
    pool.invalidate(1)
    await wait_until(lambda: first.closed and second.closed)


async def test_after_a_gap_in_events_only_the_installations_client_is_kept(pool: SiteClientPool[Client]) -> None:
    shared, own = borrow(pool, site(1)), borrow(pool, site(2, base_url=URL))
    pool.clear()
    await wait_until(lambda: own.closed)
    assert borrow(pool, site(1)) is shared
