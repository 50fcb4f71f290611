"""A collector of traces on this machine: takes OTLP over HTTP as OpenTelemetry's own collector does, in protobuf.

https://opentelemetry.io/docs/specs/otlp/#otlphttp
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as ProtoSpan
from opentelemetry.proto.trace.v1.trace_pb2 import Status

_PROTOBUF = "application/x-protobuf"


@dataclass(frozen=True, slots=True)
class Collected:
    """A span as it arrived. `links` are trace and span ids."""

    service: str
    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str
    failed: bool
    seconds: float
    attributes: dict[str, Any]
    resource: dict[str, Any]
    links: tuple[tuple[str, str], ...]

    @property
    def told(self) -> tuple[str, str]:
        """Whose it is, and what it is called."""
        return self.service, self.name


class Collector:
    """Start it with `async with`. `slow`: takes what it is sent and does not answer. `away`: 503."""

    def __init__(self) -> None:
        self.spans: list[Collected] = []
        self.raw: list[bytes] = []
        """Every request's body, decompressed: to look for what must not be there."""
        self.headers: list[dict[str, str]] = []
        self.slow = False
        self.away = False
        self.asked = 0
        self.url = ""
        self._release = asyncio.Event()
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_post("/v1/traces", self._take)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._release.set()
        assert self._runner is not None
        await self._runner.cleanup()

    def let_go(self) -> None:
        """Answer what was kept waiting."""
        self._release.set()
        self._release = asyncio.Event()

    def of(self, trace_id: str) -> list[Collected]:
        """The spans of a trace."""
        return [span for span in self.spans if span.trace_id == trace_id]

    def traces_of(self, attribute: str, value: str) -> list[str]:
        """The traces that have a span with this attribute."""
        return sorted({span.trace_id for span in self.spans if span.attributes.get(attribute) == value})

    async def _take(self, request: web.Request) -> web.Response:
        self.asked += 1
        assert request.content_type == _PROTOBUF
        body = await request.read()
        if self.slow:
            await self._release.wait()
            return web.Response(status=503)
        if self.away:
            return web.Response(status=503)
        if request.headers.get("Content-Encoding") == "gzip" and body[:2] == b"\x1f\x8b":
            body = gzip.decompress(body)
        self.raw.append(body)
        self.headers.append(dict(request.headers))
        self.spans.extend(_spans(ExportTraceServiceRequest.FromString(body)))
        return web.Response(body=ExportTraceServiceResponse().SerializeToString(), content_type=_PROTOBUF)


def chain_of(spans: Sequence[Collected], last: Collected) -> list[Collected]:
    """A span and what it is under, from the trace's first on."""
    known = {span.span_id: span for span in spans}
    chain = [last]
    while (above := known.get(chain[0].parent_id)) is not None:
        chain.insert(0, above)
    return chain


def _spans(request: ExportTraceServiceRequest) -> Iterable[Collected]:
    for group in request.resource_spans:
        resource = _values(group.resource.attributes)
        for scope in group.scope_spans:
            for span in scope.spans:
                yield Collected(
                    service=str(resource.get("service.name")),
                    name=span.name,
                    kind=ProtoSpan.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower(),
                    trace_id=span.trace_id.hex(),
                    span_id=span.span_id.hex(),
                    parent_id=span.parent_span_id.hex(),
                    failed=span.status.code == Status.STATUS_CODE_ERROR,
                    seconds=(span.end_time_unix_nano - span.start_time_unix_nano) / 1e9,
                    attributes=_values(span.attributes),
                    resource=resource,
                    links=tuple((link.trace_id.hex(), link.span_id.hex()) for link in span.links),
                )


def _values(attributes: Iterable[KeyValue]) -> dict[str, Any]:
    return {entry.key: getattr(entry.value, str(entry.value.WhichOneof("value"))) for entry in attributes}
