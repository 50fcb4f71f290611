"""Operators' tokens: issued here, and verified with the one algorithm that is configured."""

from __future__ import annotations

import hashlib
import re
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import jwt
from cachetools import LRUCache

from parley.common.errors import Unauthenticated
from parley.gateway import metrics
from parley.gateway.timeouts import CLOCK_SKEW_SECONDS

_SUBJECT = re.compile(r"^[1-9][0-9]{0,15}$")
_SESSION_ID = re.compile(r"^[A-Za-z0-9_-]{1,128}$")
_REQUIRED_CLAIMS = ["iss", "aud", "sub", "iat", "exp", "jti"]
_MAX_KEY_ID_LENGTH = 256
_CACHE_SIZE = 20_000


class CredentialRejected(Unauthenticated):
    """A credential that is not accepted. `reason` is one of a fixed set, for the metric; clients do not see it."""

    def __init__(self, reason: str, message: str | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        metrics.CREDENTIALS_REJECTED.labels(reason).inc()


class TokenExpired(CredentialRejected):
    code = "token_expired"
    default_message = "Your login has expired. Please log in again."

    def __init__(self) -> None:
        super().__init__("expired")


@dataclass(frozen=True, slots=True)
class TokenClaims:
    """The verified content of an operator's token."""

    operator_id: int
    session_id: str | None
    expires_at: int
    """Seconds since 1970; 0 for a credential that does not expire."""


class KeyProvider(Protocol):
    """The source of the keys that verify tokens."""

    async def get_key(self, key_id: str | None) -> Any:
        """Return the key that a token names. Raises CredentialRejected, Unavailable."""
        ...


@dataclass(frozen=True, slots=True)
class SharedSecret:
    """The one secret of this installation; the key id of a token is ignored."""

    secret: str

    async def get_key(self, key_id: str | None) -> str:
        return self.secret


class TokenVerifier:
    """Verifies tokens. Claims of valid tokens are cached by the token's hash until they expire."""

    def __init__(
        self,
        keys: KeyProvider,
        algorithm: str,
        issuer: str,
        audience: str,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._keys = keys
        self._algorithm = algorithm
        self._issuer = issuer
        self._audience = audience
        self._now = now
        self._cache: LRUCache[bytes, TokenClaims] = LRUCache(_CACHE_SIZE)

    async def verify(self, token: str) -> TokenClaims:
        """Return the claims of a valid token. Raises CredentialRejected, TokenExpired, Unavailable (no keys)."""
        digest = hashlib.sha256(token.encode()).digest()
        cached = self._cache.get(digest)
        if cached is not None:
            if cached.expires_at + CLOCK_SKEW_SECONDS > self._now():
                return cached
            del self._cache[digest]
            raise TokenExpired
        claims = self._decode(token, await self._keys.get_key(self._read_key_id(token)))
        self._cache[digest] = claims
        return claims

    def clear(self) -> None:
        """Verify every token again: the keys have changed."""
        self._cache.clear()

    def _read_key_id(self, token: str) -> str | None:
        try:
            header = jwt.get_unverified_header(token)
        except jwt.InvalidTokenError as exc:
            raise CredentialRejected("malformed") from exc
        if header.get("alg") != self._algorithm:
            raise CredentialRejected("algorithm")
        key_id = header.get("kid")
        if key_id is not None and not (isinstance(key_id, str) and len(key_id) <= _MAX_KEY_ID_LENGTH):
            raise CredentialRejected("malformed")
        return key_id

    def _decode(self, token: str, key: Any) -> TokenClaims:
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=[self._algorithm],
                audience=self._audience,
                issuer=self._issuer,
                leeway=CLOCK_SKEW_SECONDS,
                options={"require": _REQUIRED_CLAIMS},
            )
        except jwt.ExpiredSignatureError as exc:
            raise TokenExpired from exc
        except jwt.InvalidSignatureError as exc:
            raise CredentialRejected("signature") from exc
        except (jwt.InvalidTokenError, jwt.InvalidKeyError, ValueError, TypeError) as exc:
            raise CredentialRejected("claims") from exc
        subject, session_id, expires_at = claims["sub"], claims.get("sid"), claims["exp"]
        if not _SUBJECT.match(subject) or not isinstance(claims["jti"], str):
            raise CredentialRejected("claims")
        if session_id is not None and not (isinstance(session_id, str) and _SESSION_ID.match(session_id)):
            raise CredentialRejected("claims")
        return TokenClaims(int(subject), session_id, int(expires_at))


class TokenIssuer:
    """Issues HS256 tokens that are valid for `lifetime_seconds`."""

    def __init__(
        self,
        secret: str,
        issuer: str,
        audience: str,
        lifetime_seconds: int,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._secret = secret
        self._issuer = issuer
        self._audience = audience
        self._now = now
        self.lifetime_seconds = lifetime_seconds

    def issue(self, operator_id: int, name: str, session_id: str) -> str:
        """Return a new token for a login session."""
        now = int(self._now())
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": str(operator_id),
            "iat": now,
            "exp": now + self.lifetime_seconds,
            "jti": uuid.uuid4().hex,
            "sid": session_id,
            "name": name,
        }
        return jwt.encode(claims, self._secret, algorithm="HS256")
