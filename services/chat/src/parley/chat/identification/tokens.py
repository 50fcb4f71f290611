"""Verifies the tokens that sites' servers sign: JSON Web Tokens with HS256, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import jwt
from pydantic import ValidationError

from parley.chat.ai.site_keys import SiteKeyCipher
from parley.chat.identification import errors
from parley.chat.identification.claims import IdentityClaims
from parley.chat.identification.model import IdentitySecret, ProvedIdentity
from parley.chat.identification.timeouts import CLOCK_TOLERANCE, MAX_TOKEN_LIFETIME
from parley.chat.sites.site_settings import SiteSettings
from parley.common.http import error_responses

ALGORITHM = "HS256"


@dataclass(frozen=True, slots=True)
class TokenVerifier:
    """Implements VerifyToken. Site's secrets are decrypted for each token: they are kept nowhere in clear."""

    cipher: SiteKeyCipher

    def __call__(self, token: str, site: SiteSettings, now: datetime) -> ProvedIdentity:
        """Return what a token proves on a site. Raises IdentityTokenRefused.

        The secrets are the site's own, so another site's token has no valid signature here.
        """
        if not site.identity_secrets:
            raise errors.IdentityNotConfigured("this site has no identity secret")
        secret, claims = self._verify_signature(token, site)
        _check_times(claims, now)
        _check_audience(claims, site.site_key)
        known = {name: claims[name] for name in IdentityClaims.model_fields if claims.get(name) not in (None, "")}
        try:
            parsed = IdentityClaims.model_validate(known)
        except ValidationError as exc:
            raise errors.IdentityTokenClaims(_describe(exc)) from None
        return ProvedIdentity(parsed.sub, secret.id, parsed.contact, parsed.facts)

    def _verify_signature(self, token: str, site: SiteSettings) -> tuple[IdentitySecret, Mapping[str, Any]]:
        # Times and audience are checked by their own functions, whose errors name the limits.
        checks = ("verify_exp", "verify_nbf", "verify_iat", "verify_aud", "verify_iss", "verify_sub", "verify_jti")
        options: Any = {"verify_signature": True, **dict.fromkeys(checks, False)}
        for secret in _select_secrets(token, site.identity_secrets):
            key = self.cipher.decrypt(site.id, secret.encrypted)
            try:
                return secret, jwt.decode(token, key, algorithms=[ALGORITHM], options=options)
            except jwt.InvalidSignatureError:
                continue
            except (jwt.InvalidTokenError, ValueError):
                raise errors.IdentityTokenMalformed("it is not a JSON Web Token") from None
        raise errors.IdentityTokenSignature("no active identity secret of this site has signed it")


def _select_secrets(token: str, secrets: Sequence[IdentitySecret]) -> Sequence[IdentitySecret]:
    """Return the secret that the token's header names; all of them if it names none."""
    try:
        header = jwt.get_unverified_header(token)
    except jwt.InvalidTokenError:
        raise errors.IdentityTokenMalformed("it is not a JSON Web Token") from None
    if header.get("alg") != ALGORITHM:
        raise errors.IdentityTokenAlgorithm(f"its algorithm must be {ALGORITHM}")
    if "kid" not in header:
        return secrets
    named = [secret for secret in secrets if str(secret.id) == header["kid"]]
    if not named:
        raise errors.IdentityTokenSignature("its kid is not the id of an active identity secret of this site")
    return named


def _check_times(claims: Mapping[str, Any], now: datetime) -> None:
    expires_at, not_before = _read_time(claims, "exp"), _read_time(claims, "nbf")
    if expires_at is None:
        raise errors.IdentityTokenLifetime("it has no exp")
    if expires_at <= now - CLOCK_TOLERANCE:
        raise errors.IdentityTokenExpired("it has expired")
    if expires_at > now + MAX_TOKEN_LIFETIME + CLOCK_TOLERANCE:
        raise errors.IdentityTokenLifetime("its exp is more than 24 hours ahead")
    if not_before is not None and not_before > now + CLOCK_TOLERANCE:
        raise errors.IdentityTokenLifetime("its nbf is in the future")


def _read_time(claims: Mapping[str, Any], name: str) -> datetime | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise errors.IdentityTokenLifetime(f"its {name} is not a number of seconds since 1970")
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        raise errors.IdentityTokenLifetime(f"its {name} is out of range") from None


def _check_audience(claims: Mapping[str, Any], site_key: str) -> None:
    audience = claims.get("aud")
    if audience is not None and site_key not in (audience if isinstance(audience, list) else [audience]):
        raise errors.IdentityTokenAudience("its aud is not the key of this site")


def _describe(exc: ValidationError) -> str:
    failed = error_responses.validation_error(exc)
    fields = getattr(failed, "fields", {})
    name, reason = next(iter(fields.items()), ("sub", "is missing"))
    return f"its claim {name}: {reason}"
