"""Whether everything is ready, and the documents and pages that the gateway serves itself."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from component.gateway.harness import Gateway, World, free_port
from support.wait import until

Start = Callable[..., Awaitable[Gateway]]


async def health(gateway: Gateway) -> tuple[int, dict[str, Any]]:
    async with gateway.get("/healthz") as answer:
        return answer.status, await answer.json()


async def test_healthz_is_200_only_while_all_five_are_ready(gateway: Gateway, behind: World) -> None:
    async def healthy() -> bool:
        return (await health(gateway))[0] == 200

    async def unwell() -> bool:
        return (await health(gateway))[0] == 503

    await until(healthy)
    _, body = await health(gateway)
    assert set(body["services"]) == {"gateway", "chat", "presence", "notify", "translate"}
    for service in behind.services.values():
        service.ready = False
        await until(unwell)
        _, body = await health(gateway)
        assert body["success"] is False
        assert [name for name, state in body["services"].items() if not state["ready"]] == [service.name]
        service.ready = True
        await until(healthy)
    await behind.services["translate"].stop()
    await until(unwell)
    await behind.services["translate"].start()
    await until(healthy)


async def test_service_is_ready_while_one_replica_is(behind: World, start_gateway: Start) -> None:
    gateway = await start_gateway(PARLEY_CHAT_URLS=f"{behind.chat.url},http://127.0.0.1:{free_port()}")
    status, body = await health(gateway)
    assert status == 200
    assert body["services"]["chat"] == {"ready": True, "replicas": 2, "replicas_ready": 1}


async def test_many_who_ask_at_once_ask_the_services_once(gateway: Gateway, behind: World) -> None:
    await asyncio.gather(*(health(gateway) for _ in range(50)))
    assert len(behind.chat.errands("ready")) <= 2


async def test_gateway_is_not_ready_without_the_broker_and_says_so(behind: World, start_gateway: Start) -> None:
    gateway = await start_gateway(AMQP_URL="amqp://127.0.0.1:1/", wait_ready=False)
    async with gateway.client.get(gateway.internal_url + "/readyz") as answer:
        assert answer.status == 503
        assert "rabbitmq" in (await answer.json())["faults"]
    status, body = await health(gateway)
    assert status == 503
    assert body["services"]["gateway"]["ready"] is False


async def test_openapi_is_put_together_from_all_services(behind: World, start_gateway: Start) -> None:
    gateway = await start_gateway()

    def operation(schema: str) -> dict[str, Any]:
        content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
        return {"summary": "x", "responses": {"200": {"content": content}}}

    behind.documents["chat"] = {
        "paths": {
            "/api/v1/operator/accept/{conversation_id}": {"post": operation("Changed")},
            "/api/v1/chat/history": {"get": operation("Changed")},
            "/api/v1/not/in/the/table": {"get": operation("Changed")},
        },
        "components": {"schemas": {"Changed": {"type": "object"}}},
    }
    behind.documents["presence"] = {
        "paths": {"/api/v1/operator/heartbeat": {"post": operation("Changed")}},
        "components": {"schemas": {"Changed": {"type": "string"}}},
    }
    async with gateway.get("/api/v1/openapi.json") as answer:
        assert answer.status == 200
        document = await answer.json()
    assert document["openapi"] == "3.1.0"
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    assert set(document["paths"]) == {
        "/api/v1/auth/login",
        "/api/v1/auth/logout",
        "/api/v1/auth/refresh",
        "/api/v1/invitations/accept",
        "/api/v1/chat/history",
        "/api/v1/operator/accept/{conversation_id}",
        "/api/v1/operator/heartbeat",
    }
    beat = document["paths"]["/api/v1/operator/heartbeat"]["post"]["responses"]["200"]["content"]
    name = beat["application/json"]["schema"]["$ref"].rpartition("/")[2]
    assert document["components"]["schemas"][name] == {"type": "string"}
    history = document["paths"]["/api/v1/chat/history"]["get"]["parameters"]
    assert {parameter["name"] for parameter in history} == {"site_key", "session_id"}
    behind.documents.clear()


async def test_docs_page_needs_no_other_host(gateway: Gateway) -> None:
    async with gateway.get("/docs") as answer:
        assert answer.status == 200
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        page = await answer.text()
    assert not re.search(r"https?://", page)
    files = re.findall(r'(?:src|href)="([^"#]+)"', page)
    assert {"/docs/page.js", "/docs/page.css"} <= set(files)
    for file in files:
        async with gateway.get(file) as answer:
            assert answer.status == 200
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert not re.search(r"https?://(?!localhost)", await answer.text())


async def test_built_pages_are_served_and_nothing_beside_them(
    tmp_path: Path, start_gateway: Start, gateway: Gateway
) -> None:
    built = tmp_path / "dist"
    (built / "panel" / "assets").mkdir(parents=True)
    (built / "demo").mkdir()
    (built / "panel" / "index.html").write_text("panel")
    (built / "panel" / "assets" / "a.js").write_text("asset")
    (built / "widget.js").write_text("widget")
    (built / "demo" / "index.html").write_text("demo")
    (tmp_path / "secret").write_text("secret")
    serving = await start_gateway(PARLEY_WEB_DIR=str(built))

    async def get(path: str) -> tuple[int, str, str]:
        async with serving.client.get(serving.url + path) as answer:
            return answer.status, await answer.text(), answer.headers.get("Cache-Control", "")

    assert await get("/panel") == (200, "panel", "no-cache")
    assert await get("/panel/chats/5") == (200, "panel", "no-cache")
    assert await get("/panel/assets/a.js") == (200, "asset", "public, max-age=31536000, immutable")
    assert (await get("/widget.js"))[:2] == (200, "widget")
    assert (await get("/demo?site_key=pk_1"))[:2] == (200, "demo")
    assert "secret" not in (await get("/panel/..%2f..%2fsecret"))[1]
    assert (await get("/demo/..%2f..%2fsecret"))[0] == 404
    async with gateway.get("/panel") as answer:
        assert answer.status == 404


@pytest.mark.parametrize(
    ("env", "told"),
    [
        ({"PARLEY_JWT_SECRET": "short"}, "PARLEY_JWT_SECRET"),
        ({"PARLEY_ENV": "production", "PARLEY_JWT_SECRET": "changeme-changeme-changeme-changeme"}, "PARLEY_JWT_SECRET"),
        ({"PARLEY_JWT_SECRET": ""}, "PARLEY_JWT_SECRET"),
        ({"PARLEY_JWT_ALGORITHM": "RS256"}, "PARLEY_JWT_ALGORITHM"),
        ({"PARLEY_JWT_ALGORITHM": "none"}, "PARLEY_JWT_ALGORITHM"),
        ({"PARLEY_CHAT_URLS": "chat:8080"}, "PARLEY_CHAT_URLS"),
        ({"PARLEY_TRUSTED_PROXIES": "10.0.0.0/99"}, "PARLEY_TRUSTED_PROXIES"),
        ({"PARLEY_LIMITS_ADDRESS": "read=fast"}, "PARLEY_LIMITS_ADDRESS"),
    ],
)
async def test_bad_configuration_is_refused_with_its_fault(
    start_gateway: Start, env: dict[str, str], told: str
) -> None:
    with pytest.raises(AssertionError, match=f"(?i){told.removeprefix('PARLEY_')}"):
        await start_gateway(**env)
