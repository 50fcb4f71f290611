"""The route table of the event streams."""

from __future__ import annotations

from parley.common.auth.identity import Permission
from parley.common.http import CallerType, Route
from parley.notify.streaming.handlers import StreamHandlers
from parley.notify.streaming.schemas import OperatorStreamQuery, StreamQuery

_EVENT_STREAM = "text/event-stream"


def stream_routes(streams: StreamHandlers) -> list[Route]:
    return [
        Route(
            "GET",
            "/api/v1/operator/stream",
            streams.stream_for_operator,
            CallerType.OPERATOR,
            None,
            "Live events of the caller's sites, as server-sent events; resumes by Last-Event-ID",
            required_permission=Permission.VIEW,
            query=OperatorStreamQuery,
            response_media_type=_EVENT_STREAM,
        ),
        Route(
            "GET",
            "/api/v1/chat/events",
            streams.stream_for_visitor,
            CallerType.VISITOR,
            None,
            "Live events of the visitor's own conversation, as server-sent events; resumes by Last-Event-ID",
            query=StreamQuery,
            response_media_type=_EVENT_STREAM,
        ),
    ]
