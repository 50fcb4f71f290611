"""What the widget reads of a conversation: the messages of operators."""

from __future__ import annotations

import asyncio

from parley.chat.messages.operator_service import OperatorContent
from support.admin_app import AdminTestApp
from support.ai_replicas import Shop


async def test_an_operators_message_is_found_after_many_of_the_visitors(app: AdminTestApp) -> None:
    """A page of messages that has none of an operator is not the end."""
    shop = await Shop.create(app)
    visitor, module = shop.new_visitor(), app.conversations
    received = await module.visitor_messages.receive(visitor, "Hello?")
    conversation = await module.conversations.accept(shop.owner, received.conversation.id)
    await asyncio.gather(*(module.visitor_messages.receive(visitor, f"Are you there? {n}") for n in range(100)))
    await module.operator_messages.send(shop.owner, conversation.id, OperatorContent("Here I am"), None)
    for messages in (
        (await module.widget.list_operator_messages(visitor, 1)).messages,
        (await module.widget.list_unread_proactive(visitor)).messages,
    ):
        assert [message.content for message in messages] == ["Here I am"]
