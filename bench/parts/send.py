"""Part `send`: messages acknowledged per second through the gateway, durable, beside bare inserts."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import count

from bench.driver import Driven, closed_loop
from bench.floors import Document, inserts
from bench.harness import Bench, Ran
from bench.interface import Aim, Figure, Part, Round, Turns, alternate
from bench.requests import WORDS, lanes_of, message, visitors_message
from parley.chat.conversations.mappers import message_document
from parley.chat.conversations.model import Message
from parley.common.events.schemas import Person

_AT_ONCE = (1, 16, 64)
_first_ids = count(1, 10_000_000)


async def run(bench: Bench) -> Sequence[Figure]:
    """Rates and waits of operators at 1, 16 and 64 in flight, and of visitors at 64."""
    scene = bench.scene
    operators = [message(held) for held in scene.held]
    visitors = [visitors_message(scene.site_key, held) for held in scene.held]
    figures: list[Figure] = []
    for at_once in _AT_ONCE:
        figures += _operators(at_once, await _turns(bench, operators, at_once))
    turns = await _turns(bench, visitors, 64)
    return [
        *figures,
        turns.figure("visitors, 64 in flight", "messages/s"),
        turns.waits("visitors, 64 in flight, p50", "p50"),
    ]


async def _turns(bench: Bench, requests: Sequence[bytes], at_once: int) -> Turns:
    await _send(bench, requests, at_once, bench.seconds(2))
    return await alternate(
        bench.rounds(),
        lambda: _insert(bench, at_once),
        lambda: _send(bench, requests, at_once, bench.seconds()),
    )


def _operators(at_once: int, turns: Turns) -> list[Figure]:
    aims = (Aim("ratio", "at least", 0.6), Aim("value", "at least", 1000)) if at_once == 64 else ()
    rate = turns.figure(f"{at_once} in flight", "messages/s", *aims)
    waits = [Aim("ratio", "at most", 2.5)] if at_once == 1 else []
    return [rate, turns.waits(f"{at_once} in flight, p50", "p50", *waits)]


async def _send(bench: Bench, requests: Sequence[bytes], at_once: int, seconds: float) -> Round:
    scene, lanes = bench.scene, lanes_of(requests, at_once)
    ran = await bench.elsewhere(closed_loop, scene.host, scene.port, lanes, seconds, secrets.token_hex(4))
    if ran.result.refused:
        raise RuntimeError(f"{ran.result.refused} messages were refused")
    return round_of(ran)


async def _insert(bench: Bench, at_once: int) -> Round:
    document = sample_document(bench)
    ran = await bench.elsewhere(
        inserts, bench.mongo.uri, bench.database("chat"), document, at_once, bench.seconds(), next(_first_ids)
    )
    return round_of(ran)


def round_of(ran: Ran[Driven]) -> Round:
    """A round whose figure is a rate."""
    return Round(ran.result.rate, ran.result.waits, ran.cpu)


def sample_document(bench: Bench) -> Document:
    """A message as chat keeps it."""
    scene = bench.scene
    return message_document(
        Message(
            id=1,
            tenant_id=scene.tenant_id,
            site_id=scene.site_id,
            conversation_id=scene.held[0].conversation_id,
            session="sess_" + "0" * 32,
            seq=1,
            role="operator",
            content=f"{WORDS}and {secrets.token_hex(16)}",
            created_at=datetime.now(UTC),
            sender=Person(id=scene.operator_id, name="Alex Archer"),
            message_id=f"operator:{scene.operator_id}:{secrets.token_hex(16)}",
        )
    )


PART = Part(
    "send",
    "messages acknowledged per second, durable: operators' at 1, 16 and 64 in flight, visitors' at 64.",
    "the same documents inserted one by one straight with the driver, majority and journalled.",
    run,
)
