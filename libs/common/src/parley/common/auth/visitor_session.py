"""A visitor's session: the secret id that the widget generates, and the public handle derived from it."""

from __future__ import annotations

import hashlib

SESSION_ID_PATTERN = r"^[A-Za-z0-9_-]{16,128}$"
"""A secret that authenticates the visitor. Only the gateway reads it."""

SESSION_HEADER = "X-Parley-Session"
"""Carries the session id of a visitor's request, instead of its query or body: proxies log queries."""

SESSION_HANDLE_PATTERN = r"^sess_[0-9a-f]{32}$"


def session_handle(site_id: int, session_id: str) -> str:
    """Return the handle that names a visitor of a site in services, events and the API.

    The session id cannot be derived from it. The same session id on another site has another handle.
    """
    return "sess_" + hashlib.sha256(f"{site_id}:{session_id}".encode()).hexdigest()[:32]
