"""Endpoints of labels."""

from __future__ import annotations

from dataclasses import dataclass

from parley.chat.labels.schemas import (
    LabelBody,
    LabelChangeBody,
    LabelResponse,
    LabelsQuery,
    LabelsResponse,
    to_schema,
)
from parley.chat.labels.service import LabelService
from parley.chat.paging.schemas import decode_id, encode_id
from parley.chat.schemas import OkResponse
from parley.common.auth.identity import OperatorCaller
from parley.common.http import RequestContext


@dataclass(frozen=True, slots=True)
class LabelHandlers:
    labels: LabelService

    async def list_page(self, context: RequestContext[OperatorCaller, None, LabelsQuery]) -> LabelsResponse:
        query = context.query
        labels = await self.labels.list_page(context.caller, query.site_id, decode_id(query.cursor), query.limit)
        return LabelsResponse(
            labels=[to_schema(label) for label in labels[: query.limit]],
            next_cursor=encode_id([label.id for label in labels], query.limit),
        )

    async def add(self, context: RequestContext[OperatorCaller, LabelBody, None]) -> LabelResponse:
        return LabelResponse(label=to_schema(await self.labels.add(context.caller, context.body.to_draft())))

    async def replace(self, context: RequestContext[OperatorCaller, LabelChangeBody, None]) -> LabelResponse:
        body = context.body
        label = await self.labels.replace(context.caller, context.path["id"], body.name, body.colour.lower())
        return LabelResponse(label=to_schema(label))

    async def delete(self, context: RequestContext[OperatorCaller, None, None]) -> OkResponse:
        await self.labels.delete(context.caller, context.path["id"])
        return OkResponse()
