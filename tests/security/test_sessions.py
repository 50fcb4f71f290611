"""A9: a visitor's history can be read only with their own session on their own site."""

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


async def _assert_unreadable(attacker: VisitorClient) -> None:
    for path in READS:
        rejected = await attacker.get(path)
        assert rejected.status == 404, path
        assert rejected.body["code"] == "not_found"
    # Widgets call this before the first message, so an unknown session gets the response for a new visitor.
    waiting = await attacker.get("/pending-proactive")
    assert waiting.status == 404 or waiting.body["messages"] == []


async def test_a_guessed_session_reads_nothing(tenant: TenantFixture, visitor: VisitorClient) -> None:
    """A9: a session id that is similar to an existing one reads nothing."""
    near = visitor.session_id[:-1] + ("0" if visitor.session_id[-1] != "0" else "1")
    for guess in (near, visitor.session_id.upper(), visitor.session_id + "0", "0" * 16):
        if guess != visitor.session_id:
            await _assert_unreadable(tenant.api.visitor(tenant.site_key, guess))


async def test_the_public_handle_is_not_a_session(tenant: TenantFixture, visitor: VisitorClient) -> None:
    """A9: the handle that operators see does not work as a session."""
    chats = (await tenant.alex.get("/operator/all-active-chats", status="ai")).ok()["chats"]
    handle = chats[0]["visitor"]["session_id"]
    assert handle.startswith("sess_")
    assert visitor.session_id not in str(chats)
    await _assert_unreadable(tenant.api.visitor(tenant.site_key, handle))
    await _assert_unreadable(tenant.api.visitor(tenant.site_key, handle.removeprefix("sess_")))


async def test_a_session_is_valid_on_its_own_site_only(tenant: TenantFixture, visitor: VisitorClient) -> None:
    """A9: a session is valid on its own site only."""
    other_site = await tenant.add_site()
    await _assert_unreadable(tenant.api.visitor(other_site["site_key"], visitor.session_id))
    same_session = tenant.api.visitor(other_site["site_key"], visitor.session_id)
    await same_session.send_message("Another conversation")
    assert SECRET not in (await same_session.get("/history")).raw.decode()
    assert "Another" not in (await visitor.get("/history")).raw.decode()


async def test_an_unknown_or_replaced_site_key_is_404(tenant: TenantFixture) -> None:
    """A9: an unknown site key and a replaced one are 404."""
    site = await tenant.add_site()
    visitor = tenant.api.visitor(site["site_key"])
    await visitor.send_message(SECRET)
    await _assert_unreadable(tenant.api.visitor("pk_" + "0" * 24, visitor.session_id))
    fresh = (await tenant.owner.post(f"/sites/{site['id']}/rotate-key")).ok()["site"]["site_key"]

    async def is_replaced() -> bool:
        return (await visitor.get("/history")).status == 404

    await wait_until(is_replaced)
    await _assert_unreadable(visitor)
    assert (await tenant.api.visitor(fresh, visitor.session_id).get("/history")).status == 200, (
        "the session continues with the new key"
    )


@pytest.mark.parametrize("session_id", ["", "short", "a" * 129, "../../etc/passwd", "0123456789abcde\n", "ü" * 16])
async def test_a_malformed_session_is_422(tenant: TenantFixture, session_id: str) -> None:
    """A9: a malformed session id is 422."""
    assert (await tenant.api.visitor(tenant.site_key, session_id or " ").get("/history")).status == 422


async def test_a_visitors_stream_contains_no_messages_of_others(tenant: TenantFixture, visitor: VisitorClient) -> None:
    """A9: a visitor's stream contains no message of another visitor."""
    attacker = tenant.new_visitor()
    await attacker.send_message("I listen")
    async with attacker.events() as stream:
        await stream.wait_for("ready")
        await visitor.send_message(SECRET)
        await attacker.send_message("Still here")
        await stream.wait_for("message.created", lambda event: event.data["data"]["content"] == "Still here")
        assert SECRET not in str([event.data for event in stream.events])


async def test_two_sessions_in_one_request_give_no_access(tenant: TenantFixture, visitor: VisitorClient) -> None:
    """A9: a request that names two sessions gets no access to the second one."""
    attacker = tenant.new_visitor()
    await attacker.send_message("I try")
    for first, second in ((attacker, visitor), (visitor, attacker)):
        query = f"site_key={tenant.site_key}&session_id={first.session_id}&session_id={second.session_id}"
        body = (await tenant.api.request("GET", f"/api/v1/chat/history?{query}")).raw.decode()
        shown = {words for words in (SECRET, "I try") if words in body}
        assert len(shown) <= 1
    contact = {**attacker.credentials, "email": "attacker@example.com"}
    path = f"/api/v1/chat/email?site_key={visitor.site_key}&session_id={visitor.session_id}"
    await tenant.api.request("POST", path, body=contact)
    assert (await visitor.get("/history")).ok()["visitor"]["email"] is None
