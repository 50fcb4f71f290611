"""Consumers that could never receive what they ask for are rejected when they are built."""

from __future__ import annotations

import pytest

from parley.common.events import Event
from parley.common.messaging import Consumer


def test_stream_only_event_without_a_routing_tag_cannot_be_consumed_from_a_queue() -> None:
    async def handle(event: Event) -> None: ...

    with pytest.raises(TypeError, match="stream_only"):
        Consumer("tests", "messages", {"message.created": handle})
