"""A trace collector for tests: accepts OTLP over HTTP in protobuf, as the OpenTelemetry Collector does.

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

from support.api import ApiClient

_PROTOBUF = "application/x-protobuf"


@dataclass(frozen=True, slots=True)
class CollectedSpan:
    """A received span. `links` are pairs of trace and span ids."""

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
    def service_and_name(self) -> tuple[str, str]:
        """The service and the span's name."""
        return self.service, self.name


class OtlpCollector:
    """The collector; start it with `async with`.

    `unresponsive`: it accepts requests and does not answer them. `unavailable`: it answers 503.
    """

    def __init__(self) -> None:
        self.spans: list[CollectedSpan] = []
        self.request_bodies: list[bytes] = []
        """Every request's body, decompressed, to search for what must not be exported."""
        self.headers: list[dict[str, str]] = []
        self.unresponsive = False
        self.unavailable = False
        self.request_count = 0
        self.url = ""
        self._release = asyncio.Event()
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_post("/v1/traces", self._on_request)
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

    def release_pending(self) -> None:
        """Answer the requests that are waiting."""
        self._release.set()
        self._release = asyncio.Event()

    def spans_of_trace(self, trace_id: str) -> list[CollectedSpan]:
        """Return the spans of a trace."""
        return [span for span in self.spans if span.trace_id == trace_id]

    def trace_ids_with_attribute(self, attribute: str, value: str) -> list[str]:
        """Return the ids of the traces that have a span with this attribute."""
        return sorted({span.trace_id for span in self.spans if span.attributes.get(attribute) == value})

    async def _on_request(self, request: web.Request) -> web.Response:
        self.request_count += 1
        assert request.content_type == _PROTOBUF
        body = await request.read()
        if self.unresponsive:
            await self._release.wait()
            return web.Response(status=503)
        if self.unavailable:
            return web.Response(status=503)
        if request.headers.get("Content-Encoding") == "gzip" and body[:2] == b"\x1f\x8b":
            body = gzip.decompress(body)
        self.request_bodies.append(body)
        self.headers.append(dict(request.headers))
        self.spans.extend(_spans(ExportTraceServiceRequest.FromString(body)))
        return web.Response(body=ExportTraceServiceResponse().SerializeToString(), content_type=_PROTOBUF)


def list_ancestors(spans: Sequence[CollectedSpan], last: CollectedSpan) -> list[CollectedSpan]:
    """Return a span with its ancestors, from the root span on."""
    by_id = {span.span_id: span for span in spans}
    chain = [last]
    while (parent := by_id.get(chain[0].parent_id)) is not None:
        chain.insert(0, parent)
    return chain


async def span_count(api: ApiClient, internal_url: str, outcome: str) -> float:
    """Read a service's own count of spans with this outcome."""
    async with api.http.get(f"{internal_url}/metrics") as response:
        lines = (await response.text()).splitlines()
    prefix = f'parley_trace_spans_total{{outcome="{outcome}"}} '
    return next((float(line.removeprefix(prefix)) for line in lines if line.startswith(prefix)), 0.0)


def _spans(request: ExportTraceServiceRequest) -> Iterable[CollectedSpan]:
    for group in request.resource_spans:
        resource = _values(group.resource.attributes)
        for scope in group.scope_spans:
            for span in scope.spans:
                yield CollectedSpan(
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
