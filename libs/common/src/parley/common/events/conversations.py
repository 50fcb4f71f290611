"""Events about conversations: each carries the conversation after the change, and the operator who made it.

A visitor sees only the mode and, after an operator accepted, that operator's name.
"""

from __future__ import annotations

from typing import Literal

from parley.common.events.registry import Audience, EventData
from parley.common.events.schemas import ConversationSchema, Mode, OperatorRef

_VISITOR = ("mode", "operator")


class _ConversationChanged(EventData):
    mode: Mode
    operator: OperatorRef | None = None
    by: OperatorRef | None = None
    """The operator who made the change; None for a visitor or a timer."""
    conversation: ConversationSchema


class ConversationCreated(
    _ConversationChanged, type="conversation.created", audience=Audience.OPERATORS_AND_VISITOR, visitor_fields=_VISITOR
):
    """A visitor wrote their first message, or the first after a close."""


class ConversationPending(
    _ConversationChanged, type="conversation.pending", audience=Audience.OPERATORS_AND_VISITOR, visitor_fields=_VISITOR
):
    """A handoff to an operator was requested."""

    reason: str = "asked"


class ConversationAccepted(
    _ConversationChanged, type="conversation.accepted", audience=Audience.OPERATORS_AND_VISITOR, visitor_fields=_VISITOR
):
    """An operator accepted the conversation, or it was assigned to them."""

    reason: str | None = None
    """How the operator was chosen, for example `round_robin`; None if they accepted it themselves."""
    waited_seconds: float | None = None
    """How long the visitor had waited in the queue; None if the conversation was not in it."""


class ConversationTransferred(
    _ConversationChanged,
    type="conversation.transferred",
    audience=Audience.OPERATORS_AND_VISITOR,
    visitor_fields=_VISITOR,
):
    """The conversation was transferred to another operator."""

    from_operator: OperatorRef | None = None
    reason: Literal["undone"] | None = None
    """`undone`: a change was undone, and the conversation returned to who had it before."""


class ConversationReleased(
    _ConversationChanged, type="conversation.released", audience=Audience.OPERATORS_AND_VISITOR, visitor_fields=_VISITOR
):
    """The conversation went back to the AI."""

    reason: str = "released"


class ConversationClosed(
    _ConversationChanged, type="conversation.closed", audience=Audience.OPERATORS_AND_VISITOR, visitor_fields=_VISITOR
):
    """The conversation ended; the visitor's next message opens a new one."""

    reason: Literal["closed", "silence"] = "closed"
    """`silence`: the visitor did not write for the time that the site allows."""


class ConversationReopened(
    _ConversationChanged, type="conversation.reopened", audience=Audience.OPERATORS_AND_VISITOR, visitor_fields=_VISITOR
):
    """An operator reopened a closed conversation, and answers in it."""

    reason: Literal["undone"] | None = None
    """`undone`: its end was undone, and who answered before does so again."""


class ConversationJoined(
    _ConversationChanged, type="conversation.joined", audience=Audience.OPERATORS_AND_VISITOR, visitor_fields=_VISITOR
):
    """What an unidentified session had written became a person's, who has proved to be the same visitor.

    It is closed if the person has another conversation that is open and began later. The person's devices fetch their
    history again.
    """

    from_session_id: str
    """The handle of the unidentified session."""


class ConversationUpdated(_ConversationChanged, type="conversation.updated", audience=Audience.OPERATORS):
    """Another property of the conversation changed."""

    reason: Literal["labels", "snoozed", "woken", "other"] = "other"
    """`woken`: its snooze ended, by its time, by the visitor's message or by an operator."""
    history_action: str | None = None
    """What the history has of the change, where the reason is `other`: `transcript_sent`. A further reason would be
    one that the version before refuses."""


class QueuePlaceChanged(
    EventData,
    type="queue.changed",
    audience=Audience.OPERATORS_AND_VISITOR,
    visitor_fields=("position", "estimated_wait_seconds"),
    ephemeral=True,
):
    """A waiting visitor's place in the queue. Shown to the visitor, never stored."""

    position: int
    estimated_wait_seconds: int | None = None


class ConversationRated(_ConversationChanged, type="conversation.rated", audience=Audience.OPERATORS):
    """The visitor rated the conversation."""

    score: int
    comment: str | None = None


class VisitorUpdated(EventData, type="visitor.updated", audience=Audience.OPERATORS):
    """A visitor's details changed; their conversations show them."""

    conversation: ConversationSchema | None = None
    by: OperatorRef | None = None


class VisitorBlocked(EventData, type="visitor.blocked", audience=Audience.OPERATORS):
    """A visitor was blocked or unblocked."""

    conversation: ConversationSchema | None = None
    blocked: str | None = None
    by: OperatorRef | None = None


class VisitorErased(EventData, type="visitor.erased", audience=Audience.OPERATORS):
    """A visitor's data is being erased: every service erases its own, and clients drop what they show.

    Published when the erasure begins, and again when it ends, for data written in between.
    """

    session_id: str
    conversation_ids: tuple[int, ...] = ()
