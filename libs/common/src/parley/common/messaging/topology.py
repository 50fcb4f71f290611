"""What exists in the broker, by name. Declared by whoever connects; all declarations are the same everywhere."""

from __future__ import annotations

from typing import Final

from aio_pika.abc import AbstractChannel, AbstractExchange, AbstractQueue, ExchangeType

EVENTS_EXCHANGE: Final = "parley.events"
EPHEMERAL_EXCHANGE: Final = "parley.ephemeral"
DEAD_LETTER_EXCHANGE: Final = "parley.dead"
LOG_STREAM: Final = "parley.log"
RPC_QUEUE_PREFIX: Final = "parley.ask"

LOG_MAX_AGE: Final = "24h"
LOG_MAX_BYTES: Final = 2_000_000_000
LOG_SEGMENT_BYTES: Final = 20_000_000
DELIVERY_LIMIT: Final = 5


async def declare_exchanges(channel: AbstractChannel) -> None:
    """The exchanges, and the log: bound to everything, so that no event is missing from it."""
    events = await channel.declare_exchange(EVENTS_EXCHANGE, ExchangeType.TOPIC, durable=True)
    await channel.declare_exchange(EPHEMERAL_EXCHANGE, ExchangeType.TOPIC, durable=True)
    await channel.declare_exchange(DEAD_LETTER_EXCHANGE, ExchangeType.DIRECT, durable=True)
    log = await declare_log_stream(channel)
    await log.bind(events, "#")


async def declare_log_stream(channel: AbstractChannel) -> AbstractQueue:
    """The stream queue that keeps everything that happened for a while, in one order."""
    return await channel.declare_queue(
        LOG_STREAM,
        durable=True,
        arguments={
            "x-queue-type": "stream",
            "x-max-age": LOG_MAX_AGE,
            "x-max-length-bytes": LOG_MAX_BYTES,
            "x-stream-max-segment-size-bytes": LOG_SEGMENT_BYTES,
        },
    )


async def declare_queue(channel: AbstractChannel, name: str, keys: tuple[str, ...]) -> AbstractQueue:
    """A consumer group's quorum queue, with its dead letters beside it; bound to what the group listens to."""
    dead = await channel.declare_queue(f"{name}.dead", durable=True, arguments={"x-queue-type": "quorum"})
    await dead.bind(DEAD_LETTER_EXCHANGE, name)
    queue = await channel.declare_queue(
        name,
        durable=True,
        arguments={
            "x-queue-type": "quorum",
            "x-delivery-limit": DELIVERY_LIMIT,
            "x-dead-letter-exchange": DEAD_LETTER_EXCHANGE,
            "x-dead-letter-routing-key": name,
            # At-least-once dead-lettering needs reject-publish (rabbitmq.com/docs/quorum-queues#dead-lettering):
            # without it a dead letter can be lost when the broker goes down in between.
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        },
    )
    exchange: AbstractExchange = await channel.get_exchange(EVENTS_EXCHANGE, ensure=False)
    for key in keys:
        await queue.bind(exchange, key)
    return queue
