"""A8: markup and line breaks are text wherever they turn up: kept as they are, shown inert, and no event is forged."""

from __future__ import annotations

import pytest

from parley_dev.stack import Stack
from support.api import ApiClient
from support.tenants import TenantFixture

MARKUP = "<img src=x onerror=alert(1)>\"'&amp;</script><script>alert(2)</script>{{7*7}}${7*7}"
FORGED = [
    "\r\nevent: conversation.closed\r\ndata: {}\r\n\r\n",
    "\n\nid: 99999\nevent: reset\ndata: {}\n\n",
    "\r\revent: operator.offline\rdata: {}\r\r",
    "data: x\n\n: comment",
    "\u2028event: reset\u2028data: {}\u2029\x85\x0b\x0c",
]


@pytest.fixture(scope="module")
async def tenant(stack: Stack, api: ApiClient, mongodb_uri: str) -> TenantFixture:
    return await TenantFixture.create(api, stack, mongodb_uri)


async def test_markup_is_stored_as_it_is_and_answered_as_json(tenant: TenantFixture) -> None:
    visitor, conversation_id = await tenant.assigned_conversation()
    await visitor.send_message(MARKUP)
    sent = await tenant.alex.send_message(conversation_id, MARKUP)
    assert sent["content"] == MARKUP
    note = (await tenant.alex.post("/operator/note", {"conversation_id": conversation_id, "content": MARKUP})).ok()
    assert note["note"]["content"] == MARKUP
    named = {"name": MARKUP, "info": {"plan": MARKUP}}
    (await tenant.alex.send("PUT", f"/operator/conversation/{conversation_id}/visitor", named)).ok()
    shown = await tenant.alex.get(f"/operator/conversation/{conversation_id}")
    assert shown.headers["Content-Type"].startswith("application/json")
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in shown.headers["Content-Security-Policy"]
    assert shown.ok()["conversation"]["visitor"]["name"] == MARKUP
    assert [one["content"] for one in shown.body["conversation"]["messages"]][-2:] == [MARKUP, MARKUP]
    history = await visitor.get("/history")
    assert [one["content"] for one in history.ok()["messages"]][-2:] == [MARKUP, MARKUP]


async def test_a_sites_name_cannot_break_out_of_the_widgets_code(tenant: TenantFixture) -> None:
    (await tenant.owner.send("PUT", f"/sites/{tenant.site_id}", {"name": '"><script>alert(1)</script>'})).ok()
    code = (await tenant.owner.get(f"/sites/{tenant.site_id}/widget-code")).ok()["code"]
    assert code.count("<script") == 1
    assert "alert" not in code


@pytest.mark.parametrize("content", FORGED)
async def test_no_event_can_be_forged_by_what_is_written(tenant: TenantFixture, content: str) -> None:
    visitor, conversation_id = await tenant.assigned_conversation()
    words = f"before{content}after"
    async with tenant.sam.stream() as panel, visitor.events() as widget:
        await panel.wait_for("ready")
        await widget.wait_for("ready")
        await visitor.send_message(words)
        await tenant.alex.send_message(conversation_id, words)
        (await tenant.alex.post("/operator/note", {"conversation_id": conversation_id, "content": words})).ok()
        await tenant.alex.send_message(conversation_id, "the end")

        def is_last(event: object) -> bool:
            return bool(event.data["data"]["content"] == "the end")  # type: ignore[attr-defined]

        await panel.wait_for("message.created", is_last)
        await widget.wait_for("message.created", is_last)
        said = [event.data["data"]["content"] for event in panel.of_type("message.created")]
        # What was said before may be told only after the stream has opened.
        assert said[said.index(words) :] == [words, words, "the end"]
        assert panel.of_type("note.created")[0].data["data"]["note"]["content"] == words
        for stream in (panel, widget):
            # What the browser would take for an event is one of ours, and says the same inside.
            assert all(event.type in ("ready", event.data.get("type")) for event in stream.events)
            assert not stream.of_type("reset")
            assert not stream.of_type("conversation.closed")
            assert not stream.of_type("operator.offline")


@pytest.mark.parametrize("content", FORGED)
async def test_the_ais_answer_cannot_be_forged_by_what_it_is_told(tenant: TenantFixture, content: str) -> None:
    answer = f"Before{content}after."
    entry = {"question": "What are your opening hours?", "answer": answer}
    site = await tenant.add_site()
    (await tenant.owner.post(f"/sites/{site['id']}/chatbot/knowledge", entry)).ok(201)
    visitor = tenant.api.visitor(site["site_key"])
    parts = [part async for part in visitor.stream_reply("What are your opening hours?")]
    assert [part["type"] for part in parts[:-1]] == ["chunk"] * (len(parts) - 1)
    assert parts[-1]["type"] == "done"
    assert "".join(part["content"] for part in parts[:-1]).split() == answer.split()


async def test_headers_cannot_be_split(tenant: TenantFixture) -> None:
    reply = await tenant.api.request("GET", "/api/v1/auth/me", headers={"X-Request-Id": "a\tb: c"})
    returned = {name.lower(): value for name, value in reply.headers.items()}["x-request-id"]
    assert returned != "a\tb: c"
    assert returned.replace("-", "").isalnum(), "a request id that is not sane is replaced"
