"""Which passwords are refused: short ones, those that guessing programs try first, and one's own e-mail address."""

from __future__ import annotations

import asyncio

from parley.common.errors import ValidationFailed

MIN_LENGTH, MAX_LENGTH = 10, 256
_MAX_ANALYZED = 72
"""Characters; the analysis of longer texts takes too long, and this many make up for a weak rest."""
_MIN_SCORE = 2
"""Of 0–4: more than a million guesses, by lists of breached passwords, names, words, keyboard rows and dates."""


async def require_acceptable(password: str, field: str, email: str | None) -> None:
    """Check a new password, which is in `field` of the request. Raises ValidationFailed."""
    weakness = await asyncio.to_thread(find_weakness, password, email)
    if weakness is not None:
        raise ValidationFailed({field: weakness})


def find_weakness(password: str, email: str | None) -> str | None:
    """Return why a password is refused, or None."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        return f"must have {MIN_LENGTH} to {MAX_LENGTH} characters"
    lowered = password.strip().lower()
    if email and lowered in {email.lower(), email.lower().partition("@")[0]}:
        return "must not be your e-mail address"
    # Its rules and lists are finished work, without dependencies; releases are rare (4.5 in 2025). The ports to other
    # languages have the same lists and no 1.0 yet.
    from zxcvbn import zxcvbn  # noqa: PLC0415 - its lists are slow to load, and new passwords are rare

    if zxcvbn(password[:_MAX_ANALYZED])["score"] < _MIN_SCORE:
        return "is too easy to guess: it is among often used passwords, or made of few of them"
    return None
