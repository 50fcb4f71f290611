"""Fixtures: the gateway, and fake services behind it."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from component.gateway.harness import FakeBackend, Gateway, running_backend, running_gateway
from support.infrastructure import Infrastructure


@pytest.fixture(scope="session")
async def backend() -> AsyncIterator[FakeBackend]:
    async with running_backend() as running:
        yield running


@pytest.fixture(scope="session")
async def gateway(
    infrastructure: Infrastructure, backend: FakeBackend, amqp_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Gateway]:
    log = tmp_path_factory.mktemp("gateway") / "gateway.log"
    async with running_gateway(infrastructure.start_service, backend, amqp_url, log) as running:
        yield running


@pytest.fixture(autouse=True)
def reset_recorded_requests(backend: FakeBackend) -> None:
    for service in backend.services.values():
        service.requests.clear()
        service.handlers.clear()
        service.ready = True


@pytest.fixture
async def start_gateway(
    infrastructure: Infrastructure, backend: FakeBackend, amqp_url: str, tmp_path: Path
) -> AsyncIterator[Callable[..., Awaitable[Gateway]]]:
    """Starts further gateways: `await start_gateway(PARLEY_…="…")`."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(*, wait_ready: bool = True, **env: str) -> Gateway:
            log = tmp_path / f"{uuid.uuid4().hex}.log"
            start_service = infrastructure.start_service
            running = running_gateway(start_service, backend, amqp_url, log, wait_ready=wait_ready, **env)
            return await stack.enter_async_context(running)

        yield start
