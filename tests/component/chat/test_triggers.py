"""Triggers: who manages them, whom they are shown, what is counted, and what an answer begins."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import pytest

from parley.chat.backends import Backends
from parley.chat.conversations.module import ConversationModule
from parley.chat.messages.model import Message, Opening
from parley.chat.settings import ChatSettings
from parley.common.auth.identity import OperatorCaller, VisitorCaller
from parley.common.messaging import RpcClient
from support.admin_app import AdminTestApp, StartApp
from support.wait import wait_until

TRIGGER = {"name": "Pricing", "message": "Questions about **plans**?", "enabled": True}


class Shop:
    """A site with triggers, on a clock that tests move."""

    def __init__(self, app: AdminTestApp, owner: OperatorCaller, site: dict[str, Any]) -> None:
        self.app, self.owner, self.site_id, self.site_key = app, owner, site["id"], site["site_key"]
        self.path = f"/api/v1/sites/{self.site_id}"
        settings = ChatSettings(
            env="development",
            identity_secret=secrets.token_hex(32),
            amqp_url="amqp://unused",
            mongodb_uri="mongodb://unused",
        )
        rpc = {name: RpcClient(name) for name in ("presence", "translate", "notify")}
        backends = Backends(app.mongo, app.broker, app.outbox, rpc)
        self.module = ConversationModule(backends, app.admin, settings, app.clock)

    async def add(self, **fields: Any) -> int:
        reply = await self.app.call("POST", f"{self.path}/triggers", self.owner, {**TRIGGER, **fields})
        trigger_id: int = reply.ok(201)["trigger"]["id"]
        return trigger_id

    def visitor(self) -> VisitorCaller:
        return VisitorCaller(self.owner.tenant_id, self.site_id, f"sess_{secrets.token_hex(16)}")

    async def show(self, visitor: VisitorCaller, *trigger_ids: int, language: str | None = "en") -> int | None:
        """Return the id of the trigger that is shown."""
        shown = await self.module.triggers.show(visitor, trigger_ids, language)
        return None if shown is None else shown.trigger_id

    async def answer(self, visitor: VisitorCaller, trigger_id: int, text: str = "Yes!") -> list[tuple[str, str]]:
        """Send a message as the widget does. Returns the roles and texts of the conversation's messages."""
        return [(message.role, message.content) for message in await self.choose(visitor, trigger_id, text)]

    async def choose(self, visitor: VisitorCaller, trigger_id: int, text: str) -> Sequence[Message]:
        """Send a message as a quick reply of a trigger. Returns the conversation's messages."""
        shown = await self.module.triggers.find_answerable(visitor, trigger_id)
        opening = None if shown is None else Opening(shown.message, shown.quick_replies)
        received = await self.module.visitor_messages.receive(visitor, text, opening=opening, reply_to=1)
        if received.opened:
            await self.module.triggers.record_answered(visitor, trigger_id)
        return await self.module.message_repository.list_for_conversation(received.conversation, limit=50)

    async def counts(self) -> dict[int, tuple[int, int, int]]:
        reply = await self.app.call("GET", f"{self.path}/trigger-counts", self.owner, days=400)
        sums: dict[int, tuple[int, int, int]] = {}
        for row in reply.ok()["counts"]:
            before = sums.get(row["trigger_id"], (0, 0, 0))
            added = (row["shown"], row["opened"], row["answered"])
            sums[row["trigger_id"]] = (before[0] + added[0], before[1] + added[1], before[2] + added[2])
        return sums

    async def version(self) -> str:
        reply = await self.app.call_internal("GET", "site", site_key=self.site_key)
        version: str = reply.ok()["site"]["triggers"]
        return version


@pytest.fixture(scope="module")
async def office(start_app: StartApp) -> AsyncIterator[AdminTestApp]:
    """The app of this file, whose tests move its clock: each test has a tenant of its own."""
    async with start_app() as app:
        yield app


@pytest.fixture
async def shop(office: AdminTestApp) -> Shop:
    owner = await office.create_tenant()
    site = await office.create_site(owner)
    return Shop(office, await office.get_caller(owner.operator_id), site)


