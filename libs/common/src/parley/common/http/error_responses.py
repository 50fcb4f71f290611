"""The one place where a failure becomes an answer: status, envelope, headers. Nothing internal leaks."""

from __future__ import annotations

from typing import Any

import orjson
from aiohttp import web
from pydantic import ValidationError

from parley.common.errors import BadRequest, ErrorCategory, ParleyError, ValidationFailed
from parley.common.observability.logging import current_trace

STATUS = {
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

_HTTP_CODES = {
    400: ("malformed", "The request could not be read."),
    404: ("not_found", "There is nothing here by that name."),
    405: ("method_not_allowed", "That method is not allowed here."),
    408: ("timeout", "The request took too long to arrive."),
    413: ("too_large", "That is larger than allowed."),
    415: ("unsupported_media_type", "That media type is not accepted here."),
}


def error_response(problem: ParleyError) -> web.Response:
    """The answer to a named failure."""
    body: dict[str, Any] = {**problem.details, **_base(problem.message, problem.code)}
    headers: dict[str, str] = {}
    if isinstance(problem, ValidationFailed):
        body["errors"] = problem.fields
    if "retry_after" in problem.details:
        headers["Retry-After"] = str(problem.details["retry_after"])
    return _json(STATUS[problem.category], body, headers)


def http_error_response(problem: web.HTTPException) -> web.Response:
    """The answer to what aiohttp itself refused: no such path, wrong method, body too large."""
    code, sentence = _HTTP_CODES.get(problem.status, ("http_error", "The request was refused."))
    headers = {"Allow": problem.headers["Allow"]} if "Allow" in problem.headers else {}
    return _json(problem.status, _base(sentence, code), headers)


def internal_error_response() -> web.Response:
    """The answer to what nobody foresaw. The request id leads to the log line."""
    return _json(500, _base("Something went wrong on our side.", "internal_error"), {})


def validation_error(problem: ValidationError) -> ParleyError:
    """A schema's complaints, field by field, in plain words; Malformed when it was no JSON at all."""
    fields: dict[str, str] = {}
    for fault in problem.errors(include_url=False, include_context=False, include_input=False):
        if fault["type"] == "json_invalid":
            return BadRequest("The body is not valid JSON.")
        name = ".".join(str(part) for part in fault["loc"]) or "body"
        fields.setdefault(name, fault["msg"].removeprefix("Value error, "))
    return ValidationFailed(fields)


def _base(sentence: str, code: str) -> dict[str, Any]:
    return {"success": False, "error": sentence, "code": code, "request_id": current_trace().request_id}


def _json(status: int, body: dict[str, Any], headers: dict[str, str]) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(body), content_type="application/json", headers=headers)
