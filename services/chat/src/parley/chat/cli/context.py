"""The composition root of chat's commands: the services that a command uses, open while it runs.

Commands call the same services as HTTP handlers do. Their events are published by the outbox of a running chat.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from parley.chat.accounts.errors import TeamChoiceRequired
from parley.chat.admin_module import AdminModule
from parley.chat.mongo_schema import OUTBOX_COLLECTIONS, SCHEMA
from parley.chat.privacy.module import DATA_SERVICES, build_personal_data_service
from parley.chat.privacy.service import PersonalDataService
from parley.chat.search.module import SearchModule
from parley.chat.settings import ChatSettings
from parley.chat.timeouts import COMMAND_CONNECT_TIMEOUT_SECONDS, COMMAND_POLL_SECONDS
from parley.chat.uploads.storage import create_object_storage
from parley.common.auth.identity import OperatorCaller
from parley.common.cli import CommandError
from parley.common.errors import Forbidden
from parley.common.messaging import BrokerConnection, RpcClient
from parley.common.mongodb import TRANSIENT_ERRORS, Mongo, Outbox, SchemaNotReady

CLIENT_IP = "command line"
"""Stands for the client's address in the audit log."""


@dataclass(frozen=True, slots=True)
class CommandContext:
    """The services that commands use."""

    admin: AdminModule
    personal_data: PersonalDataService
    broker: BrokerConnection
    search: SearchModule

    async def impersonate(self, operator: str) -> OperatorCaller:
        """Return the caller for an operator, given by address or id, on whose behalf a command acts.

        Raises CommandError.
        """
        try:
            return await self.admin.accounts.impersonate(operator, CLIENT_IP)
        except Forbidden:
            what = "id" if operator.isdecimal() else "e-mail address"
            raise CommandError(f"there is no active operator with the {what} {operator}") from None
        except TeamChoiceRequired as exc:
            ids = " ".join(str(one) for one in exc.details["ids"])
            message = f"several teams have an operator with the address {operator}; give one of the ids instead: {ids}"
            raise CommandError(message) from None

    async def connect_broker(self) -> None:
        """Connect to the broker, for commands that call other services. Raises CommandError."""
        await self.broker.start()
        try:
            async with asyncio.timeout(COMMAND_CONNECT_TIMEOUT_SECONDS):
                while self.broker.unready_reason() is not None:  # noqa: ASYNC110 - the broker reconnects by itself
                    await asyncio.sleep(COMMAND_POLL_SECONDS)
        except TimeoutError:
            raise CommandError("RabbitMQ does not answer at AMQP_URL, so the other services cannot be asked") from None


@asynccontextmanager
async def open_context(settings: ChatSettings) -> AsyncIterator[CommandContext]:
    """Open the services on the installation's database. Raises CommandError if it cannot be used."""
    mongo = Mongo(settings.mongodb_uri, f"{settings.database_prefix}_chat", SCHEMA, settings.schema_mode)
    broker = BrokerConnection(settings.amqp_url, log_partitions=settings.log_partitions)
    outbox = Outbox(mongo, broker, OUTBOX_COLLECTIONS)
    admin = AdminModule(mongo, outbox, settings)
    rpc_clients = {name: RpcClient(name) for name in DATA_SERVICES}
    for rpc_client in rpc_clients.values():
        broker.add(rpc_client)
    try:
        await mongo.ensure_schema_ready()
        personal_data = build_personal_data_service(
            settings, mongo, outbox, admin, create_object_storage(settings), rpc_clients
        )
        yield CommandContext(admin, personal_data, broker, SearchModule(mongo, admin.cached_sites))
    except SchemaNotReady as exc:
        raise CommandError(f"the database cannot be used: {exc}") from exc
    except TRANSIENT_ERRORS as exc:
        raise CommandError("MongoDB does not answer at MONGODB_URI") from exc
    finally:
        await broker.stop()
        await admin.stop()
        await mongo.stop()
