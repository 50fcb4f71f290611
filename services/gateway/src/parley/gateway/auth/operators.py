"""Who an operator is and what they may touch right now, as chat says; and the signed caller made of it."""

from __future__ import annotations

import hashlib
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from parley.common.auth.identity import IdentitySigner, OperatorCaller, Permission
from parley.common.errors import NotFound
from parley.gateway.auth.invalidating_cache import Lookups
from parley.gateway.auth.tokens import Claims, CredentialRefused, TokenVerifier

_API_KEY = re.compile(r"^[0-9a-f]{64}$")
_RESIGN_SECONDS = 20.0
_REMEMBERED = 20_000


@dataclass(frozen=True, slots=True)
class Access:
    """An operator, as chat answered. `version` grows with every change."""

    operator_id: int
    tenant_id: int
    name: str
    email: str
    language: str
    owner: bool
    suspended: bool
    version: int
    sites: Mapping[int, frozenset[Permission]]


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a stream ticket stood for."""

    operator_id: int
    session_id: str | None
    expires_at: int


class AccessSource(Protocol):
    """The services that know. Both raise NotFound and Unavailable."""

    async def access(self, operator_id: int, session_id: str | None) -> Access: ...
    async def access_by_key(self, key: str) -> Access: ...
    async def redeem_ticket(self, ticket: str) -> Ticket: ...


@dataclass(frozen=True, slots=True)
class Admitted:
    """An operator who was let in, and their signed identity for the services."""

    operator_id: int
    identity: str


@dataclass(frozen=True, slots=True)
class _Signed:
    access: Access
    at: float
    admitted: Admitted


class Operators:
    """Turns a credential into a signed caller."""

    def __init__(
        self,
        verifier: TokenVerifier,
        source: AccessSource,
        signer: IdentitySigner,
        seconds: Callable[[], float],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._verifier = verifier
        self._source = source
        self._signer = signer
        self._now = now
        self._by_operator: Lookups[tuple[int, str | None], Access] = Lookups(
            "access", lambda key: source.access(*key), seconds, _REMEMBERED, now
        )
        # Keys are remembered by the key itself, in memory only: the question to chat needs it anyway.
        self._by_key: Lookups[str, Access] = Lookups("access_by_key", source.access_by_key, seconds, _REMEMBERED, now)
        self._signed: OrderedDict[tuple[int, str | None, int, str], _Signed] = OrderedDict()

    async def admit(self, credential: str, address: str) -> Admitted:
        """The operator behind `Authorization: Bearer`. Raises CredentialRefused, Unavailable."""
        if credential.count(".") == 2:
            return await self._by_claims(await self._verifier.verify(credential), address)
        if not _API_KEY.match(credential):
            raise CredentialRefused("malformed")
        try:
            access = await self._by_key.get(credential)
        except NotFound:
            raise CredentialRefused("api_key") from None
        # An API key has no login session: what stands in its place here keeps two keys' identities apart.
        mark = hashlib.sha256(credential.encode()).hexdigest()
        return self._sign(access, Claims(access.operator_id, None, 0), mark, address)

    async def admit_to_stream(self, credential: str, address: str) -> Admitted:
        """The operator behind `?token=` of the event stream: a token, or a ticket that is good once."""
        if credential.count(".") == 2:
            return await self.admit(credential, address)
        try:
            ticket = await self._source.redeem_ticket(credential)
        except NotFound:
            raise CredentialRefused("ticket") from None
        return await self._by_claims(Claims(ticket.operator_id, ticket.session_id, ticket.expires_at), address)

    async def claims(self, credential: str) -> Claims:
        """What a token says, whatever its operator may do now: for logging out."""
        return await self._verifier.verify(credential)

    def drop_operator(self, operator_id: int) -> None:
        """Something about this operator changed."""
        self._by_operator.drop(lambda key, _access: key[0] == operator_id)
        self._by_key.drop(lambda _key, access: access is None or access.operator_id == operator_id)

    def drop_tenant(self, tenant_id: int) -> None:
        """A site of this tenant changed, and with it what its operators may touch."""
        self._by_operator.drop(lambda _key, access: access is None or access.tenant_id == tenant_id)
        self._by_key.drop(lambda _key, access: access is None or access.tenant_id == tenant_id)

    def drop_all(self) -> None:
        """Something may have been missed."""
        self._by_operator.drop_all()
        self._by_key.drop_all()

    async def stop(self) -> None:
        """End the questions under way."""
        await self._by_operator.stop()
        await self._by_key.stop()

    async def _by_claims(self, claims: Claims, address: str) -> Admitted:
        try:
            access = await self._by_operator.get((claims.operator_id, claims.session_id))
        except NotFound:
            raise CredentialRefused("session") from None
        return self._sign(access, claims, claims.session_id, address)

    def _sign(self, access: Access, claims: Claims, mark: str | None, address: str) -> Admitted:
        if access.suspended:
            raise CredentialRefused("suspended")
        key = (access.operator_id, mark, claims.expires_at, address)
        signed = self._signed.get(key)
        # The very object: an access that was asked for anew is signed anew, however young the signature.
        if signed is not None and signed.access is access and self._now() - signed.at < _RESIGN_SECONDS:
            return signed.admitted
        caller = OperatorCaller(
            operator_id=access.operator_id,
            tenant_id=access.tenant_id,
            name=access.name,
            sites=access.sites,
            owner=access.owner,
            session_id=claims.session_id,
            access_version=access.version,
            expires_at=claims.expires_at,
            language=access.language,
            address=address,
        )
        admitted = Admitted(access.operator_id, self._signer.sign(caller))
        self._signed[key] = _Signed(access, self._now(), admitted)
        if len(self._signed) > _REMEMBERED:
            self._signed.popitem(last=False)
        return admitted


def read_access(document: Mapping[str, Any]) -> Access:
    """An access as it travels. Raises KeyError, ValueError, TypeError for what is none."""
    return Access(
        operator_id=int(document["operator_id"]),
        tenant_id=int(document["tenant_id"]),
        name=str(document["name"]),
        email=str(document["email"]),
        language=str(document["language"]),
        owner=bool(document["owner"]),
        suspended=bool(document["suspended"]),
        version=int(document["version"]),
        sites={
            int(site): frozenset(Permission(name) for name in granted) for site, granted in document["sites"].items()
        },
    )
