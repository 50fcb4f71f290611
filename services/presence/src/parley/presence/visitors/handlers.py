"""HTTP handlers of the visitor heartbeat and of the visitor lists."""

from __future__ import annotations

from datetime import UTC, datetime

from parley.common.auth.identity import OperatorCaller, VisitorCaller
from parley.common.errors import ValidationFailed
from parley.common.http import RequestContext, decode_cursor, encode_cursor
from parley.presence.visitors.button_texts import find_button_texts
from parley.presence.visitors.model import VisitorCursor, VisitorList
from parley.presence.visitors.page import build_page_info, find_widget_origin
from parley.presence.visitors.schemas import (
    ButtonTextsSchema,
    SiteVisitorListQuery,
    VisitorHeartbeatBody,
    VisitorHeartbeatResponse,
    VisitorListQuery,
    VisitorListResponse,
    WidgetSightingSchema,
)
from parley.presence.visitors.service import VisitorService

_MAX_TIMESTAMP_MILLISECONDS = 253_402_300_799_999
"""The end of the year 9999, the last one that `datetime` knows."""


class VisitorHandlers:
    """`/api/v1/chat/heartbeat`, `/api/v1/operator/online-visitors` and `all-online-visitors`."""

    def __init__(self, service: VisitorService) -> None:
        self._service = service

    async def heartbeat(
        self, context: RequestContext[VisitorCaller, VisitorHeartbeatBody, None]
    ) -> VisitorHeartbeatResponse:
        body, caller = context.body, context.caller
        page = build_page_info(
            body.page,
            body.title,
            body.referrer,
            body.lang or None,
            tracking=caller.page_tracking,
            kept_parameters=caller.page_parameters,
        )
        self._service.record_heartbeat(caller, page, find_widget_origin(body.page))
        return VisitorHeartbeatResponse(
            expires_in=self._service.online_seconds,
            colour=caller.colour,
            page_tracking=caller.page_tracking,
            page_parameters=list(caller.page_parameters),
            triggers=caller.triggers,
            texts=ButtonTextsSchema.model_validate(find_button_texts(body.lang), from_attributes=True),
        )

    async def list_on_site(
        self, context: RequestContext[OperatorCaller, None, SiteVisitorListQuery]
    ) -> VisitorListResponse:
        query = context.query
        after = _parse_cursor(query.cursor)
        return _to_response(await self._service.list_on_site(context.caller, query.site_id, query.limit, after))

    async def list_on_all_sites(
        self, context: RequestContext[OperatorCaller, None, VisitorListQuery]
    ) -> VisitorListResponse:
        query = context.query
        after = _parse_cursor(query.cursor)
        return _to_response(await self._service.list_on_all_sites(context.caller, query.limit, after))


def _to_response(page: VisitorList) -> VisitorListResponse:
    cursor = page.next_cursor
    encoded = None
    if cursor is not None:
        encoded = encode_cursor(int(cursor.since.timestamp() * 1000 + 0.5), cursor.visitor_key)
    widget = page.widget and WidgetSightingSchema(seen_at=page.widget.seen_at, origin=page.widget.origin)
    return VisitorListResponse(visitors=list(page.visitors), next_cursor=encoded, widget=widget)


def _parse_cursor(cursor: str | None) -> VisitorCursor | None:
    """Decode a cursor of a visitor list. Raises ValidationFailed."""
    if cursor is None:
        return None
    milliseconds, visitor_key = decode_cursor(cursor, int, str)
    if not 0 <= milliseconds <= _MAX_TIMESTAMP_MILLISECONDS:
        raise ValidationFailed({"cursor": "is not a cursor of this list"})
    seconds, remainder = divmod(milliseconds, 1000)
    return VisitorCursor(datetime.fromtimestamp(seconds, UTC).replace(microsecond=remainder * 1000), visitor_key)
