"""Which events call for a person, whom they call, and which events make a call unnecessary."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from parley.common.events import Event
from parley.common.observability.logging import Trace

EVERYONE: Final = 0
"""In place of an operator's id: all who may chat on the site."""

OccasionKind = Literal["message", "pending", "transferred"]

_PREVIEW = 200
_SETTLING = frozenset({"conversation.accepted", "conversation.released", "conversation.closed"})


@dataclass(frozen=True, slots=True)
class Occasion:
    """A reason to ring. `operator_id` is who is called, or EVERYONE; `text` may be empty (an image)."""

    position: int
    event_id: str
    kind: OccasionKind
    tenant_id: int
    site_id: int
    conversation_id: int
    operator_id: int
    seq: int
    name: str
    text: str
    at: datetime
    trace: Trace
    """What caused it: the push belongs to the same trace."""
    by: int | None = None
    """The operator who caused it: they need not be told."""


@dataclass(frozen=True, slots=True)
class Settled:
    """Calls about a conversation are unnecessary: of one operator up to a seq, or (EVERYONE, None) all of them."""

    position: int
    conversation_id: int
    operator_id: int = EVERYONE
    seq: int | None = None


Step = Occasion | Settled


def called_by(event: Event) -> int | None:
    """Whom an event calls: an operator, EVERYONE, or (None) nobody."""
    match event.type:
        case "message.created" if event.data["role"] == "visitor":
            conversation = event.data["conversation"]
            if conversation["mode"] == "pending":
                return EVERYONE
            return _person(conversation) if conversation["mode"] == "operator" else None
        case "conversation.pending":
            return EVERYONE
        case "conversation.transferred":
            return _person(event.data)
        case _:
            return None


def steps_of(event: Event, position: int) -> tuple[Step, ...]:
    """What an event means for pushes, in order."""
    steps: list[Step] = []
    if event.type == "visitor.erased":
        return tuple(Settled(position, number) for number in event.data["conversation_ids"])
    conversation_id = event.conversation_id
    if conversation_id is None:
        return ()
    if event.type in _SETTLING or event.type == "conversation.transferred":
        steps.append(Settled(position, conversation_id))
    if event.type == "message.read" and event.data["reader"] == "operator":
        by = event.data.get("by")
        steps.append(Settled(position, conversation_id, by["id"] if by else EVERYONE, event.data["seq"]))
    operator_id = called_by(event)
    if operator_id is not None:
        steps.append(_occasion(event, position, conversation_id, operator_id))
    return tuple(steps)


def _occasion(event: Event, position: int, conversation_id: int, operator_id: int) -> Occasion:
    conversation: dict[str, Any] = event.data["conversation"]
    newest = conversation.get("last_message") or {}
    kind: OccasionKind = "message"
    seq, text = int(conversation.get("last_seq", 0)), str(newest.get("preview", ""))
    if event.type == "message.created":
        seq, text = event.data["seq"], event.data["content"]
    else:
        kind = "pending" if event.type == "conversation.pending" else "transferred"
    return Occasion(
        position=position,
        event_id=event.id,
        kind=kind,
        tenant_id=event.tenant_id,
        site_id=event.site_id,
        conversation_id=conversation_id,
        operator_id=operator_id,
        seq=seq,
        name=_line(conversation["visitor"].get("name") or "", 80),
        text=_line(text, _PREVIEW),
        at=event.occurred_at,
        trace=Trace(event.request_id, event.traceparent),
        by=event.actor.id if event.actor.kind == "operator" else (event.data.get("by") or {}).get("id"),
    )


def _person(holder: dict[str, Any]) -> int | None:
    person = holder.get("operator")
    return int(person["id"]) if person else None


def _line(text: str, longest: int) -> str:
    """One line of printable text: a lock screen shows it, and nothing in it may do anything there."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text[: longest * 4]).split())
    return line if len(line) <= longest else line[: longest - 1] + "…"
