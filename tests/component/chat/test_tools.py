"""Tools of a site's AI: their settings, signed requests, consent to calls that change something, and refusals."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from parley.chat.accounts.errors import EditConflict
from parley.chat.tools.model import MAX_CALLS_PER_REPLY
from parley.common.auth.identity import VisitorCaller
from parley.common.events import redact_for_visitor
from parley.common.runtime.clock import utc_now
from support.admin_app import AdminTestApp
from support.ai_replicas import Replica, Shop, run_replicas
from support.api import ApiResponse
from support.identity import TOKEN_SECONDS, sign_token
from support.openai_server import FakeOpenAIServer, call_delta
from support.wait import wait_until
from support.website import Gate, Website, redirect, respond, run_website

DOCUMENT = Path(__file__).parents[3] / "docs" / "tools.md"
ORDER = {
    "name": "order_status",
    "title": "Look up an order",
    "description": "The status of an order.",
    "parameters": {
        "type": "object",
        "properties": {"order_id": {"type": "string"}, "detail": {"type": "boolean"}},
        "required": ["order_id"],
    },
    "writes": False,
    "identified_only": False,
}
CANCEL = {**ORDER, "name": "cancel_order", "title": "Cancel an order", "method": "POST", "writes": True}


@pytest.fixture
async def endpoint() -> AsyncIterator[FakeOpenAIServer]:
    async with FakeOpenAIServer() as server:
        yield server


@pytest.fixture
async def replicas(app: AdminTestApp, endpoint: FakeOpenAIServer) -> AsyncIterator[tuple[Replica, Replica]]:
    async with run_replicas(app, endpoint) as both:
        yield both


@pytest.fixture
async def system() -> AsyncIterator[Website]:
    """The site's own system, with orders."""
    async with run_website() as website:
        website.handlers["/orders/A-1"] = respond(body=b'{"status": "shipped"}', content_type="application/json")
        yield website


@pytest.fixture(scope="module")
async def shop(app: AdminTestApp) -> Shop:
    return await Shop.create(app, engine="openai")


class Tools:
    """The tools of a site, at its own system."""

    def __init__(self, shop: Shop, system: Website) -> None:
        self.shop, self.system = shop, system
        self.path = f"/api/v1/sites/{shop.site_id}/chatbot/tools"

    async def add(self, tool: dict[str, Any], path: str = "/orders/{order_id}", **fields: Any) -> dict[str, Any]:
        body = {**tool, "url": self.system.url + path, **fields}
        return (await self.shop.app.call("POST", self.path, self.shop.owner, body)).ok(201)

    async def clear(self) -> None:
        for tool in (await self.shop.app.call("GET", self.path, self.shop.owner)).ok()["tools"]:
            (await self.shop.app.call("DELETE", f"{self.path}/{tool['id']}", self.shop.owner)).ok()


@pytest.fixture
async def tools(shop: Shop, system: Website) -> AsyncIterator[Tools]:
    tools = Tools(shop, system)
    yield tools
    await tools.clear()


def script(endpoint: FakeOpenAIServer, *replies: list[dict[str, Any]]) -> None:
    endpoint.script = [*replies]


def verifier() -> Callable[..., bool]:
    """The example of the documentation."""
    found = re.search(r"```python\n(.+?)```", DOCUMENT.read_text(), re.DOTALL)
    assert found is not None
    namespace: dict[str, Any] = {}
    exec(found[1], namespace)
    return namespace["verify"]  # type: ignore[no-any-return]


async def identified_visitor(shop: Shop, replica: Replica) -> VisitorCaller:
    """A visitor of whom the site has proved who they are."""
    path = f"/api/v1/sites/{shop.site_id}/identity-secrets"
    secret = (await shop.app.call("POST", path, shop.owner, {"name": "Shop"})).ok(201)
    # By the replica's clock, which another test may have moved.
    expires_at = int(replica.clock().timestamp()) + TOKEN_SECONDS
    token = sign_token(secret["secret"], {"sub": "customer-42", "email": "jane@example.com", "exp": expires_at})
    identified = await replica.module.identification.identify(shop.new_visitor(), token)
    (await shop.app.call("DELETE", f"{path}/{secret['identity_secret']['id']}", shop.owner)).ok()
    return VisitorCaller(shop.owner.tenant_id, shop.site_id, identified.person.session)


