"""Authentication of operators: by token, API key or stream ticket, with the permissions that chat reports."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from parley.common.auth.identity import IdentitySigner, OperatorCaller
from parley.common.auth.token_hashing import hash_token
from parley.common.caching import InvalidatingCache
from parley.common.errors import NotFound
from parley.gateway.auth.cache import build_cache
from parley.gateway.auth.identity_cache import IdentityCache
from parley.gateway.auth.model import OperatorAccess, StreamTicket
from parley.gateway.auth.tokens import CredentialRejected, TokenClaims, TokenVerifier

_API_KEY = re.compile(r"^[0-9a-f]{64}$")
_ACCESS_CACHE_BYTES = 32 * 1024 * 1024
_IDENTITY_CACHE_BYTES = 32 * 1024 * 1024


class AccessSource(Protocol):
    """The services that know operators. Each method raises NotFound and Unavailable."""

    async def get_access(self, operator_id: int, session_id: str | None) -> OperatorAccess: ...
    async def get_access_by_api_key_hash(self, operator_id: int, api_key_hash: str) -> OperatorAccess: ...
    async def get_access_by_api_key(self, api_key: str) -> OperatorAccess: ...
    async def redeem_stream_ticket(self, ticket: str) -> StreamTicket: ...


@dataclass(frozen=True, slots=True)
class AuthenticatedOperator:
    """An operator, and the signed identity that services accept."""

    operator_id: int
    tenant_id: int
    identity: str


class OperatorAuthenticator:
    """Verifies credentials and signs identities. Access is cached until an event invalidates it."""

    def __init__(
        self,
        verifier: TokenVerifier,
        source: AccessSource,
        signer: IdentitySigner,
        is_connected: Callable[[], bool],
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`is_connected` says whether invalidating events are received."""

        async def load_access(key: tuple[int, str | None]) -> OperatorAccess:
            return await source.get_access(*key)

        self._now = now
        self._verifier = verifier
        self._source = source
        self._access: InvalidatingCache[tuple[int, str | None], OperatorAccess | None] = build_cache(
            "access", load_access, is_connected, _ACCESS_CACHE_BYTES, _get_bytes, monotonic
        )
        # The API key itself is the cache key, in memory only: the request to chat contains it anyway.
        self._access_by_api_key: InvalidatingCache[str, OperatorAccess | None] = build_cache(
            "access_by_key", source.get_access_by_api_key, is_connected, _ACCESS_CACHE_BYTES, _get_bytes, monotonic
        )
        self._identities: IdentityCache[tuple[int, str | None, int, str]] = IdentityCache(
            signer, _IDENTITY_CACHE_BYTES, monotonic
        )

    async def authenticate(self, credential: str, client_ip: str) -> AuthenticatedOperator:
        """Return the operator of a token or an API key. Raises CredentialRejected, Unavailable."""
        if _is_token(credential):
            return await self._authenticate_claims(await self._verifier.verify(credential), client_ip)
        if not _API_KEY.match(credential):
            raise CredentialRejected("malformed")
        access = await self._access_by_api_key.get(credential)
        # The access may have been cached before the key expired.
        if access is None or 0 < access.key_expires_at <= self._now():
            raise CredentialRejected("api_key")
        # An API key has no login session; its hash keeps the identities of two keys of one operator apart.
        key_hash = hash_token(credential)
        claims = TokenClaims(access.operator_id, None, access.key_expires_at)
        return self._sign(access, claims, key_hash, client_ip, api_key_hash=key_hash)

    async def authenticate_stream(self, credential: str, client_ip: str) -> AuthenticatedOperator:
        """Return the operator of a token or a single-use stream ticket. Raises CredentialRejected, Unavailable."""
        if _is_token(credential):
            return await self.authenticate(credential, client_ip)
        try:
            ticket = await self._source.redeem_stream_ticket(credential)
        except NotFound:
            raise CredentialRejected("ticket") from None
        claims = TokenClaims(ticket.operator_id, ticket.session_id, ticket.expires_at)
        if ticket.api_key_hash is None:
            return await self._authenticate_claims(claims, client_ip)
        return await self._authenticate_key_ticket(claims, ticket.api_key_hash, client_ip)

    async def _authenticate_key_ticket(
        self, claims: TokenClaims, api_key_hash: str, client_ip: str
    ) -> AuthenticatedOperator:
        """A ticket gives no more than the API key that it was issued to, and nothing once the key has ended."""
        try:
            access = await self._source.get_access_by_api_key_hash(claims.operator_id, api_key_hash)
        except NotFound:
            raise CredentialRejected("ticket") from None
        return self._sign(access, claims, api_key_hash, client_ip, api_key_hash=api_key_hash)

    async def verify_token(self, token: str) -> TokenClaims:
        """Return the claims of a token without checking the operator's access. Raises CredentialRejected."""
        return await self._verifier.verify(token)

    def invalidate_operator(self, operator_id: int) -> None:
        """Load the access of an operator again."""
        self._access.invalidate_where(lambda key, _access: key[0] == operator_id)
        self._access_by_api_key.invalidate_where(
            lambda _key, access: access is None or access.operator_id == operator_id
        )

    def invalidate_tenant(self, tenant_id: int) -> None:
        """Load the access of every operator of a tenant again: the set of its sites has changed."""

        def is_of_tenant(_key: object, access: OperatorAccess | None) -> bool:
            return access is None or access.tenant_id == tenant_id

        self._access.invalidate_where(is_of_tenant)
        self._access_by_api_key.invalidate_where(is_of_tenant)

    def clear(self) -> None:
        """Load everything again: events may have been missed."""
        self._access.clear()
        self._access_by_api_key.clear()

    async def stop(self) -> None:
        """Cancel the loads in flight."""
        await self._access.stop()
        await self._access_by_api_key.stop()

    async def _authenticate_claims(self, claims: TokenClaims, client_ip: str) -> AuthenticatedOperator:
        access = await self._access.get((claims.operator_id, claims.session_id))
        if access is None:
            raise CredentialRejected("session")
        return self._sign(access, claims, claims.session_id, client_ip)

    def _sign(
        self,
        access: OperatorAccess,
        claims: TokenClaims,
        credential_id: str | None,
        client_ip: str,
        *,
        api_key_hash: str | None = None,
    ) -> AuthenticatedOperator:
        if access.suspended:
            raise CredentialRejected("suspended")

        def build_caller() -> OperatorCaller:
            return OperatorCaller(
                operator_id=access.operator_id,
                tenant_id=access.tenant_id,
                name=access.name,
                sites=access.sites,
                owner=access.owner,
                login_session_id=claims.session_id,
                access_version=access.version,
                expires_at=claims.expires_at,
                api_key_hash=api_key_hash,
                language=access.language,
                client_ip=client_ip,
                api_key_id=access.api_key_id,
                api_key_scopes=access.key_scopes,
            )

        key = (access.operator_id, credential_id, claims.expires_at, client_ip)
        return AuthenticatedOperator(
            access.operator_id, access.tenant_id, self._identities.get(key, access, build_caller)
        )


def _get_bytes(access: OperatorAccess) -> int:
    return 100 * len(access.sites)


def _is_token(credential: str) -> bool:
    return credential.count(".") == 2
