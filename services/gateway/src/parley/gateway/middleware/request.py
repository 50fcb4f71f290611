"""The outermost middleware: every response gets the standard headers, a line in the access log and a count."""

from __future__ import annotations

import asyncio
import time
from functools import partial

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from parley.common.errors import ParleyError, PayloadTooLarge
from parley.common.http import error_responses
from parley.common.http.instrumentation import record_status
from parley.common.observability import metrics
from parley.common.observability.logging import get_logger, start_or_continue_trace
from parley.gateway.middleware.access_log import AccessLog
from parley.gateway.middleware.instrumentation import start_request_span
from parley.gateway.rate_limit.concurrency_limiter import ConcurrencyLimiter
from parley.gateway.server.client_ip import ClientIpResolver, UntrustedProxyWarning, rate_limit_key
from parley.gateway.server.request_keys import CLIENT_IP, HSTS
from parley.gateway.server.responses import apply_response_headers

log = get_logger(__name__)

MAX_HEAD_BYTES = 32 * 1024
_CLIENT_CLOSED_REQUEST = 499
_KNOWN_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def request_middleware(
    access_log: AccessLog,
    client_ips: ClientIpResolver,
    proxied_requests: ConcurrencyLimiter,
    *,
    trust_traceparent: bool,
    hsts_seconds: int,
) -> Middleware:
    """Build the middleware.

    `proxied_requests` limits the requests in flight of one client behind a trusted proxy, whose connections carry many
    clients. `trust_traceparent` continues the traces of callers with their sampling decision.
    """
    untrusted_proxy = UntrustedProxyWarning()
    hsts = f"max-age={hsts_seconds}" if hsts_seconds else None

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        start_or_continue_trace(request.headers.get("X-Request-Id"), request.headers.get("traceparent"))
        forwarded_for = request.headers.getall("X-Forwarded-For", ())
        peer_ip = request.remote or ""
        client_ip = request[CLIENT_IP] = client_ips.resolve(peer_ip, forwarded_for)
        is_trusted = client_ips.is_trusted(peer_ip)
        if forwarded_for and not is_trusted:
            untrusted_proxy.record(peer_ip)
        if hsts is not None and _is_secure(request, is_trusted=is_trusted):
            request[HSTS] = hsts
        started_at = time.perf_counter()
        status = _CLIENT_CLOSED_REQUEST
        method, route = _metric_method(request.method), _route_template(request)
        with start_request_span(request, method, route, trusted=trust_traceparent) as span:
            try:
                if client_ip == peer_ip:
                    response = await _handle_errors(request, handler)
                else:
                    response = await _handle_errors(request, partial(_handle_proxied, proxied_requests, handler))
                if not response.prepared:
                    apply_response_headers(request, response)
                status = response.status
                return response
            finally:
                record_status(span, status)
                _record(access_log, method, route, status, time.perf_counter() - started_at)

    return middleware


async def _handle_proxied(
    proxied_requests: ConcurrencyLimiter, handler: Handler, request: web.Request
) -> web.StreamResponse:
    with proxied_requests.slot(rate_limit_key(request[CLIENT_IP])):
        return await handler(request)


def _is_secure(request: web.Request, *, is_trusted: bool) -> bool:
    """Return whether the client uses TLS, which usually ends at a proxy."""
    if is_trusted:
        return request.headers.get("X-Forwarded-Proto", request.scheme).split(",")[-1].strip().lower() == "https"
    return request.scheme == "https"


def _check_head_size(request: web.Request) -> None:
    """Raise PayloadTooLarge for a head that the limit of each field allows: it is kept as long as a stream is open."""
    if sum(len(name) + len(value) for name, value in request.raw_headers) > MAX_HEAD_BYTES:
        raise PayloadTooLarge(f"The header fields may have at most {MAX_HEAD_BYTES} bytes together.")


async def _handle_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        _check_head_size(request)
        return await handler(request)
    except ParleyError as exc:
        return error_responses.error_response(exc)
    except web.HTTPException as exc:
        return error_responses.http_error_response(exc)
    except (ConnectionResetError, asyncio.CancelledError):
        raise
    except Exception:
        log.exception("unhandled_exception", route=_route_template(request))
        return error_responses.internal_error_response()


def _record(access_log: AccessLog, method: str, route: str, status: int, seconds: float) -> None:
    metrics.http_requests(method, route, status).inc()
    metrics.http_seconds(route).observe(seconds)
    access_log.write(method, route, status, seconds)


def _metric_method(method: str) -> str:
    # Clients can invent methods; each would be a new time series.
    return method if method in _KNOWN_METHODS else "other"


def _route_template(request: web.Request) -> str:
    """Return the route's template, which may appear in logs and metrics, unlike the path."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "unmatched"
