"""What can go wrong, as types: a stable code and a sentence, and no word of HTTP or AMQP.

Each boundary translates: `web.envelope` turns these into the contract's error envelope, `amqp.rpc` carries
them from one service to another.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar


class Kind(StrEnum):
    """The families of failure a boundary has to tell apart."""

    MALFORMED = "malformed"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    TOO_LARGE = "too_large"
    UNSUPPORTED_MEDIA = "unsupported_media"
    INVALID = "invalid"
    TOO_MANY = "too_many"
    UNAVAILABLE = "unavailable"
    SLOW = "slow"
    FAILED = "failed"
    LATE = "late"


class ParleyError(Exception):
    """A failure with a name. Subclasses fix `kind`, `code` and the default sentence."""

    kind: ClassVar[Kind]
    code: ClassVar[str]
    sentence: ClassVar[str]

    def __init__(self, sentence: str | None = None, **details: Any) -> None:
        self.message = sentence or self.sentence
        self.details: Mapping[str, Any] = details
        super().__init__(self.message)


class Malformed(ParleyError):
    kind = Kind.MALFORMED
    code = "malformed"
    sentence = "The request could not be read."


class Unauthenticated(ParleyError):
    kind = Kind.UNAUTHENTICATED
    code = "unauthenticated"
    sentence = "Please log in."


class Forbidden(ParleyError):
    kind = Kind.FORBIDDEN
    code = "forbidden"
    sentence = "You do not have permission to do this."


class NotFound(ParleyError):
    """Also the answer for what belongs to another tenant: word for word the same."""

    kind = Kind.NOT_FOUND
    code = "not_found"
    sentence = "There is nothing here by that name."


class Conflict(ParleyError):
    kind = Kind.CONFLICT
    code = "conflict"
    sentence = "That conflicts with the present state."


class TooLarge(ParleyError):
    kind = Kind.TOO_LARGE
    code = "too_large"
    sentence = "That is larger than allowed."


class UnsupportedMedia(ParleyError):
    kind = Kind.UNSUPPORTED_MEDIA
    code = "unsupported_media_type"
    sentence = "That media type is not accepted here."


class Invalid(ParleyError):
    """One or more fields are missing or wrong; `fields` says why, by field name."""

    kind = Kind.INVALID
    code = "invalid"
    sentence = "Some fields are missing or wrong."

    def __init__(self, fields: Mapping[str, str], sentence: str | None = None, **details: Any) -> None:
        super().__init__(sentence, **details)
        self.fields = dict(fields)


class TooMany(ParleyError):
    """A limit was reached. `retry_after` is in whole seconds, at least 1."""

    kind = Kind.TOO_MANY
    code = "too_many_requests"
    sentence = "Too many requests. Please wait a little."

    def __init__(self, retry_after: int, sentence: str | None = None, **details: Any) -> None:
        self.retry_after = max(1, retry_after)
        super().__init__(sentence, retry_after=self.retry_after, **details)


class Unavailable(ParleyError):
    """A part we need (database, broker, provider) is away. Trying again later is right."""

    kind = Kind.UNAVAILABLE
    code = "unavailable"
    sentence = "A part of the service is not available right now. Please try again."


class Slow(ParleyError):
    """The request itself took too long to arrive."""

    kind = Kind.SLOW
    code = "timeout"
    sentence = "The request took too long to arrive."


class Failed(ParleyError):
    """A part behind us gave no usable answer; whether it did the work is not known."""

    kind = Kind.FAILED
    code = "failed"
    sentence = "A part of the service failed. Please try again."


class Late(ParleyError):
    """A part behind us did not answer in time; whether it did the work is not known."""

    kind = Kind.LATE
    code = "late"
    sentence = "A part of the service took too long to answer. Please try again."