async def test_managers_list_change_order_and_delete_triggers(shop: Shop) -> None:
    app, owner, path = shop.app, shop.owner, f"{shop.path}/triggers"
    assert await shop.version() == ""
    one = await shop.add(include_pages=["/pricing*"], seconds=20, languages=["pt"])
    two = await shop.add(name="Exit", enabled=False, exit_intent=True)
    listed = (await app.call("GET", path, owner)).ok()["triggers"]
    assert [(one["name"], one["enabled"], one["include_pages"]) for one in listed] == [
        ("Pricing", True, ["/pricing*"]),
        ("Exit", False, []),
    ]
    first = await shop.version()
    assert first
    # What is off, and what the widget does not check, is no other version.
    changed = {**TRIGGER, "include_pages": ["/pricing*"], "seconds": 20, "languages": ["pt"]}
    (await app.call("PUT", f"{path}/{two}", owner, {**TRIGGER, "enabled": False, "seconds": 9})).ok()
    (await app.call("PUT", f"{path}/{one}", owner, {**changed, "message": "Ask us!", "hours": "open"})).ok()
    assert await shop.version() == first
    (await app.call("PUT", f"{path}/{one}", owner, {**changed, "seconds": 5})).ok()
    assert await shop.version() not in ("", first)
    order = {"trigger_ids": [two, one]}
    ordered = (await app.call("PUT", f"{shop.path}/trigger-order", owner, order)).ok()["triggers"]
    assert [trigger["id"] for trigger in ordered] == [two, one]
    for wrong in ([one], [one, one], [one, two, two + 1000]):
        refused = await app.call("PUT", f"{shop.path}/trigger-order", owner, {"trigger_ids": wrong})
        assert (refused.status, list(refused.body["errors"])) == (422, ["trigger_ids"])
    (await app.call("DELETE", f"{path}/{one}", owner)).ok()
    for method in ("PUT", "DELETE"):
        assert (await app.call(method, f"{path}/{one}", owner, TRIGGER)).status == 404
    assert await shop.version() == ""
    expected = {"trigger.created", "trigger.updated", "trigger.reordered", "trigger.deleted"}

    async def are_audited() -> bool:
        entries = (await app.call("GET", "/api/v1/audit", owner, limit=100)).ok()["entries"]
        return expected <= {entry["action"] for entry in entries}

    await wait_until(are_audited)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", " "),
        ("message", "\n"),
        ("message", "x" * 1001),
        ("include_pages", ["two words"]),
        ("exclude_pages", ["/x"] * 21),
        ("seconds", -1),
        ("scroll_percent", 101),
        ("visitors", "none"),
        ("languages", ["pt-BR"]),
        ("interval_hours", 0),
        ("quick_replies", [{"label": "Both", "value": "x", "url": "https://shop.test"}]),
        ("enabled", "yes"),
    ],
)
async def test_a_wrong_field_is_named(shop: Shop, field: str, value: Any) -> None:
    refused = await shop.app.call("POST", f"{shop.path}/triggers", shop.owner, {**TRIGGER, field: value})
    assert refused.status == 422
    assert [name.partition(".")[0] for name in refused.body["errors"]] == [field]


async def test_the_first_trigger_that_may_be_shown_now_is_shown(shop: Shop) -> None:
    """By the site's hours, the operators online and the language; never what is off or of another site."""
    off = await shop.add(enabled=False)
    online = await shop.add(operators="online")
    offline = await shop.add(operators="offline", hours="open")
    closed = await shop.add(hours="closed", languages=["de"])
    everything = (off, online, offline, closed)
    assert await shop.show(shop.visitor(), off, closed) is None
    assert await shop.show(shop.visitor(), *everything) == offline
    at = shop.app.clock()
    await shop.module.presence.record_operator(shop.site_id, shop.owner.operator_id, at, online=True)
    assert await shop.show(shop.visitor(), *everything) == online
    holidays = [(at + timedelta(days=offset)).date().isoformat() for offset in range(-1, 2)]
    hours = {"time_zone": "UTC", "weekly": [], "closed": holidays}
    (await shop.app.call("PUT", f"{shop.path}/chatbot", shop.owner, {"hours": hours})).ok()
    assert await shop.show(shop.visitor(), offline, closed, language="de-AT") == closed
    assert await shop.show(shop.visitor(), offline, closed) is None
    foreign = VisitorCaller(shop.owner.tenant_id, (await shop.app.create_site(shop.owner))["id"], "sess_" + "0" * 32)
    assert await shop.show(foreign, *everything) is None


