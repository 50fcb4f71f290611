"""Fixtures for chat against the real MongoDB and RabbitMQ."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from parley.chat.mongo_schema import SCHEMA
from parley.common.mongodb import Mongo
from support.admin_app import AdminTestApp, RecordedBroker, StartApp
from support.reused_database import DatabasePool


@pytest.fixture(scope="session")
async def databases(mongodb_uri: str) -> AsyncIterator[DatabasePool]:
    """Chat's databases, which tests use one after the other."""
    pool = DatabasePool(mongodb_uri, "chat", SCHEMA)
    yield pool
    await pool.close()


@pytest.fixture(scope="session")
async def recorded_broker(amqp_url: str) -> AsyncIterator[RecordedBroker]:
    """The connection to RabbitMQ that all apps share."""
    async with RecordedBroker(amqp_url) as broker:
        yield broker


@pytest.fixture(scope="session")
def start_app(databases: DatabasePool, recorded_broker: RecordedBroker) -> StartApp:
    @asynccontextmanager
    async def start(broker: RecordedBroker = recorded_broker, **settings: Any) -> AsyncIterator[AdminTestApp]:
        async with databases.take() as mongo:
            app = await AdminTestApp.start(mongo, broker, **settings)
            try:
                yield app
            finally:
                await app.stop()

    return start


@pytest.fixture(scope="session")
async def app(start_app: StartApp) -> AsyncIterator[AdminTestApp]:
    """The app shared by all tests of a run: each test creates tenants of its own."""
    async with start_app() as app:
        yield app


@pytest.fixture
async def isolated_app(start_app: StartApp) -> AsyncIterator[AdminTestApp]:
    """An app for one test, which may move its clock."""
    async with start_app() as app:
        yield app


@pytest.fixture
async def chat_database(databases: DatabasePool) -> AsyncIterator[Mongo]:
    """A database without documents."""
    async with databases.take() as mongo:
        yield mongo
