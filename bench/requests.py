"""The requests that parts send, ready made."""

from __future__ import annotations

import json
from collections.abc import Sequence

from bench.driver import COUNTED, Lane, post
from bench.scene import Held

WORDS = "Your order left our house this morning and should be with you by Thursday. "


def message(held: Held) -> bytes:
    """An operator's message to a conversation, as the panel sends it: with a key of its own each time."""
    content = f"{WORDS}{COUNTED.decode()}"
    body = json.dumps({"conversation_id": held.conversation_id, "content": content}).encode()
    return post("/api/v1/operator/message", body, held.token, COUNTED.decode())


def message_lanes(held: Sequence[Held], at_once: int) -> list[Lane]:
    """So many connections that write to all these conversations, a conversation on one connection."""
    lanes: list[list[bytes]] = [[] for _ in range(at_once)]
    for number in range(max(at_once, len(held))):
        lanes[number % at_once].append(message(held[number % len(held)]))
    return [Lane(tuple(requests)) for requests in lanes]
