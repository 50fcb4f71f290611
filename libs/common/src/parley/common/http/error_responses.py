"""Turns errors into responses: status, error envelope, headers. Nothing internal is disclosed."""

from __future__ import annotations

from typing import Any

import orjson
from aiohttp import web
from pydantic import ValidationError

from parley.common.errors import BadRequest, ErrorCategory, ParleyError, ValidationFailed
from parley.common.observability.logging import current_trace

_STATUS_BY_CATEGORY = {
    ErrorCategory.BAD_REQUEST: 400,
    ErrorCategory.UNAUTHENTICATED: 401,
    ErrorCategory.FORBIDDEN: 403,
    ErrorCategory.NOT_FOUND: 404,
    ErrorCategory.CONFLICT: 409,
    ErrorCategory.PAYLOAD_TOO_LARGE: 413,
    ErrorCategory.UNSUPPORTED_MEDIA_TYPE: 415,
    ErrorCategory.VALIDATION_FAILED: 422,
    ErrorCategory.TOO_MANY_REQUESTS: 429,
    ErrorCategory.UNAVAILABLE: 503,
    ErrorCategory.REQUEST_TIMEOUT: 408,
    ErrorCategory.BAD_GATEWAY: 502,
    ErrorCategory.GATEWAY_TIMEOUT: 504,
}

_AIOHTTP_ERRORS = {
    400: ("malformed", "The request could not be parsed."),
    404: ("not_found", "Not found."),
    405: ("method_not_allowed", "This method is not allowed here."),
    408: ("timeout", "The request took too long to arrive."),
    413: ("too_large", "The request is larger than allowed."),
    415: ("unsupported_media_type", "This media type is not supported here."),
}


def error_response(exc: ParleyError) -> web.Response:
    """Build the response for an error."""
    body: dict[str, Any] = {**exc.details, **_envelope(exc.message, exc.code)}
    headers: dict[str, str] = {}
    if isinstance(exc, ValidationFailed):
        body["errors"] = exc.fields
    if "retry_after" in exc.details:
        headers["Retry-After"] = str(exc.details["retry_after"])
    return _json(_STATUS_BY_CATEGORY[exc.category], body, headers)


def http_error_response(exc: web.HTTPException) -> web.Response:
    """Build the response for what aiohttp refused: no such path, wrong method, body too large."""
    code, message = _AIOHTTP_ERRORS.get(exc.status, ("http_error", "The request was refused."))
    headers = {"Allow": exc.headers["Allow"]} if "Allow" in exc.headers else {}
    return _json(exc.status, _envelope(message, code), headers)


def internal_error_response() -> web.Response:
    """Build the response for an unexpected exception. Its request id is in the log entry."""
    return _json(500, _envelope("Internal error.", "internal_error"), {})


def validation_error(exc: ValidationError) -> ParleyError:
    """Convert pydantic's errors to an error with a reason per field; BadRequest if the body is not JSON."""
    fields: dict[str, str] = {}
    for error in exc.errors(include_url=False, include_context=False, include_input=False):
        if error["type"] == "json_invalid":
            return BadRequest("The body is not valid JSON.")
        name = ".".join(str(part) for part in error["loc"]) or "body"
        fields.setdefault(name, error["msg"].removeprefix("Value error, "))
    return ValidationFailed(fields)


def _envelope(message: str, code: str) -> dict[str, Any]:
    return {"success": False, "error": message, "code": code, "request_id": current_trace().request_id}


def _json(status: int, body: dict[str, Any], headers: dict[str, str]) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(body), content_type="application/json", headers=headers)
