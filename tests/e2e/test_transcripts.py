"""A conversation arrives by e-mail, without its notes and in the visitor's language; limits, settings and erasure."""

from __future__ import annotations

import secrets
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from parley_dev.stack import Stack
from support.api import OperatorClient, VisitorClient
from support.infrastructure import mail_directory
from support.mail_server import ReceivedMail, read_mails
from support.tenants import TenantFixture
from support.wait import wait_until


def _unique_address() -> str:
    return f"jane-{secrets.token_hex(6)}@example.com"


async def _wait_for_mail(stack: Stack, address: str) -> ReceivedMail:
    mails: list[ReceivedMail] = await wait_until(
        lambda: read_mails(mail_directory(stack), address), description=f"a mail to {address}"
    )
    return mails[0]


async def _history(alex: OperatorClient, conversation_id: int) -> list[dict[str, Any]]:
    shown = (await alex.get(f"/operator/conversation/{conversation_id}")).ok()["conversation"]
    entries: list[dict[str, Any]] = shown["history"]
    return [entry for entry in entries if entry["action"] == "transcript_sent"]


async def test_a_visitor_is_sent_what_they_can_read_and_nothing_else(stack: Stack, tenant: TenantFixture) -> None:
    """A25: a visitor's mail has their messages, and neither notes nor another visitor's words."""
    visitor, conversation_id = await tenant.assigned_conversation()
    await tenant.pending_conversation("zq-another-visitor")
    await tenant.alex.send_message(conversation_id, "<b>Here</b> & now")
    note = {"conversation_id": conversation_id, "content": "zq-private-note"}
    (await tenant.alex.post("/operator/note", note)).ok()
    details = {"name": "zq-known-name"}
    (await tenant.alex.send("PUT", f"/operator/conversation/{conversation_id}/visitor", details)).ok()
    assert (await visitor.get("/config")).ok()["transcript_email"] is True
    address = _unique_address()
    (await visitor.post("/transcript/email", email=address, lang="ar")).ok()
    mail = await _wait_for_mail(stack, address)
    assert "Is anybody there?" in mail.text
    assert "<b>Here</b> & now" in mail.text
    assert "&lt;b&gt;Here&lt;/b&gt; &amp; now" in mail.html
    assert '<html lang="ar" dir="rtl">' in mail.html
    assert str(mail.message["Subject"]).startswith("محادثتك مع")
    assert "zq-" not in mail.text + mail.html + str(mail.message["Subject"])
    (entry,) = await _history(tenant.alex, conversation_id)
    assert entry["by"] is None, "the visitor asked for it"


async def test_an_operator_sends_a_chat_and_the_audit_log_says_so(stack: Stack, tenant: TenantFixture) -> None:
    visitor, conversation_id = await tenant.assigned_conversation()
    path, address = f"/operator/conversation/{conversation_id}/transcript/email", _unique_address()
    async with tenant.sam.stream() as panel:
        await panel.wait_for("ready")
        (await tenant.alex.post(path, {"email": address})).ok()
        event = await panel.wait_for("conversation.updated", lambda one: bool(one.data["data"]["history_action"]))
    assert "Is anybody there?" in (await _wait_for_mail(stack, address)).text
    (entry,) = await _history(tenant.sam, conversation_id)
    assert entry["by"]["name"] == "Alex"
    shown = (event.data["at"], event.data["data"]["history_action"], event.data["data"]["by"])
    assert shown == (entry["at"], entry["action"], entry["by"]), "what the panel adds is what it would load"
    await tenant.owner.wait_for_audit("transcript.sent")
    entries = (await tenant.owner.get("/audit", action="transcript.sent")).ok()["entries"]
    assert entries[0]["details"] == {"email_domain": "example.com"}
    assert address not in (await visitor.get("/history")).raw.decode()
    reader = await tenant.add_operator("Rita", can_view_conversations=True, can_chat=False)
    assert (await reader.post(path, {"email": address})).status == 403


