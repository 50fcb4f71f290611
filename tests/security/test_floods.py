"""A12: floods are slowed down by address, session and operator; forged addresses are not believed."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from parley_dev.ports import free_ports
from parley_dev.process import Process
from parley_dev.stack import Stack, module_command
from support.api import ApiClient, ApiResponse
from support.tenants import TenantFixture
from support.wait import wait_until

LIMITS = {
    "PARLEY_LIMITS_ADDRESS": "read=100/200,write=100/200,login=0.1/3,upload=1/20,beat=100/200",
    "PARLEY_LIMITS_SESSION": "read=1/10,write=0.2/5,upload=0.1/2,beat=1/10",
    "PARLEY_LIMITS_OPERATOR": "read=1/10,write=0.2/5,upload=0.1/2,beat=1/10,login=0.1/3",
    "PARLEY_LIMITS_SITE": "read=100/200,write=0.2/8,upload=1/20,beat=100/200",
    "PARLEY_STREAMS_PER_ADDRESS": "4",
}


@pytest.fixture
async def narrow(stack: Stack, tmp_path: Path) -> AsyncIterator[ApiClient]:
    """A gateway of the test's own, with tight limits, before the same services."""
    port, internal = free_ports(2)
    ports = {"PARLEY_PORT": str(port), "PARLEY_INTERNAL_PORT": str(internal)}
    env = {**stack.environment("gateway"), **LIMITS, **ports}
    log = tmp_path / "gateway.log"
    process = Process(
        "narrow", module_command("gateway"), log=log, env=env, stop_timeout_seconds=10.0, orphan_signal=signal.SIGKILL
    )
    await process.start()
    try:
        async with ApiClient(f"http://127.0.0.1:{port}") as api:

            async def ready() -> bool:
                async with api.http.get(f"http://127.0.0.1:{internal}/readyz") as response:
                    return response.status == 200

            async def serves() -> bool:
                try:
                    return await ready()
                except OSError:
                    return False

            await wait_until(serves, timeout=30)
            yield api
    finally:
        await process.stop()


def _counted(replies: list[ApiResponse]) -> Counter[int]:
    for reply in replies:
        if reply.status == 429:
            assert reply.body["code"] == "too_many_requests"
            assert int(reply.headers["Retry-After"]) == reply.body["retry_after"] >= 1
    return Counter(reply.status for reply in replies)


async def test_floods_are_429_and_forged_addresses_change_nothing(narrow: ApiClient, tenant: TenantFixture) -> None:
    sam, alex = (narrow.operator(one.token, one.id) for one in (tenant.sam, tenant.alex))
    reads = _counted(await asyncio.gather(*(sam.get("/auth/me") for _ in range(30))))
    assert 10 <= reads[200] <= 14
    assert reads[429] == 30 - reads[200]
    assert (await alex.get("/auth/me")).status == 200, "another operator is not held up"

    visitor = narrow.visitor(tenant.site_key)
    writes = _counted([await visitor.post("/email", email="jane@example.com") for _ in range(12)])
    assert 5 <= writes[200] <= 7
    other = narrow.visitor(tenant.site_key)
    assert (await other.post("/email", email="joan@example.com")).status == 200, "another session is not held up"
    rest = [await narrow.visitor(tenant.site_key).post("/email", email="j@example.com") for _ in range(8)]
    assert _counted(rest)[429] > 0, "but the whole site is bounded, whatever session is made up"

    guesses = []
    for number in range(8):
        forged = {"X-Forwarded-For": f"198.51.100.{number}", "X-Real-IP": f"198.51.100.{number}"}
        body = {"email": f"nobody{number}@example.com", "password": "guess"}
        guesses.append(await narrow.request("POST", "/api/v1/auth/login", body=body, headers=forged))
    assert [reply.status for reply in guesses[:3]] == [401] * 3
    assert {reply.status for reply in guesses[4:]} == {429}, "an address that nobody trusted wrote is not believed"


async def test_streams_of_one_address_are_bounded_and_given_back(narrow: ApiClient, tenant: TenantFixture) -> None:
    visitors = [narrow.visitor(tenant.site_key) for _ in range(5)]
    url = f"{narrow.base_url}/api/v1/chat/events"
    opened = [await narrow.http.get(url, params=visitor.credentials) for visitor in visitors]
    assert sorted(one.status for one in opened) == [200, 200, 200, 200, 429]
    for one in opened:
        one.close()

    async def free() -> bool:
        async with narrow.http.get(url, params=visitors[0].credentials) as response:
            return response.status == 200

    await wait_until(free)


async def test_guessing_one_persons_password_is_blocked_for_a_while(tenant: TenantFixture) -> None:
    """Behind the buckets: failures of one account slow down and then block, whatever address they come from."""
    member = await tenant.add_operator("Vic")
    me = (await member.get("/auth/me")).ok()["user"]
    last: ApiResponse | None = None
    for _ in range(25):
        body = {"email": me["email"], "password": "not the password"}
        last = await tenant.api.request("POST", "/api/v1/auth/login", body=body)
        if last.status == 429:
            break
        assert last.status == 401
    assert last is not None
    assert last.status == 429
    assert last.body["retry_after"] >= 1
    assert last.body["blocked_until"].endswith("Z")
    assert int(last.headers["Retry-After"]) == last.body["retry_after"]
    assert (await member.get("/auth/me")).status == 200, "whoever is in stays in"
