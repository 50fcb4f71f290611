"""Hashing of secret tokens (API keys, invitations, refresh tokens) before they are stored."""

from __future__ import annotations

import hashlib


def hash_token(token: str) -> str:
    """Return the SHA-256 digest of a token in hexadecimal.

    A fast hash without a salt is safe here because tokens are random, at least 256 bits. Passwords are not: they go
    through PasswordHasher.
    """
    return hashlib.sha256(token.encode()).hexdigest()
