"""The gateway and what stands behind it, for the tests of this folder."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from component.gateway.harness import Gateway, World, running_gateway, running_world


@pytest.fixture(scope="session")
async def behind() -> AsyncIterator[World]:
    async with running_world() as made:
        yield made


@pytest.fixture(scope="session")
async def gateway(behind: World, amqp_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    log = tmp_path_factory.mktemp("gateway") / "gateway.log"
    async with running_gateway(behind, amqp_url, log) as made:
        yield made


@pytest.fixture(autouse=True)
def forget_what_was_asked(behind: World) -> None:
    for service in behind.services.values():
        service.asked.clear()
        service.answers.clear()
        service.ready = True


@pytest.fixture
async def start_gateway(
    behind: World, amqp_url: str, tmp_path: Path
) -> AsyncIterator[Callable[..., Awaitable[Gateway]]]:
    """Starts a gateway of a test's own: `await start_gateway(PARLEY_…="…")`."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(*, wait_ready: bool = True, **env: str) -> Gateway:
            log = tmp_path / f"{uuid.uuid4().hex}.log"
            running = running_gateway(behind, amqp_url, log, wait_ready=wait_ready, **env)
            return await stack.enter_async_context(running)

        yield start
