"""Traces of a request through the gateway, chat, MongoDB, the broker, translate and notify."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from functools import partial

from parley_dev.stack import Stack
from support.canaries import exercise_secrets
from support.fcm import FcmServer
from support.otlp_collector import CollectedSpan, OtlpCollector, list_ancestors, span_count
from support.tenants import PASSWORD, TenantFixture
from support.wait import wait_until

CANARY = f"canary-message-{secrets.token_hex(6)}"


async def test_a_visitors_message_is_one_trace_from_the_request_to_the_push(
    tenant: TenantFixture, collector: OtlpCollector, fcm: FcmServer
) -> None:
    visitor, conversation_id = await tenant.assigned_conversation()
    device = await _register_device(tenant)
    await _enable_translation(tenant, conversation_id)
    request_id = await _send(tenant, visitor.credentials, "Bom dia! Onde está o meu pedido?")
    await wait_until(lambda: fcm.pushes_for(device), description="the push")
    trace = await _wait_trace(
        collector,
        request_id,
        "fcm send",
        "process message.translated",
        "deliver message.created",
        "translate by libretranslate",
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
    assert _path(spans, "parley-translate", "translate by libretranslate")[-2:] == [
        ("parley-translate", "process message.created"),
        ("parley-translate", "translate by libretranslate"),
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


async def test_an_operators_message_has_spans_of_translation_and_delivery(
    tenant: TenantFixture, collector: OtlpCollector
) -> None:
    visitor, conversation_id = await tenant.assigned_conversation()
    await _enable_translation(tenant, conversation_id)
    request_id = f"e2e-{secrets.token_hex(8)}"
    async with visitor.events() as widget:
        await widget.wait_for("ready")
        body = {"conversation_id": conversation_id, "content": "Your order is on its way."}
        (await tenant.alex.post("/operator/message", body, X_Request_Id=request_id)).ok()
        await widget.wait_for("message.created", lambda event: event.data["data"]["role"] == "operator")
        trace = await _wait_trace(
            collector, request_id, "deliver message.created", "translate/translate", "translate by libretranslate"
        )
    spans = collector.spans_of_trace(trace)
    (first,) = (span for span in spans if not span.parent_id)
    assert first.attributes["http.route"] == "/api/v1/operator/message"
    assert first.attributes["http.response.status_code"] == 200
    assert _path(spans, "parley-translate", "translate by libretranslate") == [
        ("parley-gateway", "POST /api/v1/operator/message"),
        ("parley-gateway", "POST /api/v1/operator/message"),
        ("parley-chat", "POST /api/v1/operator/message"),
        ("parley-chat", "translate/translate"),
        ("parley-translate", "translate/translate"),
        ("parley-translate", "translate by libretranslate"),
    ]
    (delivered,) = (span for span in spans if span.name == "deliver message.created")
    assert delivered.attributes["parley.streams"] == 1, "the visitor's stream; streams have no span of their own"
    assert {span.resource["deployment.environment.name"] for span in spans} == {"test"}
    assert collector.headers[-1]["x-api-key"] == "of-the-collector"


async def test_an_ai_reply_is_in_the_trace_of_the_question(tenant: TenantFixture, collector: OtlpCollector) -> None:
    request_id = await _send(tenant, tenant.new_visitor().credentials, "What are your opening hours?")
    trace = await _wait_trace(collector, request_id, "answer by builtin")
    assert _path(collector.spans_of_trace(trace), "parley-chat", "answer by builtin") == [
        ("parley-gateway", "POST /api/v1/chat/stream"),
        ("parley-gateway", "POST /api/v1/chat/stream"),
        ("parley-chat", "POST /api/v1/chat/stream"),
        ("parley-chat", "answer by builtin"),
    ]


async def test_the_span_of_a_stream_ends_when_it_is_opened(tenant: TenantFixture, collector: OtlpCollector) -> None:
    visitor, _ = await tenant.assigned_conversation()
    async with visitor.events() as widget:
        await widget.wait_for("ready")

        def stream_spans() -> set[tuple[str, str, str]]:
            spans = [span for span in collector.spans if span.attributes.get("http.route") == "/api/v1/chat/events"]
            return {(span.service, span.kind, str(span.attributes["http.response.status_code"])) for span in spans}

        expected = {("parley-gateway", "server", "200"), ("parley-notify", "server", "200")}
        await wait_until(lambda: stream_spans() == expected, description="the stream's spans while it is open")


async def test_a_callers_trace_is_linked_but_not_continued(tenant: TenantFixture, collector: OtlpCollector) -> None:
    trace_id, span_id = secrets.token_hex(16), secrets.token_hex(8)
    traceparent = f"00-{trace_id}-{span_id}-01"
    request_id = await _send(tenant, tenant.new_visitor().credentials, "Hello", traceparent=traceparent)
    trace = await _wait_trace(collector, request_id, "publish message.created")
    assert trace != trace_id
    (first,) = (span for span in collector.spans_of_trace(trace) if not span.parent_id)
    assert first.links == ((trace_id, span_id),)
    assert not collector.spans_of_trace(trace_id)


async def test_health_checks_and_timers_are_not_traced(tenant: TenantFixture, collector: OtlpCollector) -> None:
    await _send(tenant, tenant.new_visitor().credentials, "Hello")
    (await tenant.api.request("GET", "/healthz", headers={"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"})).ok()
    await wait_until(lambda: any(span.name == "publish message.created" for span in collector.spans))
    names = {span.name for span in collector.spans}
    assert not {name for name in names if "healthz" in name or "/internal/ready" in name or "hello" in name}
    assert not collector.spans_of_trace("a" * 32)
    roots = {span.service for span in collector.spans if not span.parent_id}
    assert roots == {"parley-gateway"}, "sweeps and timers start no traces"


async def test_spans_contain_no_token_session_or_message_text(tenant: TenantFixture, collector: OtlpCollector) -> None:
    """A5: exported traces contain no token, session, device or text of a message."""
    canaries = await exercise_secrets(tenant)
    visitor, _ = await tenant.assigned_conversation()
    device = await _register_device(tenant)
    request_id = await _send(tenant, visitor.credentials, CANARY)
    trace = await _wait_trace(collector, request_id, "fcm send")
    assert collector.spans_of_trace(trace)
    handle = hashlib.sha256(f"{tenant.site_id}:{visitor.session_id}".encode()).hexdigest()[:32]
    canaries |= {
        "message text": CANARY,
        "push device": device,
        "visitor's session": visitor.session_id,
        "visitor's handle": handle,
        "site's key": tenant.site_key,
        "push credentials": "ya29.",
        "password": PASSWORD,
    }
    leaked = [what for what, canary in canaries.items() for raw in collector.request_bodies if canary.encode() in raw]
    assert not leaked


async def test_an_unavailable_or_unresponsive_collector_affects_no_request(
    tenant: TenantFixture, stack: Stack, collector: OtlpCollector
) -> None:
    visitor, conversation_id = await tenant.assigned_conversation()
    chat = stack.processes("chat")[0]
    for state in ("unavailable", "unresponsive"):
        before = collector.request_count
        setattr(collector, state, True)
        try:
            for number in range(20):
                async with asyncio.timeout(6):
                    await tenant.alex.send_message(conversation_id, f"{state} {number}")
            await wait_until(partial(_more_requests_than, collector, before), description="a failing export")
            await wait_until(
                partial(span_count, tenant.api, chat.internal_url, "failed"),
                description="the failure to be counted",
            )
        finally:
            setattr(collector, state, False)
    collector.release_pending()
    history = (await visitor.get("/history")).ok()["messages"]
    assert [message["content"] for message in history[-40:]] == [
        f"{state} {number}" for state in ("unavailable", "unresponsive") for number in range(20)
    ]
    request_id = f"e2e-{secrets.token_hex(8)}"
    body = {"conversation_id": conversation_id, "content": "Back."}
    (await tenant.alex.post("/operator/message", body, X_Request_Id=request_id)).ok()
    await _wait_trace(collector, request_id, "deliver message.created")
    log = (stack.logs / "chat.log").read_text()
    assert log.count("traces_not_exported") == 1, "logged once, not for every batch"


async def _register_device(tenant: TenantFixture) -> str:
    token = f"device-{secrets.token_hex(70)}"
    (await tenant.alex.post("/operator/fcm-token", {"token": token})).ok()
    return token


async def _enable_translation(tenant: TenantFixture, conversation_id: int) -> None:
    """Enable translation, and wait until chat has applied it."""
    body = {"conversation_id": conversation_id, "lang": "pt-BR"}
    (await tenant.alex.post("/operator/translation/set-lang", body)).ok()
    (await tenant.alex.post("/operator/translation/toggle", {"conversation_id": conversation_id, "enabled": True})).ok()

    async def is_enabled() -> bool:
        shown = (await tenant.alex.get(f"/operator/conversation/{conversation_id}")).ok()["conversation"]
        return bool(shown["translation"]["enabled"])

    await wait_until(is_enabled)


async def _send(tenant: TenantFixture, names: dict[str, str], message: str, **headers: str) -> str:
    """Send a visitor's message. Returns the request id."""
    request_id = f"e2e-{secrets.token_hex(8)}"
    response = await tenant.api.request(
        "POST",
        "/api/v1/chat/stream",
        body={**names, "message": message},
        headers={"X-Request-Id": request_id, **headers},
    )
    assert response.status == 200
    assert request_id in response.headers.values(), "the response contains the request id"
    return request_id


