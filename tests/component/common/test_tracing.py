"""Tracing in a process of its own: no cost when it is off, bounded when it is on, whatever the collector does."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from parley.common.runtime.settings import ServiceSettings, load_settings
from parley_dev.ports import free_ports
from parley_dev.process import child_environment
from support.otlp_collector import OtlpCollector

SECRET = "5d1f0a9be2c84736a1b0c9d8e7f60514"

PROGRAM = """
import asyncio, json, sys, time
from parley.common.observability import metrics, tracing
from parley.common.runtime.service import main
from parley.common.runtime.settings import ServiceSettings, load_settings
from parley.common.observability.logging import current_trace, start_or_continue_trace
from parley.common.observability.tracing import SpanKind

async def work():
    out = {}
    started = time.monotonic()
    for number in range(int(sys.argv[1])):
        with tracing.root_span("click", SpanKind.SERVER, {"number": number}) as span:
            out["traceparent"], out["current"] = span.traceparent, current_trace().traceparent
            with tracing.span("inner"):
                pass
    start_or_continue_trace(None, None)
    with tracing.span("sweep", SpanKind.CLIENT):
        out["sweep"] = current_trace().traceparent
    out["seconds"] = time.monotonic() - started
    await asyncio.sleep(float(sys.argv[2]))
    if tracing.enabled():
        counted = metrics.TRACE_SPANS
        out["counts"] = {name: counted.labels(name)._value.get() for name in ("exported", "failed", "dropped")}
    out["modules"] = sorted(name for name in sys.modules if name.startswith("opentelemetry"))
    print("RESULT", json.dumps(out), flush=True)

main("probe", load_settings(ServiceSettings), work())
"""

SERVICE = """
import importlib, json, sys
try:
    importlib.import_module(f"parley.{sys.argv[1]}.bootstrap").main()
except SystemExit:
    print("RESULT", json.dumps({"modules": sorted(sys.modules)}), flush=True)
"""


OPTIONAL = {
    "gateway": {"opentelemetry"},
    "chat": {"minio", "openai", "opentelemetry"},
    "presence": {"opentelemetry"},
    "notify": {"pyfcm", "google.auth", "requests", "opentelemetry"},
    "translate": {"google.cloud.translate_v3", "opentelemetry"},
}
"""Libraries that a service loads only with the settings that need them."""


@pytest.fixture
async def collector() -> AsyncIterator[OtlpCollector]:
    async with OtlpCollector() as server:
        yield server


async def _run(program: str, *arguments: str, **env: str) -> dict[str, Any]:
    """Run a program and return the result that it prints, its output, and the seconds from the result to its exit."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        program,
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={
            **{name: value for name, value in child_environment().items() if not name.startswith(("OTEL_", "PARLEY_"))},
            "PARLEY_IDENTITY_SECRET": SECRET,
            "AMQP_URL": "amqp://127.0.0.1:1/",
            "MONGODB_URI": "mongodb://127.0.0.1:1/?replicaSet=rs0",
            **env,
        },
    )
    assert process.stdout is not None
    output, result, printed_at = "", None, 0.0
    try:
        async with asyncio.timeout(60):
            async for line in process.stdout:
                output += line.decode()
                if line.startswith(b"RESULT "):
                    result, printed_at = json.loads(line[7:]), time.monotonic()
            await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
    assert result is not None, output
    return {**result, "exit_seconds": time.monotonic() - printed_at, "output": output}


async def _probe(env: dict[str, str], spans: int = 1, wait: float = 0.0) -> dict[str, Any]:
    return await _run(PROGRAM, str(spans), str(wait), **env)


@pytest.mark.parametrize("service", OPTIONAL)
async def test_a_service_with_default_settings_loads_no_optional_library(service: str) -> None:
    # The service is built completely, finds its port taken, and exits.
    with socket.create_server(("127.0.0.1", 0)) as taken:
        env = {
            "PARLEY_HOST": "127.0.0.1",
            "PARLEY_PORT": str(taken.getsockname()[1]),
            "PARLEY_INTERNAL_PORT": str(free_ports(1)[0]),
            "PARLEY_JWT_SECRET": SECRET[::-1],
            **{f"PARLEY_{name}_URLS": "http://127.0.0.1:1" for name in ("CHAT", "PRESENCE", "NOTIFY", "TRANSLATE")},
        }
        off = await _run(SERVICE, service, **env)
        assert "parley.common.observability.tracing" in off["modules"]
        assert not OPTIONAL[service] & set(off["modules"])
        if service == "presence":
            # The check detects a loaded SDK. One service shows that: each start takes a second of processor time.
            on = await _run(SERVICE, service, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1", **env)
            assert {"opentelemetry", "opentelemetry.sdk.trace"} <= set(on["modules"])


@pytest.mark.parametrize(
    "env",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "true"},
    ],
)
async def test_without_a_collector_no_span_is_recorded_and_trace_context_still_propagates(env: dict[str, str]) -> None:
    result = await _probe(env)
    assert result["modules"] == []
    assert result["traceparent"] == result["current"]
    assert result["traceparent"].endswith("-00")


