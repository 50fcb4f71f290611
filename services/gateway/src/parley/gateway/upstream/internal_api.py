"""The gateway's own requests to services: accounts, access, sites, stream tickets, readiness, OpenAPI documents."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote

import orjson

from parley.common.auth.identity import GatewayCaller, IdentitySigner
from parley.common.errors import BadGateway, GatewayTimeout, NotFound, Unavailable
from parley.common.http.instrumentation import record_status
from parley.gateway.auth.identity_cache import IdentityCache
from parley.gateway.auth.model import LoginSession, OperatorAccess, SessionState, Site, StreamTicket
from parley.gateway.timeouts import INTERNAL_API_TIMEOUT_SECONDS, PASSWORD_TIMEOUT_SECONDS, READINESS_TIMEOUT_SECONDS
from parley.gateway.upstream.request_head import build_request_head, client_span
from parley.gateway.upstream.upstream import Upstream

Document = dict[str, Any]
ResultT = TypeVar("ResultT")

_MAX_RESPONSE_BYTES = 4 * 1024 * 1024
_UNAVAILABLE = 503
_MAX_TICKET_LENGTH = 512


@dataclass(frozen=True, slots=True)
class _Response:
    status: int
    document: Document
    retry_after: str | None


class AccountRequestRejected(Exception):
    """Chat rejected an account request. The client receives its error document."""

    def __init__(self, status: int, document: Document, retry_after: str | None) -> None:
        super().__init__(f"status {status}")
        self.status = status
        self.document = document
        self.retry_after = retry_after


class InternalApiClient:
    """Calls `/internal/…` of the services with the gateway's own identity.

    Unless stated otherwise, methods raise NotFound (also if a service rejects the format of a parameter) and
    Unavailable (service not reachable, failing, or later than 5 s).
    """

    def __init__(self, upstreams: Mapping[str, Upstream], signer: IdentitySigner) -> None:
        self._upstreams = upstreams
        self._signer = signer
        self._identities: IdentityCache[str] = IdentityCache(signer, 64 * 1024)

    async def get_access(self, operator_id: int, session_id: str | None) -> OperatorAccess:
        query = f"?session_id={quote(session_id, safe='')}" if session_id else ""
        document = await self._get_document("chat", "GET", f"/internal/access/{operator_id}{query}")
        return _parse(OperatorAccess.from_document, document)

    async def get_access_by_api_key_hash(self, operator_id: int, api_key_hash: str) -> OperatorAccess:
        path = f"/internal/access/{operator_id}?api_key_hash={quote(api_key_hash, safe='')}"
        return _parse(OperatorAccess.from_document, await self._get_document("chat", "GET", path))

    async def get_access_by_api_key(self, api_key: str) -> OperatorAccess:
        document = await self._get_document("chat", "POST", "/internal/access-by-key", {"key": api_key})
        return _parse(OperatorAccess.from_document, document)

    async def redeem_stream_ticket(self, ticket: str) -> StreamTicket:
        if len(ticket) > _MAX_TICKET_LENGTH:
            raise NotFound
        document = await self._get_document("notify", "POST", "/internal/redeem-ticket", {"ticket": ticket})
        return _parse(StreamTicket.from_document, document)

    async def get_site(self, site_key: str) -> Site:
        document = await self._get_document("chat", "GET", f"/internal/site?site_key={quote(site_key, safe='')}")
        return _parse(lambda response: Site.from_document(response["site"]), document)

    async def is_known_origin(self, origin: str) -> bool:
        document = await self._get_document("chat", "GET", f"/internal/origin?origin={quote(origin, safe='')}")
        return bool(document.get("known"))

    async def get_session_state(self, site_id: int, fingerprint: str) -> SessionState:
        try:
            target = f"/internal/visitor-session?site_id={site_id}&fingerprint={fingerprint}"
            document = await self._get_document("chat", "GET", target)
        except NotFound:
            # A chat service of the version before ends no sessions.
            return SessionState.ACTIVE
        return _parse(lambda response: SessionState(response["state"]), document)

    async def get_openapi(self, service: str) -> Document:
        return await self._get_document(service, "GET", "/internal/openapi")

    async def start_session(self, action: str, body: Document, client_ip: str) -> LoginSession:
        """Log in, refresh, or accept an invitation; `action` is the last segment of the path.

        Raises AccountRequestRejected, Unavailable, BadGateway, GatewayTimeout (15 s).
        """
        return _parse(LoginSession.from_document, await self._request_account(action, body, client_ip))

    async def end_session(self, session_id: str | None, refresh_token: str | None, client_ip: str) -> None:
        """End the login session of a session id or a refresh token. Raises the same as `start_session`."""
        await self._request_account("logout", {"session_id": session_id, "refresh_token": refresh_token}, client_ip)

    async def get_replica_statuses(self, service: str) -> list[int | None]:
        """Return the status of each replica's readiness endpoint; None for one that does not respond within 2 s."""
        head = build_request_head("GET", "/internal/ready", self._gateway_identity(), [], None)
        return await self._upstreams[service].request_all_replicas(head, READINESS_TIMEOUT_SECONDS)

    async def _request_account(self, action: str, body: Document, client_ip: str) -> Document:
        identity = self._signer.sign(GatewayCaller(client_ip))
        response = await self._request("chat", "POST", f"/internal/{action}", identity, body, PASSWORD_TIMEOUT_SECONDS)
        if response.status == _UNAVAILABLE:
            raise Unavailable
        if response.status >= 500:
            raise BadGateway
        if response.status >= 400:
            raise AccountRequestRejected(response.status, response.document, response.retry_after)
        return response.document

    async def _get_document(self, service: str, method: str, target: str, body: Document | None = None) -> Document:
        try:
            response = await self._request(
                service, method, target, self._gateway_identity(), body, INTERNAL_API_TIMEOUT_SECONDS
            )
        except (BadGateway, GatewayTimeout) as exc:
            raise Unavailable from exc
        if response.status in (404, 422):
            raise NotFound  # 422: the parameter does not have the format of an existing one.
        if response.status != 200:
            raise Unavailable
        return response.document

    async def _request(
        self, service: str, method: str, target: str, identity: str, body: Document | None, timeout_seconds: float
    ) -> _Response:
        content = None if body is None else orjson.dumps(body)
        headers = [] if content is None else [("Content-Type", "application/json")]
        with client_span(service, method, _route_template(target)) as span:
            head = build_request_head(method, target, identity, headers, content)
            request, response = await self._upstreams[service].request(
                head, timeout_seconds, is_retryable=method == "GET"
            )
            record_status(span, response.status)
        async with request:
            text = await request.read_all(_MAX_RESPONSE_BYTES, timeout_seconds)
        try:
            document = orjson.loads(text)
        except orjson.JSONDecodeError as exc:
            raise BadGateway from exc
        if not isinstance(document, dict):
            raise BadGateway
        return _Response(response.status, document, dict(response.headers).get("Retry-After"))

    def _gateway_identity(self) -> str:
        return self._identities.get("gateway", None, GatewayCaller)


def _route_template(target: str) -> str:
    """Return the path without its query, which may contain a secret, and with `{id}` for a trailing number."""
    path, _, _ = target.partition("?")
    without_id = path.rstrip("0123456789")
    return path if without_id == path else f"{without_id}{{id}}"


def _parse(parser: Callable[[Document], ResultT], document: Document) -> ResultT:
    try:
        return parser(document)
    except (KeyError, ValueError, TypeError, AttributeError) as exc:
        raise BadGateway from exc
