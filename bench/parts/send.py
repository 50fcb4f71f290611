"""Part `send`: operator messages acknowledged per second through the gateway, durable, beside bare inserts."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import count

from bench.driver import Driven, closed_loop
from bench.floors import Document, inserts
from bench.harness import Bench, Ran
from bench.interface import Aim, Figure, Part, Round, Turns, alternate
from bench.requests import WORDS, message_lanes
from parley.chat.domain.model import Message
from parley.chat.store.codec import message_document
from parley.common.events.views import Person

_AT_ONCE = (1, 16, 64)
_first_ids = count(1, 10_000_000)


async def run(bench: Bench) -> Sequence[Figure]:
    """Rates and waits at 1, 16 and 64 in flight."""
    figures: list[Figure] = []
    for at_once in _AT_ONCE:
        await _send(bench, at_once, bench.seconds(2))
        turns = await alternate(
            bench.rounds(),
            lambda at_once=at_once: _insert(bench, at_once),  # type: ignore[misc]
            lambda at_once=at_once: _send(bench, at_once, bench.seconds()),  # type: ignore[misc]
        )
        figures += _figures(at_once, turns)
    return figures


def _figures(at_once: int, turns: Turns) -> list[Figure]:
    aims = (Aim("ratio", "at least", 0.6), Aim("value", "at least", 1000)) if at_once == 64 else ()
    rate = turns.figure(f"{at_once} in flight", "messages/s", *aims)
    waits = [Aim("ratio", "at most", 2.5)] if at_once == 1 else []
    return [rate, turns.waits(f"{at_once} in flight, p50", "p50", *waits)]


async def _send(bench: Bench, at_once: int, seconds: float) -> Round:
    scene = bench.scene
    lanes = message_lanes(scene.held, at_once)
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
    "operator messages acknowledged per second at 1, 16 and 64 in flight, durable.",
    "the same documents inserted one by one straight with the driver, majority and journalled.",
    run,
)
