"""Decide from an event alone: does it cause a push, for whom, and does it make pending pushes unnecessary?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from parley.common.events import Event
from parley.common.observability.logging import TraceContext
from parley.notify.push.screen_text import to_screen_line

ALL_OPERATORS: Final = 0
"""In place of an operator's id: everyone who may chat on the site."""

PushKind = Literal["message", "pending", "transferred", "mention"]

_MAX_TEXT_LENGTH = 200
_MAX_NAME_LENGTH = 80
_CANCELLING_EVENTS = frozenset(
    {"conversation.accepted", "conversation.released", "conversation.closed", "conversation.transferred"}
)


@dataclass(frozen=True, slots=True)
class PushTrigger:
    """An event that causes a push. `text` may be empty: an image, or a visitor who has not written anything."""

    position: int
    event_id: str
    kind: PushKind
    tenant_id: int
    site_id: int
    conversation_id: int
    operator_id: int
    """The recipient, or ALL_OPERATORS."""
    seq: int
    visitor_name: str
    text: str
    occurred_at: datetime
    trace: TraceContext
    """The trace of the event; the push continues it."""
    caused_by: int | None = None
    """The operator who caused the event and so gets no push."""
    team_id: int | None = None
    """The team that the conversation waits for."""


@dataclass(frozen=True, slots=True)
class PushCancellation:
    """Pending pushes of a conversation are unnecessary: of one operator or ALL_OPERATORS, up to a seq or (None) all."""

    position: int
    conversation_id: int
    operator_id: int = ALL_OPERATORS
    up_to_seq: int | None = None


PushAction = PushTrigger | PushCancellation


def push_recipient(event: Event) -> int | None:
    """Return whom an event should reach by push: an operator's id, ALL_OPERATORS, or None."""
    match event.type:
        case "message.created" if event.data["role"] == "visitor":
            conversation = event.data["conversation"]
            if conversation["mode"] == "pending":
                return ALL_OPERATORS
            return _assigned_operator(conversation) if conversation["mode"] == "operator" else None
        case "conversation.pending":
            return ALL_OPERATORS
        case "conversation.transferred":
            return _assigned_operator(event.data)
        case "conversation.accepted" if event.data.get("reason") is not None:
            # Assigned: the operator did not accept it themselves.
            return _assigned_operator(event.data)
        case _:
            return None


def to_push_actions(event: Event, position: int) -> tuple[PushAction, ...]:
    """Return what an event means for push notifications, in order."""
    if event.type == "visitor.erased":
        return tuple(PushCancellation(position, number) for number in event.data["conversation_ids"])
    conversation_id = event.conversation_id
    if conversation_id is None:
        return ()
    actions: list[PushAction] = []
    if event.type in _CANCELLING_EVENTS:
        actions.append(PushCancellation(position, conversation_id))
    if event.type == "message.read" and event.data["reader"] == "operator":
        by = event.data.get("by")
        reader_id = by["id"] if by else ALL_OPERATORS
        actions.append(PushCancellation(position, conversation_id, reader_id, event.data["seq"]))
    if event.type == "note.created":
        actions += _to_mention_triggers(event, position, conversation_id)
    recipient = push_recipient(event)
    if recipient is not None:
        actions.append(_to_trigger(event, position, conversation_id, recipient))
    return tuple(actions)


def _to_trigger(event: Event, position: int, conversation_id: int, operator_id: int) -> PushTrigger:
    conversation: dict[str, Any] = event.data["conversation"]
    kind: PushKind = "message"
    seq, text = int(conversation.get("last_seq", 0)), _last_visitor_text(conversation)
    if event.type == "message.created":
        seq, text = event.data["seq"], event.data["content"] or _file_name(event.data)
    else:
        kind = "pending" if event.type == "conversation.pending" else "transferred"
    return PushTrigger(
        position=position,
        event_id=event.id,
        kind=kind,
        tenant_id=event.tenant_id,
        site_id=event.site_id,
        conversation_id=conversation_id,
        operator_id=operator_id,
        seq=seq,
        visitor_name=to_screen_line(conversation["visitor"].get("name") or "", _MAX_NAME_LENGTH),
        text=to_screen_line(text, _MAX_TEXT_LENGTH),
        occurred_at=event.occurred_at,
        trace=TraceContext(event.request_id, event.traceparent),
        team_id=conversation.get("team_id"),
        caused_by=event.actor.id if event.actor.kind == "operator" else (event.data.get("by") or {}).get("id"),
    )


def _file_name(message: dict[str, Any]) -> str:
    file = message.get("file")
    return f"📎 {file['name']}" if file else ""


def _to_mention_triggers(event: Event, position: int, conversation_id: int) -> list[PushTrigger]:
    """Return a trigger for each operator whom a note calls, but its author."""
    note = event.data["note"]
    author = note["author"]
    return [
        PushTrigger(
            position=position,
            event_id=event.id,
            kind="mention",
            tenant_id=event.tenant_id,
            site_id=event.site_id,
            conversation_id=conversation_id,
            operator_id=int(operator_id),
            # A note has no seq: reading any message of the conversation makes the push unnecessary.
            seq=0,
            visitor_name=to_screen_line(author["name"], _MAX_NAME_LENGTH),
            text=to_screen_line(note["content"], _MAX_TEXT_LENGTH),
            occurred_at=event.occurred_at,
            trace=TraceContext(event.request_id, event.traceparent),
            caused_by=author["id"],
        )
        # The version before of chat sends no mentions.
        for operator_id in note.get("mentions", ())
        if operator_id != author["id"]
    ]


def _last_visitor_text(conversation: dict[str, Any]) -> str:
    """Return what the visitor wrote last, not the handoff message."""
    newest = conversation.get("last_message") or {}
    if newest.get("role") != "visitor":
        # The previous version of chat does not say what the visitor wrote.
        newest = conversation.get("last_visitor_message") or {}
    return str(newest.get("preview", ""))


def _assigned_operator(data: dict[str, Any]) -> int | None:
    operator = data.get("operator")
    return int(operator["id"]) if operator else None
