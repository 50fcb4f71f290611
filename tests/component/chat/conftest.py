"""Fixtures for chat against the real MongoDB and RabbitMQ."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from support.admin_app import AdminTestApp


@pytest.fixture(scope="session")
async def app(servers: tuple[str, str]) -> AsyncIterator[AdminTestApp]:
    """The app shared by all tests of a run: each test creates tenants of its own."""
    app = await AdminTestApp.start(*servers)
    yield app
    await app.close()


@pytest.fixture
async def isolated_app(servers: tuple[str, str]) -> AsyncIterator[AdminTestApp]:
    """An app for one test, which may move its clock."""
    app = await AdminTestApp.start(*servers)
    yield app
    await app.close()
