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
from support.api import Api
from support.canaries import tour
from support.otlp_collector import Collected, Collector, chain_of
from support.fcm import FcmServer
from support.tenants import PASSWORD, World
from support.wait import until

MARK = secrets.token_hex(6)


@pytest.fixture(scope="module")
async def collector() -> AsyncIterator[Collector]:
    async with Collector() as server:
        yield server


@pytest.fixture(scope="module")
async def fcm() -> AsyncIterator[FcmServer]:
    async with FcmServer() as server:
        yield server


@pytest.fixture(scope="module")
async def traced(
    servers: tuple[str, str], tmp_path_factory: pytest.TempPathFactory, collector: Collector, fcm: FcmServer
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
            "PARLEY_FCM_CREDENTIALS": json.dumps(fcm.key),
            "PARLEY_FCM_URL": f"{fcm.base}/v1/projects",
            "PARLEY_PUSH_DELAY_SECONDS": "0.3",
        },
    }
    async for stack in started_stack(servers, tmp_path_factory.mktemp("traced"), 1, env):
        yield stack


@pytest.fixture
async def world(traced: Stack, servers: tuple[str, str]) -> AsyncIterator[World]:
    async with Api(traced.gateway_url) as api:
        yield await World.make(api, traced, servers[0])


async def test_a_visitors_message_is_one_trace_from_the_click_to_the_push(
    world: World, collector: Collector, fcm: FcmServer
) -> None:
    visitor, conversation_id = await world.taken()
    device = await _device(world)
    await _translated(world, conversation_id)
    request_id = await _send(world, visitor.names, "Bom dia! Onde está o meu pedido?")
    await until(lambda: fcm.to(device), what="the push")
    trace = await _whole(
        collector, request_id, "fcm send", "process message.translated", "deliver message.created", "translate by local"
    )
    spans = collector.of(trace)
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
    kinds = {span.told: span.kind for span in spans if span.service != "parley-gateway"}
    assert kinds["parley-chat", "POST /api/v1/chat/stream"] == "server"
    assert kinds["parley-chat", "publish message.created"] == "producer"
    assert kinds["parley-translate", "process message.created"] == "consumer"
    assert kinds["parley-chat", "update conversations"] == "client"
    assert sorted(span.kind for span in spans if span.service == "parley-gateway")[-1] == "server"
    assert not [span for span in spans if span.failed]


async def test_an_operators_message_shows_whom_it_asked_and_whom_it_reached(world: World, collector: Collector) -> None:
    visitor, conversation_id = await world.taken()
    await _translated(world, conversation_id)
    request_id = f"e2e-{secrets.token_hex(8)}"
    async with visitor.events() as widget:
        await widget.wait("ready")
        body = {"conversation_id": conversation_id, "content": "Your order is on its way."}
        (await world.alex.post("/operator/message", body, X_Request_Id=request_id)).ok()
        await widget.wait("message.created", lambda event: event.data["data"]["role"] == "operator")
        trace = await _whole(collector, request_id, "deliver message.created", "answer translate", "translate by local")
    spans = collector.of(trace)
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


async def test_an_answer_of_the_ai_belongs_to_the_question(world: World, collector: Collector) -> None:
    request_id = await _send(world, world.visitor().names, "What are your opening hours?")
    trace = await _whole(collector, request_id, "answer by builtin")
    assert _path(collector.of(trace), "parley-chat", "answer by builtin") == [
        ("parley-gateway", "POST /api/v1/chat/stream"),
        ("parley-gateway", "POST /api/v1/chat/stream"),
        ("parley-chat", "POST /api/v1/chat/stream"),
        ("parley-chat", "answer by builtin"),
    ]


async def test_the_span_of_a_stream_ends_where_it_begins(world: World, collector: Collector) -> None:
    visitor, _ = await world.taken()
    async with visitor.events() as widget:
        await widget.wait("ready")

        def shown() -> set[tuple[str, str, str]]:
            spans = [span for span in collector.spans if span.attributes.get("http.route") == "/api/v1/chat/events"]
            return {(span.service, span.kind, str(span.attributes["http.response.status_code"])) for span in spans}

        expected = {("parley-gateway", "server", "200"), ("parley-notify", "server", "200")}
        await until(lambda: shown() == expected, what="the stream's spans, while it is open")


async def test_a_callers_trace_is_linked_to_and_not_believed(world: World, collector: Collector) -> None:
    trace_id, span_id = secrets.token_hex(16), secrets.token_hex(8)
    theirs = f"00-{trace_id}-{span_id}-01"
    request_id = await _send(world, world.visitor().names, "Hello", traceparent=theirs)
    trace = await _whole(collector, request_id, "publish message.created")
    assert trace != trace_id
    (first,) = (span for span in collector.of(trace) if not span.parent_id)
    assert first.links == ((trace_id, span_id),)
    assert not collector.of(trace_id)


async def test_what_nobody_asked_for_is_not_traced(world: World, collector: Collector) -> None:
    await _send(world, world.visitor().names, "Hello")
    (await world.api.call("GET", "/healthz", headers={"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"})).ok()
    await until(lambda: any(span.name == "publish message.created" for span in collector.spans))
    names = {span.name for span in collector.spans}
    assert not {name for name in names if "healthz" in name or "/internal/ready" in name or "hello" in name}
    assert not collector.of("a" * 32)
    roots = {span.service for span in collector.spans if not span.parent_id}
    assert roots == {"parley-gateway"}, "sweeps and timers begin no traces"


