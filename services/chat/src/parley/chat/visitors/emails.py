"""The syntax of e-mail addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from email_validator import ValidatedEmail


def normalize_email(text: str) -> str:
    """Check an e-mail address and normalize it, without DNS queries. Raises ValueError."""
    return _validate(text).normalized


def to_ascii_email(text: str) -> str:
    """The same in ASCII, as every mail server takes it. Raises ValueError also for another script before the @."""
    address = _validate(text).ascii_email
    if address is None:
        raise ValueError("must have only ASCII characters before the @")
    return address


def _validate(text: str) -> ValidatedEmail:
    from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email  # noqa: PLC0415 - slow

    # Private networks use domains such as .local, and tests .test.
    SPECIAL_USE_DOMAIN_NAMES.clear()
    try:
        return validate_email(text, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError:
        raise ValueError("is not an e-mail address") from None
