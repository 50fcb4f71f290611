"""Translation between an English operator and a Portuguese visitor, with the engine that needs no account."""

from __future__ import annotations

from support.tenants import TenantFixture
from support.wait import wait_until


async def test_messages_are_translated_in_both_directions(tenant: TenantFixture) -> None:
    visitor, conversation_id = await tenant.assigned_conversation()
    alex = tenant.alex
    settings = {"conversation_id": conversation_id, "lang": "pt-BR"}
    translation = (await alex.post("/operator/translation/set-lang", settings)).ok()["translation"]
    assert translation["supported"] is True
    (await alex.post("/operator/translation/toggle", {"conversation_id": conversation_id, "enabled": True})).ok()

    async def is_enabled() -> bool:
        shown = (await alex.get(f"/operator/conversation/{conversation_id}")).ok()["conversation"]
        return bool(shown["translation"]["enabled"])

    await wait_until(is_enabled)
    async with alex.stream() as panel, visitor.events() as widget:
        await panel.wait_for("ready")
        await widget.wait_for("ready")
        await visitor.send_message("Bom dia! Onde está o meu pedido?")
        original = await panel.wait_for("message.created", lambda e: e.data["data"]["role"] == "visitor")
        assert original.data["data"]["content"] == "Bom dia! Onde está o meu pedido?", (
            "the original is sent immediately"
        )
        seq = original.data["data"]["seq"]  # Turning translation on translates earlier messages as well.
        translated = await panel.wait_for("message.translated", lambda e: e.data["data"]["seq"] == seq, timeout=30)
        assert translated.data["data"]["translation"]["status"] == "done"
        assert translated.data["data"]["translation"]["content"].startswith("Good morning")

        body = {"content": "Your order 12345 is on its way.", "quick_replies": [{"label": "Good morning"}]}
        sent = (await alex.post("/operator/message", {"conversation_id": conversation_id, **body})).ok()["message"]
        assert sent["translation"]["status"] == "done"
        seen = await widget.wait_for("message.created", lambda e: e.data["data"]["role"] == "operator")
        text = seen.data["data"]["translation"]["content"]
        assert "12345" in text
        assert text != "Your order 12345 is on its way."
        (label,) = seen.data["data"]["translation"]["quick_replies"]
        assert label != "Good morning"
        await visitor.send_message(label, reply_to=sent["seq"])
        chosen = await panel.wait_for("message.created", lambda e: e.data["data"]["content"] == label)
        assert chosen.data["data"]["reply_to"] == sent["seq"], "a translated label is a choice"

    async def both_stored() -> bool:
        history = (await alex.get(f"/conversations/{conversation_id}/messages")).ok()["messages"]
        return all(message["translation"] for message in history[-2:])

    await wait_until(both_stored)


async def test_a_sites_own_texts_are_drafted_and_shown_once_approved(tenant: TenantFixture) -> None:
    site = f"/sites/{tenant.site_id}"
    (await tenant.owner.send("PUT", f"{site}/chatbot", {"welcome": "Good morning! Where is your order?"})).ok()
    drafted = (await tenant.owner.post(f"{site}/texts/translate", {"language": "pt"})).ok()
    assert drafted["untranslated"] == []
    draft = drafted["texts"][0]["translations"]["pt"]["draft"]
    assert draft["content"].startswith("Bom dia")

    visitor = tenant.new_visitor()

    async def welcome() -> str:
        query = {**visitor.credentials, "lang": "pt-PT"}
        shown: str = (await tenant.api.request("GET", "/api/v1/chat/config", query=query)).ok()["welcome"]
        return shown

    assert await welcome() == "Good morning! Where is your order?"
    approved = {"welcome": {"content": draft["content"], "approved": True, "original": drafted["texts"][0]["original"]}}
    (await tenant.owner.send("PUT", f"{site}/texts", {"language": "pt", "texts": approved})).ok()

    async def is_translated() -> bool:
        return bool(await welcome() == draft["content"])

    await wait_until(is_translated)
    assert await tenant.owner.wait_for_audit("site.texts_translated", action="site.texts_translated")
