"""Operators look after visitors: write down who they are, block them, let them in again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, StringConstraints

from parley.chat.schemas import ConversationAnswer, VisitorAnswer
from parley.chat.visitors.service import Visitors
from parley.common.auth.identity import OperatorCaller
from parley.common.events.schemas import BlockType
from parley.common.http import Call, RequestBody

EMAIL = r"^[^@\s<>\"]{1,64}@[^@\s<>\"]{1,190}$"
PHONE = r"^[0-9+()./ -]{3,40}$"

Name = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
Email = Annotated[str, StringConstraints(strip_whitespace=True, max_length=254, pattern=EMAIL)]
Phone = Annotated[str, StringConstraints(strip_whitespace=True, max_length=40, pattern=PHONE)]
InfoKey = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=r"^[^.$\x00]+$")]
InfoValue = Annotated[str, StringConstraints(max_length=1000)]


class Details(RequestBody):
    """What to write down; a field that is absent stays as it is, null empties it."""

    name: Name | None = None
    email: Email | None = None
    phone: Phone | None = None
    info: Annotated[dict[InfoKey, InfoValue], Field(max_length=50)] | None = None


class Block(RequestBody):
    blocked: bool
    block_type: BlockType = "both"


@dataclass(frozen=True, slots=True)
class VisitorHandlers:
    visitors: Visitors

    async def describe(self, call: Call[OperatorCaller, Details, None]) -> ConversationAnswer:
        details = call.body.model_dump(exclude_unset=True)
        if "info" in details and details["info"] is None:
            details["info"] = {}
        described = await self.visitors.describe(call.caller, call.path["id"], details)
        return ConversationAnswer(conversation=described.view())

    async def block(self, call: Call[OperatorCaller, Block, None]) -> VisitorAnswer:
        block_type = call.body.block_type if call.body.blocked else None
        visitor = await self.visitors.block(call.caller, call.path["id"], block_type)
        return VisitorAnswer(visitor=visitor.view())
