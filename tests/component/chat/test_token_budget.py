"""Token budgets on real MongoDB: reserved before a reply, with shares for one session and one address."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from parley.chat.ai.metering import CapReached, Limits, Meter, Spender
from parley.chat.ai.usage import TokenUsage
from parley.chat.ai.usage_repository import MongoTokenBudget
from support.admin_app import AdminTestApp

NO_LIMITS = Limits()
_site_ids = itertools.count(10**9)


@pytest.fixture
def budget(app: AdminTestApp) -> MongoTokenBudget:
    return MongoTokenBudget(app.mongo, app.clock, 10_000, session_share=0.2, address_share=0.5)


async def count_replies(budget: MongoTokenBudget, spenders: list[Spender], tokens: int = 1000) -> int:
    """Replies that start at the same moment and may."""
    return sum(await asyncio.gather(*(is_admitted(budget, spender, tokens) for spender in spenders)))


async def is_admitted(budget: MongoTokenBudget, spender: Spender, tokens: int, limits: Limits = NO_LIMITS) -> bool:
    try:
        await budget.reserve(spender, limits, tokens, 1)
    except CapReached:
        return False
    return True


async def test_replies_that_start_together_do_not_pass_the_sites_limit(budget: MongoTokenBudget) -> None:
    """A16: replies that start together stay within the site's token budget."""
    site = next(_site_ids)
    assert await count_replies(budget, [Spender(site, f"s{n}", f"192.0.2.{n}") for n in range(40)]) == 10


async def test_one_address_with_many_sessions_uses_its_share_only(budget: MongoTokenBudget) -> None:
    """A16: an address with many sessions uses only its share of a site's token budget."""
    site = next(_site_ids)
    assert await count_replies(budget, [Spender(site, f"s{n}", "192.0.2.1") for n in range(40)]) == 5
    assert await count_replies(budget, [Spender(site, "other", "192.0.2.2")]) == 1


async def test_addresses_of_one_ipv6_network_share(budget: MongoTokenBudget) -> None:
    site = next(_site_ids)
    assert await count_replies(budget, [Spender(site, f"s{n}", f"2001:db8::{n}") for n in range(40)]) == 5
    assert await count_replies(budget, [Spender(site, "other", "2001:db8:0:1::1")]) == 1


async def test_one_session_on_many_addresses_uses_its_share_only(budget: MongoTokenBudget) -> None:
    site = next(_site_ids)
    assert await count_replies(budget, [Spender(site, "s", f"192.0.2.{n}") for n in range(40)]) == 2


async def test_a_reservation_becomes_the_real_cost(budget: MongoTokenBudget) -> None:
    spender = Spender(next(_site_ids), "s", "192.0.2.1")
    for _ in range(10):
        await budget.settle(await budget.reserve(spender, NO_LIMITS, 1000), 100)
    assert not await is_admitted(budget, spender, 1100)


async def test_what_is_used_beyond_a_reservation_counts_and_stops_further_requests_at_once(
    budget: MongoTokenBudget, app: AdminTestApp
) -> None:
    spender = Spender(next(_site_ids))
    other_replica = MongoTokenBudget(app.mongo, app.clock, 10_000)
    meter = Meter(budget, spender)
    await meter.reserve(1000)
    meter.count(TokenUsage(12_000))
    await meter.charge_excess()
    assert (await other_replica.read(spender.site_id, NO_LIMITS)).tokens == 12_000
    assert not await is_admitted(other_replica, spender, 1), "while the text is not settled"
    with pytest.raises(CapReached):
        await meter.reserve(1)
    await meter.settle()
    assert (await other_replica.read(spender.site_id, NO_LIMITS)).tokens == 12_000


async def test_reservations_learn_from_an_endpoint_that_costs_more_than_was_estimated(
    budget: MongoTokenBudget, app: AdminTestApp
) -> None:
    """A16: replies that start together stay within the tokens, also if each costs three times what was estimated."""
    site = next(_site_ids)

    async def reply(tokens: int) -> None:
        await budget.settle(await budget.reserve(Spender(site), NO_LIMITS, 1000), tokens)

    await reply(3000)
    app.clock.advance(days=1)
    assert await count_replies(budget, [Spender(site) for _ in range(10)]) == 3
    app.clock.advance(days=1)
    for _ in range(11):
        await reply(100)
    assert await count_replies(budget, [Spender(site) for _ in range(12)]) == 8, "what was an exception is forgotten"


async def test_a_refused_reservation_counts_nowhere(budget: MongoTokenBudget) -> None:
    site = next(_site_ids)
    assert await count_replies(budget, [Spender(site, "s", "192.0.2.1") for _ in range(50)]) == 2
    assert await count_replies(budget, [Spender(site, f"s{n}", "192.0.2.1") for n in range(10)]) == 3


async def test_the_first_reply_of_a_day_is_possible_below_its_highest_cost(budget: MongoTokenBudget) -> None:
    spender = Spender(next(_site_ids), "s", "192.0.2.1")
    assert await is_admitted(budget, spender, 1000, Limits(50))
    assert not await is_admitted(budget, spender, 1000, Limits(50))
