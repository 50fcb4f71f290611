"""A process of chat whose connection to MongoDB ends before a given write, as if the process had died there."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from pymongo.uri_parser import parse_uri

from parley.chat.admin_module import AdminModule
from parley.chat.mongo_schema import SCHEMA
from parley.chat.settings import ChatSettings
from parley.common.mongodb import Mongo
from support.admin_app import AdminTestApp
from support.tcp_proxy import TcpProxy


@dataclass(frozen=True, slots=True)
class DyingProcess:
    mongo: Mongo
    admin: AdminModule
    proxy: TcpProxy

    async def die_before(self, command: str, collection: str, call: Callable[[], Awaitable[Any]]) -> None:
        """Make a call that ends where it sends this command, such as `insert`, for a collection."""
        # The beginning of the command's document: its name, and the collection as a string with its length.
        name = collection.encode() + b"\0"
        self.proxy.disconnect_before(command.encode() + b"\0" + len(name).to_bytes(4, "little") + name)
        task = asyncio.ensure_future(call())
        disconnected = asyncio.create_task(self.proxy.disconnected.wait())
        await asyncio.wait((task, disconnected), return_when=asyncio.FIRST_COMPLETED)
        assert disconnected.done(), "the call sends this command"
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def run_dying_process(app: AdminTestApp, mongodb_uri: str) -> AsyncIterator[DyingProcess]:
    """Run the administration of a process that shares the database of an app."""
    ((host, port),) = parse_uri(mongodb_uri)["nodelist"]
    proxy = TcpProxy(host, port)
    await proxy.start()
    uri = f"mongodb://127.0.0.1:{proxy.port}/?directConnection=true"
    settings = ChatSettings(
        env="development", identity_secret=secrets.token_hex(32), amqp_url="amqp://unused", mongodb_uri=uri
    )
    mongo = Mongo(uri, app.mongo.database.name, SCHEMA)
    await mongo.ensure_schema_ready()
    try:
        yield DyingProcess(mongo, AdminModule(mongo, app.outbox, settings, app.clock), proxy)
    finally:
        await mongo.stop()
        await proxy.stop()
