"""From a route table to an application: one dispatcher that checks the caller, reads the request, and answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable
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
from parley.common.observability import metrics, tracing
from parley.common.observability.logging import get_logger, start_or_continue_trace
from parley.common.observability.tracing import SpanKind

log = get_logger(__name__)

MAX_JSON_BYTES = 64 * 1024
"""The largest JSON body, in bytes."""

ROUTES_KEY: web.AppKey[list[Route]] = web.AppKey("table", list)
"""The routes that an application serves, for whoever holds them against something."""


def build_app(
    routes: Iterable[Route],
    *,
    signer: IdentitySigner,
    transient_errors: tuple[type[Exception], ...] = (),
    idempotency: IdempotencyStore | None = None,
    max_body_bytes: int = MAX_JSON_BYTES,
    unready_reasons: Callable[[], dict[str, str]] = dict,
) -> web.Application:
    """An application that serves the table. `outages` are the exceptions that mean «a part is away»: 503.

    `ready` says what is missing, by part, when the gateway asks (`Service.faults`).
    """
    table = list(routes)
    described = build_openapi(table)

    async def openapi(_: RequestContext[Any, None, None]) -> web.Response:
        return web.json_response(described)

    table.append(
        Route(
            "GET", "/internal/openapi", openapi, CallerType.GATEWAY, None, "This service's part of the OpenAPI document"
        )
    )
    table.append(_readiness(unready_reasons))
    app = web.Application(middlewares=[_outermost(transient_errors)], client_max_size=max_body_bytes)
    app[ROUTES_KEY] = table
    if tracing.enabled():
        end_spans_at_stream_start(app)
    dispatcher = _Dispatcher(signer, idempotency)
    for route in table:
        app.router.add_route(route.method, route.path, dispatcher.serve(route))
    return app


def _readiness(ready: Callable[[], dict[str, str]]) -> Route:
    async def show(_: RequestContext[Any, None, None]) -> web.Response:
        faults = ready()
        return web.json_response({"ready": not faults, "faults": faults}, status=503 if faults else 200)

    return Route("GET", "/internal/ready", show, CallerType.GATEWAY, None, "Whether this replica can do its work")


def _outermost(outages: tuple[type[Exception], ...]) -> Any:
    @web.middleware
    async def outermost(request: web.Request, handler: AiohttpHandler) -> web.StreamResponse:
        traceparent = request.headers.get("traceparent")
        trace = start_or_continue_trace(request.headers.get("X-Request-Id"), traceparent)
        started = time.perf_counter()
        route = _route_of(request)
        with tracing.span(
            f"{request.method} {route}", SpanKind.SERVER, request_attributes(request.method, route), parent=traceparent
        ) as span:
            attach_span(request, span)
            response = await _answered(request, handler, outages)
            record_status(span, response.status)
        if not response.prepared:
            response.headers["X-Request-Id"] = trace.request_id
        metrics.HTTP_REQUESTS.labels(request.method, route, str(response.status)).inc()
        metrics.HTTP_SECONDS.labels(route).observe(time.perf_counter() - started)
        return response

    return outermost


async def _answered(
    request: web.Request, handler: AiohttpHandler, outages: tuple[type[Exception], ...]
) -> web.StreamResponse:
    """The answer, also where it is a failure. Raises ConnectionResetError."""
    try:
        return await handler(request)
    except errors.ParleyError as exc:
        return error_responses.error_response(exc)
    except web.HTTPException as exc:
        return error_responses.http_error_response(exc)
    except outages as exc:
        log.warning("part_unavailable", error=repr(exc)[:300])
        return error_responses.error_response(errors.Unavailable())
    except ConnectionResetError:
        raise
    except Exception:
        log.exception("unforeseen_failure", route=_route_of(request))
        return error_responses.internal_error_response()


def _route_of(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "unmatched"


class _Dispatcher:
    def __init__(self, signer: IdentitySigner, idempotency: IdempotencyStore | None) -> None:
        self._signer = signer
        self._idempotency = idempotency
        self._under_way: set[asyncio.Task[web.StreamResponse]] = set()

    def serve(self, route: Route) -> Callable[[web.Request], Any]:
        async def respond(request: web.Request) -> web.StreamResponse:
            caller = self._admit(route, request)
            path = _path(request)
            query = _query(route, request)
            raw = await _raw(route, request)
            body = _body(route, raw)
            key = parse_idempotency_key(request.headers.get("Idempotency-Key")) if route.method == "POST" else None
            call = RequestContext(caller, body, query, path, request, key)
            if route.method == "GET" or route.response_model is None:
                return _respond(route, await route.handler(call))
            return await self._to_the_end(self._change(route, call, raw))

        return respond

    def _admit(self, route: Route, request: web.Request) -> Caller:
        caller = self._signer.verify(request.headers.get(IDENTITY_HEADER))
        if not isinstance(caller, route.caller_type.value):
            raise errors.Unauthenticated
        if isinstance(caller, OperatorCaller):
            if route.owner_only and not caller.owner:
                raise errors.Forbidden("Only an owner may do this.")
            return caller.with_required_permission(route.required_permission)
        return cast("Caller", caller)

    async def _change(self, route: Route, call: RequestContext[Any, Any, Any], raw: bytes) -> web.StreamResponse:
        remembered = not route.handles_idempotency and route.caller_type is not CallerType.GATEWAY
        if call.idempotency_key is None or self._idempotency is None or not remembered:
            return _respond(route, await route.handler(call))
        return await self._once(self._idempotency, route, call, raw)

    async def _to_the_end(self, work: Coroutine[Any, Any, web.StreamResponse]) -> web.StreamResponse:
        """A change that has begun is finished also when its client leaves: half of one helps nobody."""
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return await asyncio.shield(task)

    async def _once(
        self, store: IdempotencyStore, route: Route, call: RequestContext[Any, Any, Any], raw: bytes
    ) -> web.StreamResponse:
        assert call.idempotency_key is not None
        scope = build_scope(call.caller, call.idempotency_key)
        mark = raw or str(call.request.content_length or 0).encode()
        saved = await store.begin(scope, build_fingerprint(route.method, call.request.path_qs, mark))
        if saved is not None:
            return web.Response(
                status=saved.status,
                body=decrypt_response(call.idempotency_key, saved.body),
                content_type="application/json",
                headers={"Idempotent-Replayed": "true"},
            )
        try:
            response = _respond(route, await route.handler(call))
        except errors.ParleyError as exc:
            response = error_responses.error_response(exc)
            if exc.category in (errors.ErrorCategory.UNAVAILABLE, errors.ErrorCategory.TOO_MANY_REQUESTS):
                await store.abandon(scope)
                return response
        except BaseException:
            await store.abandon(scope)
            raise
        if isinstance(response, web.Response) and isinstance(response.body, bytes):
            await store.finish(
                scope, StoredResponse(response.status, encrypt_response(call.idempotency_key, response.body))
            )
        return response


def _respond(route: Route, answer: BaseModel | web.StreamResponse) -> web.StreamResponse:
    if isinstance(answer, web.StreamResponse):
        return answer
    return web.Response(
        status=route.status,
        body=answer.__pydantic_serializer__.to_json(answer),
        content_type="application/json",
    )


def _path(request: web.Request) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, value in request.match_info.items():
        if not value.isascii() or not value.isdigit() or not 1 <= int(value[:20]) <= MAX_ID:
            raise errors.NotFound
        found[name] = int(value)
    return found


def _query(route: Route, request: web.Request) -> Any:
    if route.query is None:
        return None
    try:
        return route.query.model_validate(dict(request.query))
    except ValidationError as exc:
        raise error_responses.validation_error(exc) from exc


async def _raw(route: Route, request: web.Request) -> bytes:
    """The body as it came, for routes that take JSON. Raises TooLarge, UnsupportedMedia."""
    if route.request_media_type != "application/json":
        if not request.content_type.startswith(route.request_media_type):
            raise errors.UnsupportedMediaType(f"This takes {route.request_media_type}.")
        return b""
    if route.body is None and not request.can_read_body:
        return b""
    try:
        raw = await request.read()
    except web.HTTPRequestEntityTooLarge as exc:
        raise errors.PayloadTooLarge(f"The body may have at most {MAX_JSON_BYTES} bytes.") from exc
    if raw and route.body is not None and request.content_type != "application/json":
        raise errors.UnsupportedMediaType("This takes application/json.")
    return raw


def _body(route: Route, raw: bytes) -> Any:
    if route.body is None:
        return None
    if not raw.strip():
        raw = b"{}"
    try:
        return route.body.model_validate_json(raw)
    except ValidationError as exc:
        raise error_responses.validation_error(exc) from exc
