"""A push service as browsers have (RFC 8030), and the browsers behind it: it verifies VAPID, they decrypt messages.

https://www.rfc-editor.org/rfc/rfc8030, rfc8188 (aes128gcm), rfc8291 (keys and encryption), rfc8292 (VAPID)
"""

from __future__ import annotations

import json
import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import defaultdict, deque
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from parley.common.auth.identity import OperatorCaller
from support.notify import NotifyReplica
from support.wait import wait_until

SUBSCRIPTION_PATH = "/api/v1/operator/push-subscription"
DEVICE_PATH = "/api/v1/operator/push-device"
SUBJECT = "mailto:admin@parley.test"

EXAMPLE_SUBSCRIPTION = {
    # Nothing answers there, so that a push fails.
    "endpoint": "https://push.invalid/send/abc",
    "keys": {
        "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        "auth": "BTBZMqHH6r4Tts7J_aSIgg",
    },
}


def to_base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def from_base64url(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def to_point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


@dataclass(frozen=True, slots=True)
class WebPushError:
    """A response other than 201."""

    status: int
    text: str = ""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DeliveredPush:
    """A message as a browser shows it, with the headers that the push service read."""

    content: dict[str, Any]
    headers: dict[str, str]


class Browser:
    """A browser's subscription, with the private key that only the browser has."""

    def __init__(self, base_url: str) -> None:
        self.id = secrets.token_hex(12)
        self.endpoint = f"{base_url}/push/{self.id}"
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._auth_secret = secrets.token_bytes(16)

    @property
    def subscription(self) -> dict[str, Any]:
        """What `PushSubscription.toJSON()` returns."""
        keys = {"p256dh": to_base64url(to_point(self._key.public_key())), "auth": to_base64url(self._auth_secret)}
        return {"endpoint": self.endpoint, "expirationTime": None, "keys": keys}

    def decrypt(self, body: bytes) -> dict[str, Any]:
        """Decrypt a message of one record (RFC 8291, 3.4)."""
        content: dict[str, Any] = json.loads(decrypt(body, self._key, self._auth_secret))
        return content


def decrypt(body: bytes, key: ec.EllipticCurvePrivateKey, auth_secret: bytes) -> bytes:
    salt, record_size, id_length = body[:16], int.from_bytes(body[16:20], "big"), body[20]
    sender_point, record = body[21 : 21 + id_length], body[21 + id_length :]
    assert len(record) <= record_size
    assert len(body) <= 4096
    sender = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender_point)
    info = b"WebPush: info\0" + to_point(key.public_key()) + sender_point
    material = HKDF(SHA256(), 32, auth_secret, info).derive(key.exchange(ec.ECDH(), sender))
    content_key = HKDF(SHA256(), 16, salt, b"Content-Encoding: aes128gcm\0").derive(material)
    nonce = HKDF(SHA256(), 12, salt, b"Content-Encoding: nonce\0").derive(material)
    padded = AESGCM(content_key).decrypt(nonce, record, None).rstrip(b"\0")
    assert padded.endswith(b"\x02"), "the delimiter of the last record"
    return padded[:-1]


class WebPushServer:
    """Start it with `async with`. `failures` holds the responses to the next messages of a browser, by its id.

    `vapid_key` is the private key of the installation that sends here, in base64url; by default a new one.
    """

    def __init__(self, vapid_key: str | None = None, subject: str = SUBJECT) -> None:
        self.failures: defaultdict[str, deque[WebPushError]] = defaultdict(deque)
        self.refused: list[str] = []
        number = int.from_bytes(from_base64url(vapid_key), "big") if vapid_key else None
        self._vapid_key = (
            ec.derive_private_key(number, ec.SECP256R1()) if number else ec.generate_private_key(ec.SECP256R1())
        )
        self._subject = subject
        self._browsers: dict[str, Browser] = {}
        self._delivered: defaultdict[str, list[DeliveredPush]] = defaultdict(list)
        self._runner: web.AppRunner | None = None
        self.base_url = ""

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/push/{id}", self._receive)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.base_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    @property
    def notify_settings(self) -> dict[str, str]:
        """The settings of a notify replica whose browsers subscribe here."""
        number = self._vapid_key.private_numbers().private_value
        return {
            "vapid_private_key": to_base64url(number.to_bytes(32, "big")),
            "vapid_subject": self._subject,
            "push_private_hosts": self.base_url.removeprefix("http://"),
        }

    @property
    def public_key(self) -> str:
        return to_base64url(to_point(self._vapid_key.public_key()))

    def open_browser(self) -> Browser:
        """A browser that subscribed here."""
        browser = Browser(self.base_url)
        self._browsers[browser.id] = browser
        return browser

    def pushes_for(self, browser: Browser) -> list[DeliveredPush]:
        return self._delivered[browser.id]

    async def _receive(self, request: web.Request) -> web.Response:
        browser = self._browsers[request.match_info["id"]]
        self._verify_vapid(request.headers["Authorization"])
        assert request.headers["Content-Encoding"] == "aes128gcm"
        assert request.headers["Urgency"] in ("very-low", "low", "normal", "high")
        assert int(request.headers["TTL"]) > 0
        topic = request.headers["Topic"]
        assert len(topic) <= 32
        assert topic.replace("-", "").replace("_", "").isalnum()
        body = await request.read()
        if self.failures[browser.id]:
            failure = self.failures[browser.id].popleft()
            self.refused.append(browser.id)
            return web.Response(status=failure.status, text=failure.text, headers=failure.headers)
        self._delivered[browser.id].append(DeliveredPush(browser.decrypt(body), dict(request.headers)))
        return web.Response(status=201, headers={"Location": f"{self.base_url}/message/{secrets.token_hex(8)}"})

    def _verify_vapid(self, header: str) -> None:
        """Check the token as RFC 8292 asks push services to: signature, audience, lifetime, contact."""
        scheme, _, parameters = header.partition(" ")
        values = dict(part.strip().split("=", 1) for part in parameters.split(","))
        assert scheme == "vapid"
        assert values["k"] == self.public_key
        claims = jwt.decode(values["t"], self._vapid_key.public_key(), algorithms=["ES256"], audience=self.base_url)
        assert time.time() < claims["exp"] <= time.time() + 86_400
        assert claims["sub"] == self._subject


async def subscribe(
    replica: NotifyReplica, operator: OperatorCaller, server: WebPushServer, name: str = "Chrome, Android"
) -> Browser:
    """Open a browser and register its subscription."""
    browser = server.open_browser()
    status, body, _ = await replica.request(operator, "POST", SUBSCRIPTION_PATH, {**browser.subscription, "name": name})
    assert status == 200, body
    return browser


async def wait_for_web_push(
    server: WebPushServer, browser: Browser, count: int = 1, timeout: float = 10.0
) -> DeliveredPush:
    """Wait until a browser has received exactly `count` messages, and return the newest."""
    await wait_until(lambda: len(server.pushes_for(browser)) >= count, timeout=timeout, description=f"{count} pushes")
    assert len(server.pushes_for(browser)) == count
    return server.pushes_for(browser)[-1]
