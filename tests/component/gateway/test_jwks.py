"""Tokens of an external identity provider: its keys are fetched, cached, and fetched again when they change."""

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

from component.gateway.harness import FakeBackend, Gateway, bearer, token_for

PATH = "/api/v1/operator/active-chats"
ALGORITHMS: dict[str, tuple[Callable[[], Any], Any]] = {
    "RS256": (lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048), jwt.algorithms.RSAAlgorithm),
    "ES256": (lambda: ec.generate_private_key(ec.SECP256R1()), jwt.algorithms.ECAlgorithm),
    "EdDSA": (ed25519.Ed25519PrivateKey.generate, jwt.algorithms.OKPAlgorithm),
}
Start = Callable[..., Awaitable[Gateway]]


class Provider:
    """A JWKS server; tests change its keys."""

    def __init__(self) -> None:
        self.keys: list[dict[str, Any]] = []
        self.fetch_count = 0
        self.is_failing = False
        self.url = ""

    def add_key(self, algorithm: str, key_id: str) -> Any:
        generate, algorithm_class = ALGORITHMS[algorithm]
        private_key = generate()
        entry = orjson.loads(algorithm_class.to_jwk(private_key.public_key()))
        self.keys.append(entry | {"kid": key_id, "use": "sig", "alg": algorithm})
        return private_key

    async def get_keys(self, _request: web.Request) -> web.Response:
        self.fetch_count += 1
        return web.json_response({}, status=500) if self.is_failing else web.json_response({"keys": self.keys})


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    provider = Provider()
    app = web.Application()
    app.router.add_get("/jwks", provider.get_keys)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    provider.url = f"http://127.0.0.1:{runner.addresses[0][1]}/jwks"
    yield provider
    await runner.cleanup()


def environment(provider: Provider, algorithm: str) -> dict[str, str]:
    return {
        "PARLEY_JWT_SECRET": "",
        "PARLEY_JWKS_URL": provider.url,
        "PARLEY_JWT_ALGORITHM": algorithm,
        "PARLEY_JWT_ISSUER": "https://idp.example",
    }


def sign_token(operator: dict[str, Any], key: Any, algorithm: str, key_id: str | None, **changes: Any) -> str:
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


async def get_status(gateway: Gateway, token: str) -> int:
    async with gateway.get(PATH, headers=bearer(token)) as response:
        status: int = response.status
        return status


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_only_tokens_of_the_provider_are_accepted(
    backend: FakeBackend, provider: Provider, start_gateway: Start, algorithm: str
) -> None:
    key = provider.add_key(algorithm, "k1")
    gateway = await start_gateway(**environment(provider, algorithm))
    operator = backend.add_operator()
    valid_token = sign_token(operator, key, algorithm, "k1")
    assert await get_status(gateway, valid_token) == 200
    assert await get_status(gateway, sign_token(operator, key, algorithm, None)) == 200
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    # PyJWT refuses to sign with a public key's text; an attacker would not.
    unchecked_jws = jwt.api_jws.PyJWS()
    unchecked_jws.unregister_algorithm("HS256")
    unchecked_jws.register_algorithm("HS256", _UncheckedHmac(jwt.algorithms.HMACAlgorithm.SHA256))
    payload = orjson.dumps(jwt.decode(valid_token, options={"verify_signature": False}))
    other = ALGORITHMS[algorithm][0]()
    for name, token in {
        "confusion": unchecked_jws.encode(payload, public, "HS256", headers={"kid": "k1"}),
        "other key": sign_token(operator, other, algorithm, "k1"),
        "unknown kid": sign_token(operator, other, algorithm, "../k1"),
        "shared secret": token_for(operator),
        "issuer": sign_token(operator, key, algorithm, "k1", iss="parley"),
        "audience": sign_token(operator, key, algorithm, "k1", aud="other"),
        "none": jwt.encode({"sub": "1"}, "", "none"),
    }.items():
        assert await get_status(gateway, token) == 401, name
    async with gateway.post("/api/v1/auth/login", json={"email": "a@b.example", "password": "x"}) as response:
        assert response.status == 403
        assert (await response.json())["code"] == "login_elsewhere"


class _UncheckedHmac(jwt.algorithms.HMACAlgorithm):
    def prepare_key(self, key: Any) -> bytes:
        return bytes(key)


async def test_new_key_is_fetched_and_a_removed_one_rejected(
    backend: FakeBackend, provider: Provider, start_gateway: Start
) -> None:
    old = provider.add_key("ES256", "old")
    gateway = await start_gateway(**environment(provider, "ES256"))
    operator = backend.add_operator()
    token = sign_token(operator, old, "ES256", "old")
    assert await get_status(gateway, token) == 200
    provider.keys.clear()
    new = provider.add_key("ES256", "new")
    renewed = sign_token(operator, new, "ES256", "new")
    deadline = time.monotonic() + 15
    while await get_status(gateway, renewed) != 200:
        assert time.monotonic() < deadline
        # Slower than the rate limit of the address.
        await asyncio.sleep(0.05)
    assert await get_status(gateway, token) == 401
    # One fetch at the start and one after the retry delay, whatever the number of requests.
    assert provider.fetch_count == 2


async def test_unknown_key_ids_do_not_cause_a_fetch_each(
    backend: FakeBackend, provider: Provider, start_gateway: Start
) -> None:
    key = provider.add_key("EdDSA", "k1")
    gateway = await start_gateway(**environment(provider, "EdDSA"))
    operator = backend.add_operator()
    assert await get_status(gateway, sign_token(operator, key, "EdDSA", "k1")) == 200
    for _ in range(20):
        assert await get_status(gateway, sign_token(operator, key, "EdDSA", secrets.token_hex(4))) == 401
    assert provider.fetch_count == 1


async def test_unreachable_provider_is_503(backend: FakeBackend, provider: Provider, start_gateway: Start) -> None:
    provider.is_failing = True
    gateway = await start_gateway(**environment(provider, "ES256"))
    key = provider.add_key("ES256", "k1")
    assert await get_status(gateway, sign_token(backend.add_operator(), key, "ES256", "k1")) == 503
