"""The requests that parts send, ready made."""

from __future__ import annotations

import json
from collections.abc import Sequence

from bench.driver import COUNTER_PLACEHOLDER, Worker, post
from bench.scenario import AssignedConversation

MESSAGE_TEXT = "Your order left our house this morning and should be with you by Thursday. "


def operator_message(held: AssignedConversation) -> bytes:
    """An operator's message to a conversation, as the panel sends it: with a key of its own each time."""
    content = f"{MESSAGE_TEXT}{COUNTER_PLACEHOLDER.decode()}"
    body = json.dumps({"conversation_id": held.conversation_id, "content": content}).encode()
    return post("/api/v1/operator/message", body, held.token, COUNTER_PLACEHOLDER.decode())


def visitor_message(site_key: str, held: AssignedConversation) -> bytes:
    """A visitor's message, as the widget sends it: with an id of its own each time."""
    counted = COUNTER_PLACEHOLDER.decode()
    said = {"message": f"{MESSAGE_TEXT}{counted}", "message_id": counted}
    body = json.dumps({"site_key": site_key, "session_id": held.session_id, **said}).encode()
    return post("/api/v1/chat/stream", body)


def build_workers(requests: Sequence[bytes], at_once: int) -> list[Worker]:
    """So many connections that send all of these over and over, each of them on one connection."""
    lanes: list[list[bytes]] = [[] for _ in range(at_once)]
    for number in range(max(at_once, len(requests))):
        lanes[number % at_once].append(requests[number % len(requests)])
    return [Worker(tuple(lane)) for lane in lanes]
