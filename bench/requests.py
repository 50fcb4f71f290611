"""Prebuilt requests that the benchmarks send."""

from __future__ import annotations

import json
from collections.abc import Sequence

from bench.driver import COUNTER_PLACEHOLDER, Worker, post
from bench.scenario import AssignedConversation

MESSAGE_TEXT = "Your order left our warehouse this morning and should be with you by Thursday. "


def operator_message(conversation: AssignedConversation) -> bytes:
    """Build an operator's message as the panel sends it: with a unique idempotency key each time."""
    content = f"{MESSAGE_TEXT}{COUNTER_PLACEHOLDER.decode()}"
    body = json.dumps({"conversation_id": conversation.conversation_id, "content": content}).encode()
    return post("/api/v1/operator/message", body, conversation.token, COUNTER_PLACEHOLDER.decode())


def visitor_message(site_key: str, conversation: AssignedConversation) -> bytes:
    """Build a visitor's message as the widget sends it: with a unique message id each time."""
    counter = COUNTER_PLACEHOLDER.decode()
    message = {"message": f"{MESSAGE_TEXT}{counter}", "message_id": counter}
    body = json.dumps({"site_key": site_key, "session_id": conversation.session_id, **message}).encode()
    return post("/api/v1/chat/stream", body)


def build_workers(requests: Sequence[bytes], concurrency: int) -> list[Worker]:
    """Distribute the requests over this many workers; each worker repeats its own on one connection."""
    assigned: list[list[bytes]] = [[] for _ in range(concurrency)]
    for number in range(max(concurrency, len(requests))):
        assigned[number % concurrency].append(requests[number % len(requests)])
    return [Worker(tuple(one)) for one in assigned]
