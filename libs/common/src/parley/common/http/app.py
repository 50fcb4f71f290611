"""Builds an application from a route table: one dispatcher authorizes the caller, parses the request, and responds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import cache, partial
from typing import Any, cast

from aiohttp import web
from aiohttp.typedefs import Handler as AiohttpHandler
from pydantic import BaseModel, ValidationError

from parley.common import errors
from parley.common.auth.identity import IDENTITY_HEADER, Caller, IdentitySigner, OperatorCaller
from parley.common.http import error_responses
from parley.common.http.idempotency import (
    IdempotencyStore,
    StoredResponse,
    build_fingerprint,
    build_scope,
    decrypt_response,
    encrypt_response,
    parse_idempotency_key,
)
from parley.common.http.instrumentation import attach_span, end_spans_at_stream_start, record_status, request_attributes
from parley.common.http.openapi import build_openapi
from parley.common.http.routes import CallerType, RequestContext, Route
from parley.common.http.schemas import MAX_ID
from parley.common.http.timeouts import IDEMPOTENCY_RENEWAL_SECONDS
from parley.common.observability import metrics, tracing
from parley.common.observability.logging import get_logger, start_or_continue_trace
from parley.common.observability.tracing import SpanKind
from parley.common.runtime.tasks import cancel_and_wait, keep_running

log = get_logger(__name__)

MAX_JSON_BYTES = 128 * 1024
"""8,000 characters have up to 96,000 bytes in JSON, if a client escapes them all."""

ROUTES_KEY: web.AppKey[list[Route]] = web.AppKey("routes", list)
"""The route table of an application, for tests and tools that compare it with something."""

_MAX_ID_DIGITS = 20

_CLIENT_LEFT = 499
_RETRYABLE = (errors.ErrorCategory.UNAVAILABLE, errors.ErrorCategory.TOO_MANY_REQUESTS)
"""Errors that are not stored for an idempotency key, since a retry may succeed."""


def build_app(
    routes: Iterable[Route],
    *,
    signer: IdentitySigner,
    transient_errors: tuple[type[Exception], ...] = (),
    idempotency: IdempotencyStore | None = None,
    max_body_bytes: int = MAX_JSON_BYTES,
    unready_reasons: Callable[[], dict[str, str]] = dict,
) -> web.Application:
    """Build an application that serves a route table, `/internal/openapi` and `/internal/ready`.

    `transient_errors` are the exceptions of an unavailable dependency, answered with 503. `unready_reasons` returns why
    this replica is not ready, by component (`Service.unready_reasons`).
    """
    table = list(routes)
    table += [_openapi_route(tuple(table)), _readiness_route(unready_reasons)]
    app = web.Application(middlewares=[_observability_middleware(transient_errors)], client_max_size=max_body_bytes)
    app[ROUTES_KEY] = table
    if tracing.enabled():
        end_spans_at_stream_start(app)
    dispatcher = _Dispatcher(signer, idempotency)
    for route in table:
        app.router.add_route(route.method, route.path, dispatcher.build_handler(route))
    return app


def _openapi_route(table: Sequence[Route]) -> Route:
    @cache
    def build_document() -> dict[str, Any]:
        # At the first request: it builds every schema of the service, and few processes are asked for it.
        return build_openapi(table)

    async def get_openapi(_: RequestContext[Any, None, None]) -> web.Response:
        return web.json_response(build_document())

    summary = "This service's part of the OpenAPI document"
    return Route("GET", "/internal/openapi", get_openapi, CallerType.GATEWAY, None, summary)


def _readiness_route(unready_reasons: Callable[[], dict[str, str]]) -> Route:
    async def get_readiness(_: RequestContext[Any, None, None]) -> web.Response:
        reasons = unready_reasons()
        return web.json_response({"ready": not reasons, "faults": reasons}, status=503 if reasons else 200)

    return Route("GET", "/internal/ready", get_readiness, CallerType.GATEWAY, None, "Whether this replica is ready")


def _observability_middleware(transient_errors: tuple[type[Exception], ...]) -> Any:
    @web.middleware
    async def observe(request: web.Request, handler: AiohttpHandler) -> web.StreamResponse:
        traceparent = request.headers.get("traceparent")
        trace = start_or_continue_trace(request.headers.get("X-Request-Id"), traceparent)
        started = time.perf_counter()
        route = _route_template(request)
        with tracing.span(
            f"{request.method} {route}", SpanKind.SERVER, request_attributes(request.method, route), parent=traceparent
        ) as span:
            attach_span(request, span)
            response = await _handle_errors(request, handler, transient_errors)
            record_status(span, response.status)
        if not response.prepared:
            response.headers["X-Request-Id"] = trace.request_id
        metrics.http_requests(request.method, route, response.status).inc()
        metrics.http_seconds(route).observe(time.perf_counter() - started)
        return response

    return observe


async def _handle_errors(
    request: web.Request, handler: AiohttpHandler, transient_errors: tuple[type[Exception], ...]
) -> web.StreamResponse:
    """Return the handler's response, or the response for its exception.

    Raises ConnectionResetError, which ends the connection, if a response is broken off while the client is there.
    """
    try:
        return await handler(request)
    except errors.ParleyError as exc:
        return error_responses.error_response(exc)
    except web.HTTPException as exc:
        return error_responses.http_error_response(exc)
    except transient_errors as exc:
        log.warning("dependency_unavailable", error=repr(exc)[:300])
        return error_responses.error_response(errors.Unavailable())
    except ConnectionResetError:
        if request.transport is not None and not request.transport.is_closing():
            raise
        # The client has left in the middle of a stream: nobody reads this, and aiohttp logs no error.
        return web.Response(status=_CLIENT_LEFT)
    except Exception:
        log.exception("unhandled_exception", route=_route_template(request))
        return error_responses.internal_error_response()


def _route_template(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "unmatched"


def _require_key_scope(route: Route, caller: OperatorCaller) -> None:
    """What belongs to the operator and to no site is changed by a scoped API key only if the route names its scope."""
    is_restricted = route.method != "GET" and route.required_permission is None and not route.owner_only
    if is_restricted and caller.api_key_scopes is not None and not caller.api_key_scopes & route.key_scopes:
        raise errors.Forbidden("The scopes of this API key do not include this.")


class _Dispatcher:
    """Turns routes into aiohttp handlers."""

    def __init__(self, signer: IdentitySigner, idempotency: IdempotencyStore | None) -> None:
        self._signer = signer
        self._idempotency = idempotency
        self._in_flight: set[asyncio.Task[web.StreamResponse]] = set()

    def build_handler(self, route: Route) -> Callable[[web.Request], Any]:
        async def handle(request: web.Request) -> web.StreamResponse:
            caller = self._authorize(route, request)
            path = _parse_path(request)
            query = _parse_query(route, request)
            raw_body = await _read_body(route, request)
            body = _parse_body(route, raw_body)
            key = parse_idempotency_key(request.headers.get("Idempotency-Key")) if route.method == "POST" else None
            context = RequestContext(caller, body, query, path, request, key)
            if route.response_model is None:
                # A stream, which ends with its client.
                return _to_response(route, await route.handler(context))
            return await self._shield_from_disconnect(self._execute(route, context, raw_body))

        return handle

    def _authorize(self, route: Route, request: web.Request) -> Caller:
        caller = self._signer.verify(request.headers.get(IDENTITY_HEADER), route.required_permission)
        if not isinstance(caller, route.caller_type.value):
            raise errors.Unauthenticated
        if isinstance(caller, OperatorCaller):
            if route.owner_only and not caller.owner:
                raise errors.Forbidden("Only an owner may do this.")
            _require_key_scope(route, caller)
        return cast("Caller", caller)

    async def _execute(
        self, route: Route, context: RequestContext[Any, Any, Any], raw_body: bytes
    ) -> web.StreamResponse:
        stores_responses = not route.handles_idempotency and route.caller_type is not CallerType.GATEWAY
        if context.idempotency_key is None or self._idempotency is None or not stores_responses:
            return _to_response(route, await route.handler(context))
        return await self._execute_idempotent(self._idempotency, route, context, context.idempotency_key, raw_body)

    async def _shield_from_disconnect(self, work: Coroutine[Any, Any, web.StreamResponse]) -> web.StreamResponse:
        """Complete the work also if its client disconnects: no change is half done, no driver's call cancelled."""
        task = asyncio.create_task(work)
        self._in_flight.add(task)
        task.add_done_callback(self._in_flight.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(_log_unseen_failure)
            raise

    async def _execute_idempotent(
        self,
        store: IdempotencyStore,
        route: Route,
        context: RequestContext[Any, Any, Any],
        key: str,
        raw_body: bytes,
    ) -> web.StreamResponse:
        """Execute the first request with a key, and replay its response for further ones."""
        scope = build_scope(context.caller, key)
        fingerprinted = raw_body or str(context.request.content_length or 0).encode()
        stored = await store.begin(scope, build_fingerprint(route.method, context.request.path_qs, fingerprinted))
        if stored is not None:
            return web.Response(
                status=stored.status,
                body=decrypt_response(key, stored.body),
                content_type="application/json",
                headers={"Idempotent-Replayed": "true"},
            )
        try:
            async with _keep_claim(store, scope):
                response = _to_response(route, await route.handler(context))
        except errors.ParleyError as exc:
            response = error_responses.error_response(exc)
            if exc.category in _RETRYABLE:
                await store.abandon(scope)
                return response
        except BaseException:
            await store.abandon(scope)
            raise
        if isinstance(response, web.Response) and isinstance(response.body, bytes):
            await _finish(store, scope, StoredResponse(response.status, encrypt_response(key, response.body)))
        return response


def _log_unseen_failure(task: asyncio.Task[web.StreamResponse]) -> None:
    """Log that a request failed whose client had gone: nobody else reads the exception."""
    if not task.cancelled() and (exc := task.exception()) is not None and not isinstance(exc, errors.ParleyError):
        log.warning("request_failed_without_client", error=repr(exc)[:300])


async def _finish(store: IdempotencyStore, scope: str, response: StoredResponse) -> None:
    try:
        await store.finish(scope, response)
    except Exception as exc:
        # What the request has done is done: after an error, its client would have it done again.
        log.warning("idempotent_response_not_stored", error=repr(exc)[:300])


@asynccontextmanager
async def _keep_claim(store: IdempotencyStore, scope: str) -> AsyncIterator[None]:
    """Keep the claim on a key while its request is in flight. A task begins only for one that takes long."""
    renewals: list[asyncio.Task[None]] = []

    def begin() -> None:
        renewals.append(keep_running(partial(_renew_claim, store, scope), "idempotency-claim"))

    timer = asyncio.get_running_loop().call_later(IDEMPOTENCY_RENEWAL_SECONDS, begin)
    try:
        yield
    finally:
        timer.cancel()
        await cancel_and_wait(*renewals)


async def _renew_claim(store: IdempotencyStore, scope: str) -> None:
    while True:
        await store.renew(scope)
        await asyncio.sleep(IDEMPOTENCY_RENEWAL_SECONDS)


def _to_response(route: Route, result: BaseModel | web.StreamResponse) -> web.StreamResponse:
    if isinstance(result, web.StreamResponse):
        return result
    return web.Response(
        status=route.status,
        body=result.__pydantic_serializer__.to_json(result),
        content_type="application/json",
    )


def _parse_path(request: web.Request) -> dict[str, int]:
    """Parse the ids in the path. Raises NotFound for anything but a valid id."""
    ids: dict[str, int] = {}
    for name, value in request.match_info.items():
        if not value.isascii() or not value.isdigit() or not 1 <= int(value[:_MAX_ID_DIGITS]) <= MAX_ID:
            raise errors.NotFound
        ids[name] = int(value)
    return ids


def _parse_query(route: Route, request: web.Request) -> Any:
    if route.query is None:
        return None
    try:
        return route.query.model_validate(dict(request.query))
    except ValidationError as exc:
        raise error_responses.validation_error(exc) from exc


async def _read_body(route: Route, request: web.Request) -> bytes:
    """Read the body of a route that takes JSON. Raises PayloadTooLarge, UnsupportedMediaType."""
    if route.request_media_type != "application/json":
        if not request.content_type.startswith(route.request_media_type):
            raise errors.UnsupportedMediaType(f"The body must be {route.request_media_type}.")
        return b""
    if route.body is None and not request.can_read_body:
        return b""
    try:
        raw_body = await request.read()
    except web.HTTPRequestEntityTooLarge as exc:
        raise errors.PayloadTooLarge(f"The body may have at most {MAX_JSON_BYTES} bytes.") from exc
    if raw_body and route.body is not None and request.content_type != "application/json":
        raise errors.UnsupportedMediaType("The body must be application/json.")
    return raw_body


def _parse_body(route: Route, raw_body: bytes) -> Any:
    if route.body is None:
        return None
    try:
        return route.body.parse_json(raw_body)
    except ValidationError as exc:
        raise error_responses.validation_error(exc) from exc
