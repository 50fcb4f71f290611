"""Endpoints of saved views."""

from __future__ import annotations

from dataclasses import dataclass

from parley.chat.paging.schemas import PageQuery, decode_id, encode_id
from parley.chat.schemas import OkResponse
from parley.chat.views.schemas import ViewBody, ViewCountsResponse, ViewResponse, ViewsResponse, to_count, to_schema
from parley.chat.views.service import ViewService
from parley.common.auth.identity import OperatorCaller
from parley.common.http import RequestContext


@dataclass(frozen=True, slots=True)
class ViewHandlers:
    views: ViewService

    async def list_page(self, context: RequestContext[OperatorCaller, None, PageQuery]) -> ViewsResponse:
        query = context.query
        views = await self.views.list_page(context.caller, decode_id(query.cursor), query.limit)
        return ViewsResponse(
            views=[to_schema(view) for view in views[: query.limit]],
            next_cursor=encode_id([view.id for view in views], query.limit),
        )

    async def count(self, context: RequestContext[OperatorCaller, None, None]) -> ViewCountsResponse:
        return ViewCountsResponse(counts=[to_count(count) for count in await self.views.count(context.caller)])

    async def add(self, context: RequestContext[OperatorCaller, ViewBody, None]) -> ViewResponse:
        return ViewResponse(view=to_schema(await self.views.add(context.caller, context.body.to_draft())))

    async def replace(self, context: RequestContext[OperatorCaller, ViewBody, None]) -> ViewResponse:
        view = await self.views.replace(context.caller, context.path["id"], context.body.to_draft())
        return ViewResponse(view=to_schema(view))

    async def delete(self, context: RequestContext[OperatorCaller, None, None]) -> OkResponse:
        await self.views.delete(context.caller, context.path["id"])
        return OkResponse()
