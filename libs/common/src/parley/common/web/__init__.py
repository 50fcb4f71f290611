"""The HTTP side that services share: the route table, one dispatcher, one error envelope."""

from parley.common.web.answers import Answer, Failure, Id, Page, Query, RequestBody
from parley.common.web.app import TABLE, build_app
from parley.common.web.idempotency import IdempotencyStore, Saved
from parley.common.web.paging import decode_cursor, encode_cursor
from parley.common.web.routes import Call, Rate, Route, Who

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