async def test_a_visitor_is_shown_a_trigger_as_often_as_it_says(shop: Shop) -> None:
    once = await shop.add(frequency="visitor")
    daily = await shop.add(frequency="interval", interval_hours=24)
    visits = await shop.add(frequency="visit")
    visitor = shop.visitor()
    # Two tabs at once: one of them shows it.
    both = await asyncio.gather(shop.show(visitor, once), shop.show(visitor, once))
    assert sorted(both, key=str) == [once, None]
    assert [await shop.show(visitor, daily), await shop.show(visitor, daily)] == [daily, None]
    assert [await shop.show(visitor, visits), await shop.show(visitor, visits)] == [visits, None]
    shop.app.clock.advance(hours=23)
    assert [await shop.show(visitor, one) for one in (once, daily, visits)] == [None, None, visits]
    shop.app.clock.advance(hours=2)
    assert [await shop.show(visitor, one) for one in (once, daily, visits)] == [None, daily, visits]
    assert await shop.show(shop.visitor(), once) == once


async def test_an_answer_begins_the_conversation_with_what_was_shown(shop: Shop) -> None:
    trigger = await shop.add()
    visitor = shop.visitor()
    assert await shop.answer(visitor, trigger, "Not shown") == [("visitor", "Not shown")]
    # While a conversation is going on, none is shown.
    assert await shop.show(visitor, trigger) is None
    other = shop.visitor()
    assert await shop.show(other, trigger) == trigger
    (await shop.app.call("PUT", f"{shop.path}/triggers/{trigger}", shop.owner, {**TRIGGER, "message": "New"})).ok()
    # What the visitor saw, not what the site says now; and only once.
    assert await shop.answer(other, trigger) == [("ai", TRIGGER["message"]), ("visitor", "Yes!")]
    assert await shop.answer(other, trigger, "More") == [
        ("ai", TRIGGER["message"]),
        ("visitor", "Yes!"),
        ("visitor", "More"),
    ]
    latest = await shop.module.conversation_repository.find_open(
        await shop.module.visitors.get(other),
    )
    # The reports count what the AI answers.
    assert latest is not None
    assert (latest.first_ai_message_at, latest.reply_lease is not None) == (None, True)
    late = shop.visitor()
    assert await shop.show(late, trigger) == trigger
    shop.app.clock.advance(hours=25)
    assert await shop.answer(late, trigger) == [("visitor", "Yes!")]


async def test_a_visitor_reads_a_trigger_in_their_language_once_it_is_approved(shop: Shop) -> None:
    trigger = await shop.add(frequency="interval", interval_hours=1)
    text = {f"trigger.message.{trigger}": {"content": "Fragen zum Tee?", "approved": True}}
    body = {"language": "de", "texts": text}
    (await shop.app.call("PUT", f"{shop.path}/texts", shop.owner, body)).ok()
    module = shop.module.triggers
    shown = {tag: await module.show(shop.visitor(), [trigger], tag) for tag in ("de-AT", "fr", None)}
    texts = {tag: one and one.message for tag, one in shown.items()}
    assert texts == {"de-AT": "Fragen zum Tee?", "fr": TRIGGER["message"], None: TRIGGER["message"]}
    reader = shop.visitor()
    await module.show(reader, [trigger], "de")
    answerable = await module.find_answerable(reader, trigger)
    assert answerable is not None
    assert answerable.message == "Fragen zum Tee?", "the conversation begins with it"


