"""The credential in the Authorization header of a request."""

from __future__ import annotations

from aiohttp import web

from parley.gateway.auth.tokens import CredentialRejected


def read_bearer_token(request: web.Request) -> str:
    """Return the credential of the one `Authorization: Bearer` header. Raises CredentialRejected."""
    lines = request.headers.getall("Authorization", [])
    if not lines:
        raise CredentialRejected("missing")
    scheme, _, credential = lines[0].partition(" ")
    credential = credential.strip()
    if len(lines) > 1 or scheme.lower() != "bearer" or not credential or not credential.isascii():
        raise CredentialRejected("malformed")
    return credential
