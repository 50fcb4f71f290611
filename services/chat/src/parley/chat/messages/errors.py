"""Errors about messages. `code` is part of the API; an error without one reaches no client."""

from __future__ import annotations

from parley.chat.visitors.model import Visitor
from parley.common.errors import ValidationFailed


class IdempotencyKeyReused(ValidationFailed):
    """The message id of a message was sent again with other content."""

    code = "idempotency_key_reused"
    default_message = "This Idempotency-Key was used for another request."

    def __init__(self) -> None:
        super().__init__({"Idempotency-Key": "was used with another body"})


class MessageNotPersisted(Exception):
    """A translated message is neither stored nor on its way to storage yet: the event is to be delivered again."""


class SessionJoined(Exception):
    """The visitor's session was joined to the history of a person while the request was on its way.

    The use case catches it and goes on as the person.
    """

    def __init__(self, person: Visitor) -> None:
        super().__init__()
        self.person = person


class StaleRead(Exception):
    """The conversation has changed since its snapshot in a way that matters.

    The use case catches it and starts again from a new snapshot.
    """
