"""The HTTP side that services share: route tables, one dispatcher, one error envelope, OpenAPI."""

from parley.common.http.app import ROUTES_KEY, build_app
from parley.common.http.idempotency import IdempotencyStore, StoredResponse
from parley.common.http.paging import decode_cursor, encode_cursor
from parley.common.http.routes import CallerType, RateLimitClass, RequestContext, Route
from parley.common.http.schemas import ErrorResponse, Id, PageSize, Query, RequestBody, SuccessResponse

__all__ = [
    "ROUTES_KEY",
    "CallerType",
    "ErrorResponse",
    "Id",
    "IdempotencyStore",
    "PageSize",
    "Query",
    "RateLimitClass",
    "RequestBody",
    "RequestContext",
    "Route",
    "StoredResponse",
    "SuccessResponse",
    "build_app",
    "decode_cursor",
    "encode_cursor",
]
