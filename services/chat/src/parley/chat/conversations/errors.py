"""Errors about conversations. `code` is part of the API."""

from __future__ import annotations

from parley.common.errors import Conflict, NotFound, Unavailable


class ConversationNotFound(NotFound):
    code = "not_found"


class AssignedToAnother(Conflict):
    """Another operator has the conversation; `operator` in the response names them."""

    code = "conversation_held"
    default_message = "Another operator has this conversation."

    def __init__(self, operator_id: int, name: str) -> None:
        super().__init__(f"{name} has this conversation.", operator={"id": operator_id, "name": name})


class ConversationIsClosed(Conflict):
    code = "conversation_closed"
    default_message = "This conversation is closed."


class ConversationIsOpen(Conflict):
    code = "conversation_open"
    default_message = "This conversation is not closed."


class NewerConversation(Conflict):
    """The visitor has a newer conversation; `conversation_id` in the response is its id."""

    code = "newer_conversation"
    default_message = "The visitor has started a newer conversation."


class NotSnoozed(Conflict):
    code = "conversation_not_snoozed"
    default_message = "This conversation is not snoozed."


class ChangedSince(Conflict):
    """What would be undone was changed again; undoing it would overwrite the later change."""

    code = "changed_since"
    default_message = "This conversation was changed since."


class NotAssigned(Conflict):
    code = "conversation_not_held"
    default_message = "No operator has this conversation."


class ConcurrentModification(Unavailable):
    """A change was retried up to its limit, and each time another change of the conversation came first.

    The HTTP layer answers with 503; the client may try again.
    """

    code = "busy"
    default_message = "The conversation is very busy. Please try again."
