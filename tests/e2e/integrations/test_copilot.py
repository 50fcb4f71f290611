"""The operators' copilot with a provider's real protocol: drafts, limits, failures, and no effect on the visitor."""

from __future__ import annotations

from typing import Any

import pytest

from support.openai_server import FakeOpenAIServer
from support.tenants import TenantFixture

DELIVERY = {"question": "How long is the delivery?", "answer": "Two days."}


@pytest.fixture
async def tenant(tenant: TenantFixture) -> TenantFixture:
    """A tenant whose site uses the installation's AI endpoint."""
    await _configure(tenant, engine="openai", instructions="You sell garden gnomes.")
    return tenant


async def _configure(tenant: TenantFixture, **chatbot: Any) -> None:
    (await tenant.owner.send("PUT", f"/sites/{tenant.site_id}/chatbot", chatbot)).ok()


async def test_a_suggestion_comes_from_the_knowledge_and_names_its_sources(
    tenant: TenantFixture, openai_server: FakeOpenAIServer
) -> None:
    (await tenant.owner.post(f"/sites/{tenant.site_id}/chatbot/knowledge", DELIVERY)).ok(201)
    visitor, conversation_id = await tenant.assigned_conversation()
    await visitor.send_message("How long is the delivery?")
    (await tenant.alex.post("/operator/note", {"conversation_id": conversation_id, "content": "a rich one"})).ok()
    before = (await visitor.get("/history")).ok()["messages"]
    openai_server.requests.clear()
    openai_server.chunks = ["It takes ", "two days.", "\nSOURCES: 1"]

    path = f"/operator/conversation/{conversation_id}/copilot/suggestion"
    suggestion = (await tenant.alex.post(path)).ok()

    assert suggestion["text"] == "It takes two days."
    assert suggestion["sources"] == [DELIVERY]
    system, turn = openai_server.requests[-1]["messages"]
    assert "You sell garden gnomes." in system["content"]
    assert "Two days." in system["content"]
    assert "Visitor: How long is the delivery?" in turn["content"]
    assert "a rich one" not in str(openai_server.requests[-1]), "notes must not be in the prompt"
    assert "tools" not in openai_server.requests[-1]
    assert (await visitor.get("/history")).ok()["messages"] == before, "a draft reaches no visitor"


async def test_a_draft_is_rewritten_and_translated(tenant: TenantFixture, openai_server: FakeOpenAIServer) -> None:
    _, conversation_id = await tenant.assigned_conversation()
    path = f"/operator/conversation/{conversation_id}/copilot/rewrite"
    openai_server.chunks = ["<think>shorter</think>", "Tomorrow."]
    body = {"text": "It will be there tomorrow, I think.", "style": "shorter"}
    assert (await tenant.alex.post(path, body)).ok()["text"] == "Tomorrow."
    assert body["text"] in openai_server.requests[-1]["messages"][1]["content"]

    openai_server.chunks = ["Morgen."]
    body = {"text": "Tomorrow.", "style": "translate", "language": "de"}
    assert (await tenant.alex.post(path, body)).ok()["text"] == "Morgen."
    assert '"de"' in openai_server.requests[-1]["messages"][0]["content"]


async def test_a_translation_needs_a_language(tenant: TenantFixture) -> None:
    _, conversation_id = await tenant.assigned_conversation()
    path = f"/operator/conversation/{conversation_id}/copilot/rewrite"
    refused = await tenant.alex.post(path, {"text": "Tomorrow.", "style": "translate"})
    assert refused.status == 422
    assert set(refused.body["errors"]) == {"language"}


async def test_a_summary_is_in_the_operators_language(tenant: TenantFixture, openai_server: FakeOpenAIServer) -> None:
    (await tenant.alex.send("PUT", "/auth/me", {"language": "fr"})).ok()
    _, conversation_id = await tenant.assigned_conversation()
    openai_server.chunks = ["- Le visiteur veut parler à une personne."]
    reply = (await tenant.alex.post(f"/operator/conversation/{conversation_id}/copilot/summary")).ok()
    assert reply["text"] == "- Le visiteur veut parler à une personne."
    assert '"fr"' in openai_server.requests[-1]["messages"][0]["content"]


async def test_drafts_count_to_the_sites_token_limit(tenant: TenantFixture, openai_server: FakeOpenAIServer) -> None:
    _, conversation_id = await tenant.assigned_conversation()
    path = f"/operator/conversation/{conversation_id}/copilot/summary"
    await _configure(tenant, ai={"daily_tokens": 3000})
    openai_server.usage = 2900
    (await tenant.alex.post(path)).ok()
    calls = len(openai_server.requests)
    refused = await tenant.alex.post(path)
    assert (refused.status, refused.body["code"]) == (429, "ai_token_limit")
    assert 0 < refused.body["retry_after"] <= 86_400
    assert len(openai_server.requests) == calls, "the provider is not called"


async def test_a_failure_of_the_endpoint_says_what_is_wrong(
    tenant: TenantFixture, openai_server: FakeOpenAIServer
) -> None:
    _, conversation_id = await tenant.assigned_conversation()
    openai_server.status = 401
    failed = await tenant.alex.post(f"/operator/conversation/{conversation_id}/copilot/summary")
    assert (failed.status, failed.body["code"], failed.body["reason"]) == (503, "ai_failed", "key_refused")
    assert "sk-test" not in failed.raw.decode()
    shown = (await tenant.owner.get(f"/sites/{tenant.site_id}/chatbot")).ok()["chatbot"]
    assert shown["last_error"]["code"] == "key_refused"


async def test_an_empty_text_of_the_model_is_a_failure(tenant: TenantFixture, openai_server: FakeOpenAIServer) -> None:
    _, conversation_id = await tenant.assigned_conversation()
    openai_server.chunks = ["<think>nothing to say</think>"]
    failed = await tenant.alex.post(f"/operator/conversation/{conversation_id}/copilot/summary")
    assert (failed.status, failed.body["code"]) == (503, "ai_failed")


async def test_a_site_without_an_ai_that_writes_has_no_copilot(tenant: TenantFixture) -> None:
    _, conversation_id = await tenant.assigned_conversation()
    available = f"/sites/{tenant.site_id}/copilot"
    assert (await tenant.alex.get(available)).ok()["available"] is True
    await _configure(tenant, engine="builtin")
    assert (await tenant.alex.get(available)).ok()["available"] is False
    refused = await tenant.alex.post(f"/operator/conversation/{conversation_id}/copilot/suggestion")
    assert (refused.status, refused.body["code"]) == (409, "copilot_off")
