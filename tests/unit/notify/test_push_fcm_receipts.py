"""Responses of FCM: what happens to the token, and when to try again."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
import requests

from parley.notify.clients.fcm import to_receipt


def make_response(status: int, code: str | None = None, body: Any = None, **headers: str) -> requests.Response:
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
        (make_response(200), "sent"),
        (make_response(404, "UNREGISTERED"), "unregistered"),
        (make_response(404), "later"),
        (make_response(404, body=b"<html>not found</html>"), "later"),
        (make_response(400, "INVALID_ARGUMENT"), "refused"),
        (make_response(403, "SENDER_ID_MISMATCH"), "refused"),
        (make_response(403, "PERMISSION_DENIED"), "later"),
        (make_response(401, "THIRD_PARTY_AUTH_ERROR"), "later"),
        (make_response(429, "QUOTA_EXCEEDED"), "later"),
        (make_response(500, "INTERNAL"), "later"),
        (make_response(503, "UNAVAILABLE"), "later"),
        (make_response(503, body=b""), "later"),
        (make_response(502, body=b"[]"), "later"),
        (make_response(503, body=b'{"error": "words"}'), "later"),
        (make_response(302, body=b""), "later"),
    ],
)
def test_the_error_code_decides_and_not_the_status(response: requests.Response, outcome: str) -> None:
    assert to_receipt(response).outcome == outcome


def test_a_receipt_has_the_providers_message_without_the_token() -> None:
    receipt = to_receipt(make_response(400, "INVALID_ARGUMENT"), "tok-1")
    assert (receipt.status, receipt.code, receipt.message) == (400, "INVALID_ARGUMENT", "Words about ….")


@pytest.mark.parametrize(
    ("header", "seconds"),
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
def test_retry_after_in_seconds(header: str, seconds: int | None) -> None:
    receipt = to_receipt(make_response(429, "QUOTA_EXCEEDED", Retry_After=header))
    assert receipt.retry_after == (timedelta(seconds=seconds) if seconds is not None else None)


def test_retry_after_as_a_date() -> None:
    moment = datetime.now(UTC) + timedelta(seconds=90)
    receipt = to_receipt(make_response(503, "UNAVAILABLE", Retry_After=format_datetime(moment, usegmt=True)))
    assert receipt.retry_after is not None
    assert 80 < receipt.retry_after.total_seconds() <= 90
