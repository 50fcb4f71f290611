"""One trace from the click to the push: through the gateway, chat, MongoDB, the broker, translation and notify."""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
from collections.abc import AsyncIterator
from functools import partial

import pytest

from conftest import started_stack
from parley_dev.stack import Stack
from support.api import ApiClient
from support.canaries import exercise_secrets
from support.fcm import FcmServer
from support.otlp_collector import CollectedSpan, OtlpCollector, ancestors_of
from support.tenants import PASSWORD, TenantFixture
from support.wait import wait_until

MARK = secrets.token_hex(6)


@pytest.fixture(scope="module")
async def collector() -> AsyncIterator[OtlpCollector]:
    async with OtlpCollector() as server:
        yield server


@pytest.fixture(scope="module")
async def fcm() -> AsyncIterator[FcmServer]:
    async with FcmServer() as server:
        yield server


@pytest.fixture(scope="module")
async def traced(
    servers: tuple[str, str], tmp_path_factory: pytest.TempPathFactory, collector: OtlpCollector, fcm: FcmServer
) -> AsyncIterator[Stack]:
    """A stack that sends its traces to the collector, and its pushes to a provider of this machine."""
    env = {
        "*": {
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_EXPORTER_OTLP_HEADERS": "x-api-key=of-the-collector",
            "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test",
            "OTEL_BSP_SCHEDULE_DELAY": "200",
            "OTEL_EXPORTER_OTLP_TIMEOUT": "2",
        },
        "notify": {
            "PARLEY_FCM_CREDENTIALS": json.dumps(fcm.service_account_key),
            "PARLEY_FCM_URL": f"{fcm.base_url}/v1/projects",
            "PARLEY_PUSH_DELAY_SECONDS": "0.3",
        },
    }
    async for stack in started_stack(servers, tmp_path_factory.mktemp("traced"), 1, env):
        yield stack


@pytest.fixture
async def tenant(traced: Stack, servers: tuple[str, str]) -> AsyncIterator[TenantFixture]:
    async with ApiClient(traced.gateway_url) as api:
        yield await TenantFixture.create(api, traced, servers[0])


async def test_a_visitors_message_is_one_trace_from_the_click_to_the_push(
    tenant: TenantFixture, collector: OtlpCollector, fcm: FcmServer
) -> None:
    visitor, conversation_id = await tenant.assigned_conversation()
    device = await _device(tenant)
    await _translated(tenant, conversation_id)
    request_id = await _send(tenant, visitor.credentials, "Bom dia! Onde está o meu pedido?")
    await wait_until(lambda: fcm.pushes_for(device), description="the push")
    trace = await _whole(
        collector, request_id, "fcm send", "process message.translated", "deliver message.created", "translate by local"
    )
    spans = collector.spans_of_trace(trace)
    assert _path(spans, "parley-notify", "fcm send") == [
        ("parley-gateway", "POST /api/v1/chat/stream"),
        ("parley-gateway", "POST /api/v1/chat/stream"),
        ("parley-chat", "POST /api/v1/chat/stream"),
        ("parley-chat", "publish message.created"),
        ("parley-notify", "push"),
        ("parley-notify", "fcm send"),
    ]
    assert _path(spans, "parley-notify", "deliver message.created")[-2:] == [
        ("parley-chat", "publish message.created"),
        ("parley-notify", "deliver message.created"),
    ]
    assert _path(spans, "parley-chat", "process message.translated")[-4:] == [
        ("parley-chat", "publish message.created"),
        ("parley-translate", "process message.created"),
        ("parley-translate", "publish message.translated"),
        ("parley-chat", "process message.translated"),
    ]
    assert _path(spans, "parley-translate", "translate by local")[-2:] == [
        ("parley-translate", "process message.created"),
        ("parley-translate", "translate by local"),
    ]
    assert [
        ("parley-gateway", "POST /api/v1/chat/stream"),
        ("parley-gateway", "POST /api/v1/chat/stream"),
        ("parley-chat", "POST /api/v1/chat/stream"),
        ("parley-chat", "commit conversations"),
        ("parley-chat", "update conversations"),
    ] in _paths(spans, "parley-chat", "update conversations")
    kinds = {span.service_and_name: span.kind for span in spans if span.service != "parley-gateway"}
    assert kinds["parley-chat", "POST /api/v1/chat/stream"] == "server"
    assert kinds["parley-chat", "publish message.created"] == "producer"
    assert kinds["parley-translate", "process message.created"] == "consumer"
    assert kinds["parley-chat", "update conversations"] == "client"
    assert sorted(span.kind for span in spans if span.service == "parley-gateway")[-1] == "server"
    assert not [span for span in spans if span.failed]


