"""What every answer has, whoever made it: request id, security headers, one line in the log, one count."""

from __future__ import annotations

import asyncio
import time
from functools import lru_cache
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler
from prometheus_client import Counter, Histogram

from parley.common import errors
from parley.common.http import error_responses
from parley.common.http.instrumentation import note_status
from parley.common.observability import metrics
from parley.common.observability.logging import continue_trace, current_trace, logger
from parley.gateway.middleware.access_log import AccessLog
from parley.gateway.middleware.instrumentation import first_span
from parley.gateway.proxy.buffered_response import Whole, complete

log = logger(__name__)

CORS_ORIGIN: web.RequestKey[str] = web.RequestKey("cors_origin", str)
"""The origin that has been allowed for this request; its answer says so to the browser."""

_CLIENT_LEFT = 499
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def dress(request: web.Request, response: web.StreamResponse) -> None:
    """Add what every answer has. Before its head is sent."""
    origin = request.get(CORS_ORIGIN)
    if isinstance(response, Whole):
        response.origin = origin
    else:
        response.headers["X-Request-Id"] = current_trace().request_id
        complete(response.headers, origin)
    if not request.content.is_eof():
        # Nobody reads the rest of this body; the connection cannot carry another request.
        response.force_close()


def outermost(access: AccessLog, *, trusted: bool = False) -> Any:
    """The middleware around everything. `trusted`: callers' traces are continued, and their sampling is believed."""

    @web.middleware
    async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
        continue_trace(request.headers.get("X-Request-Id"), request.headers.get("traceparent"))
        started = time.perf_counter()
        status = _CLIENT_LEFT
        method, route = _known_method(request.method), route_of(request)
        with first_span(request, method, route, trusted=trusted) as span:
            try:
                response = await _settled(request, handler)
                if not response.prepared:
                    dress(request, response)
                status = response.status
                return response
            finally:
                note_status(span, status)
                _note(access, method, route, status, time.perf_counter() - started)

    return answer


async def _settled(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except errors.ParleyError as exc:
        return error_responses.failure(exc)
    except web.HTTPException as exc:
        return error_responses.http_failure(exc)
    except (ConnectionResetError, asyncio.CancelledError):
        raise
    except Exception:
        log.exception("unforeseen_failure", route=route_of(request))
        return error_responses.internal_failure()


def _note(access: AccessLog, method: str, route: str, status: int, seconds: float) -> None:
    _counter(method, route, status).inc()
    _seconds(route).observe(seconds)
    access.write(method, route, status, seconds)


@lru_cache(4096)
def _counter(method: str, route: str, status: int) -> Counter:
    # Finding a metric by its labels takes longer than counting it.
    return metrics.HTTP_REQUESTS.labels(method, route, str(status))


@lru_cache(512)
def _seconds(route: str) -> Histogram:
    return metrics.HTTP_SECONDS.labels(route)


def _known_method(method: str) -> str:
    return method if method in _METHODS else "other"  # Anybody can make up methods, and each would be a series.


def route_of(request: web.Request) -> str:
    """The route's template: what may stand in logs and metrics, unlike the path."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "unmatched"
