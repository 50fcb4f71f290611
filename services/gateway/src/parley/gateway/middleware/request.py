"""The outermost middleware: every response gets the standard headers, a line in the access log and a count."""

from __future__ import annotations

import asyncio
import time
from functools import lru_cache

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from prometheus_client import Counter, Histogram

from parley.common.errors import ParleyError
from parley.common.http import error_responses
from parley.common.http.instrumentation import record_status
from parley.common.observability import metrics
from parley.common.observability.logging import get_logger, start_or_continue_trace
from parley.gateway.middleware.access_log import AccessLog
from parley.gateway.middleware.instrumentation import start_request_span
from parley.gateway.server.client_ip import ClientIpResolver
from parley.gateway.server.request_keys import CLIENT_IP
from parley.gateway.server.responses import apply_response_headers

log = get_logger(__name__)

_CLIENT_CLOSED_REQUEST = 499
_KNOWN_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def request_middleware(access_log: AccessLog, client_ips: ClientIpResolver, *, trust_traceparent: bool) -> Middleware:
    """Build the middleware. `trust_traceparent` continues the traces of callers with their sampling decision."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        start_or_continue_trace(request.headers.get("X-Request-Id"), request.headers.get("traceparent"))
        forwarded_for = request.headers.getall("X-Forwarded-For", ())
        request[CLIENT_IP] = client_ips.resolve(request.remote or "", forwarded_for)
        started_at = time.perf_counter()
        status = _CLIENT_CLOSED_REQUEST
        method, route = _metric_method(request.method), _route_template(request)
        with start_request_span(request, method, route, trusted=trust_traceparent) as span:
            try:
                response = await _handle_errors(request, handler)
                if not response.prepared:
                    apply_response_headers(request, response)
                status = response.status
                return response
            finally:
                record_status(span, status)
                _record(access_log, method, route, status, time.perf_counter() - started_at)

    return middleware


async def _handle_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except ParleyError as exc:
        return error_responses.error_response(exc)
    except web.HTTPException as exc:
        return error_responses.http_error_response(exc)
    except (ConnectionResetError, asyncio.CancelledError):
        raise
    except Exception:
        log.exception("unforeseen_failure", route=_route_template(request))
        return error_responses.internal_error_response()


def _record(access_log: AccessLog, method: str, route: str, status: int, seconds: float) -> None:
    _request_counter(method, route, status).inc()
    _duration_histogram(route).observe(seconds)
    access_log.write(method, route, status, seconds)


@lru_cache(4096)
def _request_counter(method: str, route: str, status: int) -> Counter:
    # The lookup of a metric by its labels takes longer than its increment.
    return metrics.HTTP_REQUESTS.labels(method, route, str(status))


@lru_cache(512)
def _duration_histogram(route: str) -> Histogram:
    return metrics.HTTP_SECONDS.labels(route)


def _metric_method(method: str) -> str:
    # Clients can invent methods; each would be a new time series.
    return method if method in _KNOWN_METHODS else "other"


def _route_template(request: web.Request) -> str:
    """Return the route's template, which may appear in logs and metrics, unlike the path."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "unmatched"
