"""A12: rate limits by client IP, session, operator and site; forged X-Forwarded-For headers are not trusted."""

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
async def limited(stack: Stack, tmp_path: Path) -> AsyncIterator[ApiClient]:
    """A gateway of the test's own with low limits, in front of the shared stack's services."""
    port, internal = free_ports(2)
    ports = {"PARLEY_PORT": str(port), "PARLEY_INTERNAL_PORT": str(internal)}
    env = {**stack.environment("gateway"), **LIMITS, **ports}
    log = tmp_path / "gateway.log"
    process = Process(
        "limited", module_command("gateway"), log=log, env=env, stop_timeout_seconds=10.0, orphan_signal=signal.SIGKILL
    )
    await process.start()
    try:
        async with ApiClient(f"http://127.0.0.1:{port}") as api:

            async def is_ready() -> bool:
                async with api.http.get(f"http://127.0.0.1:{internal}/readyz") as response:
                    return response.status == 200

            async def accepts_connections() -> bool:
                try:
                    return await is_ready()
                except OSError:
                    return False

            await wait_until(accepts_connections, timeout=30)
            yield api
    finally:
        await process.stop()


def _count_statuses(replies: list[ApiResponse]) -> Counter[int]:
    for reply in replies:
        if reply.status == 429:
            assert reply.body["code"] == "too_many_requests"
            assert int(reply.headers["Retry-After"]) == reply.body["retry_after"] >= 1
    return Counter(reply.status for reply in replies)


async def test_requests_over_a_limit_are_429_and_forged_addresses_are_ignored(
    limited: ApiClient, tenant: TenantFixture
) -> None:
    """A12: requests over the limit of an operator, a session, a site or a client IP are 429 with Retry-After."""
    sam, alex = (limited.operator(one.token, one.id) for one in (tenant.sam, tenant.alex))
    reads = _count_statuses(await asyncio.gather(*(sam.get("/auth/me") for _ in range(30))))
    assert 10 <= reads[200] <= 14
    assert reads[429] == 30 - reads[200]
    assert (await alex.get("/auth/me")).status == 200, "another operator is not limited"

    visitor = limited.visitor(tenant.site_key)
    writes = _count_statuses([await visitor.post("/email", email="jane@example.com") for _ in range(12)])
    assert 5 <= writes[200] <= 7
    other = limited.visitor(tenant.site_key)
    assert (await other.post("/email", email="joan@example.com")).status == 200, "another session is not limited"
    others = [await limited.visitor(tenant.site_key).post("/email", email="j@example.com") for _ in range(8)]
    assert _count_statuses(others)[429] > 0, "the site's limit applies to all its sessions together"

    logins = []
    for number in range(8):
        forged = {"X-Forwarded-For": f"198.51.100.{number}", "X-Real-IP": f"198.51.100.{number}"}
        body = {"email": f"nobody{number}@example.com", "password": "guess"}
        logins.append(await limited.request("POST", "/api/v1/auth/login", body=body, headers=forged))
    assert [reply.status for reply in logins[:3]] == [401] * 3
    assert {reply.status for reply in logins[4:]} == {429}, "addresses from an untrusted sender are ignored"


async def test_streams_per_client_ip_are_limited_and_released(limited: ApiClient, tenant: TenantFixture) -> None:
    """A12: the number of streams per client IP is limited, and closed streams are released."""
    visitors = [limited.visitor(tenant.site_key) for _ in range(5)]
    url = f"{limited.base_url}/api/v1/chat/events"
    opened = [await limited.http.get(url, params=visitor.credentials) for visitor in visitors]
    assert sorted(one.status for one in opened) == [200, 200, 200, 200, 429]
    for one in opened:
        one.close()

    async def can_open() -> bool:
        async with limited.http.get(url, params=visitors[0].credentials) as response:
            return response.status == 200

    await wait_until(can_open)


async def test_failed_logins_of_an_account_are_throttled(tenant: TenantFixture) -> None:
    """A12: failed logins of one account are slowed down and then blocked, independent of the client IP."""
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
    assert (await member.get("/auth/me")).status == 200, "existing logins stay valid"
