"""Chat's connections: MongoDB with the schema and the outbox, RabbitMQ, and RPC clients of the other services."""

from __future__ import annotations

from dataclasses import dataclass

from parley.chat.mongo_schema import OUTBOX_COLLECTIONS, SCHEMA
from parley.chat.privacy.module import DATA_SERVICES
from parley.chat.search.feed import SearchFeed
from parley.chat.search.index import SearchIndex
from parley.chat.settings import ChatSettings
from parley.common.messaging import BrokerConnection, RpcClient
from parley.common.mongodb import Mongo, Outbox
from parley.common.runtime.clock import utc_now
from parley.common.runtime.service import Service


@dataclass(frozen=True, slots=True)
class Backends:
    mongo: Mongo
    broker: BrokerConnection
    outbox: Outbox
    rpc: dict[str, RpcClient]
    """By service name."""


def add_backends(service: Service, settings: ChatSettings) -> Backends:
    """Create the connections and add them to the service, which opens and closes them."""
    database = f"{settings.database_prefix}_chat"
    mongo = service.add(Mongo(settings.mongodb_uri, database, SCHEMA, settings.schema_mode))
    broker = service.add(BrokerConnection(settings.amqp_url, log_partitions=settings.log_partitions), optional=True)
    outbox = service.add(
        Outbox(mongo, broker, OUTBOX_COLLECTIONS, processor=SearchFeed(mongo, SearchIndex(mongo), utc_now))
    )
    rpc = {name: RpcClient(name) for name in DATA_SERVICES}
    for client in rpc.values():
        broker.add(client)
    return Backends(mongo, broker, outbox, rpc)