async def test_a_tool_is_called_and_the_request_is_signed(
    replicas: tuple[Replica, Replica], shop: Shop, endpoint: FakeOpenAIServer, tools: Tools, system: Website
) -> None:
    """A22: a tool's request is signed and names the visitor whom the site has proved; operators see the call."""
    replica = replicas[0]
    secret = (await tools.add(ORDER, identified_only=True))["secret"]
    visitor = await identified_visitor(shop, replica)
    halves = [
        {"tool_calls": [{"index": 0, "id": "c1", "function": {"name": "order_status", "arguments": '{"order_id":'}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": '"A-1", "detail": true}'}}]},
    ]
    script(endpoint, [{"content": "One moment."}, *halves], [{"content": "It is shipped."}])
    text, outcome = await replica.ask(visitor, "Where is A-1? I am admin@example.com")
    assert text == "One moment.\n\nIt is shipped."
    [request] = system.requests
    target = request.raw_path
    assert target == "/orders/A-1?detail=true"
    assert json.loads(request.headers["Parley-Visitor"]) == {"sub": "customer-42", "email": "jane@example.com"}
    verify = verifier()
    assert verify(secret, "GET", target, request.headers, b"")
    assert not verify(secret, "GET", "/orders/A-2?detail=true", request.headers, b"")
    assert not verify(secret, "GET", target, {**request.headers, "Parley-Visitor": '{"sub": "1"}'}, b"")
    result = endpoint.requests[1]["messages"][-1]
    assert (result["role"], result["content"]) == ("tool", '{"status": "shipped"}')
    assert outcome.message is not None
    [call] = outcome.message.tool_calls
    assert (call.title, call.outcome, call.result) == ("Look up an order", "ok", '{"status": "shipped"}')
    _, found = await replica.module.widget.get_history(visitor, None, 10)
    assert found.messages[-1].tool_calls, "it is stored"
    event = await shop.app.wait_for_event("message.created", id=outcome.message.id)
    data = event.data
    assert data["tool_calls"]
    assert "tool_calls" not in redact_for_visitor(event.type, data)


async def test_a_visitor_who_is_not_identified_is_nobody(
    replicas: tuple[Replica, Replica], shop: Shop, endpoint: FakeOpenAIServer, tools: Tools, system: Website
) -> None:
    """A22: without proof a request names no visitor, and tools for identified visitors are not even offered."""
    await tools.add(ORDER)
    await tools.add(ORDER, name="my_orders", title="List my orders", identified_only=True)
    calls = [call_delta("order_status", '{"order_id": "A-1"}'), call_delta("my_orders", '{"order_id": "A-1"}', index=1)]
    script(endpoint, calls, [{"content": "Shipped."}])
    visitor = shop.new_visitor()
    await replicas[0].module.visitors.leave_contact_details(visitor, {"email": "jane@example.com"})
    await replicas[0].ask(visitor, "I am customer-42, where is A-1?")
    [request] = system.requests
    assert "Parley-Visitor" not in request.headers
    offered = [tool["function"]["name"] for tool in endpoint.requests[0]["tools"]]
    assert offered == ["no_answer", "order_status"]
    assert "List my orders" in endpoint.requests[0]["messages"][0]["content"]
    assert "no such function" in endpoint.requests[1]["messages"][-1]["content"]


async def test_what_changes_something_waits_for_the_visitors_consent(
    replicas: tuple[Replica, Replica], shop: Shop, endpoint: FakeOpenAIServer, tools: Tools, system: Website
) -> None:
    """A23: a call that changes something is carried out after the visitor's consent, with these values, once."""
    replica, other = replicas
    system.handlers["/orders/A-1"] = respond(body=b'{"cancelled": true}', content_type="application/json")
    await tools.add(CANCEL)
    cancel = call_delta("cancel_order", '{"order_id": "A-1", "detail": false}')
    script(endpoint, [{"content": "I would cancel that."}, cancel], [{"content": "It is cancelled."}])
    visitor = shop.new_visitor()
    text, outcome = await replica.ask(visitor, "Cancel A-1")
    assert text.startswith("I would cancel that.\n\n**Cancel an order**\n\n- order id: `A-1`\n- detail: `false`\n\n")
    assert not system.requests
    assert outcome.message is not None
    confirmation = outcome.message.confirmation
    assert confirmation is not None
    received = await replica.receive(visitor, "Yes", "m2", confirms=confirmation.id)
    text, outcome = await replica.read_reply(received)
    assert text == "Done: Cancel an order.\n\nIt is cancelled."
    [request] = system.requests
    assert request.method == "POST"
    assert request.headers["Idempotency-Key"] == confirmation.id
    assert endpoint.requests[1]["messages"][-2]["tool_calls"][0]["function"]["arguments"] == cancel_arguments(cancel)
    assert outcome.conversation.pending_call is None
    assert outcome.conversation.history[-1].action == "tool_confirmed"
    # Sent again, also to another replica, and once more as another message.
    await other.read_reply(await other.receive(visitor, "Yes", "m2", confirms=confirmation.id))
    await other.ask(visitor, "Yes", confirms=confirmation.id)
    assert len(system.requests) == 1


def cancel_arguments(delta: dict[str, Any]) -> str:
    return str(delta["tool_calls"][0]["function"]["arguments"])


@pytest.mark.parametrize(
    ("answer", "is_carried_out"),
    [("yes", True), ("Ja, bitte!", True), ("はい", True), ("no", False), ("yes?", False), ("Yes, but tomorrow", False)],
)
async def test_only_a_plain_yes_is_consent(
    replicas: tuple[Replica, Replica],
    shop: Shop,
    endpoint: FakeOpenAIServer,
    tools: Tools,
    system: Website,
    answer: str,
    *,
    is_carried_out: bool,
) -> None:
    """A23: any other answer ends the question, also for a yes that comes later."""
    await tools.add(CANCEL)
    script(endpoint, [call_delta("cancel_order", '{"order_id": "A-1"}')])
    visitor = shop.new_visitor()
    await replicas[0].ask(visitor, "Cancel A-1")
    await replicas[0].ask(visitor, answer)
    await replicas[0].ask(visitor, "yes")
    assert len(system.requests) == is_carried_out


async def test_consent_ends(
    replicas: tuple[Replica, Replica], shop: Shop, endpoint: FakeOpenAIServer, tools: Tools, system: Website
) -> None:
    """A23: consent ends with an operator's accept, in time, with a change of the tool, and is not another session's."""
    replica = replicas[0]
    tool = (await tools.add(CANCEL))["tool"]

    async def ask(visitor: VisitorCaller) -> str:
        script(endpoint, [call_delta("cancel_order", '{"order_id": "A-1"}')])
        _, outcome = await replica.ask(visitor, "Cancel A-1")
        assert outcome.message is not None
        assert outcome.message.confirmation is not None
        return outcome.message.confirmation.id

    taken_over, stranger, late, outdated = (shop.new_visitor() for _ in range(4))
    confirmation = await ask(taken_over)
    await replica.ask(stranger, "Yes", confirms=confirmation)
    conversation = (await replica.module.widget.get_history(taken_over, None, 1))[1].conversation
    assert conversation is not None
    await replica.module.conversations.accept(shop.owner, conversation.id)
    await replica.module.conversations.release(shop.owner, conversation.id)
    await replica.ask(taken_over, "Yes", confirms=confirmation)

    confirmation = await ask(late)
    replica.clock.advance(minutes=11)
    await replica.ask(late, "Yes", confirms=confirmation)
    replica.clock.advance(minutes=-11)

    confirmation = await ask(outdated)
    body = {**CANCEL, "url": f"{system.url}/orders/{{order_id}}", "description": "Something else."}
    (await shop.app.call("PUT", f"{tools.path}/{tool['id']}", shop.owner, body)).ok()
    text, outcome = await replica.ask(outdated, "Yes", confirms=confirmation)
    assert text.startswith("This did not work: Cancel an order.")
    assert outcome.message is not None
    assert outcome.message.tool_calls[0].outcome == "unknown_tool"
    assert not system.requests


async def test_a_confirmed_call_is_not_repeated_by_another_replica(
    replicas: tuple[Replica, Replica], shop: Shop, endpoint: FakeOpenAIServer, tools: Tools, system: Website
) -> None:
    """A23: if the replica that carries out a call dies, another one does not repeat it, and says so."""
    dead, alive = replicas
    await tools.add(CANCEL, timeout_seconds=20)
    arrived, never = asyncio.Event(), asyncio.Event()

    async def hang(_request: web.Request) -> web.Response:
        arrived.set()
        await never.wait()
        return web.Response()

    system.handlers["/orders/A-1"] = hang
    script(endpoint, [call_delta("cancel_order", '{"order_id": "A-1"}')])
    visitor = shop.new_visitor()
    _, outcome = await dead.ask(visitor, "Cancel A-1")
    received = await dead.receive(visitor, "Yes")
    dead.replies.start_or_join(received)
    await arrived.wait()
    await dead.tasks.stop(0)
    alive.clock.advance(minutes=1)
    assert await alive.replies.resume_expired() >= 1
    _, outcome = await alive.ask(visitor, "Hello?")
    never.set()
    messages = await alive.module.message_repository.list_for_conversation(outcome.conversation)
    [interrupted] = [call for message in messages for call in message.tool_calls if call.outcome == "interrupted"]
    assert interrupted.title == "Cancel an order"
    assert len(system.requests) == 1


async def test_after_an_accept_nothing_is_called(
    replicas: tuple[Replica, Replica], shop: Shop, endpoint: FakeOpenAIServer, tools: Tools, system: Website
) -> None:
    """A22: once an operator has taken over, no tool is called; what was called before is in the history."""
    replica = replicas[0]
    await tools.add(ORDER)
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def answer(_request: web.Request) -> web.Response:
        arrived.set()
        await go_on.wait()
        return web.json_response({"status": "shipped"})

    system.handlers["/orders/A-1"] = answer
    call = call_delta("order_status", '{"order_id": "A-1"}')
    script(endpoint, [call], [call])
    received = await replica.receive(shop.new_visitor(), "Where is A-1?")
    stream = replica.replies.start_or_join(received)
    assert stream is not None
    await arrived.wait()
    await replica.module.conversations.accept(shop.owner, received.conversation.id)
    go_on.set()
    assert [chunk async for chunk in stream.subscribe()] == []
    assert stream.message is None
    assert len(system.requests) == 1
    found = await replica.module.conversation_repository.find(shop.owner.tenant_id, received.conversation.id)
    assert found is not None
    assert (found.history[-1].action, found.history[-1].reason) == ("tool_called", "Look up an order (ok)")


async def test_failures_are_reported_to_the_model_and_calls_are_bounded(
    replicas: tuple[Replica, Replica], shop: Shop, endpoint: FakeOpenAIServer, tools: Tools, system: Website
) -> None:
    """A22: redirects, large and foreign answers and invalid arguments are errors; a reply makes five calls."""
    system.handlers |= {
        "/orders/moved": redirect(f"{system.url}/orders/A-1"),
        "/orders/large": respond(body=b"x" * 100_000, content_type="text/plain"),
        "/orders/page": respond(body=b"<p>Hello</p>"),
        "/orders/broken": respond(500, b"out of paper", "text/plain"),
    }
    await tools.add(ORDER)
    wanted = ("moved", "large", "page", "broken", "..", "A-1", "A-1")
    calls = [call_delta("order_status", json.dumps({"order_id": order}), index=n) for n, order in enumerate(wanted)]
    script(endpoint, calls, [{"content": "Sorry."}])
    text, outcome = await replicas[0].ask(shop.new_visitor(), "Where are they?")
    assert text == "Sorry."
    assert outcome.message is not None
    outcomes = [call.outcome for call in outcome.message.tool_calls]
    assert outcomes == [
        *("redirected", "too_large", "bad_content_type", "http_error", "invalid_arguments"),
        *("limit_reached", "limit_reached"),
    ]
    assert len(outcomes) - outcomes.count("limit_reached") == MAX_CALLS_PER_REPLY
    assert endpoint.requests[1]["tool_choice"] == "none"
    assert "out of paper" in endpoint.requests[1]["messages"][6]["content"]
    assert "/orders/A-1" not in system.paths()


@pytest.mark.parametrize(
    ("fields", "field", "reason"),
    [
        ({"url": "https://127.0.0.2/x"}, "url", "must lead to the public internet"),
        ({"url": "http://shop.example.com/x"}, "url", "must start with https://"),
        ({"url": "https://{order_id}.example.com/"}, "url", "can have placeholders in its path and query only"),
        ({"url": "https://1.1.1.1/{detail}"}, "url", "the placeholder detail must be a required parameter"),
        ({"parameters": {"type": "array"}}, "parameters", "must describe an object"),
        (
            {"parameters": {"type": "object", "properties": {"a": {"pattern": "(a+)+$"}}}},
            "parameters",
            "must not use the keyword pattern",
        ),
        ({"parameters": {"type": "object", "required": 1}}, "parameters", "is not a JSON schema"),
        ({"name": "Order Status"}, "name", ""),
        ({"name": "no_answer"}, "name", "reserved"),
        ({"timeout_seconds": 60}, "timeout_seconds", ""),
    ],
)
async def test_what_cannot_be_a_tool_is_refused(
    app: AdminTestApp, tools: Tools, fields: dict[str, Any], field: str, reason: str
) -> None:
    body = {**ORDER, "url": f"{tools.system.url}/orders/{{order_id}}", **fields}
    error = (await app.call("POST", tools.path, tools.shop.owner, body)).body
    assert error["code"] == "invalid"
    assert reason in error["errors"][field]


async def test_a_request_that_takes_long_keeps_its_idempotency_key(
    app: AdminTestApp, tools: Tools, system: Website, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T8: also after the lease of the key, which another request takes over only if the first one's process died."""
    monkeypatch.setattr("parley.common.http.app.IDEMPOTENCY_RENEWAL_SECONDS", 0.02)
    one = f"{tools.path}/{(await tools.add(ORDER))['tool']['id']}"
    gate = Gate(system.handlers["/orders/A-1"])
    system.handlers["/orders/A-1"] = gate.answer

    async def try_out() -> ApiResponse:
        body = {"arguments": {"order_id": "A-1"}}
        return await app.call("POST", f"{one}/try", tools.shop.owner, body, {"Idempotency-Key": one})

    first = asyncio.create_task(try_out())
    await gate.reached.wait()
    claimed = {"status": {"$exists": False}}
    await app.mongo["idempotency"].update_many(claimed, {"$set": {"lease": utc_now() - timedelta(seconds=1)}})

    async def is_renewed() -> bool:
        return await app.mongo["idempotency"].find_one({**claimed, "lease": {"$gt": utc_now()}}) is not None

    await wait_until(is_renewed)
    assert (await try_out()).body["code"] == "idempotency_key_in_flight"
    gate.opened.set()
    assert (await first).raw == (await try_out()).raw
    assert len(system.requests) == 1


async def test_secrets_are_shown_once_and_end_with_another_server(
    app: AdminTestApp, tools: Tools, system: Website
) -> None:
    """A22: secrets are stored encrypted, shown once, and not sent to another server than they were set for."""
    owner = tools.shop.owner
    added = await tools.add(ORDER, authorization="Bearer internal-key")
    one = f"{tools.path}/{added['tool']['id']}"
    tried = (await app.call("POST", f"{one}/try", owner, {"arguments": {"order_id": "A-1"}})).ok()
    assert (tried["outcome"], tried["status"], tried["content"]) == ("ok", 200, '{"status": "shipped"}')
    [request] = system.requests
    assert request.headers["Authorization"] == "Bearer internal-key"
    assert "Parley-Visitor" not in request.headers
    stored = json.dumps(await app.mongo["tools"].find_one({"_id": added["tool"]["id"]}), default=str)
    shown = json.dumps((await app.call("GET", tools.path, owner)).ok())
    for secret in ("internal-key", added["secret"]):
        assert secret not in stored + shown
    body = {**ORDER, "url": f"{system.url}/orders/{{order_id}}"}
    unchanged = (await app.call("PUT", one, owner, body)).ok()
    assert (unchanged["secret"], unchanged["tool"]["has_authorization"]) == (None, True)
    moved = (await app.call("PUT", one, owner, {**body, "url": "https://1.1.1.1/{order_id}"})).ok()
    assert moved["secret"] not in (None, added["secret"])
    assert moved["tool"]["has_authorization"] is False
    replaced = (await app.call("POST", f"{one}/secret", owner)).ok()
    assert replaced["secret"] not in (None, moved["secret"])
    assert (await app.call("POST", tools.path, owner, body)).body["code"] == "tool_name_taken"
    for action in ("tool.created", "tool.tried", "tool.updated", "tool.secret_replaced"):
        entry = await app.wait_for_audit_entry(owner, action, site_id=tools.shop.site_id)
        assert entry["details"] == {"name": "order_status"}


async def test_a_change_does_not_undo_one_that_was_made_meanwhile(app: AdminTestApp, tools: Tools) -> None:
    """Otherwise the secret would be the one before again, which another manager has just replaced."""
    tool_id = (await tools.add(ORDER))["tool"]["id"]
    one = f"{tools.path}/{tool_id}"
    service = app.tools.handlers.tools

    async def replace_secret_meanwhile(base_url: str) -> str | None:
        (await app.call("POST", f"{one}/secret", tools.shop.owner)).ok()
        return await service.validate_address(base_url)

    slow = replace(service, validate_address=replace_secret_meanwhile)
    options = (await service.list_tools(tools.shop.owner, tools.shop.site_id))[0].options
    with pytest.raises(EditConflict):
        await slow.replace(tools.shop.owner, tools.shop.site_id, tool_id, replace(options, title="Renamed"), {})
    (shown,) = (await app.call("GET", tools.path, tools.shop.owner)).ok()["tools"]
    assert shown["title"] == ORDER["title"]


async def test_without_an_engine_with_tools_a_confirmed_call_is_carried_out(
    replicas: tuple[Replica, Replica], shop: Shop, endpoint: FakeOpenAIServer, tools: Tools, system: Website
) -> None:
    """A23: what the visitor has agreed to is carried out though the endpoint fails, and they read that it was."""
    await tools.add(CANCEL)
    script(endpoint, [call_delta("cancel_order", '{"order_id": "A-1"}')])
    visitor = shop.new_visitor()
    await replicas[0].ask(visitor, "Cancel A-1")
    endpoint.status = 500
    text, outcome = await replicas[0].ask(visitor, "yes")
    assert text.startswith("Done: Cancel an order.")
    assert len(system.requests) == 1
    assert outcome.conversation.mode == "pending"
    assert outcome.message is not None
    assert [call.outcome for call in outcome.message.tool_calls] == ["ok"]
