"""The trace of a request, and whether it is sampled."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest
from aiohttp.test_utils import make_mocked_request

from parley.common.observability import tracing
from parley.common.observability.logging import current_trace, start_or_continue_trace
from parley.common.runtime.settings import ServiceSettings
from parley.gateway.middleware.instrumentation import start_request_span


@pytest.fixture
def tracing_enabled(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Enable tracing in this process with a ratio sampler; spans are not exported."""
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", request.param)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.1")
    tracing.configure("gateway", ServiceSettings(identity_secret=secrets.token_hex(32), amqp_url="amqp://127.0.0.1/"))
    yield
    tracing.shutdown(0.5)


def _continues_and_samples(flags: str, *, trusted: bool, route: str = "/api/v1/chat/config") -> tuple[bool, bool]:
    """Return whether the request continues the caller's trace, and whether it is sampled."""
    callers_traceparent = f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-{flags}"
    start_or_continue_trace(None, callers_traceparent)
    with start_request_span(
        make_mocked_request("GET", "/", headers={"traceparent": callers_traceparent}), "GET", route, trusted=trusted
    ) as span:
        traceparent = current_trace().traceparent
        assert traceparent == span.traceparent
    return traceparent[3:35] == callers_traceparent[3:35], bool(int(traceparent[-2:], 16) & 1)


@pytest.mark.parametrize("tracing_enabled", ["0"], indirect=True)
@pytest.mark.usefixtures("tracing_enabled")
def test_untrusted_caller_cannot_cause_sampling() -> None:
    assert _continues_and_samples("01", trusted=False) == (False, False)
    assert _continues_and_samples("01", trusted=True) == (True, True)


@pytest.mark.parametrize("tracing_enabled", ["1"], indirect=True)
@pytest.mark.usefixtures("tracing_enabled")
def test_untrusted_caller_cannot_prevent_sampling() -> None:
    assert _continues_and_samples("00", trusted=False) == (False, True)
    assert _continues_and_samples("00", trusted=True) == (True, False)


@pytest.mark.parametrize("tracing_enabled", ["1"], indirect=True)
@pytest.mark.usefixtures("tracing_enabled")
def test_health_requests_are_never_sampled() -> None:
    assert _continues_and_samples("01", trusted=False, route="/healthz") == (False, False)


def test_without_tracing_the_callers_trace_is_continued() -> None:
    assert _continues_and_samples("01", trusted=False) == (True, True)
    assert _continues_and_samples("00", trusted=False) == (True, False)