async def test_the_days_limits_of_conversations_addresses_and_their_header(tenant: TenantFixture) -> None:
    """A25: a conversation and an address have limits a day, no matter who asks."""
    visitor, conversation_id = await tenant.assigned_conversation()
    for _ in range(5):
        (await visitor.post("/transcript/email", email=_unique_address())).ok()
    refused = await visitor.post("/transcript/email", email=_unique_address())
    assert (refused.status, refused.body["code"]) == (429, "too_many_transcripts")
    assert 0 < int(refused.headers["Retry-After"]) <= 86_401
    path = f"/operator/conversation/{conversation_id}/transcript/email"
    assert (await tenant.alex.post(path, {"email": _unique_address()})).status == 429

    address = _unique_address()
    statuses = []
    tagged = address.replace("@", "+shop@")
    for written in (address, address.upper(), address.title(), tagged, tagged.replace("shop", "x"), tagged.upper()):
        other, _ = await tenant.pending_conversation()
        statuses.append((await other.post("/transcript/email", email=written)).status)
    assert statuses == [200] * 5 + [429], "one address, however it is written and no matter who asks"


@pytest.mark.parametrize(
    "email",
    [
        "jane@example.com\r\nBcc: joe@example.com",
        "jane@example.com, joe@example.com",
        "Jane <jane@example.com>",
        "jane@example.com>",
        "jänë@example.com",
        "jane",
        "",
    ],
)
async def test_what_is_not_one_plain_address_is_refused(tenant: TenantFixture, email: str) -> None:
    """A25: an address with a line break, a second address or a name is refused."""
    visitor, _ = await tenant.pending_conversation()
    refused = await visitor.post("/transcript/email", email=email)
    assert (refused.status, list(refused.body["errors"])) == (422, ["email"])


async def test_a_site_can_turn_it_off_and_without_a_chat_there_is_nothing_to_send(tenant: TenantFixture) -> None:
    visitor, conversation_id = await tenant.assigned_conversation()
    stranger = tenant.new_visitor()
    assert (await stranger.post("/transcript/email", email=_unique_address())).status == 404
    (await stranger.post("/email", email="joe@example.com")).ok()
    refused = await stranger.post("/transcript/email", email=_unique_address())
    assert (refused.status, refused.body["code"]) == (409, "nothing_to_send")
    site = f"/sites/{tenant.site_id}"
    shown = (await tenant.owner.get(site)).ok()["site"]
    assert (shown["transcript_email"], shown["sends_mail"]) == (True, True)
    (await tenant.owner.send("PUT", site, {"transcript_email": False})).ok()

    async def is_off(visitor: VisitorClient = visitor) -> bool:
        return (await visitor.get("/config")).ok()["transcript_email"] is False

    await wait_until(is_off, description="the widget offers it no more")
    path = f"/operator/conversation/{conversation_id}/transcript/email"
    for refused in (
        await visitor.post("/transcript/email", email=_unique_address()),
        await tenant.alex.post(path, {"email": _unique_address()}),
    ):
        assert (refused.status, refused.body["code"]) == (409, "transcript_email_off")


async def test_an_erasure_removes_the_address(stack: Stack, tenant: TenantFixture, mongodb_uri: str) -> None:
    """A25: an erasure removes the address from chat, and the deliveries from notify."""
    visitor, conversation_id = await tenant.assigned_conversation()
    address = _unique_address()
    (await visitor.post("/transcript/email", email=address)).ok()
    await _wait_for_mail(stack, address)
    shown = (await tenant.alex.get(f"/operator/conversation/{conversation_id}")).ok()["conversation"]
    person = {"site_id": tenant.site_id, "session_id": shown["visitor"]["session_id"]}

    async def exported_as_sent() -> dict[str, Any] | None:
        # Notify records it after the server has taken the mail.
        exported: dict[str, Any] = (await tenant.owner.get("/operator/visitor/export", **person)).ok()["export"]
        return exported if exported["elsewhere"]["notify"]["mails"][0]["outcome"] == "sent" else None

    exported = await wait_until(exported_as_sent, description="the mail is recorded as sent")
    assert {"kind": "transcript_email", "text": address} in exported["derived"]
    (await tenant.owner.post("/operator/visitor/erase", person)).ok()
    async with AsyncMongoClient[dict[str, Any]](mongodb_uri) as client:
        prefix = stack.environment("chat")["PARLEY_DATABASE_PREFIX"]
        of_chat = {"conversation_id": conversation_id}
        assert await client[f"{prefix}_chat"]["transcript_requests"].count_documents(of_chat) == 0

        async def is_erased() -> bool:
            return await client[f"{prefix}_notify"]["mails"].count_documents(of_chat) == 0

        await wait_until(is_erased, description="notify erases its deliveries")
