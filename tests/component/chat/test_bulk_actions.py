"""Bulk actions when the database fails."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pymongo.errors import AutoReconnect

from parley.chat.bulk_actions.model import BulkRequest
from support.admin_app import AdminTestApp
from support.ai_replicas import Shop


class FailingOnce:
    """A repository of conversations that fails for one of them."""

    def __init__(self, repository: Any, conversation_id: int) -> None:
        self._repository, self._conversation_id = repository, conversation_id

    def __getattr__(self, name: str) -> Any:
        return getattr(self._repository, name)

    async def find(self, tenant_id: int, conversation_id: int) -> Any:
        if conversation_id == self._conversation_id:
            raise AutoReconnect("the connection was closed")
        return await self._repository.find(tenant_id, conversation_id)


async def test_an_error_of_the_database_concerns_one_conversation(app: AdminTestApp) -> None:
    """The others have their results, and can be undone."""
    shop = await Shop.create(app)
    module = app.conversations
    ids = []
    for _ in range(3):
        received = await module.visitor_messages.receive(shop.new_visitor(), "Hello")
        ids.append(received.conversation.id)
    actions = module.bulk_actions
    repository: Any = FailingOnce(actions.changes.conversations.conversations, ids[1])
    conversations = replace(actions.changes.conversations, conversations=repository)
    failing = replace(actions, changes=replace(actions.changes, conversations=conversations))
    outcome = await failing.perform(shop.owner, BulkRequest("close", ids))
    codes = [result.error and result.error.code for result in outcome.results]
    assert codes == [None, "unavailable", None]
    assert outcome.action_id is not None
    undone = await actions.undo(shop.owner, outcome.action_id)
    assert [(result.conversation_id, result.error) for result in undone.results] == [(ids[0], None), (ids[2], None)]
