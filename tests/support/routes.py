"""The public endpoints, from the route tables of the gateway and of the services."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from parley.common.http import CallerType, Route
from parley.gateway.routes import PROXY_ROUTES, Credential, ProxyRoute
from parley_dev.openapi import build_route_tables


@dataclass(frozen=True, slots=True)
class PublicEndpoint:
    """One public endpoint: the gateway's route and the service's route."""

    forward: ProxyRoute
    route: Route

    @property
    def name(self) -> str:
        return f"{self.route.method} {self.route.path}"


def public_endpoints() -> list[PublicEndpoint]:
    """Return every endpoint for operators and visitors, with both routes."""
    known = {(forward.method, forward.path): forward for forward in PROXY_ROUTES}
    return [
        PublicEndpoint(known[route.method, route.path], route)
        for table in build_route_tables().values()
        for route in table
        if route.caller_type is not CallerType.GATEWAY
    ]


def proxy_routes(*credentials: Credential) -> list[ProxyRoute]:
    return [forward for forward in PROXY_ROUTES if forward.credential in credentials]


def get_fields(model: type[BaseModel] | None) -> dict[str, Any]:
    """Return the fields of a body or a query, by the name that clients send."""
    return {field.alias or name: field for name, field in model.model_fields.items()} if model is not None else {}
