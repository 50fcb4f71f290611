"""Stream tickets: good once, for a minute, and kept only as digests."""

from __future__ import annotations

import asyncio

from pymongo import AsyncMongoClient

from support.notify import GATEWAY, Replica, Scene

SELL, REDEEM = "/api/v1/operator/stream-ticket", "/internal/redeem-ticket"


async def test_a_ticket_names_its_buyer_once(replica: Replica, scene: Scene) -> None:
    caller = scene.operator()
    status, sold, _ = await replica.call(caller, "POST", SELL)
    assert status == 200
    assert sold["expires_in"] == 60
    status, found, _ = await replica.call(GATEWAY, "POST", REDEEM, {"ticket": sold["ticket"]})
    assert status == 200
    assert found["operator_id"] == caller.operator_id
    assert found["session_id"] == caller.session_id
    assert found["expires_at"] == caller.expires_at
    status, refused, _ = await replica.call(GATEWAY, "POST", REDEEM, {"ticket": sold["ticket"]})
    assert (status, refused["code"]) == (404, "ticket_not_found")


async def test_of_many_who_redeem_a_ticket_at_once_one_succeeds(replica: Replica, scene: Scene) -> None:
    _, sold, _ = await replica.call(scene.operator(), "POST", SELL)
    tries = [replica.call(GATEWAY, "POST", REDEEM, {"ticket": sold["ticket"]}) for _ in range(8)]
    assert sorted(status for status, _, _ in await asyncio.gather(*tries)) == [200] + [404] * 7


async def test_a_ticket_is_redeemed_by_nobody_but_the_gateway(replica: Replica, scene: Scene) -> None:
    _, sold, _ = await replica.call(scene.operator(), "POST", SELL)
    for caller in (scene.operator(), scene.visitor()):
        status, _, _ = await replica.call(caller, "POST", REDEEM, {"ticket": sold["ticket"]})
        assert status == 401
    status, _, _ = await replica.call(GATEWAY, "POST", REDEEM, {"ticket": {"$ne": 1}})
    assert status == 422


async def test_a_ticket_is_kept_as_a_digest_and_not_after_its_time(
    replica: Replica, scene: Scene, mongodb_uri: str, notify_prefix: str
) -> None:
    _, sold, _ = await replica.call(scene.operator(), "POST", SELL)
    client: AsyncMongoClient[dict[str, object]] = AsyncMongoClient(mongodb_uri)
    tickets = client[f"{notify_prefix}_notify"]["tickets"]
    assert sold["ticket"] not in repr([row async for row in tickets.find()])
    await tickets.update_many({}, [{"$set": {"good_until": {"$subtract": ["$good_until", 61_000]}}}])
    status, _, _ = await replica.call(GATEWAY, "POST", REDEEM, {"ticket": sold["ticket"]})
    assert status == 404
    assert sold["ticket"] not in replica.output.read_text()
    await client.close()
