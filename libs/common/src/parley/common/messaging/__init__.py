"""RabbitMQ as the services use it: events out with confirms, events in from quorum queues, the log, and questions."""

from parley.common.messaging.broadcast import BroadcastSubscriber
from parley.common.messaging.broker import BrokerConnection
from parley.common.messaging.consumer import Consumer, PoisonMessage
from parley.common.messaging.rpc import RpcClient, RpcServer
from parley.common.messaging.stream_consumer import (
    StreamConsumer,
    StreamRecord,
    first_position,
    last_position,
    to_offset,
)

__all__ = [
    "BroadcastSubscriber",
    "BrokerConnection",
    "Consumer",
    "PoisonMessage",
    "RpcClient",
    "RpcServer",
    "StreamConsumer",
    "StreamRecord",
    "first_position",
    "last_position",
    "to_offset",
]
