"""The exchanges and queues of the broker. Every service declares what it uses, with the same arguments everywhere."""

from __future__ import annotations

from typing import Final

from aio_pika.abc import AbstractChannel, AbstractExchange, AbstractQueue, ExchangeType

from parley.common import log_partitions
from parley.common.messaging.timeouts import RPC_QUEUE_EXPIRES_MS

EVENTS_EXCHANGE: Final = "parley.events"
EPHEMERAL_EXCHANGE: Final = "parley.ephemeral"
DEAD_LETTER_EXCHANGE: Final = "parley.dead"
RPC_QUEUE_PREFIX: Final = "parley.rpc"
PREVIOUS_RPC_QUEUE_PREFIX: Final = "parley.ask"
"""Classic queues, which are lost with their node: for replicas of the previous version, during an upgrade."""

LOG_MAX_AGE: Final = "24h"
LOG_MAX_BYTES: Final = 4_000_000_000
"""Of all partitions together. Their share depends on their number, so the broker refuses a service that has another."""
LOG_SEGMENT_BYTES: Final = 4_000_000
DELIVERY_LIMIT: Final = 5


async def declare_exchanges(channel: AbstractChannel, partitions: int) -> None:
    """Declare the exchanges, and the event log's partitions bound to their events."""
    events = await channel.declare_exchange(EVENTS_EXCHANGE, ExchangeType.TOPIC, durable=True)
    await channel.declare_exchange(EPHEMERAL_EXCHANGE, ExchangeType.TOPIC, durable=True)
    await channel.declare_exchange(DEAD_LETTER_EXCHANGE, ExchangeType.DIRECT, durable=True)
    for partition in range(partitions):
        stream = await declare_log_stream(channel, partition, partitions)
        for binding_key in log_partitions.binding_keys(partition):
            await stream.bind(events, binding_key)


async def declare_log_stream(channel: AbstractChannel, partition: int, partitions: int) -> AbstractQueue:
    """Declare the stream queue that keeps a partition's events in one order, up to an age and a size."""
    return await channel.declare_queue(
        log_partitions.stream_name(partition),
        durable=True,
        arguments={
            "x-queue-type": "stream",
            "x-max-age": LOG_MAX_AGE,
            "x-max-length-bytes": LOG_MAX_BYTES // partitions,
            "x-stream-max-segment-size-bytes": LOG_SEGMENT_BYTES,
        },
    )


async def declare_queue(channel: AbstractChannel, name: str, binding_keys: tuple[str, ...]) -> AbstractQueue:
    """Declare a consumer group's quorum queue with its dead-letter queue, and bind it to the group's events."""
    dead_letters = await channel.declare_queue(f"{name}.dead", durable=True, arguments={"x-queue-type": "quorum"})
    await dead_letters.bind(DEAD_LETTER_EXCHANGE, name)
    queue = await channel.declare_queue(
        name,
        durable=True,
        arguments={
            "x-queue-type": "quorum",
            "x-delivery-limit": DELIVERY_LIMIT,
            "x-dead-letter-exchange": DEAD_LETTER_EXCHANGE,
            "x-dead-letter-routing-key": name,
            # At-least-once dead-lettering needs reject-publish (rabbitmq.com/docs/quorum-queues#dead-lettering):
            # without it a dead letter can be lost when the broker stops in between.
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        },
    )
    exchange: AbstractExchange = await channel.get_exchange(EVENTS_EXCHANGE, ensure=False)
    for binding_key in binding_keys:
        await queue.bind(exchange, binding_key)
    return queue


async def declare_rpc_queue(channel: AbstractChannel, service: str) -> AbstractQueue:
    """Declare the queue of a service's requests: replicated, so that it survives the loss of a node.

    It is deleted when no replica has consumed for a minute, so that a caller learns that no replica serves it.
    """
    return await channel.declare_queue(
        f"{RPC_QUEUE_PREFIX}.{service}",
        durable=True,
        arguments={"x-queue-type": "quorum", "x-expires": RPC_QUEUE_EXPIRES_MS},
    )
