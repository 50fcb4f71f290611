"""What is to be sent for a request, asked of chat over RPC. Not cached: what was erased meanwhile is not sent."""

from __future__ import annotations

from parley.common.messaging import RpcClient
from parley.notify.mail.model import MailContent


class ChatMailContents:
    """A MailContentReader."""

    def __init__(self, rpc: RpcClient) -> None:
        self._rpc = rpc

    async def find(self, request_id: str) -> MailContent | None:
        mail = await self._rpc("transcript_mail", request_id=request_id)
        if mail is None:
            return None
        return MailContent(mail["to"], mail["subject"], mail["text"], mail["html"], mail["language"])
