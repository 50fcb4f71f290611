"""Stream tickets: valid once, for a minute, and stored only as digests."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from pymongo import AsyncMongoClient

from support.notify import GATEWAY, NotifyReplica, Scenario

ISSUE, REDEEM = "/api/v1/operator/stream-ticket", "/internal/redeem-ticket"


async def test_a_ticket_is_redeemed_once_for_its_operator(replica: NotifyReplica, scenario: Scenario) -> None:
    caller = scenario.operator()
    status, issued, _ = await replica.request(caller, "POST", ISSUE)
    assert status == 200
    assert issued["expires_in"] == 60
    status, redeemed, _ = await replica.request(GATEWAY, "POST", REDEEM, {"ticket": issued["ticket"]})
    assert status == 200
    assert redeemed["operator_id"] == caller.operator_id
    assert redeemed["session_id"] == caller.login_session_id
    assert redeemed["expires_at"] == caller.expires_at
    assert redeemed["api_key_hash"] is None
    status, refused, _ = await replica.request(GATEWAY, "POST", REDEEM, {"ticket": issued["ticket"]})
    assert (status, refused["code"]) == (404, "ticket_not_found")


async def test_a_ticket_of_an_api_key_names_the_key(replica: NotifyReplica, scenario: Scenario) -> None:
    caller = replace(scenario.operator(), login_session_id=None, api_key_hash="5e" * 32)
    _, issued, _ = await replica.request(caller, "POST", ISSUE)
    _, redeemed, _ = await replica.request(GATEWAY, "POST", REDEEM, {"ticket": issued["ticket"]})
    assert (redeemed["session_id"], redeemed["api_key_hash"]) == (None, "5e" * 32)


async def test_one_of_several_concurrent_redemptions_succeeds(replica: NotifyReplica, scenario: Scenario) -> None:
    _, issued, _ = await replica.request(scenario.operator(), "POST", ISSUE)
    requests = [replica.request(GATEWAY, "POST", REDEEM, {"ticket": issued["ticket"]}) for _ in range(8)]
    assert sorted(status for status, _, _ in await asyncio.gather(*requests)) == [200] + [404] * 7


async def test_only_the_gateway_can_redeem_a_ticket(replica: NotifyReplica, scenario: Scenario) -> None:
    _, issued, _ = await replica.request(scenario.operator(), "POST", ISSUE)
    for caller in (scenario.operator(), scenario.visitor()):
        status, _, _ = await replica.request(caller, "POST", REDEEM, {"ticket": issued["ticket"]})
        assert status == 401
    status, _, _ = await replica.request(GATEWAY, "POST", REDEEM, {"ticket": {"$ne": 1}})
    assert status == 422


async def test_a_ticket_is_stored_as_a_digest_and_expires(
    replica: NotifyReplica, scenario: Scenario, mongodb_uri: str, notify_prefix: str
) -> None:
    _, issued, _ = await replica.request(scenario.operator(), "POST", ISSUE)
    client: AsyncMongoClient[dict[str, object]] = AsyncMongoClient(mongodb_uri)
    tickets = client[f"{notify_prefix}_notify"]["tickets"]
    assert issued["ticket"] not in repr([row async for row in tickets.find()])
    await tickets.update_many({}, [{"$set": {"good_until": {"$subtract": ["$good_until", 61_000]}}}])
    status, _, _ = await replica.request(GATEWAY, "POST", REDEEM, {"ticket": issued["ticket"]})
    assert status == 404
    assert issued["ticket"] not in replica.log_file.read_text()
    await client.close()
