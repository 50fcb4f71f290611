"""Tokens by which a browser is shown a trigger before it is live."""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct
from datetime import datetime

from parley.chat.triggers.timeouts import PREVIEW_LIFETIME

_CLAIMS = struct.Struct(">QQQ")
"""The ids of the site and of the trigger, and the expiry in seconds since 1970."""
_MAC_BYTES = 16


class PreviewTokens:
    def __init__(self, secret: str) -> None:
        """`secret`: of the installation."""
        self._key = hmac.digest(secret.encode(), b"parley trigger previews", hashlib.sha256)

    def issue(self, site_id: int, trigger_id: int, now: datetime) -> tuple[str, datetime]:
        """Return a token for one trigger, and when it expires."""
        expires_at = now.replace(microsecond=0) + PREVIEW_LIFETIME
        claims = _CLAIMS.pack(site_id, trigger_id, int(expires_at.timestamp()))
        return base64.urlsafe_b64encode(claims + self._mac(claims)).decode().rstrip("="), expires_at

    def read(self, token: str, site_id: int, now: datetime) -> int | None:
        """Return the id of the trigger that a token of this site shows; None unless it is valid."""
        try:
            content = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except ValueError:
            return None
        claims, mac = content[: _CLAIMS.size], content[_CLAIMS.size :]
        if len(claims) != _CLAIMS.size or not hmac.compare_digest(mac, self._mac(claims)):
            return None
        token_site_id, trigger_id, expiry = _CLAIMS.unpack(claims)
        return trigger_id if token_site_id == site_id and now.timestamp() < expiry else None

    def _mac(self, claims: bytes) -> bytes:
        return hmac.digest(self._key, claims, hashlib.sha256)[:_MAC_BYTES]
