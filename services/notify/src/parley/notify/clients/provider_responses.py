"""What the responses of push providers have in common."""

from __future__ import annotations

from parley.notify.push.model import PushReceipt

_MAX_MESSAGE_LENGTH = 300


def timeout_receipt() -> PushReceipt:
    return PushReceipt("later", code="timeout", message="The provider did not answer in time.")


def truncate(message: str) -> str:
    return message if len(message) <= _MAX_MESSAGE_LENGTH else message[: _MAX_MESSAGE_LENGTH - 1] + "…"
