"""The syntax of e-mail addresses."""

from __future__ import annotations


def normalize_email(text: str) -> str:
    """Check an e-mail address and normalize it, without DNS queries. Raises ValueError."""
    from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email  # noqa: PLC0415 - slow

    # Private networks use domains such as .local, and tests .test.
    SPECIAL_USE_DOMAIN_NAMES.clear()
    try:
        return validate_email(text, check_deliverability=False, globally_deliverable=False).normalized
    except EmailNotValidError:
        raise ValueError("is not an e-mail address") from None
