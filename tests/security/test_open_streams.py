"""A3: an open stream ends when access is lost, and a resumed stream contains only what the operator may see now."""

from __future__ import annotations

import time

import pytest

from support.api import OperatorClient
from support.tenants import TenantFixture
from support.wait import wait_until

MAX_SECONDS = 5.0


async def _open_status(operator: OperatorClient) -> int:
    """Open a stream and return its status, retried while the gateway answers 503."""

    async def status() -> int | None:
        url = f"{operator.api.base_url}/api/v1/operator/stream"
        async with operator.api.http.get(url, params={"token": operator.token}) as response:
            return None if response.status == 503 else response.status

    result: int | None = await wait_until(status)
    assert result is not None
    return result


@pytest.mark.parametrize("lost", ["permission", "site", "suspended", "removed", "logged out"])
async def test_losing_access_ends_the_open_stream(tenant: TenantFixture, lost: str) -> None:
    """A3: an open stream ends within 5 seconds when the operator loses access; A19: also when the login ends."""
    path = f"/sites/{tenant.site_id}/team/{tenant.sam.id}"
    async with tenant.sam.stream() as stream:
        await stream.wait_for("ready")
        began = time.monotonic()
        match lost:
            case "permission":
                (await tenant.owner.send("PUT", path, {"can_chat": True})).ok()
            case "site":
                (await tenant.owner.send("DELETE", path)).ok()
            case "suspended":
                (await tenant.owner.send("PUT", f"/team/{tenant.sam.id}", {"suspended": True})).ok()
            case "removed":
                (await tenant.owner.send("DELETE", f"/team/{tenant.sam.id}")).ok()
            case _:
                (await tenant.sam.post("/auth/logout")).ok()
        await stream.wait_until_ended(timeout=MAX_SECONDS)
        seconds = time.monotonic() - began
        await tenant.pending_conversation("After the loss")
        assert not stream.of_type("message.created"), "no event is sent after the loss"
    assert seconds < MAX_SECONDS
    assert await _open_status(tenant.sam) == (403 if lost in ("permission", "site") else 401)


async def test_a_replay_is_authorized_event_by_event(tenant: TenantFixture) -> None:
    """A3: a resumed stream contains only events that the operator may see now."""
    other_site = await tenant.add_site()
    (await tenant.owner.send("PUT", f"/sites/{other_site['id']}/team/{tenant.sam.id}", _all_permissions())).ok()
    await _wait_for_sites(tenant.sam, [tenant.site_id, other_site["id"]])
    async with tenant.sam.stream() as stream:
        ready = await stream.wait_for("ready")
    position = ready.id
    assert position is not None
    await tenant.pending_conversation("On the first site")
    visitor = tenant.api.visitor(other_site["site_key"])
    await visitor.send_message("On the second site")
    (await tenant.owner.send("DELETE", f"/sites/{tenant.site_id}/team/{tenant.sam.id}")).ok()
    await _wait_for_sites(tenant.sam, [other_site["id"]])
    async with tenant.sam.stream(position) as stream:
        await stream.wait_for("message.created", lambda event: event.data["data"]["content"] == "On the second site")
        assert {event.data["site_id"] for event in stream.events if event.type != "ready"} == {other_site["id"]}
        assert "On the first site" not in str([event.data for event in stream.events])


def _all_permissions() -> dict[str, bool]:
    return {"can_chat": True, "can_view_conversations": True, "can_manage": True}


async def _wait_for_sites(operator: OperatorClient, site_ids: list[int]) -> None:
    """Wait until the operator has access to exactly these sites."""

    async def has_sites() -> bool:
        counts = await operator.get("/operator/all-chat-counts")
        return counts.status == 200 and sorted(int(site) for site in counts.body["sites"]) == sorted(site_ids)

    await wait_until(has_sites)
