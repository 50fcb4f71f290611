"""Chat against the real MongoDB and RabbitMQ."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from support.office import Office


@pytest.fixture(scope="session")
async def office(servers: tuple[str, str]) -> AsyncIterator[Office]:
    """The administration, shared by the run: tests make tenants of their own."""
    opened = await Office.open(*servers)
    yield opened
    await opened.close()


@pytest.fixture
async def own_office(servers: tuple[str, str]) -> AsyncIterator[Office]:
    """An administration of the test's own, whose clock it may turn."""
    opened = await Office.open(*servers)
    yield opened
    await opened.close()
