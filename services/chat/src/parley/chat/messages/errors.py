"""Errors about messages. `code` is part of the API."""

from __future__ import annotations

from parley.common.errors import ValidationFailed


class IdempotencyKeyReused(ValidationFailed):
    """The message id of a message was sent again with other content."""

    code = "idempotency_key_reused"
    default_message = "This Idempotency-Key was used for another request."

    def __init__(self) -> None:
        super().__init__({"Idempotency-Key": "was used with another body"})


class MessageNotPersisted(Exception):
    """A translated message is neither stored nor on its way to storage yet: the event is to be delivered again."""
