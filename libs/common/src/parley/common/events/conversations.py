"""Facts about conversations: each carries the whole row after the change, and who made it.

A visitor sees only that the mode changed and, where a person took over, that person's name.
"""

from __future__ import annotations

from parley.common.events.registry import Audience, EventData
from parley.common.events.schemas import ConversationView, Mode, Person

_VISITOR = ("mode", "operator")


class _ConversationChanged(EventData):
    mode: Mode
    operator: Person | None = None
    by: Person | None = None
    """The operator who did it; None where the visitor or a timer did."""
    conversation: ConversationView


class ConversationCreated(
    _ConversationChanged, type="conversation.created", audience=Audience.EVERYONE, visitor_fields=_VISITOR
):
    """A visitor wrote for the first time, or again after a close."""


class ConversationPending(
    _ConversationChanged, type="conversation.pending", audience=Audience.EVERYONE, visitor_fields=_VISITOR
):
    """A person is awaited."""

    reason: str = "asked"


class ConversationAccepted(
    _ConversationChanged, type="conversation.accepted", audience=Audience.EVERYONE, visitor_fields=_VISITOR
):
    """An operator took it over."""


class ConversationTransferred(
    _ConversationChanged, type="conversation.transferred", audience=Audience.EVERYONE, visitor_fields=_VISITOR
):
    """It passed to another operator."""

    from_operator: Person | None = None


class ConversationReleased(
    _ConversationChanged, type="conversation.released", audience=Audience.EVERYONE, visitor_fields=_VISITOR
):
    """It went back to the AI."""

    reason: str = "released"


class ConversationClosed(
    _ConversationChanged, type="conversation.closed", audience=Audience.EVERYONE, visitor_fields=_VISITOR
):
    """It is over; a visitor who writes again opens a new one."""


class ConversationUpdated(_ConversationChanged, type="conversation.updated", audience=Audience.OPERATORS):
    """Something about it changed that is none of the above."""


class ConversationRated(_ConversationChanged, type="conversation.rated", audience=Audience.OPERATORS):
    """The visitor gave a score."""

    score: int
    comment: str | None = None


class VisitorUpdated(EventData, type="visitor.updated", audience=Audience.OPERATORS):
    """What is known of a visitor changed; their conversations show it."""

    conversation: ConversationView | None = None
    by: Person | None = None


class VisitorBlocked(EventData, type="visitor.blocked", audience=Audience.OPERATORS):
    """A visitor was blocked or let in again."""

    conversation: ConversationView | None = None
    blocked: str | None = None
    by: Person | None = None


class VisitorErased(EventData, type="visitor.erased", audience=Audience.OPERATORS):
    """What was kept of a visitor is being erased: every service erases its own, and clients drop what they show.

    Told when the erasure begins and once more when it ends, for what was under way in between.
    """

    session_id: str
    conversation_ids: tuple[int, ...] = ()
