"""Encrypts the content of a Web Push message (RFC 8291): a push service carries it and cannot read it."""

from __future__ import annotations

import os
from base64 import b64decode, urlsafe_b64encode
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

AUTH_SECRET_LENGTH: Final = 16
MAX_CONTENT_LENGTH: Final = 3993
"""Bytes. Push services must accept messages of 4096 bytes, with header, delimiter and tag (section 4)."""

_RECORD_SIZE = 4096
_SALT_LENGTH = 16
_LAST_RECORD_DELIMITER = b"\x02"


def decode_base64url(text: str) -> bytes:
    """Decode base64url with or without padding. Raises ValueError."""
    try:
        digits = text.rstrip("=")
        return b64decode(digits + "=" * (-len(digits) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise ValueError("is not base64url") from None


def encode_base64url(data: bytes) -> str:
    """Encode as base64url without padding."""
    return urlsafe_b64encode(data).decode().rstrip("=")


def load_public_key(data: bytes) -> ec.EllipticCurvePublicKey:
    """Read an uncompressed point on P-256. Raises ValueError."""
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), data)


def encode_public_key(key: ec.EllipticCurvePublicKey) -> bytes:
    """Return the uncompressed point, 65 bytes."""
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def encrypt(
    content: bytes,
    p256dh: bytes,
    auth_secret: bytes,
    *,
    sender_key: ec.EllipticCurvePrivateKey | None = None,
    salt: bytes | None = None,
) -> bytes:
    """Return the body of a push message, in the content coding `aes128gcm` (RFC 8188) with one record.

    `sender_key` and `salt` are new for each message; only a test with known values gives them. Raises ValueError.
    """
    if len(content) > MAX_CONTENT_LENGTH:
        raise ValueError("the content is too long for a push message")
    sender_key = sender_key or ec.generate_private_key(ec.SECP256R1())
    salt = salt or os.urandom(_SALT_LENGTH)
    sender_point = encode_public_key(sender_key.public_key())
    shared_secret = sender_key.exchange(ec.ECDH(), load_public_key(p256dh))
    key_material = _derive(auth_secret, shared_secret, b"WebPush: info\0" + p256dh + sender_point, 32)
    content_key = _derive(salt, key_material, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derive(salt, key_material, b"Content-Encoding: nonce\0", 12)
    header = salt + _RECORD_SIZE.to_bytes(4, "big") + bytes([len(sender_point)]) + sender_point
    return header + AESGCM(content_key).encrypt(nonce, content + _LAST_RECORD_DELIMITER, None)


def _derive(salt: bytes, key_material: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(key_material)
