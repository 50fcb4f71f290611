"""Routes that need no credential: uploaded images, whose names nobody can guess."""

from __future__ import annotations

import time

from aiohttp import web

from parley.common.auth.identity import GatewayCaller, IdentitySigner
from parley.gateway.middleware.client_address import client_address
from parley.gateway.middleware.client_ip import Addresses, bucket_of
from parley.gateway.proxy.reverse_proxy import Forwarder, Outgoing
from parley.gateway.rate_limit.limiter import Limits, Scope
from parley.gateway.routes import Forward

_RESIGN_SECONDS = 20.0


class PublicRoutes:
    """Serves what everybody may read, asked for in the gateway's own name."""

    def __init__(self, signer: IdentitySigner, addresses: Addresses, limits: Limits, forwarder: Forwarder) -> None:
        self._signer = signer
        self._addresses = addresses
        self._limits = limits
        self._forwarder = forwarder
        self._identity = (0.0, "")

    async def answer(self, route: Forward, request: web.Request) -> web.StreamResponse:
        self._limits.take(Scope.ADDRESS, route.rate, bucket_of(client_address(self._addresses, request)))
        now = time.monotonic()
        if not self._identity[1] or now - self._identity[0] >= _RESIGN_SECONDS:
            self._identity = (now, self._signer.sign(GatewayCaller()))
        return await self._forwarder.forward(Outgoing(request, route, self._identity[1], ""))
