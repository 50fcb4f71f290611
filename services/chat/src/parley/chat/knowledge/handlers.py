"""What a site's assistant knows: entries of a question and its answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, StringConstraints

from parley.chat.common_fields import PageQuery, next_cursor
from parley.chat.knowledge.service import Knowledge, KnowledgeEntry
from parley.chat.schemas import Done
from parley.common.auth.identity import OperatorCaller
from parley.common.http import Answer, Call, RequestBody


class EntryBody(RequestBody):
    question: Annotated[str, StringConstraints(max_length=500, pattern=r"\S")]
    answer: Annotated[str, StringConstraints(max_length=4000, pattern=r"\S")]


class EntryView(BaseModel):
    id: int
    question: str
    answer: str


class EntryAnswer(Answer):
    entry: EntryView


class EntriesAnswer(Answer):
    knowledge: list[EntryView]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class KnowledgeHandlers:
    knowledge: Knowledge

    async def page(self, call: Call[OperatorCaller, None, PageQuery]) -> EntriesAnswer:
        limit = call.query.limit
        found = await self.knowledge.page(call.caller, call.path["site_id"], call.query.after, limit)
        following = next_cursor([entry.id for entry in found], limit)
        return EntriesAnswer(knowledge=[_view(entry) for entry in found[:limit]], next_cursor=following)

    async def add(self, call: Call[OperatorCaller, EntryBody, None]) -> EntryAnswer:
        body = call.body
        return EntryAnswer(
            entry=_view(await self.knowledge.add(call.caller, call.path["site_id"], body.question, body.answer))
        )

    async def replace(self, call: Call[OperatorCaller, EntryBody, None]) -> EntryAnswer:
        path, body = call.path, call.body
        entry = await self.knowledge.replace(call.caller, path["site_id"], path["entry_id"], body.question, body.answer)
        return EntryAnswer(entry=_view(entry))

    async def remove(self, call: Call[OperatorCaller, None, None]) -> Done:
        await self.knowledge.remove(call.caller, call.path["site_id"], call.path["entry_id"])
        return Done()


def _view(entry: KnowledgeEntry) -> EntryView:
    return EntryView(id=entry.id, question=entry.question, answer=entry.answer)
