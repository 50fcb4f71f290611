"""A9: a visitor's history opens with their own session on their own site, and with nothing else."""

from __future__ import annotations

import pytest

from parley_dev.stack import Stack
from support.api import ApiClient, VisitorClient
from support.tenants import TenantFixture
from support.wait import wait_until

READS = ("/history", "/operator-messages")
SECRET = "canary of this visitor"


@pytest.fixture(scope="module")
async def tenant(stack: Stack, api: ApiClient, mongodb_uri: str) -> TenantFixture:
    return await TenantFixture.create(api, stack, mongodb_uri)


@pytest.fixture
async def visitor(tenant: TenantFixture) -> VisitorClient:
    visitor = tenant.new_visitor()
    await visitor.send_message(SECRET)
    return visitor


async def _unreadable(thief: VisitorClient) -> None:
    for path in READS:
        refused = await thief.get(path)
        assert refused.status == 404, path
        assert refused.body["code"] == "not_found"
    # Every widget asks this before a word is said, so a stranger is told what a newcomer is told.
    waiting = await thief.get("/pending-proactive")
    assert waiting.status == 404 or waiting.body["messages"] == []


async def test_a_guessed_session_opens_nothing(tenant: TenantFixture, visitor: VisitorClient) -> None:
    near = visitor.session_id[:-1] + ("0" if visitor.session_id[-1] != "0" else "1")
    for guess in (near, visitor.session_id.upper(), visitor.session_id + "0", "0" * 16):
        if guess != visitor.session_id:
            await _unreadable(tenant.api.visitor(tenant.site_key, guess))


async def test_the_public_handle_is_not_the_session(tenant: TenantFixture, visitor: VisitorClient) -> None:
    chats = (await tenant.alex.get("/operator/all-active-chats", status="ai")).ok()["chats"]
    handle = chats[0]["visitor"]["session_id"]
    assert handle.startswith("sess_")
    assert visitor.session_id not in str(chats)
    await _unreadable(tenant.api.visitor(tenant.site_key, handle))
    await _unreadable(tenant.api.visitor(tenant.site_key, handle.removeprefix("sess_")))


async def test_a_session_does_not_count_on_another_site(tenant: TenantFixture, visitor: VisitorClient) -> None:
    elsewhere = await tenant.add_site()
    await _unreadable(tenant.api.visitor(elsewhere["site_key"], visitor.session_id))
    taken_along = tenant.api.visitor(elsewhere["site_key"], visitor.session_id)
    await taken_along.send_message("Another conversation")
    assert SECRET not in (await taken_along.get("/history")).raw.decode()
    assert "Another" not in (await visitor.get("/history")).raw.decode()


async def test_an_unknown_or_replaced_site_key_is_404_everywhere(tenant: TenantFixture) -> None:
    site = await tenant.add_site()
    visitor = tenant.api.visitor(site["site_key"])
    await visitor.send_message(SECRET)
    await _unreadable(tenant.api.visitor("pk_" + "0" * 24, visitor.session_id))
    fresh = (await tenant.owner.post(f"/sites/{site['id']}/rotate-key")).ok()["site"]["site_key"]

    async def heard() -> bool:
        return (await visitor.get("/history")).status == 404

    await wait_until(heard, timeout=2)
    await _unreadable(visitor)
    assert (await tenant.api.visitor(fresh, visitor.session_id).get("/history")).status == 200, "the session goes on"


@pytest.mark.parametrize("session_id", ["", "short", "a" * 129, "../../etc/passwd", "0123456789abcde\n", "ü" * 16])
async def test_a_session_of_another_shape_is_422(tenant: TenantFixture, session_id: str) -> None:
    assert (await tenant.api.visitor(tenant.site_key, session_id or " ").get("/history")).status == 422


async def test_another_visitors_stream_shows_nothing_of_it(tenant: TenantFixture, visitor: VisitorClient) -> None:
    thief = tenant.new_visitor()
    await thief.send_message("I listen")
    async with thief.events() as stream:
        await stream.wait_for("ready")
        await visitor.send_message(SECRET)
        await thief.send_message("Still here")
        await stream.wait_for("message.created", lambda event: event.data["data"]["content"] == "Still here")
        assert SECRET not in str([event.data for event in stream.events])


async def test_naming_two_sessions_opens_neither_of_anothers(tenant: TenantFixture, visitor: VisitorClient) -> None:
    """Whoever names two sessions is the one that the gateway checked, or nobody."""
    thief = tenant.new_visitor()
    await thief.send_message("I try")
    for first, second in ((thief, visitor), (visitor, thief)):
        query = f"site_key={tenant.site_key}&session_id={first.session_id}&session_id={second.session_id}"
        body = (await tenant.api.request("GET", f"/api/v1/chat/history?{query}")).raw.decode()
        shown = {words for words in (SECRET, "I try") if words in body}
        assert len(shown) <= 1
    left = {**thief.credentials, "email": "thief@example.com"}
    path = f"/api/v1/chat/email?site_key={visitor.site_key}&session_id={visitor.session_id}"
    await tenant.api.request("POST", path, body=left)
    assert (await visitor.get("/history")).ok()["visitor"]["email"] is None
