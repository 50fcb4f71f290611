"""The newest messages of a conversation, read from chat over RPC."""

from __future__ import annotations

from parley.common.messaging import RpcClient
from parley.translate.messages.model import Message


class RpcRecentMessages:
    """Implements `RecentMessages`."""

    def __init__(self, chat: RpcClient) -> None:
        self._chat = chat

    async def list(self, conversation_id: int, limit: int) -> list[Message]:
        reply = await self._chat("recent_messages", conversation_id=conversation_id, limit=limit)
        if reply is None:
            return []
        return [
            Message(
                id=message["id"],
                seq=message["seq"],
                role=message["role"],
                content=message["content"],
                translation_status=(message.get("translation") or {}).get("status"),
                browser_language=reply["language"],
                labels=tuple(one["label"] for one in message.get("quick_replies", ())),
            )
            for message in reply["messages"]
        ]
