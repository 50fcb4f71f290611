"""The Idempotency-Key header: a request with a key that the caller used before gets the first response again.

Follows the IETF draft "The Idempotency-Key HTTP Header Field": 422 for a key with another body, 409 while the first
request is in flight. Only final responses are stored; after a 5xx a retry executes the request.
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
    default_message = "The first request with this Idempotency-Key is still in flight."


class IdempotencyKeyReused(ValidationFailed):
    code = "idempotency_key_reused"
    default_message = "This Idempotency-Key was used for another request."

    def __init__(self) -> None:
        super().__init__({"Idempotency-Key": "was used with another body or path"})


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """The first response for a key; `body` is encrypted."""

    status: int
    body: bytes


class IdempotencyStore(Protocol):
    """The port to the storage of first responses, which it keeps for 24 hours."""

    async def begin(self, scope: str, fingerprint: str) -> StoredResponse | None:
        """Claim a key and return None, or return its stored response.

        Raises IdempotencyKeyInUse, IdempotencyKeyReused.
        """

    async def renew(self, scope: str) -> None:
        """Keep a claimed key for longer: its request is still in flight."""

    async def finish(self, scope: str, response: StoredResponse) -> None:
        """Store the response of a claimed key."""

    async def abandon(self, scope: str) -> None:
        """Release a claimed key, so that a retry executes the request."""


def encrypt_response(key: str, body: bytes) -> bytes:
    """Encrypt a response with its key: it may contain a new API key, so only the client can read it."""
    return derive_fernet("idempotency", key).encrypt(body)


def decrypt_response(key: str, stored: bytes) -> bytes:
    """Decrypt a stored response with its key."""
    return derive_fernet("idempotency", key).decrypt(stored)


def parse_idempotency_key(header: str | None) -> str | None:
    """Return the key; None without one. Raises ValidationFailed unless it is 1 to 255 printable ASCII characters."""
    if header is None:
        return None
    if not _KEY.match(header):
        raise ValidationFailed({"Idempotency-Key": "must be 1 to 255 printable ASCII characters"})
    return header


def build_scope(caller: Caller, key: str) -> str:
    """Identify a caller's key, as a hash, so that the store contains neither keys nor sessions."""
    match caller:
        case OperatorCaller():
            owner = f"operator:{caller.operator_id}"
        case VisitorCaller():
            owner = f"visitor:{caller.site_id}:{caller.session}"
        case _:
            owner = "gateway"
    return hashlib.sha256(f"{owner}\n{key}".encode()).hexdigest()


def build_fingerprint(method: str, path: str, body: bytes) -> str:
    """Identify the request that a key was used for."""
    return hashlib.sha256(f"{method} {path}\n".encode() + body).hexdigest()
