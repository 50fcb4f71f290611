"""What happens to conversations when a time has come: snoozes end, and visitors who stay silent are left.

On a clock that tests move, with two replicas of which exactly one acts.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from parley.chat.backends import Backends
from parley.chat.conversations.model import Conversation
from parley.chat.conversations.module import ConversationModule
from parley.chat.messages.operator_service import OperatorContent
from parley.chat.settings import ChatSettings
from parley.common.auth.identity import OperatorCaller, Permission, VisitorCaller
from parley.common.messaging import RpcClient
from support.admin_app import AdminTestApp

HOUR = timedelta(hours=1)


class Chat:
    """A site, and two replicas that serve it."""

    def __init__(self, app: AdminTestApp, owner: OperatorCaller, site_id: int, folder: Path) -> None:
        self.app, self.owner, self.site_id = app, owner, site_id
        settings = ChatSettings(
            env="development",
            identity_secret=secrets.token_hex(32),
            amqp_url="amqp://unused",
            mongodb_uri="mongodb://unused",
            storage_dir=folder,
        )
        rpc = {name: RpcClient(name) for name in ("presence", "translate", "notify")}
        backends = Backends(app.mongo, app.broker, app.outbox, rpc)
        self.replicas = [ConversationModule(backends, app.admin, settings, app.clock) for _ in range(2)]
        self.module = self.replicas[0]

    async def settings(self, **fields: Any) -> None:
        (await self.app.call("PUT", f"/api/v1/sites/{self.site_id}/chatbot", self.owner, fields)).ok()
        self.app.admin.cached_sites.clear()

    async def assigned(self) -> tuple[VisitorCaller, Conversation]:
        visitor = VisitorCaller(self.owner.tenant_id, self.site_id, f"sess_{secrets.token_hex(16)}")
        received = await self.module.visitor_messages.receive(visitor, "Hallo?", language="de-AT")
        return visitor, await self.module.conversations.accept(self.owner, received.conversation.id)

    async def get(self, conversation_id: int) -> Conversation:
        return await self.module.queries.find(self.owner, conversation_id)

    async def texts(self, conversation: Conversation) -> Sequence[tuple[str, str]]:
        _, messages = await self.module.queries.list_messages(
            self.owner, conversation.id, before_seq=None, after_seq=None, limit=50
        )
        return [(message.role, message.content) for message in messages]

    async def wake(self) -> int:
        return sum(await asyncio.gather(*(replica.snoozes.wake_due() for replica in self.replicas)))

    async def check_silences(self) -> int:
        return sum(await asyncio.gather(*(replica.visitor_silences.check_due() for replica in self.replicas)))


@pytest.fixture
async def chat(isolated_app: AdminTestApp, tmp_path: Path) -> Chat:
    owner = await isolated_app.create_tenant()
    site = await isolated_app.create_site(owner)
    caller = await isolated_app.get_caller(owner.operator_id)
    return Chat(isolated_app, caller.with_required_permission(Permission.CHAT), site["id"], tmp_path)


async def test_a_snooze_ends_once_at_its_time(chat: Chat) -> None:
    _, conversation = await chat.assigned()
    until = chat.app.clock() + HOUR
    snoozed = await chat.module.conversations.snooze(chat.owner, conversation.id, until)
    assert (snoozed.snoozed_until, snoozed.due_at) == (until, None)
    assert await chat.wake() == 0
    chat.app.clock.advance(minutes=59)
    assert await chat.wake() == 0
    chat.app.clock.advance(minutes=2)
    assert await chat.wake() == 1
    assert await chat.wake() == 0
    woken = await chat.get(conversation.id)
    assert woken.snoozed_until is None
    assert woken.due_at is not None, "the visitor, who waits for a reply, has an operator with a deadline again"
    assert [entry.action for entry in woken.history[-2:]] == ["snoozed", "woken"]


async def test_a_snooze_of_a_deleted_site_does_not_stop_others(chat: Chat) -> None:
    deleted = await chat.app.create_site(await chat.app.get_caller(chat.owner.operator_id))
    owner = (await chat.app.get_caller(chat.owner.operator_id)).with_required_permission(Permission.CHAT)
    visitor = VisitorCaller(owner.tenant_id, deleted["id"], f"sess_{secrets.token_hex(16)}")
    lost = (await chat.module.visitor_messages.receive(visitor, "Hello")).conversation
    _, conversation = await chat.assigned()
    for one in (lost, conversation):
        await chat.module.conversations.snooze(owner, one.id, chat.app.clock() + HOUR)
        chat.app.clock.advance(seconds=1)
    (await chat.app.call("DELETE", f"/api/v1/sites/{deleted['id']}", owner)).ok()
    chat.app.clock.advance(hours=1, minutes=1)
    assert await chat.wake() == 2


async def test_an_overdue_reply_on_a_deleted_site_does_not_stop_others(chat: Chat) -> None:
    deleted = await chat.app.create_site(await chat.app.get_caller(chat.owner.operator_id))
    owner = (await chat.app.get_caller(chat.owner.operator_id)).with_required_permission(Permission.CHAT)
    visitor = VisitorCaller(owner.tenant_id, deleted["id"], f"sess_{secrets.token_hex(16)}")
    lost = (await chat.module.visitor_messages.receive(visitor, "Hello")).conversation
    await chat.module.conversations.accept(owner, lost.id)
    chat.app.clock.advance(seconds=1)
    _, conversation = await chat.assigned()
    (await chat.app.call("DELETE", f"/api/v1/sites/{deleted['id']}", owner)).ok()
    chat.app.clock.advance(hours=24)
    assert await chat.module.operator_timeouts.return_overdue() == 2
    assert (await chat.get(conversation.id)).operator is None


async def test_a_silent_visitor_is_told_and_then_left(chat: Chat) -> None:
    await chat.settings(auto_close_minutes=30, auto_close_notice_minutes=10)
    _, conversation = await chat.assigned()
    await chat.module.operator_messages.send(chat.owner, conversation.id, OperatorContent("Which order?"), None)
    chat.app.clock.advance(minutes=19)
    assert await chat.check_silences() == 0
    assert len(await chat.texts(conversation)) == 2
    chat.app.clock.advance(minutes=2)
    assert await chat.check_silences() == 0
    role, notice = (await chat.texts(conversation))[-1]
    assert role == "system"
    assert "endet in 10 Min" in notice, "in the visitor's language"
    assert await chat.check_silences() == 0
    assert len(await chat.texts(conversation)) == 3, "once"
    chat.app.clock.advance(minutes=11)
    assert await chat.check_silences() == 1
    closed = await chat.get(conversation.id)
    assert (closed.mode, closed.history[-1].action) == ("closed", "closed_for_silence")


async def test_a_message_of_the_visitor_keeps_the_conversation(chat: Chat) -> None:
    await chat.settings(auto_close_minutes=30, auto_close_notice_minutes=10)
    visitor, conversation = await chat.assigned()
    await chat.module.operator_messages.send(chat.owner, conversation.id, OperatorContent("Which order?"), None)
    chat.app.clock.advance(minutes=25)
    await chat.check_silences()
    await chat.module.visitor_messages.receive(visitor, "A-1234")
    chat.app.clock.advance(hours=2)
    assert await chat.check_silences() == 0
    assert (await chat.get(conversation.id)).open


async def test_the_present_setting_counts(chat: Chat) -> None:
    await chat.settings(auto_close_minutes=30)
    _, first = await chat.assigned()
    await chat.module.operator_messages.send(chat.owner, first.id, OperatorContent("Which order?"), None)
    await chat.settings(auto_close_minutes=120)
    chat.app.clock.advance(minutes=31)
    assert await chat.check_silences() == 0
    chat.app.clock.advance(minutes=90)
    assert await chat.check_silences() == 1, "without a notice, as none is wanted"
    assert len(await chat.texts(first)) == 2
    _, second = await chat.assigned()
    await chat.module.operator_messages.send(chat.owner, second.id, OperatorContent("Which order?"), None)
    await chat.settings(auto_close_minutes=0)
    chat.app.clock.advance(hours=3)
    assert await chat.check_silences() == 0
    assert (await chat.get(second.id)).silence is None
