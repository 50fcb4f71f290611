"""A visitor's session: the secret id that authenticates it, and the public handle that names it.

The widget generates the session id of an unidentified visitor; its handle is a hash of it. The session id of an
identified person is a token that chat issues when the site's server has proved who they are: it names the person's
handle, the identity secret by which they were proved, and its expiry. All devices of a person have the same handle.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import struct
from dataclasses import dataclass

SESSION_ID_PATTERN = r"^[A-Za-z0-9_-]{16,128}$"
"""A secret that authenticates the visitor. Only the gateway reads it."""

SESSION_HEADER = "X-Parley-Session"
"""Carries the session id of a visitor's request, instead of its query or body: proxies log queries."""

SESSION_HANDLE_PATTERN = r"^sess_[0-9a-f]{32}$"

IDENTIFIED_PREFIX = "identified-"
"""Begins the session ids of identified people."""
_HANDLE_PREFIX = "sess_"
_CLAIMS = struct.Struct(">16sQQ8s")
"""The handle, the id of the identity secret, the expiry in seconds since 1970, and a nonce."""
_MAC_BYTES = 16
_CONTENT_BYTES = _CLAIMS.size + _MAC_BYTES


def session_handle(site_id: int, session_id: str) -> str:
    """Return the handle that names a visitor of a site in services, events and the API.

    The session id cannot be derived from it. The same session id on another site has another handle.
    """
    return _HANDLE_PREFIX + hashlib.sha256(f"{site_id}:{session_id}".encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class IdentifiedSession:
    """What the session id of an identified person says. `expires_at` is in seconds since 1970."""

    handle: str
    identity_secret_id: int
    expires_at: int


class IdentifiedSessions:
    """Issues (chat) and reads (gateway) the session ids of identified people."""

    def __init__(self, secret: str) -> None:
        """`secret`: of the installation, shared by its services."""
        self._key = hmac.digest(secret.encode(), b"parley identified sessions", hashlib.sha256)

    def derive_handle(self, site_id: int, external_id: str) -> str:
        """Return the handle of the person whom a site knows under an id. Nobody can derive it without the secret."""
        digest = hmac.digest(self._key, f"person:{site_id}:{external_id}".encode(), hashlib.sha256)
        return _HANDLE_PREFIX + digest.hex()[:32]

    def issue(self, site_id: int, session: IdentifiedSession) -> str:
        """Return a new session id. Each call returns another one."""
        handle = bytes.fromhex(session.handle.removeprefix(_HANDLE_PREFIX))
        nonce = secrets.token_bytes(8)
        claims = _CLAIMS.pack(handle, session.identity_secret_id, session.expires_at, nonce)
        return IDENTIFIED_PREFIX + _encode(claims + self._mac(site_id, claims))

    def read(self, site_id: int, session_id: str) -> IdentifiedSession | None:
        """Return what a session id of this site says, also an expired one; None unless it was issued here."""
        encoded = session_id.removeprefix(IDENTIFIED_PREFIX)
        try:
            content = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
        except ValueError:
            return None
        # Sessions end by the hash of their id, so no other text may stand for the same bytes: the decoder ignores the
        # last bits of the last character.
        if len(content) != _CONTENT_BYTES or _encode(content) != encoded:
            return None
        claims, mac = content[: _CLAIMS.size], content[_CLAIMS.size :]
        if not hmac.compare_digest(mac, self._mac(site_id, claims)):
            return None
        handle, identity_secret_id, expires_at, _ = _CLAIMS.unpack(claims)
        return IdentifiedSession(_HANDLE_PREFIX + handle.hex(), identity_secret_id, expires_at)

    def _mac(self, site_id: int, claims: bytes) -> bytes:
        message = f"session:{site_id}:".encode() + claims
        return hmac.digest(self._key, message, hashlib.sha256)[:_MAC_BYTES]


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
