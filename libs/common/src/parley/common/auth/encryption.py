"""Keeps secrets unreadable in a database: authenticated encryption, with a key made for one purpose from a secret."""

from __future__ import annotations

import base64
import hashlib

from cryptography.fernet import Fernet


def derive_fernet(purpose: str, secret: str) -> Fernet:
    """What seals and opens texts of one purpose; with another purpose or secret they cannot be opened."""
    digest = hashlib.sha256(f"parley {purpose}\n{secret}".encode()).digest()
    return Fernet(base64.urlsafe_b64encode(digest))
