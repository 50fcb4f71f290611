"""A3: who loses access while a stream is open is cut off, and a resumed stream shows only what one may see now."""

from __future__ import annotations

import time

import pytest

from support.api import OperatorClient
from support.tenants import TenantFixture
from support.wait import wait_until

CUT_SECONDS = 5.0


async def _opens(operator: OperatorClient) -> int:
    """The status that opening a stream gets, once the gateway has settled."""

    async def status() -> int | None:
        url = f"{operator.api.base_url}/api/v1/operator/stream"
        async with operator.api.http.get(url, params={"token": operator.token}) as response:
            return None if response.status == 503 else response.status

    settled: int | None = await wait_until(status)
    assert settled is not None
    return settled


@pytest.mark.parametrize("taken", ["permission", "site", "suspended", "removed", "logged out"])
async def test_losing_access_ends_the_open_stream(tenant: TenantFixture, taken: str) -> None:
    place = f"/sites/{tenant.site_id}/team/{tenant.sam.id}"
    async with tenant.sam.stream() as stream:
        await stream.wait_for("ready")
        began = time.monotonic()
        match taken:
            case "permission":
                (await tenant.owner.send("PUT", place, {"can_chat": True})).ok()
            case "site":
                (await tenant.owner.send("DELETE", place)).ok()
            case "suspended":
                (await tenant.owner.send("PUT", f"/team/{tenant.sam.id}", {"suspended": True})).ok()
            case "removed":
                (await tenant.owner.send("DELETE", f"/team/{tenant.sam.id}")).ok()
            case _:
                (await tenant.sam.post("/auth/logout")).ok()
        await stream.wait_until_ended(timeout=CUT_SECONDS)
        seconds = time.monotonic() - began
        await tenant.pending_conversation("After the cut")
        assert not stream.of_type("message.created"), "nothing is shown after the cut"
    assert seconds < CUT_SECONDS
    assert await _opens(tenant.sam) == (403 if taken in ("permission", "site") else 401)


async def test_a_replay_is_authorized_event_by_event(tenant: TenantFixture) -> None:
    elsewhere = await tenant.add_site()
    (await tenant.owner.send("PUT", f"/sites/{elsewhere['id']}/team/{tenant.sam.id}", _everything())).ok()
    await _opens_with(tenant.sam, [tenant.site_id, elsewhere["id"]])
    async with tenant.sam.stream() as stream:
        ready = await stream.wait_for("ready")
    position = ready.id
    assert position is not None
    await tenant.pending_conversation("On the first site")
    visitor = tenant.api.visitor(elsewhere["site_key"])
    await visitor.send_message("On the second site")
    (await tenant.owner.send("DELETE", f"/sites/{tenant.site_id}/team/{tenant.sam.id}")).ok()
    await _opens_with(tenant.sam, [elsewhere["id"]])
    async with tenant.sam.stream(position) as stream:
        await stream.wait_for("message.created", lambda event: event.data["data"]["content"] == "On the second site")
        assert {event.data["site_id"] for event in stream.events if event.type != "ready"} == {elsewhere["id"]}
        assert "On the first site" not in str([event.data for event in stream.events])


def _everything() -> dict[str, bool]:
    return {"can_chat": True, "can_view_conversations": True, "can_manage": True}


async def _opens_with(operator: OperatorClient, site_ids: list[int]) -> None:
    """Wait until a new stream would show these sites."""

    async def sites() -> bool:
        found = await operator.get("/operator/all-chat-counts")
        return found.status == 200 and sorted(int(site) for site in found.body["sites"]) == sorted(site_ids)

    await wait_until(sites)