async def test_an_operators_message_shows_whom_it_asked_and_whom_it_reached(
    tenant: TenantFixture, collector: OtlpCollector
) -> None:
    visitor, conversation_id = await tenant.assigned_conversation()
    await _translated(tenant, conversation_id)
    request_id = f"e2e-{secrets.token_hex(8)}"
    async with visitor.events() as widget:
        await widget.wait_for("ready")
        body = {"conversation_id": conversation_id, "content": "Your order is on its way."}
        (await tenant.alex.post("/operator/message", body, X_Request_Id=request_id)).ok()
        await widget.wait_for("message.created", lambda event: event.data["data"]["role"] == "operator")
        trace = await _whole(collector, request_id, "deliver message.created", "answer translate", "translate by local")
    spans = collector.spans_of_trace(trace)
    (first,) = (span for span in spans if not span.parent_id)
    assert first.attributes["http.route"] == "/api/v1/operator/message"
    assert first.attributes["http.response.status_code"] == 200
    assert _path(spans, "parley-translate", "translate by local") == [
        ("parley-gateway", "POST /api/v1/operator/message"),
        ("parley-gateway", "POST /api/v1/operator/message"),
        ("parley-chat", "POST /api/v1/operator/message"),
        ("parley-chat", "ask translate translate"),
        ("parley-translate", "answer translate"),
        ("parley-translate", "translate by local"),
    ]
    (delivered,) = (span for span in spans if span.name == "deliver message.created")
    assert delivered.attributes["parley.streams"] == 1, "the visitor's, and no span for it alone"
    assert {span.resource["deployment.environment.name"] for span in spans} == {"test"}
    assert collector.headers[-1]["x-api-key"] == "of-the-collector"


async def test_an_answer_of_the_ai_belongs_to_the_question(tenant: TenantFixture, collector: OtlpCollector) -> None:
    request_id = await _send(tenant, tenant.new_visitor().credentials, "What are your opening hours?")
    trace = await _whole(collector, request_id, "answer by builtin")
    assert _path(collector.spans_of_trace(trace), "parley-chat", "answer by builtin") == [
        ("parley-gateway", "POST /api/v1/chat/stream"),
        ("parley-gateway", "POST /api/v1/chat/stream"),
        ("parley-chat", "POST /api/v1/chat/stream"),
        ("parley-chat", "answer by builtin"),
    ]


async def test_the_span_of_a_stream_ends_where_it_begins(tenant: TenantFixture, collector: OtlpCollector) -> None:
    visitor, _ = await tenant.assigned_conversation()
    async with visitor.events() as widget:
        await widget.wait_for("ready")

        def shown() -> set[tuple[str, str, str]]:
            spans = [span for span in collector.spans if span.attributes.get("http.route") == "/api/v1/chat/events"]
            return {(span.service, span.kind, str(span.attributes["http.response.status_code"])) for span in spans}

        expected = {("parley-gateway", "server", "200"), ("parley-notify", "server", "200")}
        await wait_until(lambda: shown() == expected, description="the stream's spans, while it is open")


async def test_a_callers_trace_is_linked_to_and_not_believed(tenant: TenantFixture, collector: OtlpCollector) -> None:
    trace_id, span_id = secrets.token_hex(16), secrets.token_hex(8)
    theirs = f"00-{trace_id}-{span_id}-01"
    request_id = await _send(tenant, tenant.new_visitor().credentials, "Hello", traceparent=theirs)
    trace = await _whole(collector, request_id, "publish message.created")
    assert trace != trace_id
    (first,) = (span for span in collector.spans_of_trace(trace) if not span.parent_id)
    assert first.links == ((trace_id, span_id),)
    assert not collector.spans_of_trace(trace_id)


async def test_what_nobody_asked_for_is_not_traced(tenant: TenantFixture, collector: OtlpCollector) -> None:
    await _send(tenant, tenant.new_visitor().credentials, "Hello")
    (await tenant.api.request("GET", "/healthz", headers={"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"})).ok()
    await wait_until(lambda: any(span.name == "publish message.created" for span in collector.spans))
    names = {span.name for span in collector.spans}
    assert not {name for name in names if "healthz" in name or "/internal/ready" in name or "hello" in name}
    assert not collector.spans_of_trace("a" * 32)
    roots = {span.service for span in collector.spans if not span.parent_id}
    assert roots == {"parley-gateway"}, "sweeps and timers begin no traces"


async def test_no_span_says_a_token_a_session_or_a_word_of_what_was_written(
    tenant: TenantFixture, collector: OtlpCollector
) -> None:
    canaries = await exercise_secrets(tenant)
    visitor, _ = await tenant.assigned_conversation()
    device = await _device(tenant)
    request_id = await _send(tenant, visitor.credentials, f"canary-said-{MARK}")
    trace = await _whole(collector, request_id, "fcm send")
    assert collector.spans_of_trace(trace)
    handle = hashlib.sha256(f"{tenant.site_id}:{visitor.session_id}".encode()).hexdigest()[:32]
    canaries |= {
        "what was said": f"canary-said-{MARK}",
        "device that was rung": device,
        "visitor's session": visitor.session_id,
        "visitor's handle": handle,
        "site's key": tenant.site_key,
        "push credentials": "ya29.",
        "password of the tenant": PASSWORD,
    }
    found = [what for what, canary in canaries.items() for raw in collector.request_bodies if canary.encode() in raw]
    assert not found


