"""The HTTP side that services share: the route table, one dispatcher, one error envelope."""

from parley.common.http.app import TABLE, build_app
from parley.common.http.idempotency import IdempotencyStore, Saved
from parley.common.http.paging import decode_cursor, encode_cursor
from parley.common.http.routes import Call, Rate, Route, Who
from parley.common.http.schemas import Answer, Failure, Id, Page, Query, RequestBody

__all__ = [
    "TABLE",
    "Answer",
    "Call",
    "Failure",
    "Id",
    "IdempotencyStore",
    "Page",
    "Query",
    "Rate",
    "RequestBody",
    "Route",
    "Saved",
    "Who",
    "build_app",
    "decode_cursor",
    "encode_cursor",
]
