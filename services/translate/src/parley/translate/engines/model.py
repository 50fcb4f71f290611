"""Errors of translation engines."""

from __future__ import annotations

from enum import StrEnum


class FailureReason(StrEnum):
    """Why an engine did not translate. The values are labels of a metric."""

    QUOTA = "quota"
    AUTH = "auth"
    UNSUPPORTED = "unsupported"
    """The engine cannot translate this language pair."""
    REFUSED = "refused"
    """The engine refused this text; another engine may accept it."""
    OUTAGE = "outage"
    SLOW = "slow"


class EngineError(Exception):
    """An engine did not translate. The detail never contains text of visitors."""

    def __init__(self, reason: FailureReason, detail: str = "") -> None:
        self.reason = reason
        super().__init__(f"{reason}: {detail}" if detail else str(reason))


class NoTranslation(Exception):
    """No engine translated. `unsupported` is True if no engine supports the language pair."""

    def __init__(self, *, unsupported: bool) -> None:
        self.unsupported = unsupported
        super().__init__("unsupported" if unsupported else "failed")