async def test_a_collector_that_is_slow_or_away_is_nobodys_trouble(
    tenant: TenantFixture, traced: Stack, collector: OtlpCollector
) -> None:
    visitor, conversation_id = await tenant.assigned_conversation()
    chat = traced.processes("chat")[0]
    for trouble in ("away", "slow"):
        asked = collector.request_count
        setattr(collector, trouble, True)
        try:
            for number in range(20):
                async with asyncio.timeout(3):
                    await tenant.alex.send_message(conversation_id, f"{trouble} {number}")
            await wait_until(partial(_more_than, collector, asked), description="it is asked in vain")
            await wait_until(
                lambda: _counted(tenant.api, chat.internal_url, "failed"), description="the failure is counted"
            )
        finally:
            setattr(collector, trouble, False)
    collector.release_pending()
    history = (await visitor.get("/history")).ok()["messages"]
    assert [message["content"] for message in history[-40:]] == [
        f"{trouble} {number}" for trouble in ("away", "slow") for number in range(20)
    ]
    request_id = f"e2e-{secrets.token_hex(8)}"
    body = {"conversation_id": conversation_id, "content": "Back."}
    (await tenant.alex.post("/operator/message", body, X_Request_Id=request_id)).ok()
    await _whole(collector, request_id, "deliver message.created")
    said = (traced.logs / "chat.log").read_text()
    assert said.count("traces_not_exported") == 1, "once, not for every batch"


async def _device(tenant: TenantFixture) -> str:
    token = f"device-{secrets.token_hex(70)}"
    (await tenant.alex.post("/operator/fcm-token", {"token": token})).ok()
    return token


async def _translated(tenant: TenantFixture, conversation_id: int) -> None:
    """Turn translation on, and wait until chat knows."""
    body = {"conversation_id": conversation_id, "lang": "pt-BR"}
    (await tenant.alex.post("/operator/translation/set-lang", body)).ok()
    (await tenant.alex.post("/operator/translation/toggle", {"conversation_id": conversation_id, "enabled": True})).ok()

    async def known() -> bool:
        shown = (await tenant.alex.get(f"/operator/conversation/{conversation_id}")).ok()["conversation"]
        return bool(shown["translation"]["enabled"])

    await wait_until(known)


async def _send(tenant: TenantFixture, names: dict[str, str], message: str, **headers: str) -> str:
    """Say something as a visitor. Returns the request's id."""
    request_id = f"e2e-{secrets.token_hex(8)}"
    sent = await tenant.api.request(
        "POST",
        "/api/v1/chat/stream",
        body={**names, "message": message},
        headers={"X-Request-Id": request_id, **headers},
    )
    assert sent.status == 200
    assert request_id in sent.headers.values(), "it is what people quote, traced or not"
    return request_id


async def _whole(collector: OtlpCollector, request_id: str, *names: str) -> str:
    """The one trace of a request, when it has these spans, and what they are under: services send by themselves."""

    def found() -> str | None:
        for trace in collector.trace_ids_with_attribute("parley.request_id", request_id):
            spans = collector.spans_of_trace(trace)
            known = {"", *(span.span_id for span in spans)}
            if set(names) <= {span.name for span in spans} and {span.parent_id for span in spans} <= known:
                return trace
        return None

    trace: str = await wait_until(found, timeout=20, description=f"the spans {names}")
    assert collector.trace_ids_with_attribute("parley.request_id", request_id) == [trace]
    return trace


def _path(spans: list[CollectedSpan], service: str, name: str) -> list[tuple[str, str]]:
    """What the span of this name is under, from the click on; of several, the first that came."""
    return _paths(spans, service, name)[0]


def _paths(spans: list[CollectedSpan], service: str, name: str) -> list[list[tuple[str, str]]]:
    found = [span for span in spans if span.service_and_name == (service, name)]
    assert found, (name, sorted(span.service_and_name for span in spans))
    return [[span.service_and_name for span in ancestors_of(spans, last)] for last in found]


def _more_than(collector: OtlpCollector, before: int) -> bool:
    return collector.request_count > before


async def _counted(api: ApiClient, internal_url: str, outcome: str) -> float:
    async with api.http.get(f"{internal_url}/metrics") as response:
        page = await response.text()
    wanted = f'parley_trace_spans_total{{outcome="{outcome}"}} '
    return next((float(line.removeprefix(wanted)) for line in page.splitlines() if line.startswith(wanted)), 0.0)