async def test_pending_spans_are_exported_before_the_process_ends(collector: OtlpCollector) -> None:
    await _probe(
        {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{collector.url}/v1/traces", "OTEL_BSP_SCHEDULE_DELAY": "60000"}
    )
    assert [span.name for span in sorted(collector.spans, key=lambda span: span.name)] == ["click", "inner"]
    inner, click = sorted(collector.spans, key=lambda span: span.name == "click")
    assert (inner.trace_id, inner.parent_id) == (click.trace_id, click.span_id)
    assert {span.service for span in collector.spans} == {"parley-probe"}


async def test_unresponsive_collector_delays_shutdown_by_three_seconds_at_most(
    collector: OtlpCollector,
) -> None:
    collector.unresponsive = True
    result = await _probe(
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_BSP_SCHEDULE_DELAY": "60000",
            "OTEL_EXPORTER_OTLP_TIMEOUT": "30",
        }
    )
    assert collector.request_count == 1
    # Far below the exporter's own timeout; on a busy machine the interpreter's end takes seconds too.
    assert 2.5 < result["exit_seconds"] < 15.0


async def test_span_queue_is_bounded_and_does_not_block(collector: OtlpCollector) -> None:
    collector.unresponsive = True
    result = await _probe(
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_BSP_MAX_QUEUE_SIZE": "600",
            "OTEL_EXPORTER_OTLP_TIMEOUT": "30",
        },
        spans=2000,
        wait=0.5,
    )
    # One batch (512) is being exported, and the queue is full.
    assert 4000 - 600 - 512 <= result["counts"]["dropped"] <= 4000 - 600
    assert result["counts"]["exported"] == result["counts"]["failed"] == 0
    assert result["seconds"] < 5.0


async def test_export_failures_are_counted_and_logged_once_without_the_address(collector: OtlpCollector) -> None:
    collector.unavailable = True
    result = await _probe(
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_BSP_SCHEDULE_DELAY": "50",
            "OTEL_EXPORTER_OTLP_TIMEOUT": "1",
        },
        spans=3,
        wait=2.5,
    )
    assert result["counts"] == {"exported": 0, "failed": 6, "dropped": 0}
    assert result["output"].count("traces_not_exported") == 1
    assert collector.url not in result["output"]


async def test_standard_otel_variables_are_respected(collector: OtlpCollector) -> None:
    named = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_EXPORTER_OTLP_HEADERS": "x-api-key=abc",
        "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
        "OTEL_SERVICE_NAME": "support-desk",
        "OTEL_RESOURCE_ATTRIBUTES": "cloud.region=eu-1",
    }
    await _probe(named)
    assert {span.service for span in collector.spans} == {"support-desk"}
    assert collector.spans[0].resource["cloud.region"] == "eu-1"
    assert collector.headers[0]["x-api-key"] == "abc"
    assert collector.headers[0]["Content-Encoding"] == "gzip"


@pytest.mark.parametrize("sampler", ["parentbased_traceidratio", "traceidratio", "always_off"])
async def test_unsampled_trace_is_not_recorded_and_propagates_the_decision(
    sampler: str, collector: OtlpCollector
) -> None:
    result = await _probe(
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_TRACES_SAMPLER": sampler,
            "OTEL_TRACES_SAMPLER_ARG": "0",
        },
        spans=5,
    )
    assert collector.spans == []
    assert result["traceparent"] == result["current"]
    assert int(result["traceparent"][-2:], 16) & 1 == 0


async def test_always_on_sampler_does_not_record_background_work(collector: OtlpCollector) -> None:
    result = await _probe({"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_TRACES_SAMPLER": "always_on"})
    assert {span.name for span in collector.spans} == {"click", "inner"}
    assert result["sweep"].endswith("-00")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_TRACES_SAMPLER", "sometimes"),
        ("OTEL_TRACES_SAMPLER_ARG", "5"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "10000"),
    ],
)
def test_invalid_tracing_settings_are_rejected_at_startup(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARLEY_IDENTITY_SECRET", SECRET)
    monkeypatch.setenv("AMQP_URL", "amqp://127.0.0.1/")
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit):
        load_settings(ServiceSettings)
