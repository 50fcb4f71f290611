"""The tokens by which sites identify visitors: what is accepted, and what each refusal is called."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from parley.chat.ai.site_keys import SiteKeyCipher
from parley.chat.identification.errors import IdentityTokenRefused
from parley.chat.identification.model import IdentitySecret, ProvedIdentity
from parley.chat.identification.tokens import TokenVerifier
from parley.chat.sites.model import Site

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
CIPHER = SiteKeyCipher("i" * 32, "e" * 32, "identity secret")
OLD, NEW, FOREIGN = "o" * 40, "n" * 40, "f" * 40
SITE_ID, SITE_KEY = 3, "pk_shop"
VALID = {"sub": "customer-42", "exp": NOW.timestamp() + 300}


def _secret(secret_id: int, text: str, site_id: int = SITE_ID) -> IdentitySecret:
    return IdentitySecret(secret_id, "Server", CIPHER.encrypt(site_id, text), NOW)


SITE = Site(SITE_ID, 7, "Shop", SITE_KEY, NOW, identity_secrets=(_secret(10, OLD), _secret(11, NEW))).settings


def _verify(token: str) -> ProvedIdentity:
    return TokenVerifier(CIPHER)(token, SITE, NOW)


def _sign(claims: dict[str, Any], key: str = NEW, algorithm: str = "HS256", **headers: Any) -> str:
    return jwt.encode({**VALID, **claims}, key, algorithm=algorithm, headers=headers)


def _encode(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def _forge(header: dict[str, Any], key: bytes | None) -> str:
    """A token with any header, signed with HMAC-SHA256 and any key, or not at all."""
    signed = f"{_encode(header)}.{_encode(VALID)}"
    signature = b"" if key is None else hmac.digest(key, signed.encode(), hashlib.sha256)
    return f"{signed}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def _code(token: str) -> str:
    with pytest.raises(IdentityTokenRefused) as refused:
        _verify(token)
    assert list(refused.value.fields) == ["token"]
    return refused.value.code.removeprefix("identity_token_")


def test_a_token_proves_its_claims_with_any_secret_of_the_site() -> None:
    claims = {
        "name": "Jane <b>Doe</b>",
        "email": "Jane@Shop.test",
        "phone": "+44 20 7946 0018",
        "attributes": {"plan": "gold", "orders": 3, "total": 99.5, "vip": True},
        "aud": SITE_KEY,
        "iat": NOW.timestamp(),
    }
    proved = _verify(_sign(claims))
    assert (proved.external_id, proved.secret_id) == ("customer-42", 11)
    assert proved.contact == {"name": claims["name"], "email": "Jane@shop.test", "phone": claims["phone"]}
    assert proved.attributes == claims["attributes"]
    assert {key: type(value) for key, value in (proved.attributes or {}).items()} == {
        "plan": str,
        "orders": int,
        "total": float,
        "vip": bool,
    }
    by_old = _verify(_sign({"aud": ["another", SITE_KEY], "email": "", "name": None, "more": {"is": "ignored"}}, OLD))
    assert (by_old.secret_id, by_old.contact, by_old.attributes) == (10, {}, None)
    assert _verify(_sign({}, OLD, kid="10")).secret_id == 10


def test_times_allow_a_day_and_a_minute_between_clocks() -> None:
    day, minute = timedelta(days=1).total_seconds(), 60
    now = NOW.timestamp()
    for accepted in ({"exp": now + day + minute}, {"exp": now - minute + 1}, {"nbf": now + minute}):
        _verify(_sign(accepted))
    assert _code(_sign({"exp": now - minute})) == "expired"
    assert _code(_sign({"exp": now + day + minute + 1})) == "lifetime"
    assert _code(_sign({"nbf": now + minute + 1})) == "lifetime"
    for wrong in (None, "soon", True, 1e300, [now]):
        assert _code(_sign({"exp": wrong})) == "lifetime", wrong


def test_only_a_secret_of_the_site_signs() -> None:
    """A21: a token of a wrong, foreign or revoked secret proves nothing."""
    assert _code(_sign({}, FOREIGN)) == "signature"
    assert _code(_sign({}, kid="12")) == "signature", "not a secret of this site"
    assert _code(_sign({}, OLD, kid="11")) == "signature", "the one that is named counts"
    assert _code(_sign({}) + "x") == "signature"
    assert _code(_sign({"aud": "pk_another"})) == "audience"
    assert _code(_sign({"aud": [SITE_KEY + "x"]})) == "audience"
    unconfigured = Site(SITE_ID, 7, "Shop", SITE_KEY, NOW).settings
    with pytest.raises(IdentityTokenRefused, match="no identity secret"):
        TokenVerifier(CIPHER)(_sign({}), unconfigured, NOW)


def test_only_hs256_is_a_signature() -> None:
    """A21: the algorithm is not the token's choice."""
    assert _code(_forge({"alg": "none"}, None)) == "algorithm"
    assert _code(_forge({"alg": "None"}, NEW.encode())) == "algorithm"
    assert _code(_forge({"alg": "HS256"}, None)) in ("signature", "malformed")
    assert _code(_forge({"alg": "HS256"}, b"")) == "signature"
    assert _code(_forge({"alg": "RS256"}, NEW.encode())) == "algorithm"
    for algorithm in ("HS384", "HS512"):
        assert _code(_sign({}, NEW * 2, algorithm)) == "algorithm"
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    assert _code(_sign({}, pem.decode(), "RS256")) == "algorithm"
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert _code(_forge({"alg": "HS256"}, public)) == "signature"
    own_key = {"kty": "oct", "k": base64.urlsafe_b64encode(b"mine").decode()}
    assert _code(_forge({"alg": "HS256", "jwk": own_key}, b"mine")) == "signature"
    assert _code(_forge({"alg": "HS256", "kid": ["11"]}, NEW.encode())) == "malformed"
    for text in ("", "a.b", "a.b.c", "é.é.é", "." * 5, _encode({"alg": "HS256"}) + "." + _encode(VALID)):
        assert _code(text) == "malformed", text
    assert _code(jwt.api_jws.encode(b"[1]", NEW)) == "malformed"


@pytest.mark.parametrize(
    "claims",
    [
        {"sub": None},
        {"sub": ""},
        {"sub": 42},
        {"sub": "x" * 201},
        {"sub": " customer-42"},
        {"sub": "customer-42\n"},
        {"sub": "customer\u202e-42"},
        {"sub": "cafe\u0301"},
        {"sub": {"$ne": 1}},
        {"name": "x" * 201},
        {"name": ["Jane"]},
        {"email": "not an address"},
        {"phone": "call me"},
        {"attributes": [1]},
        {"attributes": {"nested": {"a": 1}}},
        {"attributes": {"list": [1]}},
        {"attributes": {"a.b": 1}},
        {"attributes": {"$set": 1}},
        {"attributes": {"long": "x" * 201}},
        {"attributes": {"large": 2**60}},
        {"attributes": {"infinite": float("inf")}},
        {"attributes": {"nothing": None}},
        {"attributes": {f"key-{number}": number for number in range(21)}},
    ],
    ids=repr,
)
def test_claims_have_types_and_limits(claims: dict[str, Any]) -> None:
    payload = {name: value for name, value in {**VALID, **claims}.items() if value is not None}
    token = jwt.api_jws.encode(json.dumps(payload).encode(), NEW)
    with pytest.raises(IdentityTokenRefused, match=f"its claim {next(iter(claims))}") as refused:
        _verify(token)
    assert refused.value.code == "identity_token_claims"
