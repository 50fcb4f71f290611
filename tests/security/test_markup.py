"""A8: markup and line breaks are stored and returned as text, and cannot forge events or headers."""

from __future__ import annotations

import pytest

from parley.common.texts import clean_text
from parley_dev.stack import Stack
from support.api import ApiClient
from support.tenants import TenantFixture

MARKUP = "<img src=x onerror=alert(1)>\"'&amp;</script><script>alert(2)</script>{{7*7}}${7*7}"
FORGED_EVENTS = [
    "\r\nevent: conversation.closed\r\ndata: {}\r\n\r\n",
    "\n\nid: 99999\nevent: reset\ndata: {}\n\n",
    "\r\revent: operator.offline\rdata: {}\r\r",
    "data: x\n\n: comment",
    "\u2028event: reset\u2028data: {}\u2029\x85\x0b\x0c",
]


@pytest.fixture(scope="module")
async def tenant(stack: Stack, api: ApiClient, mongodb_uri: str) -> TenantFixture:
    return await TenantFixture.create(api, stack, mongodb_uri)


async def test_markup_is_stored_unchanged_and_returned_as_json(tenant: TenantFixture) -> None:
    """A8: markup is stored unchanged and returned as JSON with nosniff and a strict content security policy."""
    visitor, conversation_id = await tenant.assigned_conversation()
    await visitor.send_message(MARKUP)
    sent = await tenant.alex.send_message(conversation_id, MARKUP)
    assert sent["content"] == MARKUP
    note = (await tenant.alex.post("/operator/note", {"conversation_id": conversation_id, "content": MARKUP})).ok()
    assert note["note"]["content"] == MARKUP
    fields = {"name": MARKUP, "info": {"plan": MARKUP}}
    (await tenant.alex.send("PUT", f"/operator/conversation/{conversation_id}/visitor", fields)).ok()
    shown = await tenant.alex.get(f"/operator/conversation/{conversation_id}")
    assert shown.headers["Content-Type"].startswith("application/json")
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in shown.headers["Content-Security-Policy"]
    assert shown.ok()["conversation"]["visitor"]["name"] == MARKUP
    assert [one["content"] for one in shown.body["conversation"]["messages"]][-2:] == [MARKUP, MARKUP]
    history = await visitor.get("/history")
    assert [one["content"] for one in history.ok()["messages"]][-2:] == [MARKUP, MARKUP]


async def test_a_site_name_is_escaped_in_the_widget_code(tenant: TenantFixture) -> None:
    """A8: markup in a site's name is escaped in the widget code."""
    (await tenant.owner.send("PUT", f"/sites/{tenant.site_id}", {"name": '"><script>alert(1)</script>'})).ok()
    code = (await tenant.owner.get(f"/sites/{tenant.site_id}/widget-code")).ok()["code"]
    assert code.count("<script") == 1
    assert "alert" not in code


@pytest.mark.parametrize("content", FORGED_EVENTS)
async def test_message_content_cannot_forge_events(tenant: TenantFixture, content: str) -> None:
    """A8: line breaks and `event:` in content cannot forge events of a stream."""
    visitor, conversation_id = await tenant.assigned_conversation()
    text = clean_text(f"before{content}after")
    async with tenant.sam.stream() as panel, visitor.events() as widget:
        await panel.wait_for("ready")
        await widget.wait_for("ready")
        await visitor.send_message(text)
        await tenant.alex.send_message(conversation_id, text)
        (await tenant.alex.post("/operator/note", {"conversation_id": conversation_id, "content": text})).ok()
        await tenant.alex.send_message(conversation_id, "the end")

        def is_last(event: object) -> bool:
            return bool(event.data["data"]["content"] == "the end")  # type: ignore[attr-defined]

        await panel.wait_for("message.created", is_last)
        await widget.wait_for("message.created", is_last)
        contents = [event.data["data"]["content"] for event in panel.of_type("message.created")]
        # Earlier messages may arrive after the stream was opened.
        assert contents[contents.index(text) :] == [text, text, "the end"]
        assert panel.of_type("note.created")[0].data["data"]["note"]["content"] == text
        for stream in (panel, widget):
            # Every parsed event has the type that its data names.
            assert all(event.type in ("ready", event.data.get("type")) for event in stream.events)
            assert not stream.of_type("reset")
            assert not stream.of_type("conversation.closed")
            assert not stream.of_type("operator.offline")


@pytest.mark.parametrize("content", FORGED_EVENTS)
async def test_knowledge_content_cannot_forge_events_of_a_reply(tenant: TenantFixture, content: str) -> None:
    """A8: line breaks and `event:` in a knowledge entry cannot forge events of the reply stream."""
    answer = f"Before{content}after."
    entry = {"question": "What are your opening hours?", "answer": answer}
    site = await tenant.add_site()
    (await tenant.owner.post(f"/sites/{site['id']}/chatbot/knowledge", entry)).ok(201)
    visitor = tenant.api.visitor(site["site_key"])
    parts = [part async for part in visitor.stream_reply("What are your opening hours?")]
    assert [part["type"] for part in parts[:-1]] == ["chunk"] * (len(parts) - 1)
    assert parts[-1]["type"] == "done"
    assert "".join(part["content"] for part in parts[:-1]).split() == answer.split()


async def test_request_ids_cannot_split_headers(tenant: TenantFixture) -> None:
    """A8: an invalid request id cannot split response headers."""
    reply = await tenant.api.request("GET", "/api/v1/auth/me", headers={"X-Request-Id": "a\tb: c"})
    returned = {name.lower(): value for name, value in reply.headers.items()}["x-request-id"]
    assert returned != "a\tb: c"
    assert returned.replace("-", "").isalnum(), "an invalid request id is replaced"
