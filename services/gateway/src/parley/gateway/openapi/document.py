"""The public OpenAPI document: what the route table exposes of the services, and the login endpoints."""

from __future__ import annotations

from collections.abc import Mapping

from parley.common.http.openapi import build_openapi
from parley.gateway.auth.routes import documented_routes
from parley.gateway.openapi.merge import Document, PublicOperation, merge_openapi
from parley.gateway.routes import PROXY_ROUTES, Credential


def build_public_openapi(services: Mapping[str, Document]) -> Document:
    """Return the document of the whole API. `services` holds the document of each service by its name."""
    public = {
        (route.method, route.path): PublicOperation(str(route.rate_limit), route.credential is Credential.VISITOR)
        for route in PROXY_ROUTES
    }
    return merge_openapi(services, build_openapi(documented_routes()), public)
