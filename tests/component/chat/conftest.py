"""Fixtures for chat against the real MongoDB and RabbitMQ."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase

from support.admin_app import AdminTestApp
from support.reused_database import remove_documents


@pytest.fixture(scope="session")
async def app(servers: tuple[str, str]) -> AsyncIterator[AdminTestApp]:
    """The app shared by all tests of a run: each test creates tenants of its own."""
    app = await AdminTestApp.start(*servers)
    yield app
    await app.close()


@pytest.fixture(scope="session")
async def reused_database(mongodb_uri: str) -> AsyncIterator[AsyncDatabase[dict[str, Any]]]:
    async with AsyncMongoClient[dict[str, Any]](mongodb_uri) as client:
        database = client[f"t{secrets.token_hex(4)}_chat"]
        yield database
        await client.drop_database(database.name)


@pytest.fixture
async def chat_database(reused_database: AsyncDatabase[dict[str, Any]]) -> AsyncIterator[str]:
    """The name of a database without documents, which has chat's indexes from the second test on."""
    yield reused_database.name
    await remove_documents(reused_database)


@pytest.fixture
async def isolated_app(chat_database: str, servers: tuple[str, str]) -> AsyncIterator[AdminTestApp]:
    """An app for one test, which may move its clock."""
    app = await AdminTestApp.start(*servers, database_prefix=chat_database.removesuffix("_chat"))
    yield app
    await app.stop()
