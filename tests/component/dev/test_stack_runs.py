"""The running stack, with fake services."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from parley_dev.errors import StartFailed
from parley_dev.stack import SERVICES, Stack

FAKE = Path(__file__).with_name("fake_service.py")


def create_stack(tmp_path: Path, *, broken: str | None = None) -> Stack:
    env = {service: {"FAKE_NAME": service, "FAKE_STOPPED_FILE": str(tmp_path / "stopped")} for service in SERVICES}

    def command(service: str) -> list[str]:
        if service == broken:
            return [sys.executable, "-c", "raise SystemExit('PARLEY_X is missing')"]
        return [sys.executable, str(FAKE)]

    return Stack(mongodb_uri="-", amqp_url="-", directory=tmp_path, env=env, command=command)


@pytest.fixture
async def stack(tmp_path: Path) -> AsyncIterator[Stack]:
    stack = create_stack(tmp_path)
    await stack.start()
    await stack.wait_ready()
    yield stack
    await stack.stop()


async def pid_at(url: str) -> int:
    async with aiohttp.ClientSession() as client, client.get(url) as response:
        return int(await response.text())


async def test_every_service_runs_and_the_gateway_answers(stack: Stack) -> None:
    assert all(replica.process.running for replica in stack.all_processes())
    assert await pid_at(stack.gateway_url) == stack.processes("gateway")[0].process.pid


async def test_a_killed_service_restarts_on_its_port(stack: Stack) -> None:
    (chat,) = stack.processes("chat")
    before = await pid_at(chat.url)
    await stack.kill("chat", 0)
    with pytest.raises(aiohttp.ClientError):
        await pid_at(chat.url)
    await stack.restart("chat", 0)
    assert await pid_at(chat.url) != before


async def test_services_with_client_connections_stop_first(stack: Stack, tmp_path: Path) -> None:
    await stack.stop()
    stopped = (tmp_path / "stopped").read_text().split()
    assert stopped[:2] == ["gateway", "notify"]
    assert sorted(stopped) == sorted(SERVICES)


async def test_a_service_that_ends_during_its_start_is_reported_with_its_log(tmp_path: Path) -> None:
    stack = create_stack(tmp_path, broken="presence")
    await stack.start()
    try:
        with pytest.raises(StartFailed, match=r"presence ended during its start(?s:.*)PARLEY_X is missing"):
            await stack.wait_ready()
    finally:
        await stack.stop()
