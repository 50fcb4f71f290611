"""Query parameters of the event streams."""

from __future__ import annotations

from pydantic import Field

from parley.common.http import Query


class StreamQuery(Query):
    """For clients that cannot send the header `Last-Event-ID`."""

    last_event_id: str | None = Field(
        None, max_length=64, description="Where to resume. The header Last-Event-ID takes precedence."
    )


class OperatorStreamQuery(StreamQuery):
    """The gateway reads and removes the token; it is listed here for the OpenAPI document."""

    token: str | None = Field(
        None, max_length=8192, description="A JWT or a stream ticket, since EventSource cannot send headers."
    )
