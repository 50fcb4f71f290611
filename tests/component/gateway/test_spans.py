"""Whose trace a request belongs to, and who decides whether it is recorded."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest
from aiohttp.test_utils import make_mocked_request

from parley.common.observability import tracing
from parley.common.observability.logging import continue_trace, current_trace
from parley.common.runtime.settings import ServiceSettings
from parley.gateway.middleware.instrumentation import first_span


@pytest.fixture
def traced(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Tracing in this process, with a sampler by ratio; what is recorded goes nowhere."""
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", request.param)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.1")
    tracing.begin("gateway", ServiceSettings(identity_secret=secrets.token_hex(32), amqp_url="amqp://127.0.0.1/"))
    yield
    tracing.end(0.5)


def _passed_on(flags: str, *, trusted: bool, route: str = "/api/v1/chat/config") -> tuple[bool, bool]:
    """Whether the request's trace is the caller's, and whether it is sampled, as a service is then told."""
    theirs = f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-{flags}"
    continue_trace(None, theirs)
    with first_span(
        make_mocked_request("GET", "/", headers={"traceparent": theirs}), "GET", route, trusted=trusted
    ) as span:
        told = current_trace().traceparent
        assert told == span.traceparent
    return told[3:35] == theirs[3:35], bool(int(told[-2:], 16) & 1)


@pytest.mark.parametrize("traced", ["0"], indirect=True)
@pytest.mark.usefixtures("traced")
def test_a_caller_cannot_have_itself_recorded_unless_it_is_trusted() -> None:
    assert _passed_on("01", trusted=False) == (False, False)
    assert _passed_on("01", trusted=True) == (True, True)


@pytest.mark.parametrize("traced", ["1"], indirect=True)
@pytest.mark.usefixtures("traced")
def test_a_caller_cannot_keep_itself_from_being_recorded_unless_it_is_trusted() -> None:
    assert _passed_on("00", trusted=False) == (False, True)
    assert _passed_on("00", trusted=True) == (True, False)


@pytest.mark.parametrize("traced", ["1"], indirect=True)
@pytest.mark.usefixtures("traced")
def test_asking_for_health_is_not_recorded_whatever_the_caller_says() -> None:
    assert _passed_on("01", trusted=False, route="/healthz") == (False, False)


def test_without_tracing_the_callers_trace_goes_on_as_it_came() -> None:
    assert _passed_on("01", trusted=False) == (True, True)
    assert _passed_on("00", trusted=False) == (True, False)
