"""Hashing of secret tokens (API keys, invitations, refresh tokens, stream tickets) before they are stored."""

from __future__ import annotations

import hashlib


def hash_token(token: str) -> str:
    """Return the SHA-256 digest of a token as 64 hexadecimal digits.

    A fast hash without a salt is safe because these tokens are long and random. Passwords need a slow one.
    """
    return hashlib.sha256(token.encode()).hexdigest()
