"""What can go wrong, as types: a stable code and a sentence, and no word of HTTP or AMQP.

Each boundary translates: `web.envelope` turns these into the contract's error envelope, `amqp.rpc` carries
them from one service to another.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar


class ErrorCategory(StrEnum):
    """The families of failure a boundary has to tell apart."""

    BAD_REQUEST = "malformed"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    PAYLOAD_TOO_LARGE = "too_large"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media"
    VALIDATION_FAILED = "invalid"
    TOO_MANY_REQUESTS = "too_many"
    UNAVAILABLE = "unavailable"
    REQUEST_TIMEOUT = "slow"
    BAD_GATEWAY = "failed"
    GATEWAY_TIMEOUT = "late"


class ParleyError(Exception):
    """A failure with a name. Subclasses fix `kind`, `code` and the default sentence."""

    category: ClassVar[ErrorCategory]
    code: ClassVar[str]
    default_message: ClassVar[str]

    def __init__(self, message: str | None = None, **details: Any) -> None:
        self.message = message or self.default_message
        self.details: Mapping[str, Any] = details
        super().__init__(self.message)


class BadRequest(ParleyError):
    category = ErrorCategory.BAD_REQUEST
    code = "malformed"
    default_message = "The request could not be read."


class Unauthenticated(ParleyError):
    category = ErrorCategory.UNAUTHENTICATED
    code = "unauthenticated"
    default_message = "Please log in."


class Forbidden(ParleyError):
    category = ErrorCategory.FORBIDDEN
    code = "forbidden"
    default_message = "You do not have permission to do this."


class NotFound(ParleyError):
    """Also the answer for what belongs to another tenant: word for word the same."""

    category = ErrorCategory.NOT_FOUND
    code = "not_found"
    default_message = "There is nothing here by that name."


class Conflict(ParleyError):
    category = ErrorCategory.CONFLICT
    code = "conflict"
    default_message = "That conflicts with the present state."


class PayloadTooLarge(ParleyError):
    category = ErrorCategory.PAYLOAD_TOO_LARGE
    code = "too_large"
    default_message = "That is larger than allowed."


class UnsupportedMediaType(ParleyError):
    category = ErrorCategory.UNSUPPORTED_MEDIA_TYPE
    code = "unsupported_media_type"
    default_message = "That media type is not accepted here."


class ValidationFailed(ParleyError):
    """One or more fields are missing or wrong; `fields` says why, by field name."""

    category = ErrorCategory.VALIDATION_FAILED
    code = "invalid"
    default_message = "Some fields are missing or wrong."

    def __init__(self, fields: Mapping[str, str], message: str | None = None, **details: Any) -> None:
        super().__init__(message, **details)
        self.fields = dict(fields)


class TooManyRequests(ParleyError):
    """A limit was reached. `retry_after` is in whole seconds, at least 1."""

    category = ErrorCategory.TOO_MANY_REQUESTS
    code = "too_many_requests"
    default_message = "Too many requests. Please wait a little."

    def __init__(self, retry_after: int, message: str | None = None, **details: Any) -> None:
        self.retry_after = max(1, retry_after)
        super().__init__(message, retry_after=self.retry_after, **details)


class Unavailable(ParleyError):
    """A part we need (database, broker, provider) is away. Trying again later is right."""

    category = ErrorCategory.UNAVAILABLE
    code = "unavailable"
    default_message = "A part of the service is not available right now. Please try again."


class RequestTimeout(ParleyError):
    """The request itself took too long to arrive."""

    category = ErrorCategory.REQUEST_TIMEOUT
    code = "timeout"
    default_message = "The request took too long to arrive."


class BadGateway(ParleyError):
    """A part behind us gave no usable answer; whether it did the work is not known."""

    category = ErrorCategory.BAD_GATEWAY
    code = "failed"
    default_message = "A part of the service failed. Please try again."


class GatewayTimeout(ParleyError):
    """A part behind us did not answer in time; whether it did the work is not known."""

    category = ErrorCategory.GATEWAY_TIMEOUT
    code = "late"
    default_message = "A part of the service took too long to answer. Please try again."
