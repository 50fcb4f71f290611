"""The Retry-After header of other servers."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_SECONDS = re.compile(r"\d{1,9}")
_MAX_RETRY_AFTER = timedelta(hours=1)


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
