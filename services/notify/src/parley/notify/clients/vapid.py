"""Identifies this installation to push services (VAPID, RFC 8292)."""

from __future__ import annotations

import time
from typing import Final
from urllib.parse import urlsplit

import jwt
from cachetools import LRUCache
from cryptography.hazmat.primitives.asymmetric import ec

from parley.notify.push.web_push_encryption import decode_base64url, encode_base64url, encode_public_key
from parley.notify.timeouts import VAPID_TOKEN_LIFETIME_SECONDS

_PRIVATE_KEY_LENGTH: Final = 32
_MAX_ORIGINS = 256


def generate_private_key() -> str:
    """Return a new private key as `PARLEY_VAPID_PRIVATE_KEY` takes it."""
    number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
    return encode_base64url(number.to_bytes(_PRIVATE_KEY_LENGTH, "big"))


class VapidKey:
    """The installation's key pair on P-256. `private_key` is base64url of 32 bytes. Raises ValueError otherwise."""

    def __init__(self, private_key: str, subject: str) -> None:
        data = decode_base64url(private_key)
        try:
            if len(data) != _PRIVATE_KEY_LENGTH:
                raise ValueError
            self._key = ec.derive_private_key(int.from_bytes(data, "big"), ec.SECP256R1())
        except ValueError:
            raise ValueError("is not a private key of P-256: 32 bytes in base64url") from None
        self._subject = subject
        self._tokens: LRUCache[str, tuple[float, str]] = LRUCache(_MAX_ORIGINS)
        self.public_key = encode_base64url(encode_public_key(self._key.public_key()))
        """The `applicationServerKey` that browsers subscribe with, in base64url."""

    def authorize(self, endpoint: str) -> str:
        """Return the Authorization header for an endpoint. A token is valid for its origin and used several times."""
        parts = urlsplit(endpoint)
        origin = f"{parts.scheme}://{parts.netloc}"
        now = time.time()
        renewal, token = self._tokens.get(origin, (0.0, ""))
        if renewal <= now:
            claims = {"aud": origin, "exp": int(now + VAPID_TOKEN_LIFETIME_SECONDS), "sub": self._subject}
            token = jwt.encode(claims, self._key, algorithm="ES256")
            self._tokens[origin] = (now + VAPID_TOKEN_LIFETIME_SECONDS / 2, token)
        return f"vapid t={token}, k={self.public_key}"
