"""Quick replies: buttons of an operator's message, which the visitor's answer refers to."""

from __future__ import annotations

from typing import Any

from support.tenants import TenantFixture

SIZES: list[dict[str, Any]] = [
    {"label": "Small", "value": "The small one, please"},
    {"label": "Large", "value": None},
    {"label": "Size chart", "value": None, "url": "https://shop.test/sizes"},
]
SHOWN = [{"value": None, "url": None, **one} for one in SIZES]
INVALID: list[list[dict[str, Any]]] = [
    [{"label": ""}],
    [{"label": "x" * 41}],
    [{"label": "two\nlines"}],
    [{"label": "Run", "url": "javascript:alert(1)"}],
    [{"label": "Run", "url": "https:///path"}],
    [{"label": "Both", "url": "https://shop.test", "value": "x"}],
    [{"label": str(number)} for number in range(11)],
]


async def test_a_visitor_chooses_a_quick_reply_of_a_canned_reply(tenant: TenantFixture) -> None:
    alex = tenant.alex
    canned = {"shortcut": "size", "text": "Which size?", "quick_replies": SIZES}
    created = (await alex.post("/canned-replies", canned)).ok(201)["canned_reply"]
    assert created["quick_replies"] == SHOWN
    visitor, conversation_id = await tenant.assigned_conversation()
    body = {"conversation_id": conversation_id, "content": created["text"], "quick_replies": created["quick_replies"]}
    async with visitor.events() as widget, alex.stream() as panel:
        await widget.wait_for("ready")
        await panel.wait_for("ready")
        sent = (await alex.post("/operator/message", body, Idempotency_Key="size-1")).ok()["message"]
        seen = await widget.wait_for("message.created", lambda e: e.data["data"]["role"] == "operator")
        assert seen.data["data"]["quick_replies"] == sent["quick_replies"] == SHOWN
        await visitor.send_message("The small one, please", reply_to=sent["seq"])
        chosen = await panel.wait_for("message.created", lambda e: e.data["data"]["role"] == "visitor")
        assert chosen.data["data"]["reply_to"] == sent["seq"]

    # What no message offers is an ordinary message: the text of a link, other words, another message.
    for text, reply_to in (("Size chart", sent["seq"]), ("Huge", sent["seq"]), ("Large", 1), ("Large", 999)):
        await visitor.send_message(text, reply_to=reply_to)
    shown = (await visitor.get("/history")).ok()["messages"]
    assert [message["reply_to"] for message in shown[-5:]] == [sent["seq"], None, None, None, None]
    assert shown[-6]["quick_replies"] == SHOWN

    again = {**body, "quick_replies": SIZES[:1]}
    assert (await alex.post("/operator/message", again, Idempotency_Key="size-1")).status == 422


async def test_invalid_quick_replies_are_refused(tenant: TenantFixture) -> None:
    for quick_replies in INVALID:
        body = {"conversation_id": 1, "content": "Which?", "quick_replies": quick_replies}
        response = await tenant.alex.post("/operator/message", body)
        assert response.status == 422, quick_replies
        assert all(field.startswith("quick_replies") for field in response.body["errors"]), response.body
