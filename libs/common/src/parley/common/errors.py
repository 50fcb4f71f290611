"""The errors that services raise, each with a stable code and a message, independent of HTTP and AMQP.

`http.error_responses` turns them into the API's error envelope.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar


class ErrorCategory(StrEnum):
    """The kinds of error that a boundary distinguishes, one per HTTP status."""

    BAD_REQUEST = "bad_request"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    REQUEST_TIMEOUT = "request_timeout"
    CONFLICT = "conflict"
    PAYLOAD_TOO_LARGE = "payload_too_large"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    VALIDATION_FAILED = "validation_failed"
    TOO_MANY_REQUESTS = "too_many_requests"
    BAD_GATEWAY = "bad_gateway"
    UNAVAILABLE = "unavailable"
    GATEWAY_TIMEOUT = "gateway_timeout"


class ParleyError(Exception):
    """Base of the errors. Subclasses define `category`, `code` (part of the API) and the default message.

    `details` are added to the response's JSON object.
    """

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
    default_message = "The request could not be parsed."


class Unauthenticated(ParleyError):
    category = ErrorCategory.UNAUTHENTICATED
    code = "unauthenticated"
    default_message = "Please log in."


class Forbidden(ParleyError):
    category = ErrorCategory.FORBIDDEN
    code = "forbidden"
    default_message = "You do not have permission to do this."


class NotFound(ParleyError):
    """Also raised for what belongs to another tenant, with the same response."""

    category = ErrorCategory.NOT_FOUND
    code = "not_found"
    default_message = "Not found."


class Conflict(ParleyError):
    category = ErrorCategory.CONFLICT
    code = "conflict"
    default_message = "The request conflicts with the current state."


class PayloadTooLarge(ParleyError):
    category = ErrorCategory.PAYLOAD_TOO_LARGE
    code = "too_large"
    default_message = "The request is larger than allowed."


class UnsupportedMediaType(ParleyError):
    category = ErrorCategory.UNSUPPORTED_MEDIA_TYPE
    code = "unsupported_media_type"
    default_message = "This media type is not supported here."


class ValidationFailed(ParleyError):
    """One or more fields are missing or invalid; `fields` maps their names to the reasons."""

    category = ErrorCategory.VALIDATION_FAILED
    code = "invalid"
    default_message = "Some fields are missing or invalid."

    def __init__(self, fields: Mapping[str, str], message: str | None = None, **details: Any) -> None:
        super().__init__(message, **details)
        self.fields = dict(fields)


class TooManyRequests(ParleyError):
    """A limit was reached. `retry_after` is in whole seconds, at least 1."""

    category = ErrorCategory.TOO_MANY_REQUESTS
    code = "too_many_requests"
    default_message = "Too many requests. Please wait a moment."

    def __init__(self, retry_after: int, message: str | None = None, **details: Any) -> None:
        self.retry_after = max(1, retry_after)
        super().__init__(message, retry_after=self.retry_after, **details)


class Unavailable(ParleyError):
    """A dependency (database, broker, provider) is unavailable. The caller may try again."""

    category = ErrorCategory.UNAVAILABLE
    code = "unavailable"
    default_message = "Part of the service is unavailable. Please try again."


class RequestTimeout(ParleyError):
    """The request itself took too long to arrive."""

    category = ErrorCategory.REQUEST_TIMEOUT
    code = "timeout"
    default_message = "The request took too long to arrive."


class BadGateway(ParleyError):
    """A service behind the gateway gave no usable response. It may or may not have done the work."""

    category = ErrorCategory.BAD_GATEWAY
    code = "failed"
    default_message = "Part of the service failed. Please try again."


class GatewayTimeout(ParleyError):
    """A service behind the gateway did not answer in time. It may or may not have done the work."""

    category = ErrorCategory.GATEWAY_TIMEOUT
    code = "late"
    default_message = "Part of the service took too long to answer. Please try again."
