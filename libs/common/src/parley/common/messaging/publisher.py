"""Publishes many messages in one write to the broker, with one wait for all their confirms.

aio-pika publishes messages one by one, each with a lock, a write and a future of its own: a batch was measured at three
times the processor time of this. Uses only public attributes of aiormq's channel.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple, cast

from aio_pika.abc import AbstractExchange
from aiormq.abc import ChannelFrame
from pamqp import body, frame, header
from pamqp.commands import Basic


class OutgoingMessage(NamedTuple):
    """A message to publish."""

    routing_key: str
    content: bytes
    properties: Basic.Properties


async def publish_batch(exchange: AbstractExchange, messages: Sequence[OutgoingMessage]) -> None:
    """Publish in order; return when the broker has confirmed all. Raises if it refused one, or the channel closed.

    The caller sets the timeout. A message to which no queue is bound is dropped by the broker.
    """
    if not messages:
        return
    channel: Any = await cast("Any", exchange).channel.get_underlay_channel()
    async with channel.lock:
        confirm = BatchConfirm(channel.create_future(), len(messages))
        first_tag = channel.delivery_tag + 1
        tags = range(first_tag, first_tag + len(messages))
        channel.delivery_tag = tags[-1]
        channel.confirmations.update(dict.fromkeys(tags, confirm))
        try:
            await channel.write_queue.put(_encode_frames(channel, exchange.name, messages))
        except BaseException:
            # Nothing was sent: release the delivery tags.
            channel.delivery_tag = first_tag - 1
            for tag in tags:
                channel.confirmations.pop(tag, None)
            raise
    await confirm.all_confirmed


class BatchConfirm:
    """Registered in the channel as the future of each message's confirm; completes one future for the batch."""

    __slots__ = ("_remaining", "all_confirmed")

    def __init__(self, all_confirmed: asyncio.Future[None], messages: int) -> None:
        self.all_confirmed = all_confirmed
        self._remaining = messages

    def done(self) -> bool:
        return self.all_confirmed.done()

    def cancelled(self) -> bool:
        return self.all_confirmed.cancelled()

    def set_result(self, _: object) -> None:
        self._remaining -= 1
        if not self._remaining:
            self.all_confirmed.set_result(None)

    def set_exception(self, exc: BaseException) -> None:
        self.all_confirmed.set_exception(exc)


def _encode_frames(channel: Any, exchange: str, messages: Sequence[OutgoingMessage]) -> ChannelFrame:
    max_frame_bytes: int = channel.max_content_size
    frames: list[bytes] = []
    for routing_key, content, properties in messages:
        frames.append(_encode_method(channel.number, exchange, routing_key))
        content_header = header.ContentHeader(0, len(content), properties)
        frames.append(frame.marshal(content_header, channel.number))
        frames.extend(
            frame.marshal(body.ContentBody(content[start : start + max_frame_bytes]), channel.number)
            for start in range(0, len(content), max_frame_bytes)
        )
    return ChannelFrame(payload=b"".join(frames), should_close=False)


@lru_cache(4096)
def _encode_method(channel: int, exchange: str, routing_key: str) -> bytes:
    return frame.marshal(Basic.Publish(exchange=exchange, routing_key=routing_key), channel)
