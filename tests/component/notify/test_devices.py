"""The devices of operators: registered, taken over, removed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from support.fcm import FcmServer
from support.notify import Replica, Scene
from support.pushes import TOKENS, Enlist, device, rung

StartReplica = Callable[..., Awaitable[Replica]]


async def test_a_token_has_one_owner_the_last_who_registered_it(
    ringing: Replica, scene: Scene, fcm: FcmServer, enlist: Enlist
) -> None:
    before, token = await enlist(ringing)
    after, _ = await enlist(ringing)
    status, _, _ = await ringing.call(after, "POST", TOKENS, {"token": token})
    assert status == 200
    await ringing.call(before, "DELETE", TOKENS, {"token": token})
    await scene.accept(after)
    await scene.say("one")
    await rung(fcm, token)
    other = Scene(scene.bus, tenant_id=scene.tenant_id, site_id=scene.site_id)
    await other.accept(before)
    await other.say("not for this phone any more")
    await scene.say("two")
    await rung(fcm, token, 2)
    assert "not for this phone" not in str(fcm.to(token))


async def test_tokens_are_removed_one_or_all_in_body_or_query(ringing: Replica, scene: Scene, enlist: Enlist) -> None:
    operator, first = await enlist(ringing)
    second, third = await device(ringing, operator), await device(ringing, operator)

    async def count() -> int:
        _, body, _ = await ringing.call(operator, "POST", f"{TOKENS}/test")
        return len(body.get("devices", []))

    assert await count() == 3
    await ringing.call(operator, "DELETE", TOKENS, {"token": first})
    assert await count() == 2
    await ringing.call(operator, "DELETE", f"{TOKENS}?token={second}")
    assert await count() == 1
    await ringing.call(operator, "DELETE", TOKENS)
    status, body, _ = await ringing.call(operator, "POST", f"{TOKENS}/test")
    assert (status, body["code"]) == (409, "no_push_token")
    assert third


async def test_an_operator_keeps_at_most_twenty_tokens_the_newest(
    ringing: Replica, fcm: FcmServer, enlist: Enlist
) -> None:
    operator, oldest = await enlist(ringing)
    for _ in range(20):
        await device(ringing, operator)
    _, body, _ = await ringing.call(operator, "POST", f"{TOKENS}/test")
    assert len(body["devices"]) == 20
    assert not fcm.to(oldest)


@pytest.mark.parametrize("token", [{"$ne": 1}, "", "short", "a" * 4097, "with space here", 5, None])
async def test_what_is_no_token_is_422(replica: Replica, scene: Scene, token: object) -> None:
    status, body, _ = await replica.call(scene.operator(), "POST", TOKENS, {"token": token})
    assert (status, body["code"]) == (422, "invalid")


async def test_tokens_stay_where_they_are_when_their_operator_logs_in_elsewhere(
    replica: Replica, scene: Scene, enlist: Enlist, mongodb_uri: str, notify_prefix: str
) -> None:
    operator, token = await enlist(replica)
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(mongodb_uri)
    found = await client[f"{notify_prefix}_notify"]["push_tokens"].find_one({"operator_id": operator.operator_id})
    await client.close()
    assert found is not None
    assert found["token"] == token
    assert token not in found["_id"]
