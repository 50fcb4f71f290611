"""What the responses of push providers have in common."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from parley.notify.push.model import PushReceipt

_SECONDS = re.compile(r"\d{1,9}")
_MAX_RETRY_AFTER = timedelta(hours=1)
_MAX_MESSAGE_LENGTH = 300


def timeout_receipt() -> PushReceipt:
    return PushReceipt("later", code="timeout", message="The provider did not answer in time.")


def parse_retry_after(header: str | None) -> timedelta | None:
    """Parse seconds or a date (RFC 9110, 10.2.3); at most an hour. Return None for anything else."""
    if header is None:
        return None
    text = header.strip()
    if _SECONDS.fullmatch(text):
        return min(_MAX_RETRY_AFTER, timedelta(seconds=int(text)))
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return min(_MAX_RETRY_AFTER, max(timedelta(0), moment - datetime.now(UTC)))


def truncate(message: str) -> str:
    return message if len(message) <= _MAX_MESSAGE_LENGTH else message[: _MAX_MESSAGE_LENGTH - 1] + "…"