async def test_a_quick_reply_of_a_trigger_begins_the_conversation(shop: Shop) -> None:
    replies = [
        {"label": "Yes", "value": "Yes, please", "url": None},
        {"label": "Prices", "value": None, "url": "https://shop.test/prices"},
        {"label": "Plans", "value": None, "url": None},
    ]
    trigger = await shop.add(quick_replies=replies)
    (listed,) = (await shop.app.call("GET", f"{shop.path}/triggers", shop.owner)).ok()["triggers"]
    assert listed["quick_replies"] == replies
    key = f"trigger.reply.{trigger}.3"
    german = {"language": "de", "texts": {key: {"content": "Tarife", "approved": True}}}
    (await shop.app.call("PUT", f"{shop.path}/texts", shop.owner, german)).ok()
    visitor = shop.visitor()
    assert await shop.show(visitor, trigger, language="de") == trigger
    opening, chosen = await shop.choose(visitor, trigger, "Tarife")
    assert [reply.label for reply in opening.quick_replies] == ["Yes", "Prices", "Tarife"]
    assert (opening.seq, chosen.content, chosen.reply_to) == (1, "Tarife", 1)

    # The version before stores and reads triggers without quick replies.
    sites, shown = shop.app.mongo["sites"], shop.app.mongo["shown_triggers"]
    await sites.update_one({"_id": shop.site_id}, {"$unset": {"triggers.$[].quick_replies": ""}})
    await shown.update_one({"trigger_id": trigger}, {"$unset": {"quick_replies": ""}})
    (listed,) = (await shop.app.call("GET", f"{shop.path}/triggers", shop.owner)).ok()["triggers"]
    assert listed["quick_replies"] == []
    answerable = await shop.module.triggers.find_answerable(visitor, trigger)
    assert answerable is not None
    assert answerable.quick_replies == ()

    # The button in this place is another one now: the translation of the earlier one is not its label.
    changed = [*replies[:2], {"label": "Talk to us", "value": None, "url": None}]
    body = {**TRIGGER, "quick_replies": changed}
    (await shop.app.call("PUT", f"{shop.path}/triggers/{trigger}", shop.owner, body)).ok()
    for text, reply_to in (("Yes, please", 1), ("Talk to us", 1), ("Prices", None), ("Tarife", None)):
        other = shop.visitor()
        assert await shop.show(other, trigger, language="de") == trigger
        _, answer = await shop.choose(other, trigger, text)
        assert (answer.content, answer.reply_to) == (text, reply_to)


async def test_one_session_counts_once_a_day(shop: Shop) -> None:
    trigger = await shop.add(frequency="interval", interval_hours=1)
    visitor, triggers = shop.visitor(), shop.module.triggers
    shop.app.clock.advance(seconds=(24 - shop.app.clock().hour) * 3600)
    for _ in range(3):
        assert await shop.show(visitor, trigger) == trigger
        await triggers.record_opened(visitor, trigger)
        await triggers.record_opened(visitor, trigger)
        shop.app.clock.advance(hours=2)
    assert await shop.counts() == {trigger: (1, 1, 0)}
    stranger = shop.visitor()
    await triggers.record_opened(stranger, trigger)
    await triggers.record_answered(stranger, trigger)
    assert await shop.counts() == {trigger: (1, 1, 0)}
    await asyncio.gather(*(shop.answer(visitor, trigger) for _ in range(3)))
    assert await shop.counts() == {trigger: (1, 1, 1)}
    shop.app.clock.advance(days=1)
    direct = shop.visitor()
    assert await shop.show(direct, trigger) == trigger
    await shop.answer(direct, trigger)
    assert await shop.counts() == {trigger: (2, 2, 2)}
    today = await shop.app.call("GET", f"{shop.path}/trigger-counts", shop.owner, days=1)
    assert [row["shown"] for row in today.ok()["counts"]] == [1]


async def test_a_blocked_visitor_is_shown_none(shop: Shop) -> None:
    trigger = await shop.add()
    visitor = shop.visitor()
    known = await shop.module.visitors.visitors.get_or_create(visitor.tenant_id, visitor.site_id, visitor.session, None)
    await shop.module.visitors.visitors.update(known, {"blocked": "ai"})
    assert await shop.show(visitor, trigger) is None


async def test_a_preview_shows_one_trigger_of_one_site_for_an_hour(shop: Shop) -> None:
    draft = await shop.add(enabled=False)
    path = f"{shop.path}/triggers/{draft}/preview"
    token = (await shop.app.call("POST", path, shop.owner)).ok()["token"]
    triggers, visitor = shop.module.triggers, shop.visitor()
    previewed = await triggers.find_previewed(visitor, token)
    assert previewed is not None
    assert previewed.id == draft
    other = VisitorCaller(visitor.tenant_id, (await shop.app.create_site(shop.owner))["id"], visitor.session)
    assert await triggers.find_previewed(other, token) is None
    for wrong in ("", "x", "é", token[:-1], "B" + token[1:], token + "AAAA"):
        assert await triggers.find_previewed(visitor, wrong) is None
    assert await shop.counts() == {}
    shop.app.clock.advance(hours=1.1)
    assert await triggers.find_previewed(visitor, token) is None
