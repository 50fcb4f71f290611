"""Authenticated encryption of values in a database, with a key derived from a secret for one purpose."""

from __future__ import annotations

import base64
import hashlib

from cryptography.fernet import Fernet


def derive_fernet(purpose: str, secret: str) -> Fernet:
    """Return a cipher for one purpose. Values that it encrypts cannot be decrypted for another purpose or secret."""
    digest = hashlib.sha256(f"parley {purpose}\n{secret}".encode()).digest()
    return Fernet(base64.urlsafe_b64encode(digest))
