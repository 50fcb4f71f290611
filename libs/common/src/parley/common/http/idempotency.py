"""Idempotency-Key: the same key from the same caller repeats the first answer and does nothing twice.

Follows the IETF draft "The Idempotency-Key HTTP Header Field": same key with another body is 422, while the first
is in flight 409. Only settled answers are kept; after a 5xx the next try does the work.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Protocol

from parley.common.auth.encryption import derive_fernet
from parley.common.auth.identity import Caller, OperatorCaller, VisitorCaller
from parley.common.errors import Conflict, ValidationFailed

_KEY = re.compile(r"^[\x21-\x7e]{1,255}$")


class IdempotencyKeyInUse(Conflict):
    code = "idempotency_key_in_flight"
    default_message = "The first request with this Idempotency-Key is still under way."


class IdempotencyKeyReused(ValidationFailed):
    code = "idempotency_key_reused"
    default_message = "This Idempotency-Key was used for another request."

    def __init__(self) -> None:
        super().__init__({"Idempotency-Key": "was used with another body or path"})


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """The answer that was given the first time."""

    status: int
    body: bytes


class IdempotencyStore(Protocol):
    """Where first answers are kept for 24 hours."""

    async def begin(self, scope: str, fingerprint: str) -> StoredResponse | None:
        """Claim a key, or get its saved answer. Raises KeyInFlight, KeyReused."""

    async def finish(self, scope: str, saved: StoredResponse) -> None:
        """Keep the answer."""

    async def abandon(self, scope: str) -> None:
        """Let the next try do the work."""


def encrypt_response(key: str, body: bytes) -> bytes:
    """An answer as it is kept: it may hold a new API key, so only whoever has the Idempotency-Key can read it."""
    return derive_fernet("idempotency", key).encrypt(body)


def decrypt_response(key: str, kept: bytes) -> bytes:
    """The answer again."""
    return derive_fernet("idempotency", key).decrypt(kept)


def parse_idempotency_key(header: str | None) -> str | None:
    """The key, if one was sent. Raises Invalid when it is not 1 to 255 printable ASCII characters."""
    if header is None:
        return None
    if not _KEY.match(header):
        raise ValidationFailed({"Idempotency-Key": "must be 1 to 255 printable ASCII characters"})
    return header


def build_scope(caller: Caller, key: str) -> str:
    """Whose key it is; a hash, so that the store holds neither keys nor sessions."""
    match caller:
        case OperatorCaller():
            owner = f"operator:{caller.operator_id}"
        case VisitorCaller():
            owner = f"visitor:{caller.site_id}:{caller.session}"
        case _:
            owner = "gateway"
    return hashlib.sha256(f"{owner}\n{key}".encode()).hexdigest()


def build_fingerprint(method: str, path: str, body: bytes) -> str:
    """What the key was used for."""
    return hashlib.sha256(f"{method} {path}\n".encode() + body).hexdigest()