async def _wait_trace(collector: OtlpCollector, request_id: str, *names: str) -> str:
    """Wait until the request's only trace has these spans and all their parents: services export independently."""

    def find_trace() -> str | None:
        for trace in collector.trace_ids_with_attribute("parley.request_id", request_id):
            spans = collector.spans_of_trace(trace)
            known = {"", *(span.span_id for span in spans)}
            if set(names) <= {span.name for span in spans} and {span.parent_id for span in spans} <= known:
                return trace
        return None

    trace: str = await wait_until(find_trace, timeout=20, description=f"the spans {names}")
    assert collector.trace_ids_with_attribute("parley.request_id", request_id) == [trace]
    return trace


def _path(spans: list[CollectedSpan], service: str, name: str) -> list[tuple[str, str]]:
    """Return the path from the root span to the first received span of this name."""
    return _paths(spans, service, name)[0]


def _paths(spans: list[CollectedSpan], service: str, name: str) -> list[list[tuple[str, str]]]:
    matching = [span for span in spans if span.service_and_name == (service, name)]
    assert matching, (name, sorted(span.service_and_name for span in spans))
    return [[span.service_and_name for span in list_ancestors(spans, last)] for last in matching]


def _more_requests_than(collector: OtlpCollector, before: int) -> bool:
    return collector.request_count > before
