"""Values that middleware and handlers attach to a request."""

from __future__ import annotations

from aiohttp import web

CLIENT_IP: web.RequestKey[str] = web.RequestKey("client_ip", str)
CORS_ORIGIN: web.RequestKey[str] = web.RequestKey("cors_origin", str)
"""The origin that is allowed to read the response; sent as Access-Control-Allow-Origin."""
HSTS: web.RequestKey[str] = web.RequestKey("hsts", str)
"""The value of Strict-Transport-Security, for a client that uses TLS."""
