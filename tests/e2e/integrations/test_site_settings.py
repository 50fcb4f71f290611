"""Settings of a site, through the gateway: its own AI endpoint, and how its conversations are translated."""

from __future__ import annotations

import asyncio
from typing import Any

from parley_dev.stack import Stack
from support.api import VisitorClient
from support.libretranslate import FakeLibreTranslate
from support.openai_server import FakeOpenAIServer
from support.tenants import TenantFixture
from support.wait import wait_until

KEY = "sk-the-sites-own-5fa2c0de"


async def change_settings(tenant: TenantFixture, **fields: Any) -> dict[str, Any]:
    """Change some of the site's settings."""
    changed = await tenant.owner.send("PUT", f"/sites/{tenant.site_id}/chatbot", fields)
    chatbot: dict[str, Any] = changed.ok()["chatbot"]
    return chatbot


# AI endpoints of sites.


async def test_a_site_uses_its_own_endpoint_with_its_own_key_and_settings(
    tenant: TenantFixture, site_endpoints: tuple[FakeOpenAIServer, FakeOpenAIServer]
) -> None:
    ai = {"base_url": site_endpoints[0].url, "api_key": KEY, "temperature": 1.5, "answer_tokens": 33}
    shown = await change_settings(tenant, engine="openai", model="gnome-7b", ai=ai)
    assert shown["ai"]["api_key_set"] is True
    reply = await tenant.new_visitor().send_message("Hello?")
    assert reply["answer"] == "Hello from the model."
    (request,) = site_endpoints[0].requests
    assert (request["model"], request["temperature"], request["max_tokens"]) == ("gnome-7b", 1.5, 33)
    assert site_endpoints[0].authorization_headers == [f"Bearer {KEY}"]


async def test_another_site_of_the_same_tenant_does_not_use_it(
    tenant: TenantFixture, site_endpoints: tuple[FakeOpenAIServer, FakeOpenAIServer], openai_server: FakeOpenAIServer
) -> None:
    await change_settings(tenant, engine="openai", ai={"base_url": site_endpoints[0].url, "api_key": KEY})
    other = await tenant.add_site()
    (await tenant.owner.send("PUT", f"/sites/{other['id']}/chatbot", {"engine": "openai"})).ok()
    await tenant.api.visitor(other["site_key"]).send_message("Hello?")
    assert not site_endpoints[0].requests
    assert openai_server.authorization_headers == ["Bearer sk-test"], "it uses the installation's endpoint and key"


async def test_a_change_applies_to_the_next_reply_and_not_to_the_one_in_progress(
    tenant: TenantFixture, site_endpoints: tuple[FakeOpenAIServer, FakeOpenAIServer]
) -> None:
    first, second = site_endpoints
    await change_settings(tenant, engine="openai", ai={"base_url": first.url, "api_key": KEY})
    first.pause = asyncio.Event()
    replying = asyncio.create_task(tenant.new_visitor().send_message("Hello?"))
    await wait_until(lambda: first.requests, description="a request to the first endpoint")
    await change_settings(tenant, ai={"base_url": second.url})
    assert (await tenant.new_visitor().send_message("And now?"))["answer"] == "Another model."
    assert second.authorization_headers == ["Bearer none"], "the key belongs to the first endpoint"
    first.pause.set()
    assert (await replying)["answer"] == "Hello from the model."


async def test_the_endpoint_is_not_called_when_a_sites_tokens_are_used_up(
    tenant: TenantFixture, site_endpoints: tuple[FakeOpenAIServer, FakeOpenAIServer]
) -> None:
    await change_settings(tenant, engine="openai", ai={"base_url": site_endpoints[0].url, "daily_tokens": 50})
    # The first reply of a day is possible although it may cost more than the limit.
    visitor = tenant.new_visitor()
    for number in range(4):
        await visitor.send_message(f"Question {number}")
    assert len(site_endpoints[0].requests) == 1


