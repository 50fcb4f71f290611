"""Tokens of an external identity provider: its keys are found, remembered, and found again when they change."""

from __future__ import annotations

import asyncio
import secrets
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import jwt
import orjson
import pytest
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from component.gateway.harness import Gateway, World, bearer, token_for

PATH = "/api/v1/operator/active-chats"
ALGORITHMS: dict[str, tuple[Callable[[], Any], Any]] = {
    "RS256": (lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048), jwt.algorithms.RSAAlgorithm),
    "ES256": (lambda: ec.generate_private_key(ec.SECP256R1()), jwt.algorithms.ECAlgorithm),
    "EdDSA": (ed25519.Ed25519PrivateKey.generate, jwt.algorithms.OKPAlgorithm),
}
Start = Callable[..., Awaitable[Gateway]]


class Provider:
    """A JWKS server whose keys a test changes."""

    def __init__(self) -> None:
        self.keys: list[dict[str, Any]] = []
        self.asked = 0
        self.down = False
        self.url = ""

    def add(self, algorithm: str, key_id: str) -> Any:
        make, kind = ALGORITHMS[algorithm]
        private = make()
        entry = orjson.loads(kind.to_jwk(private.public_key()))
        self.keys.append(entry | {"kid": key_id, "use": "sig", "alg": algorithm})
        return private

    async def show(self, _request: web.Request) -> web.Response:
        self.asked += 1
        return web.json_response({}, status=500) if self.down else web.json_response({"keys": self.keys})


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    made = Provider()
    app = web.Application()
    app.router.add_get("/jwks", made.show)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/jwks"
    yield made
    await runner.cleanup()


def environment(provider: Provider, algorithm: str) -> dict[str, str]:
    return {
        "PARLEY_JWT_SECRET": "",
        "PARLEY_JWKS_URL": provider.url,
        "PARLEY_JWT_ALGORITHM": algorithm,
        "PARLEY_JWT_ISSUER": "https://idp.example",
    }


def signed(operator: dict[str, Any], key: Any, algorithm: str, key_id: str | None, **changes: Any) -> str:
    now = int(time.time())
    claims = {
        "iss": "https://idp.example",
        "aud": "parley",
        "sub": str(operator["operator_id"]),
        "iat": now,
        "exp": now + 60,
        "jti": uuid.uuid4().hex,
    } | changes
    return jwt.encode(claims, key, algorithm, headers={"kid": key_id} if key_id else {})


async def status_of(gateway: Gateway, token: str) -> int:
    async with gateway.get(PATH, headers=bearer(token)) as answer:
        status: int = answer.status
        return status


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_providers_token_lets_in_and_no_other_does(
    behind: World, provider: Provider, start_gateway: Start, algorithm: str
) -> None:
    key = provider.add(algorithm, "k1")
    gateway = await start_gateway(**environment(provider, algorithm))
    operator = behind.operator()
    good = signed(operator, key, algorithm, "k1")
    assert await status_of(gateway, good) == 200
    assert await status_of(gateway, signed(operator, key, algorithm, None)) == 200
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    # PyJWT itself refuses to sign with a public key's text: so by hand, as an attacker would.
    confused = jwt.api_jws.PyJWS()
    confused.unregister_algorithm("HS256")
    confused.register_algorithm("HS256", _Careless(jwt.algorithms.HMACAlgorithm.SHA256))
    payload = orjson.dumps(jwt.decode(good, options={"verify_signature": False}))
    other = ALGORITHMS[algorithm][0]()
    for name, token in {
        "confusion": confused.encode(payload, public, "HS256", headers={"kid": "k1"}),
        "other key": signed(operator, other, algorithm, "k1"),
        "unknown kid": signed(operator, other, algorithm, "../k1"),
        "shared secret": token_for(operator),
        "issuer": signed(operator, key, algorithm, "k1", iss="parley"),
        "audience": signed(operator, key, algorithm, "k1", aud="other"),
        "none": jwt.encode({"sub": "1"}, "", "none"),
    }.items():
        assert await status_of(gateway, token) == 401, name
    async with gateway.post("/api/v1/auth/login", json={"email": "a@b.example", "password": "x"}) as answer:
        assert answer.status == 403
        assert (await answer.json())["code"] == "login_elsewhere"


class _Careless(jwt.algorithms.HMACAlgorithm):
    def prepare_key(self, key: Any) -> bytes:
        return bytes(key)


async def test_new_key_is_found_and_a_removed_one_forgotten(
    behind: World, provider: Provider, start_gateway: Start
) -> None:
    old = provider.add("ES256", "old")
    gateway = await start_gateway(**environment(provider, "ES256"))
    operator = behind.operator()
    token = signed(operator, old, "ES256", "old")
    assert await status_of(gateway, token) == 200
    provider.keys.clear()
    new = provider.add("ES256", "new")
    renewed = signed(operator, new, "ES256", "new")
    deadline = time.monotonic() + 15
    while await status_of(gateway, renewed) != 200:
        assert time.monotonic() < deadline
        # Not so often that the limits of the address answer instead.
        await asyncio.sleep(0.05)
    assert await status_of(gateway, token) == 401
    # However many asked meanwhile: once at the start, once ten seconds later.
    assert provider.asked == 2


async def test_unknown_keys_do_not_make_the_provider_be_asked_each_time(
    behind: World, provider: Provider, start_gateway: Start
) -> None:
    key = provider.add("EdDSA", "k1")
    gateway = await start_gateway(**environment(provider, "EdDSA"))
    operator = behind.operator()
    assert await status_of(gateway, signed(operator, key, "EdDSA", "k1")) == 200
    for _ in range(20):
        assert await status_of(gateway, signed(operator, key, "EdDSA", secrets.token_hex(4))) == 401
    assert provider.asked == 1


async def test_provider_away_is_503_until_it_has_once_answered(
    behind: World, provider: Provider, start_gateway: Start
) -> None:
    provider.down = True
    gateway = await start_gateway(**environment(provider, "ES256"))
    key = provider.add("ES256", "k1")
    assert await status_of(gateway, signed(behind.operator(), key, "ES256", "k1")) == 503
