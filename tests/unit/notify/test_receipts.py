"""Reading the push provider's answers: what becomes of the token, and when it may be asked again."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
import requests

from parley.notify.push.fcm import receipt_of


def answer(status: int, code: str | None = None, body: Any = None, **headers: str) -> requests.Response:
    response = requests.Response()
    response.status_code = status
    response.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    details = [{"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code}] if code else []
    error = {"error": {"code": status, "status": "STATUS", "message": "Words about tok-1.", "details": details}}
    response._content = body if isinstance(body, bytes) else json.dumps(error).encode()
    return response


@pytest.mark.parametrize(
    ("response", "outcome"),
    [
        (answer(200), "sent"),
        (answer(404, "UNREGISTERED"), "unregistered"),
        (answer(404), "later"),
        (answer(404, body=b"<html>not found</html>"), "later"),
        (answer(400, "INVALID_ARGUMENT"), "refused"),
        (answer(403, "SENDER_ID_MISMATCH"), "refused"),
        (answer(403, "PERMISSION_DENIED"), "later"),
        (answer(401, "THIRD_PARTY_AUTH_ERROR"), "later"),
        (answer(429, "QUOTA_EXCEEDED"), "later"),
        (answer(500, "INTERNAL"), "later"),
        (answer(503, "UNAVAILABLE"), "later"),
        (answer(503, body=b""), "later"),
        (answer(502, body=b"[]"), "later"),
        (answer(503, body=b'{"error": "words"}'), "later"),
        (answer(302, body=b""), "later"),
    ],
)
def test_the_error_code_decides_and_not_the_status(response: requests.Response, outcome: str) -> None:
    assert receipt_of(response).outcome == outcome


def test_the_providers_words_are_kept_without_the_token() -> None:
    receipt = receipt_of(answer(400, "INVALID_ARGUMENT"), "tok-1")
    assert (receipt.status, receipt.code, receipt.words) == (400, "INVALID_ARGUMENT", "Words about ….")


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("7", 7),
        (" 0 ", 0),
        ("99999999", 3600),
        ("soon", None),
        ("-5", None),
        ("", None),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
    ],
)
def test_retry_after_in_seconds(header: str, wait: int | None) -> None:
    receipt = receipt_of(answer(429, "QUOTA_EXCEEDED", Retry_After=header))
    assert receipt.retry_after == (timedelta(seconds=wait) if wait is not None else None)


def test_retry_after_as_a_date() -> None:
    then = datetime.now(UTC) + timedelta(seconds=90)
    receipt = receipt_of(answer(503, "UNAVAILABLE", Retry_After=format_datetime(then, usegmt=True)))
    assert receipt.retry_after is not None
    assert 80 < receipt.retry_after.total_seconds() <= 90
