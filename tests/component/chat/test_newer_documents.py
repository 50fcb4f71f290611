"""What version N has stored stays when a replica of version N−1, which does not know it, serves and saves."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest.mock import ANY

import pytest

from parley.chat.canned_replies.model import CannedReplyDraft
from parley.chat.conversations import transitions
from parley.chat.conversations.queries import ConversationFilter
from parley.chat.forms.service import Submission
from parley.chat.mcp_servers.model import ListedTool
from parley.chat.mcp_servers.repository import MongoMcpServerRepository
from parley.chat.views.model import ViewDraft, ViewFilter
from parley.common.auth.identity import OperatorCaller, VisitorCaller
from parley.common.events.schemas import OperatorRef, QuickReply
from support.admin_app import AdminTestApp

NEW = "from_a_newer_version"
NAMES_ARE_DATA = {"access", "outbox", "info", "given", "proved", "attributes"}
"""Fields whose contents are named by people, or belong to the code that stores documents."""


class Shop:
    """A site, and a newer version of the code that stores further fields in its documents."""

    def __init__(self, app: AdminTestApp, owner: OperatorCaller, site_id: int) -> None:
        self.app, self.owner, self.site_id = app, owner, site_id

    async def call(self, method: str, path: str, body: Any, status: int = 200) -> dict[str, Any]:
        return (await self.app.call(method, f"/api/v1{path}", self.owner, body)).ok(status)

    async def on_site(self, method: str, path: str, body: Any, status: int = 200) -> dict[str, Any]:
        return await self.call(method, f"/sites/{self.site_id}{path}", body, status)

    async def add_newer_fields(self, collection: str, document_id: Any) -> set[str]:
        """Store a further field in each document inside of a document. Returns where they are."""
        stored = await self.app.mongo[collection].find_one({"_id": document_id})
        assert stored is not None
        for document in _documents_in(stored):
            document[NEW] = {"stored": True}
        await self.app.mongo[collection].replace_one({"_id": document_id}, stored)
        return set(_find_newer_fields(stored))

    async def find_newer_fields(self, collection: str, document_id: Any) -> set[str]:
        stored = await self.app.mongo[collection].find_one({"_id": document_id})
        assert stored is not None
        return set(_find_newer_fields(stored))


def _documents_in(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        for name, inner in list(value.items()):
            if name not in NAMES_ARE_DATA:
                yield from _documents_in(inner)
        yield value
    elif isinstance(value, list):
        for element in value:
            yield from _documents_in(element)


def _find_newer_fields(value: Any, path: str = "") -> Iterator[str]:
    """Paths of the further fields, with the identity of list elements in place of their position."""
    if isinstance(value, dict):
        if NEW in value:
            yield path
        for name, inner in value.items():
            if name not in NAMES_ARE_DATA:
                yield from _find_newer_fields(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for element in value:
            if isinstance(element, dict):
                known = next((element[name] for name in ("id", "key", "label", "after_seconds") if name in element), "")
                yield from _find_newer_fields(element, f"{path}[{known or element.get('action', '')}]")


@pytest.fixture
async def shop(app: AdminTestApp) -> Shop:
    owner = await app.create_tenant()
    site = await app.create_site(owner)
    return Shop(app, await app.get_caller(owner.operator_id), site["id"])


TRIGGER = {"name": "Pricing", "message": "Questions?", "quick_replies": [{"label": "Yes"}, {"label": "No"}]}
FORMS: dict[str, Any] = {
    "consent": {"text": "I agree.", "required": True},
    "departments": [{"team_id": None, "label": "Anything else"}],
    "prechat": {"enabled": True, "fields": [{"key": "order", "type": "text", "label": "Order"}]},
    "offline": {"enabled": True, "fields": [{"key": "topic", "type": "text", "label": "Topic"}]},
}
HOURS = {"time_zone": "Europe/Berlin", "weekly": [{"day": 0, "start": "09:00", "end": "17:00"}]}


FINGERPRINT = "0f" * 32


def german(welcome: str) -> dict[str, Any]:
    return {"language": "de", "texts": {"welcome": {"content": welcome, "approved": True}}}


async def test_a_save_of_a_site_keeps_what_a_newer_version_has_stored_in_it(shop: Shop) -> None:
    """T17: triggers, forms and texts are parts of their site, which the previous version saves as a whole."""
    first, second = [(await shop.on_site("POST", "/triggers", TRIGGER, 201))["trigger"]["id"] for _ in range(2)]
    (await shop.on_site("PUT", "/forms", FORMS))
    await shop.on_site("PUT", "/chatbot", {"welcome": "Hello!"})
    await shop.on_site("PUT", "/texts", german("Hallo!"))
    await shop.on_site("POST", "/identity-secrets", {"name": "Shop server"}, 201)
    stored = await shop.add_newer_fields("sites", shop.site_id)
    assert {
        "",
        f".triggers[{first}]",
        f".triggers[{first}].quick_replies[Yes]",
        ".forms.prechat.fields[order]",
    } <= stored
    assert {".texts[welcome].approved", ".chatbot.ai", ".routing", ".forms.consent_texts[]"} <= stored

    await shop.on_site("PUT", "", {"name": "Another name"})
    await shop.on_site("PUT", f"/triggers/{first}", {**TRIGGER, "message": "Any questions?"})
    await shop.on_site("PUT", "/trigger-order", {"trigger_ids": [second, first]})
    forms = (await shop.on_site("GET", "/forms", None))["forms"]
    forms["prechat"]["fields"][0]["label"] = "Your order"
    await shop.on_site("PUT", "/forms", forms)
    await shop.on_site("PUT", "/chatbot", {"welcome": "Welcome!", "ai": {"temperature": 0.5}})
    await shop.on_site("PUT", "/texts", german("Hi!"))
    await shop.on_site("PUT", "/routing", {"routing": "round_robin"})
    assert await shop.find_newer_fields("sites", shop.site_id) == stored

    await shop.call("DELETE", f"/sites/{shop.site_id}/triggers/{second}", None)
    remaining = {path for path in stored if f"[{second}]" not in path}
    assert await shop.find_newer_fields("sites", shop.site_id) == remaining


Save = Callable[[], Awaitable[object]]


async def canned_reply(shop: Shop) -> tuple[int, Save]:
    replies = shop.app.admin.canned_replies
    yes, no = QuickReply(label="Yes"), QuickReply(label="No")
    draft = CannedReplyDraft("all", None, "hi", "Hello!", None, quick_replies=(yes, no))
    reply = await replies.add(shop.owner, draft)
    return reply.id, lambda: replies.replace(shop.owner, reply.id, replace(draft, text="Hi!", quick_replies=(no, yes)))


async def view(shop: Shop) -> tuple[int, Save]:
    views = shop.app.conversations.views
    draft = ViewDraft("all", None, "Mine", ViewFilter("ai", None, ConversationFilter(language="pt")))
    added = await views.add(shop.owner, draft)
    return added.id, lambda: views.replace(shop.owner, added.id, replace(draft, name="Ours"))


async def answer_test(shop: Shop) -> tuple[int, Save]:
    body = {"question": "When are you open?", "must_say": [["9"]]}
    path = "/chatbot/tests"
    test_id = (await shop.on_site("POST", path, body, 201))["test"]["id"]
    return test_id, lambda: shop.on_site("PUT", f"{path}/{test_id}", {**body, "must_say": [["10"]]})


async def knowledge_source(shop: Shop) -> tuple[int, Save]:
    body = {"kind": "file", "name": "Manuals"}
    source_id = (await shop.on_site("POST", "/knowledge/sources", body, 201))["source"]["id"]
    return source_id, lambda: shop.on_site("PUT", f"/knowledge/sources/{source_id}", {"name": "Papers"})


async def label(shop: Shop) -> tuple[int, Save]:
    body = {"name": "Urgent", "colour": "#cc0000", "scope": "all"}
    label_id = (await shop.call("POST", "/labels", body, 201))["label"]["id"]
    return label_id, lambda: shop.call("PUT", f"/labels/{label_id}", {**body, "name": "Later"})


async def team(shop: Shop) -> tuple[int, Save]:
    body = {"name": "Sales", "site_ids": [shop.site_id], "operator_ids": [shop.owner.operator_id]}
    team_id = (await shop.call("POST", "/teams", body, 201))["team"]["id"]
    return team_id, lambda: shop.call("PUT", f"/teams/{team_id}", {**body, "name": "Support"})


async def tool(shop: Shop) -> tuple[int, Save]:
    body = {
        "name": "stock",
        "title": "Stock",
        "description": "What is in stock.",
        "url": "http://127.0.0.1:9/s",
        "writes": False,
    }
    tool_id = (await shop.on_site("POST", "/chatbot/tools", body, 201))["tool"]["id"]
    return tool_id, lambda: shop.on_site("PUT", f"/chatbot/tools/{tool_id}", {**body, "title": "In stock"})


async def knowledge_entry(shop: Shop) -> tuple[int, Save]:
    body = {"question": "When are you open?", "answer": "At 9."}
    entry_id = (await shop.on_site("POST", "/chatbot/knowledge", body, 201))["entry"]["id"]
    return entry_id, lambda: shop.on_site("PUT", f"/chatbot/knowledge/{entry_id}", {**body, "answer": "At 10."})


async def operator(shop: Shop) -> tuple[int, Save]:
    member = await shop.app.create_member(shop.owner, shop.site_id)
    path = f"/team/{member.operator_id}"
    return member.operator_id, lambda: shop.call("PUT", path, {"name": "Another name"})


@pytest.mark.parametrize(
    ("collection", "create"),
    [
        ("canned_replies", canned_reply),
        ("views", view),
        ("answer_tests", answer_test),
        ("knowledge_sources", knowledge_source),
        ("labels", label),
        ("teams", team),
        ("tools", tool),
        ("knowledge", knowledge_entry),
        ("operators", operator),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_save_keeps_what_a_newer_version_has_stored(
    shop: Shop, collection: str, create: Callable[[Shop], Awaitable[tuple[int, Save]]]
) -> None:
    """T17: a save writes what this version knows, and leaves the rest as it is."""
    document_id, save = await create(shop)
    stored = await shop.add_newer_fields(collection, document_id)
    await save()
    assert await shop.find_newer_fields(collection, document_id) == stored


def listed_tool(name: str) -> ListedTool:
    return ListedTool(name, name, "Of an order.", {"type": "object"}, FINGERPRINT, read_only_hint=True, fault=None)


async def test_a_save_of_an_mcp_server_keeps_what_a_newer_version_has_stored_in_it(shop: Shop) -> None:
    """T17: tools that stay allowed keep it through every save; the list of a check is written as a whole."""
    body = {"name": "shop", "url": "http://127.0.0.1:9/mcp"}
    server_id = (await shop.on_site("POST", "/chatbot/mcp-servers", body, 201))["server"]["id"]
    path = f"/chatbot/mcp-servers/{server_id}"
    servers = MongoMcpServerRepository(shop.app.mongo)
    await servers.store_listing(server_id, [listed_tool(name) for name in ("status", "cancel", "send")])

    async def allow(*names: str) -> list[int]:
        tools = [{"name": name, "title": name, "fingerprint": FINGERPRINT} for name in names]
        await shop.on_site("PUT", f"{path}/tools", {"tools": tools})
        server = await servers.find(shop.owner.tenant_id, shop.site_id, server_id)
        assert server is not None
        return [tool.id for tool in server.tools]

    status, cancel = await allow("status", "cancel")
    stored = await shop.add_newer_fields("mcp_servers", server_id)
    assert {"", f".tools[{status}]", f".tools[{cancel}]", ".listed[]"} <= stored

    assert await allow("cancel", "status", "send") == [cancel, status, ANY]
    await servers.record_states(server_id, {status: "changed"})
    await servers.record_failure(server_id, "timeout")
    await shop.on_site("PUT", path, {**body, "name": "store"})
    await shop.on_site("POST", f"{path}/secret", None)
    assert await shop.find_newer_fields("mcp_servers", server_id) == stored
    await allow("status")
    assert await shop.find_newer_fields("mcp_servers", server_id) == stored - {f".tools[{cancel}]"}


async def test_the_presence_of_an_operator_keeps_what_a_newer_version_has_stored(shop: Shop) -> None:
    """T17: each event of presence sets what this version knows; an older event, nothing."""
    presence, operator_id, start = shop.app.conversations.presence, shop.owner.operator_id, shop.app.clock()

    async def record(seconds: int, *, online: bool) -> None:
        await presence.record_operator(shop.site_id, operator_id, start + timedelta(seconds=seconds), online=online)

    await record(0, online=True)
    key = f"{shop.site_id}:{operator_id}"
    stored = await shop.add_newer_fields("operators_online", key)
    for seconds, online, is_online in ((2, False, False), (1, True, False), (3, True, True)):
        await record(seconds, online=online)
        assert (await presence.operators_online(shop.site_id) == {operator_id}) == is_online
        assert await shop.find_newer_fields("operators_online", key) == stored


async def test_a_conversation_and_its_visitor_keep_what_a_newer_version_has_stored(shop: Shop) -> None:
    """T17: a conversation, its history and what its visitor has answered."""
    await shop.on_site("PUT", "/forms", {"prechat": {"enabled": True, "fields": FORMS["prechat"]["fields"]}})
    module = shop.app.conversations
    caller = VisitorCaller(shop.owner.tenant_id, shop.site_id, f"sess_{secrets.token_hex(16)}")
    forms = module.forms
    await forms.answer_prechat(caller, Submission({"order": "A-1"}))
    conversation = (await module.visitor_messages.receive(caller, "Hello")).conversation
    await module.visitor_messages.request_handoff(caller)
    visitor_key = conversation.visitor.key
    of_visitor = await shop.add_newer_fields("visitors", visitor_key)
    of_conversation = await shop.add_newer_fields("conversations", conversation.id)
    await shop.app.mongo["conversations"].update_one({"_id": conversation.id}, {"$inc": {"version": 1}})
    assert ".form.answers[order]" in of_visitor
    assert {".visitor", ".visitor.form.answers[order]", ".history[pending]"} <= of_conversation

    await forms.answer_prechat(caller, Submission({"order": "A-2"}))
    await module.visitors.leave_contact_details(caller, {"name": "Jane"})
    alex = OperatorRef(id=shop.owner.operator_id, name="Alex")
    change = await module.conversation_repository.change(
        conversation.tenant_id,
        conversation.id,
        lambda current: transitions.close(current, alex, shop.app.clock(), overrule=True),
    )
    assert change is not None
    assert change.conversation.history[-1].action == "closed"
    assert await shop.find_newer_fields("visitors", visitor_key) == of_visitor
    # The copy of the answers is that of the visitor's latest form.
    kept = {path for path in of_conversation if not path.startswith(".visitor.form")}
    assert await shop.find_newer_fields("conversations", conversation.id) >= kept
