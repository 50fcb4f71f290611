"""Operators' routes: a token or an API key in the header, and for the event stream alone in the query."""

from __future__ import annotations

from urllib.parse import unquote_plus

from aiohttp import web

from parley.gateway.auth.operators import Admitted, Operators
from parley.gateway.auth.tokens import CredentialRefused
from parley.gateway.middleware.client_address import client_address
from parley.gateway.middleware.client_ip import Addresses, bucket_of
from parley.gateway.proxy.bodies import check_upload, refuse_encoded, small, upload
from parley.gateway.proxy.reverse_proxy import Forwarder, Outgoing
from parley.gateway.rate_limit.limiter import Limits, Scope
from parley.gateway.rate_limit.stream_limiter import Streams
from parley.gateway.routes import Forward, Kind


class OperatorRoutes:
    """Serves the routes whose caller is an operator."""

    def __init__(
        self, operators: Operators, addresses: Addresses, limits: Limits, streams: Streams, forwarder: Forwarder
    ) -> None:
        self._operators = operators
        self._addresses = addresses
        self._limits = limits
        self._streams = streams
        self._forwarder = forwarder

    async def answer(self, route: Forward, request: web.Request) -> web.StreamResponse:
        address = client_address(self._addresses, request)
        self._limits.take(Scope.ADDRESS, route.rate, bucket_of(address))
        if route.kind is Kind.STREAM:
            return await self._stream(route, request, address)
        admitted = await self._operators.admit(bearer(request), address)
        self._limits.take(Scope.OPERATOR, route.rate, str(admitted.operator_id))
        query = request.rel_url.raw_query_string
        if route.kind is Kind.UPLOAD:
            check_upload(request)
            return await self._forwarder.upload(Outgoing(request, route, admitted.identity, query), upload(request))
        body = None
        if route.method != "GET":
            refuse_encoded(request)
            body = await small(request)
        return await self._forwarder.forward(Outgoing(request, route, admitted.identity, query, body))

    async def _stream(self, route: Forward, request: web.Request, address: str) -> web.StreamResponse:
        with self._streams.place(bucket_of(address)):
            admitted = await self._admit_to_stream(request, address)
            self._limits.take(Scope.OPERATOR, route.rate, str(admitted.operator_id))
            query = without_token(request.rel_url.raw_query_string)
            return await self._forwarder.forward(Outgoing(request, route, admitted.identity, query))

    async def _admit_to_stream(self, request: web.Request, address: str) -> Admitted:
        if "Authorization" in request.headers:
            return await self._operators.admit(bearer(request), address)
        token = request.query.get("token", "")
        if not token:
            raise CredentialRefused("missing")
        return await self._operators.admit_to_stream(token, address)


def bearer(request: web.Request) -> str:
    """The credential of the Authorization header. Raises CredentialRefused."""
    lines = request.headers.getall("Authorization", [])
    if not lines:
        raise CredentialRefused("missing")
    scheme, _, credential = lines[0].partition(" ")
    credential = credential.strip()
    if len(lines) > 1 or scheme.lower() != "bearer" or not credential or not credential.isascii():
        raise CredentialRefused("malformed")
    return credential


def without_token(query: str) -> str:
    """The query without the credential, which goes no further than the gateway."""
    return "&".join(part for part in query.split("&") if unquote_plus(part.partition("=")[0]) != "token")
