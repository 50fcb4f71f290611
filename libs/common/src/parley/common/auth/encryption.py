"""Authenticated encryption of values in a database, with a key derived from a secret for one purpose."""

from __future__ import annotations

import base64
import hashlib

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def derive_fernet_hkdf(purpose: str, secret: str) -> Fernet:
    """Return a cipher for one purpose, whose key HKDF (RFC 5869) derives from a long random secret."""
    key = HKDF(hashes.SHA256(), 32, salt=None, info=f"parley {purpose}".encode()).derive(secret.encode())
    return Fernet(base64.urlsafe_b64encode(key))


def derive_fernet(purpose: str, secret: str) -> Fernet:
    """Return a cipher for one purpose. Values that it encrypts cannot be decrypted for another purpose or secret."""
    digest = hashlib.sha256(f"parley {purpose}\n{secret}".encode()).digest()
    return Fernet(base64.urlsafe_b64encode(digest))
