"""An event as the bytes of a server-sent event, made once and written to many.

A frame carries its HTTP chunk around it, so that writing it to a socket needs nothing more. What operators and
visitors write cannot forge a frame: it is JSON, in which line ends are escaped, and types come from the catalogue.
"""

from __future__ import annotations

import uuid
from typing import Any

import orjson

from parley.common.events import Event, visitor_view
from parley.common.runtime.clock import rfc3339, utc_now

COMMENT = b"3\r\n:\n\n\r\n"
"""A line that says nothing and keeps proxies from closing the connection."""


def operator_frame(event: Event, position: int | None) -> bytes:
    """The event as operators see it. No position: an ephemeral event, from which nobody can resume."""
    payload: dict[str, Any] = {"id": event.id, "type": event.type, "site_id": event.site_id}
    if event.conversation_id is not None:
        payload["conversation_id"] = event.conversation_id
    payload["at"] = rfc3339(event.occurred_at)
    payload["data"] = event.data
    return _frame(position, event.type, payload)


def visitor_frame(operators: bytes) -> bytes:
    """The same event as its visitor sees it, from the operators' frame. Raises Undefined where it is not for them."""
    *place, _, data = unchunked(operators).rstrip(b"\n").split(b"\n")
    payload = orjson.loads(data.removeprefix(b"data: "))
    payload["data"] = visitor_view(payload["type"], payload["data"])
    return _frame(int(place[0].removeprefix(b"id: ")) if place else None, payload["type"], payload)


def own_frame(kind: str, position: int | None, data: dict[str, Any]) -> bytes:
    """`ready` and `reset`: about the stream itself."""
    payload = {"id": uuid.uuid4().hex, "type": kind, "site_id": 0, "at": rfc3339(utc_now()), "data": data}
    return _frame(position, kind, payload)


def retry_frame(milliseconds: int) -> bytes:
    """When the client should come back."""
    return _chunk(b"retry: %d\n\n" % milliseconds)


def unchunked(frame: bytes) -> bytes:
    """The frame without its chunk, for clients of HTTP/1.0."""
    return frame[frame.index(b"\r\n") + 2 : -2]


def _frame(position: int | None, kind: str, payload: dict[str, Any]) -> bytes:
    place = b"id: %d\n" % position if position is not None else b""
    return _chunk(b"%bevent: %b\ndata: %b\n\n" % (place, kind.encode(), orjson.dumps(payload)))


def _chunk(raw: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(raw), raw)
