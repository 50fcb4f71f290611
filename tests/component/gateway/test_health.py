"""The health endpoint: readiness of the gateway and of the services behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from component.gateway.harness import FakeBackend, Gateway, free_port
from support.wait import wait_until

Start = Callable[..., Awaitable[Gateway]]


async def get_health(gateway: Gateway) -> tuple[int, dict[str, Any]]:
    async with gateway.get("/healthz") as response:
        return response.status, await response.json()


async def test_healthz_is_200_only_while_all_services_are_ready(gateway: Gateway, backend: FakeBackend) -> None:
    async def is_healthy() -> bool:
        return (await get_health(gateway))[0] == 200

    async def is_unhealthy() -> bool:
        return (await get_health(gateway))[0] == 503

    await wait_until(is_healthy)
    _, body = await get_health(gateway)
    assert set(body["services"]) == {"gateway", "chat", "presence", "notify", "translate"}
    for service in backend.services.values():
        service.ready = False
        await wait_until(is_unhealthy)
        _, body = await get_health(gateway)
        assert body["success"] is False
        assert [name for name, state in body["services"].items() if not state["ready"]] == [service.name]
        service.ready = True
        await wait_until(is_healthy)
    await backend.services["translate"].stop()
    await wait_until(is_unhealthy)
    await backend.services["translate"].start()
    await wait_until(is_healthy)


async def test_service_is_ready_while_one_replica_is(backend: FakeBackend, start_gateway: Start) -> None:
    gateway = await start_gateway(PARLEY_CHAT_URLS=f"{backend.chat.url},http://127.0.0.1:{free_port()}")
    status, body = await get_health(gateway)
    assert status == 200
    assert body["services"]["chat"] == {"ready": True, "replicas": 2, "replicas_ready": 1}


async def test_concurrent_health_requests_share_one_check(gateway: Gateway, backend: FakeBackend) -> None:
    await asyncio.gather(*(get_health(gateway) for _ in range(50)))
    assert len(backend.chat.internal_requests("ready")) <= 2


async def test_gateway_without_the_broker_is_ready_and_degraded(backend: FakeBackend, start_gateway: Start) -> None:
    gateway = await start_gateway(AMQP_URL="amqp://127.0.0.1:1/")
    async with gateway.client.get(gateway.internal_url + "/readyz") as response:
        assert response.status == 200
        assert await response.json() == {"service": "gateway", "ready": True, "faults": {}}
    async with gateway.client.get(gateway.internal_url + "/readyz?verbose") as response:
        assert response.status == 200
        assert (await response.json())["degraded"] == {"rabbitmq": "not connected"}

    async def is_degraded() -> bool:
        async with gateway.client.get(gateway.internal_url + "/metrics") as response:
            return 'parley_degraded{dependency="rabbitmq"} 1.0' in await response.text()

    await wait_until(is_degraded)
    status, body = await get_health(gateway)
    assert status == 200
    assert body["services"]["gateway"]["ready"] is True
