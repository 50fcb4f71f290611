"""The composition root of chat's commands: what a command works with, open for as long as it runs.

Commands go through the same domain code as requests do. What they change is told by the outbox of a running chat.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from parley.chat.admin_module import Administration
from parley.chat.mongo_schema import OUTBOX_COLLECTIONS, SCHEMA
from parley.chat.privacy.module import HOLDERS, personal_data_of
from parley.chat.privacy.service import PersonalData
from parley.chat.settings import ChatSettings
from parley.common.auth.identity import OperatorCaller
from parley.common.cli.main import Refused
from parley.common.errors import Forbidden
from parley.common.messaging import Ask, Bus
from parley.common.mongodb import OUTAGES, Mongo, Outbox, SchemaNotReady

_BROKER_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Office:
    administration: Administration
    personal_data: PersonalData
    bus: Bus

    async def acting_as(self, email: str) -> OperatorCaller:
        """The caller that an operator would be, for whom a command acts. Raises Refused."""
        try:
            return await self.administration.caller_of(email, "command line")
        except Forbidden:
            raise Refused(f"there is no active operator with the e-mail address {email}") from None

    async def connect(self) -> None:
        """Reach the other services, by the broker. Raises Refused."""
        await self.bus.start()
        try:
            async with asyncio.timeout(_BROKER_SECONDS):
                while self.bus.fault() is not None:  # noqa: ASYNC110 - sessions come up by themselves
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise Refused("RabbitMQ does not answer at AMQP_URL, so the other services cannot be asked") from None


@asynccontextmanager
async def opened(settings: ChatSettings) -> AsyncIterator[Office]:
    """An office over the installation's database. Raises Refused where that cannot be used."""
    mongo = Mongo(settings.mongodb_uri, f"{settings.database_prefix}_chat", SCHEMA, settings.schema_mode)
    bus = Bus(settings.amqp_url)
    outbox = Outbox(mongo, bus, OUTBOX_COLLECTIONS)
    administration = Administration(mongo, outbox, settings)
    asks = {name: Ask(name) for name in HOLDERS}
    for ask in asks.values():
        bus.add(ask)
    try:
        await mongo.prepare()
        yield Office(administration, personal_data_of(settings, mongo, outbox, administration, asks), bus)
    except SchemaNotReady as exc:
        raise Refused(f"the database cannot be used: {exc}") from exc
    except OUTAGES as exc:
        raise Refused("MongoDB does not answer at MONGODB_URI") from exc
    finally:
        await bus.stop()
        await administration.stop()
        await mongo.stop()
