"""The gateway's own questions to the services: passwords, access, sites, tickets, documents."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote

import orjson

from parley.common.auth.identity import GatewayCaller, IdentitySigner
from parley.common.errors import Failed, Late, NotFound, Unavailable
from parley.common.http.instrumentation import note_status
from parley.common.observability.logging import current_trace
from parley.gateway.auth.operators import Access, Ticket, read_access
from parley.gateway.auth.visitors import Site, read_site
from parley.gateway.proxy.request_head import asking, request_head
from parley.gateway.proxy.upstreams import Upstream

Document = dict[str, Any]
T = TypeVar("T")

_SECONDS = 5.0
_PASSWORD_SECONDS = 15.0
_RESIGN_SECONDS = 20.0
_LARGEST = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came."""

    status: int
    document: Document
    retry_after: str | None = None


class Errands:
    """Asks chat and notify in the gateway's own name."""

    def __init__(self, upstreams: Mapping[str, Upstream], signer: IdentitySigner) -> None:
        self._upstreams = upstreams
        self._signer = signer
        self._identity = (0.0, "")

    async def access(self, operator_id: int, session_id: str | None) -> Access:
        query = f"?session_id={quote(session_id, safe='')}" if session_id else ""
        return _read(read_access, await self._found("chat", "GET", f"/internal/access/{operator_id}{query}"))

    async def access_by_key(self, key: str) -> Access:
        return _read(read_access, await self._found("chat", "POST", "/internal/access-by-key", {"key": key}))

    async def redeem_ticket(self, ticket: str) -> Ticket:
        if len(ticket) > 512:
            raise NotFound
        found = await self._found("notify", "POST", "/internal/redeem-ticket", {"ticket": ticket})
        return _read(_ticket, found)

    async def site(self, site_key: str) -> Site:
        found = await self._found("chat", "GET", f"/internal/site?site_key={quote(site_key, safe='')}")
        return _read(lambda document: read_site(document["site"]), found)

    async def origin_known(self, origin: str) -> bool:
        found = await self._found("chat", "GET", f"/internal/origin?origin={quote(origin, safe='')}")
        return bool(found.get("known"))

    async def openapi(self, service: str) -> Document:
        return await self._found(service, "GET", "/internal/openapi")

    async def account(self, errand: str, body: Document, address: str) -> Reply:
        """An errand about a person's account; refusals come back as they are, for the person to read."""
        return await self._ask("chat", "POST", f"/internal/{errand}", body, _PASSWORD_SECONDS, address)

    async def readiness(self, service: str) -> list[int | None]:
        """What each replica answers when asked whether it is ready; None where it does not answer."""
        head = request_head("GET", "/internal/ready", self._signed(), current_trace(), [], None)
        return await self._upstreams[service].ask_each(head, 2.0)

    async def _found(self, service: str, method: str, target: str, body: Document | None = None) -> Document:
        try:
            reply = await self._ask(service, method, target, body)
        except (Failed, Late) as exc:
            raise Unavailable from exc
        if reply.status in (404, 422):
            raise NotFound  # 422: what was asked for has not even the shape of such a thing.
        if reply.status != 200:
            raise Unavailable
        return reply.document

    async def _ask(
        self,
        service: str,
        method: str,
        target: str,
        body: Document | None = None,
        seconds: float = _SECONDS,
        address: str = "",
    ) -> Reply:
        identity = self._signer.sign(GatewayCaller(address)) if address else self._signed()
        raw = None if body is None else orjson.dumps(body)
        headers = [] if raw is None else [("Content-Type", "application/json")]
        with asking(service, method, _template(target)) as span:
            head = request_head(method, target, identity, current_trace(), headers, raw)
            exchange, answer = await self._upstreams[service].ask(head, seconds, replayable=method == "GET")
            note_status(span, answer.status)
        async with exchange:
            text = await exchange.rest(_LARGEST, seconds)
        try:
            document = orjson.loads(text)
        except orjson.JSONDecodeError as exc:
            raise Failed from exc
        if not isinstance(document, dict):
            raise Failed
        return Reply(answer.status, document, dict(answer.headers).get("Retry-After"))

    def _signed(self) -> str:
        now = time.monotonic()
        if not self._identity[1] or now - self._identity[0] >= _RESIGN_SECONDS:
            self._identity = (now, self._signer.sign(GatewayCaller()))
        return self._identity[1]


def _template(target: str) -> str:
    """The route behind a target: without its query, which may hold what is secret, and without an id."""
    path, _, _ = target.partition("?")
    bare = path.rstrip("0123456789")
    return path if bare == path else f"{bare}{{id}}"


def _read(reader: Callable[[Document], T], document: Document) -> T:
    try:
        return reader(document)
    except (KeyError, ValueError, TypeError, AttributeError) as exc:
        raise Failed from exc


def _ticket(document: Document) -> Ticket:
    session = document["session_id"]
    return Ticket(int(document["operator_id"]), None if session is None else str(session), int(document["expires_at"]))
