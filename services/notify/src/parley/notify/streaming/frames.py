"""Encode an event as a server-sent event, once for all its streams.

A frame includes its HTTP chunk header, so that it can be written to a socket as it is. User content cannot forge a
frame: the payload is JSON, which escapes line ends, and event types come from the registry.
"""

from __future__ import annotations

import uuid
from typing import Any

import orjson

from parley.common.events import Event, redact_for_visitor
from parley.common.runtime.clock import to_rfc3339, utc_now

COMMENT = b"3\r\n:\n\n\r\n"
"""An empty SSE comment. Keeps proxies from closing an idle connection."""


def operator_frame(event: Event, event_id: int | None) -> bytes:
    """Encode an event as operators see it. Without an id (ephemeral event) clients cannot resume from it."""
    payload: dict[str, Any] = {"id": event.id, "type": event.type, "site_id": event.site_id}
    if event.conversation_id is not None:
        payload["conversation_id"] = event.conversation_id
    payload["at"] = to_rfc3339(event.occurred_at)
    payload["data"] = event.data
    return _sse_frame(event_id, event.type, payload)


def visitor_frame(frame: bytes) -> bytes:
    """Derive the visitor's frame from the operators'. Raises UnknownEvent for an event that visitors may not see."""
    *id_line, _, data = strip_chunk(frame).rstrip(b"\n").split(b"\n")
    payload = orjson.loads(data.removeprefix(b"data: "))
    payload["data"] = redact_for_visitor(payload["type"], payload["data"])
    return _sse_frame(int(id_line[0].removeprefix(b"id: ")) if id_line else None, payload["type"], payload)


def control_frame(event_type: str, event_id: int | None, data: dict[str, Any]) -> bytes:
    """Encode `ready` or `reset`: an event about the stream itself."""
    payload = {"id": uuid.uuid4().hex, "type": event_type, "site_id": 0, "at": to_rfc3339(utc_now()), "data": data}
    return _sse_frame(event_id, event_type, payload)


def retry_frame(milliseconds: int) -> bytes:
    """Encode an SSE `retry:` field: how long the client waits before it reconnects."""
    return _chunk(b"retry: %d\n\n" % milliseconds)


def strip_chunk(frame: bytes) -> bytes:
    """Return the frame without its HTTP chunk, for HTTP/1.0 clients."""
    return frame[frame.index(b"\r\n") + 2 : -2]


def _sse_frame(event_id: int | None, event_type: str, payload: dict[str, Any]) -> bytes:
    id_line = b"id: %d\n" % event_id if event_id is not None else b""
    return _chunk(b"%bevent: %b\ndata: %b\n\n" % (id_line, event_type.encode(), orjson.dumps(payload)))


def _chunk(raw: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(raw), raw)
