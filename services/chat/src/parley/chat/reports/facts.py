"""Builds the fact of a conversation from the conversation as it is stored."""

from __future__ import annotations

from datetime import datetime

from parley.chat.conversations.model import Conversation, HistoryEntry
from parley.chat.reports.model import Fact

_HANDING_OFF = frozenset({"accepted", "assigned", "transferred", "reopened", "pending", "transferred_to_team"})
_CLOSING = frozenset({"closed", "closed_for_silence"})


def build_fact(conversation: Conversation) -> Fact:
    """The fact of a conversation. The same conversation always has the same fact."""
    history = conversation.history
    request = next((entry for entry in history if entry.action == "pending"), None)
    handoff = next((entry for entry in history if entry.action in _HANDING_OFF), None)
    operator = conversation.last_assigned_operator()
    return Fact(
        conversation_id=conversation.id,
        tenant_id=conversation.tenant_id,
        site_id=conversation.site_id,
        version=conversation.version,
        began_at=conversation.created_at,
        handed_off_at=handoff.at if handoff else None,
        handoff_reason=_reason(handoff),
        requested_at=request.at if request else None,
        assigned_at=_find_assignment(history, request.at) if request else None,
        first_ai_message_at=conversation.first_ai_message_at,
        first_operator_message_at=conversation.first_operator_message_at,
        waiting=conversation.mode in ("pending", "operator"),
        closed_at=_find_closing(conversation),
        operator_id=operator.id if operator else None,
        team_id=conversation.team_id,
        label_ids=conversation.label_ids,
        rating=conversation.rating,
        usage=conversation.known_usage if conversation.first_ai_message_at else None,
    )


def _reason(handoff: HistoryEntry | None) -> str | None:
    if handoff is None:
        return None
    if handoff.action != "pending":
        return "taken_over"
    return "ai_cap" if handoff.reason is not None and handoff.reason.startswith("ai_cap_") else handoff.reason


def _find_assignment(history: tuple[HistoryEntry, ...], since: datetime) -> datetime | None:
    return next((entry.at for entry in history if entry.assigned_operator and entry.at >= since), None)


def _find_closing(conversation: Conversation) -> datetime | None:
    """When a closed conversation was closed the last time."""
    if conversation.open:
        return None
    closings = [entry.at for entry in conversation.history if entry.action in _CLOSING]
    return closings[-1] if closings else conversation.updated_at
