"""The digest under which a secret token is stored and looked up."""

from __future__ import annotations

import hashlib


def token_digest(token: str) -> str:
    """Return the SHA-256 of a token as 64 hexadecimal digits. Fast on purpose: the tokens are long and random."""
    return hashlib.sha256(token.encode()).hexdigest()
