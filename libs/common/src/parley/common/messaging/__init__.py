"""RabbitMQ: events published with confirms, consumed from quorum queues, broadcast to replicas; and RPC."""

from parley.common.messaging.broadcast import BroadcastSubscriber
from parley.common.messaging.broker import BrokerConnection
from parley.common.messaging.consumer import Consumer, PoisonMessage
from parley.common.messaging.rpc import RpcClient, RpcServer

__all__ = [
    "BroadcastSubscriber",
    "BrokerConnection",
    "Consumer",
    "PoisonMessage",
    "RpcClient",
    "RpcServer",
]
