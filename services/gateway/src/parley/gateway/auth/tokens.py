"""The operators' tokens: made here, and checked with the one algorithm that the configuration names."""

from __future__ import annotations

import hashlib
import re
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import jwt

from parley.common.errors import Unauthenticated
from parley.gateway import metrics

_SUBJECT = re.compile(r"^[1-9][0-9]{0,15}$")
_SESSION = re.compile(r"^[A-Za-z0-9_-]{1,128}$")
_REQUIRED = ["iss", "aud", "sub", "iat", "exp", "jti"]
_REMEMBERED = 20_000


class CredentialRefused(Unauthenticated):
    """A credential that is not accepted. `reason` is one of a fixed few, for the metric; clients are not told."""

    def __init__(self, reason: str, sentence: str | None = None) -> None:
        super().__init__(sentence)
        self.reason = reason
        metrics.REFUSED.labels(reason).inc()


class TokenExpired(CredentialRefused):
    code = "token_expired"
    sentence = "Your login has expired. Please log in again."

    def __init__(self) -> None:
        super().__init__("expired")


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token of an operator says."""

    operator_id: int
    session_id: str | None
    expires_at: int
    """Seconds since 1970."""


class Keys(Protocol):
    """Where the key that checks a token comes from."""

    async def key_for(self, key_id: str | None) -> Any:
        """The key of that id. Raises CredentialRefused, Unavailable."""
        ...


@dataclass(frozen=True, slots=True)
class SecretKey:
    """The one shared secret; a token's `kid` means nothing to it."""

    secret: str

    async def key_for(self, key_id: str | None) -> str:
        return self.secret


class TokenVerifier:
    """Checks tokens; those found good are remembered by their hash until they expire."""

    def __init__(
        self,
        keys: Keys,
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
        self._known: OrderedDict[bytes, Claims] = OrderedDict()

    async def verify(self, token: str) -> Claims:
        """The claims of a good token. Raises CredentialRefused, TokenExpired, Unavailable (the keys cannot be had)."""
        digest = hashlib.sha256(token.encode()).digest()
        known = self._known.get(digest)
        if known is not None:
            if known.expires_at > self._now():
                return known
            del self._known[digest]
            raise TokenExpired
        claims = self._checked(token, await self._keys.key_for(self._key_id(token)))
        self._known[digest] = claims
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return claims

    def forget_keys(self) -> None:
        """The keys have changed: tokens are checked again."""
        self._known.clear()

    def _key_id(self, token: str) -> str | None:
        try:
            header = jwt.get_unverified_header(token)
        except jwt.InvalidTokenError as exc:
            raise CredentialRefused("malformed") from exc
        if header.get("alg") != self._algorithm:
            raise CredentialRefused("algorithm")
        key_id = header.get("kid")
        if key_id is not None and not (isinstance(key_id, str) and len(key_id) <= 256):
            raise CredentialRefused("malformed")
        return key_id

    def _checked(self, token: str, key: Any) -> Claims:
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=[self._algorithm],
                audience=self._audience,
                issuer=self._issuer,
                options={"require": _REQUIRED},
            )
        except jwt.ExpiredSignatureError as exc:
            raise TokenExpired from exc
        except jwt.InvalidSignatureError as exc:
            raise CredentialRefused("signature") from exc
        except (jwt.InvalidTokenError, jwt.InvalidKeyError, ValueError, TypeError) as exc:
            raise CredentialRefused("claims") from exc
        subject, session, expires_at = claims["sub"], claims.get("sid"), claims["exp"]
        if not _SUBJECT.match(subject) or not isinstance(claims["jti"], str):
            raise CredentialRefused("claims")
        if session is not None and not (isinstance(session, str) and _SESSION.match(session)):
            raise CredentialRefused("claims")
        return Claims(int(subject), session, int(expires_at))


class TokenIssuer:
    """Makes the tokens of a login."""

    def __init__(self, secret: str, issuer: str, audience: str, seconds: int, now: Callable[[], float] = time.time):
        self._secret = secret
        self._issuer = issuer
        self._audience = audience
        self._now = now
        self.seconds = seconds

    def issue(self, operator_id: int, name: str, session_id: str) -> str:
        """A token for a login session, good for `seconds`."""
        now = int(self._now())
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": str(operator_id),
            "iat": now,
            "exp": now + self.seconds,
            "jti": uuid.uuid4().hex,
            "sid": session_id,
            "name": name,
        }
        return jwt.encode(claims, self._secret, algorithm="HS256")