async def test_an_endpoint_in_the_private_network_is_rejected(
    tenant: TenantFixture, stack: Stack, site_endpoints: tuple[FakeOpenAIServer, FakeOpenAIServer]
) -> None:
    path = f"/sites/{tenant.site_id}/chatbot"
    for url in ("http://127.0.0.1:27017/v1", "https://127.0.0.1:9090/v1", "https://localhost/v1", "https://10.0.0.1"):
        rejected = await tenant.owner.send("PUT", path, {"ai": {"base_url": url}})
        assert rejected.status == 422, url
        assert list(rejected.body["errors"]) == ["ai.base_url"]


async def test_a_rejected_key_is_in_no_log(
    tenant: TenantFixture, stack: Stack, site_endpoints: tuple[FakeOpenAIServer, FakeOpenAIServer]
) -> None:
    await change_settings(tenant, engine="openai", ai={"base_url": site_endpoints[0].url, "api_key": KEY})
    site_endpoints[0].status = 401
    reply = await tenant.new_visitor().send_message("Hello?")
    assert reply["mode"] == "pending", "a failing endpoint starts a handoff"
    assert site_endpoints[0].authorization_headers == [f"Bearer {KEY}"]
    logs = "".join(path.read_text() for path in stack.logs.iterdir())
    assert "AuthenticationError 401" in logs
    assert KEY not in logs


# Translation.


async def translated_conversation(tenant: TenantFixture) -> tuple[VisitorClient, int]:
    """Create a conversation assigned to Alex with translation between German and English."""
    visitor, conversation_id = await tenant.assigned_conversation()
    settings = {"conversation_id": conversation_id, "lang": "de"}
    (await tenant.alex.post("/operator/translation/set-lang", settings)).ok()
    (await tenant.alex.post("/operator/translation/toggle", {"conversation_id": conversation_id, "enabled": True})).ok()

    async def is_enabled() -> bool:
        shown = (await tenant.alex.get(f"/operator/conversation/{conversation_id}")).ok()["conversation"]
        return bool(shown["translation"]["enabled"])

    await wait_until(is_enabled)
    return visitor, conversation_id


async def test_a_glossary_term_is_not_translated(tenant: TenantFixture, libre: FakeLibreTranslate) -> None:
    _, conversation_id = await translated_conversation(tenant)
    before = (await tenant.alex.send_message(conversation_id, "The Blue Hour is out of stock."))["translation"]
    assert before["content"] == "⟨de⟩ The Blue Hour is out of stock."
    await change_settings(tenant, translation={"glossary": ["Blue Hour"]})

    async def is_preserved() -> bool:
        """The change takes effect when its event arrives."""
        sent = await tenant.alex.send_message(conversation_id, "The Blue Hour is back.")
        assert "Blue Hour" in sent["translation"]["content"]
        return not any("Blue Hour is back" in text for text in libre.texts[-1:])

    await wait_until(is_preserved, description="the term to be replaced before the engine gets the text")


async def test_messages_over_the_translation_quota_are_marked_and_sent_untranslated(
    tenant: TenantFixture,
) -> None:
    await change_settings(tenant, translation={"daily_characters": 40})
    visitor, conversation_id = await translated_conversation(tenant)
    first = await tenant.alex.send_message(conversation_id, "Thirty characters, more or less.")
    assert first["translation"]["status"] == "done"
    second = await tenant.alex.send_message(conversation_id, "And this is a line too many.")
    assert (second["translation"]["status"], second["translation"]["content"]) == ("failed", None)
    history = (await visitor.get("/operator-messages")).ok()["messages"]
    assert history[-1]["content"] == "And this is a line too many."
    await change_settings(tenant, translation=None)

    async def is_translated_again() -> bool:
        sent = await tenant.alex.send_message(conversation_id, "Taken back, it goes on.")
        return bool(sent["translation"]["status"] == "done")

    await wait_until(is_translated_again, description="the quota to be removed")