async def test_no_span_says_a_token_a_session_or_a_word_of_what_was_written(world: World, collector: Collector) -> None:
    canaries = await tour(world)
    visitor, _ = await world.taken()
    device = await _device(world)
    request_id = await _send(world, visitor.names, f"canary-said-{MARK}")
    trace = await _whole(collector, request_id, "fcm send")
    assert collector.of(trace)
    handle = hashlib.sha256(f"{world.site_id}:{visitor.session_id}".encode()).hexdigest()[:32]
    canaries |= {
        "what was said": f"canary-said-{MARK}",
        "device that was rung": device,
        "visitor's session": visitor.session_id,
        "visitor's handle": handle,
        "site's key": world.site_key,
        "push credentials": "ya29.",
        "password of the world": PASSWORD,
    }
    found = [what for what, canary in canaries.items() for raw in collector.raw if canary.encode() in raw]
    assert not found


async def test_a_collector_that_is_slow_or_away_is_nobodys_trouble(
    world: World, traced: Stack, collector: Collector
) -> None:
    visitor, conversation_id = await world.taken()
    chat = traced.processes("chat")[0]
    for trouble in ("away", "slow"):
        asked = collector.asked
        setattr(collector, trouble, True)
        try:
            for number in range(20):
                async with asyncio.timeout(3):
                    await world.alex.say(conversation_id, f"{trouble} {number}")
            await until(partial(_more_than, collector, asked), what="it is asked in vain")
            await until(lambda: _counted(world.api, chat.internal_url, "failed"), what="the failure is counted")
        finally:
            setattr(collector, trouble, False)
    collector.let_go()
    history = (await visitor.get("/history")).ok()["messages"]
    assert [message["content"] for message in history[-40:]] == [
        f"{trouble} {number}" for trouble in ("away", "slow") for number in range(20)
    ]
    request_id = f"e2e-{secrets.token_hex(8)}"
    body = {"conversation_id": conversation_id, "content": "Back."}
    (await world.alex.post("/operator/message", body, X_Request_Id=request_id)).ok()
    await _whole(collector, request_id, "deliver message.created")
    said = (traced.logs / "chat.log").read_text()
    assert said.count("traces_not_exported") == 1, "once, not for every batch"


async def _device(world: World) -> str:
    token = f"device-{secrets.token_hex(70)}"
    (await world.alex.post("/operator/fcm-token", {"token": token})).ok()
    return token


async def _translated(world: World, conversation_id: int) -> None:
    """Turn translation on, and wait until chat knows."""
    body = {"conversation_id": conversation_id, "lang": "pt-BR"}
    (await world.alex.post("/operator/translation/set-lang", body)).ok()
    (await world.alex.post("/operator/translation/toggle", {"conversation_id": conversation_id, "enabled": True})).ok()

    async def known() -> bool:
        shown = (await world.alex.get(f"/operator/conversation/{conversation_id}")).ok()["conversation"]
        return bool(shown["translation"]["enabled"])

    await until(known)


async def _send(world: World, names: dict[str, str], message: str, **headers: str) -> str:
    """Say something as a visitor. Returns the request's id."""
    request_id = f"e2e-{secrets.token_hex(8)}"
    sent = await world.api.call(
        "POST",
        "/api/v1/chat/stream",
        body={**names, "message": message},
        headers={"X-Request-Id": request_id, **headers},
    )
    assert sent.status == 200
    assert request_id in sent.headers.values(), "it is what people quote, traced or not"
    return request_id


async def _whole(collector: Collector, request_id: str, *names: str) -> str:
    """The one trace of a request, when it has these spans, and what they are under: services send by themselves."""

    def found() -> str | None:
        for trace in collector.traces_of("parley.request_id", request_id):
            spans = collector.of(trace)
            known = {"", *(span.span_id for span in spans)}
            if set(names) <= {span.name for span in spans} and {span.parent_id for span in spans} <= known:
                return trace
        return None

    trace: str = await until(found, within=20, what=f"the spans {names}")
    assert collector.traces_of("parley.request_id", request_id) == [trace]
    return trace


def _path(spans: list[Collected], service: str, name: str) -> list[tuple[str, str]]:
    """What the span of this name is under, from the click on; of several, the first that came."""
    return _paths(spans, service, name)[0]


def _paths(spans: list[Collected], service: str, name: str) -> list[list[tuple[str, str]]]:
    found = [span for span in spans if span.told == (service, name)]
    assert found, (name, sorted(span.told for span in spans))
    return [[span.told for span in chain_of(spans, last)] for last in found]


def _more_than(collector: Collector, before: int) -> bool:
    return collector.asked > before


async def _counted(api: Api, internal_url: str, outcome: str) -> float:
    async with api.http.get(f"{internal_url}/metrics") as response:
        page = await response.text()
    wanted = f'parley_trace_spans_total{{outcome="{outcome}"}} '
    return next((float(line.removeprefix(wanted)) for line in page.splitlines() if line.startswith(wanted)), 0.0)
