"""Errors about the AI of a site. `code` is part of the API."""

from __future__ import annotations

from datetime import datetime, timedelta

from parley.common.errors import Conflict, TooManyRequests


class NoEndpoint(Conflict):
    code = "no_ai_endpoint"
    default_message = "There is no AI endpoint to check: neither the site nor the installation names one."


class CheckTooSoon(TooManyRequests):
    code = "ai_check_too_soon"
    default_message = "The AI endpoint of this site was checked a moment ago. Please wait some seconds."


class TokenLimitReached(TooManyRequests):
    """The site's AI has used its tokens of today (UTC)."""

    code = "ai_token_limit"
    default_message = "The AI of this site has used its tokens for today."

    def __init__(self, now: datetime) -> None:
        tomorrow = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        super().__init__(int((tomorrow - now).total_seconds()))
