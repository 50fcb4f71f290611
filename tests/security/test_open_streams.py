"""A3: who loses access while a stream is open is cut off, and a resumed stream shows only what one may see now."""

from __future__ import annotations

import time

import pytest

from support.api import Operator
from support.tenants import World
from support.wait import until

CUT_SECONDS = 5.0


async def _opens(operator: Operator) -> int:
    """The status that opening a stream gets, once the gateway has settled."""

    async def status() -> int | None:
        url = f"{operator.api.base}/api/v1/operator/stream"
        async with operator.api.http.get(url, params={"token": operator.token}) as response:
            return None if response.status == 503 else response.status

    settled: int | None = await until(status)
    assert settled is not None
    return settled


@pytest.mark.parametrize("taken", ["permission", "site", "suspended", "removed", "logged out"])
async def test_losing_access_ends_the_open_stream(world: World, taken: str) -> None:
    place = f"/sites/{world.site_id}/team/{world.sam.id}"
    async with world.sam.stream() as stream:
        await stream.wait("ready")
        began = time.monotonic()
        match taken:
            case "permission":
                (await world.owner.send("PUT", place, {"can_chat": True})).ok()
            case "site":
                (await world.owner.send("DELETE", place)).ok()
            case "suspended":
                (await world.owner.send("PUT", f"/team/{world.sam.id}", {"suspended": True})).ok()
            case "removed":
                (await world.owner.send("DELETE", f"/team/{world.sam.id}")).ok()
            case _:
                (await world.sam.post("/auth/logout")).ok()
        await stream.wait_end(within=CUT_SECONDS)
        seconds = time.monotonic() - began
        await world.waiting("After the cut")
        assert not stream.of("message.created"), "nothing is shown after the cut"
    assert seconds < CUT_SECONDS
    assert await _opens(world.sam) == (403 if taken in ("permission", "site") else 401)


async def test_a_replay_is_authorized_event_by_event(world: World) -> None:
    elsewhere = await world.another_site()
    (await world.owner.send("PUT", f"/sites/{elsewhere['id']}/team/{world.sam.id}", _everything())).ok()
    await _opens_with(world.sam, [world.site_id, elsewhere["id"]])
    async with world.sam.stream() as stream:
        ready = await stream.wait("ready")
    position = ready.id
    assert position is not None
    await world.waiting("On the first site")
    visitor = world.api.visitor(elsewhere["site_key"])
    await visitor.say("On the second site")
    (await world.owner.send("DELETE", f"/sites/{world.site_id}/team/{world.sam.id}")).ok()
    await _opens_with(world.sam, [elsewhere["id"]])
    async with world.sam.stream(position) as stream:
        await stream.wait("message.created", lambda event: event.data["data"]["content"] == "On the second site")
        assert {event.data["site_id"] for event in stream.seen if event.type != "ready"} == {elsewhere["id"]}
        assert "On the first site" not in str([event.data for event in stream.seen])


def _everything() -> dict[str, bool]:
    return {"can_chat": True, "can_view_conversations": True, "can_manage": True}


async def _opens_with(operator: Operator, site_ids: list[int]) -> None:
    """Wait until a new stream would show these sites."""

    async def sites() -> bool:
        found = await operator.get("/operator/all-chat-counts")
        return found.status == 200 and sorted(int(site) for site in found.body["sites"]) == sorted(site_ids)

    await until(sites)
