"""The gateway as a process, in front of fake services that accept only signed identities."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import signal
import socket
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import aio_pika
import aiohttp
import jwt
import orjson
from aiohttp import web
from multidict import CIMultiDictProxy

from parley.common.auth.identity import IDENTITY_HEADER, Caller, GatewayCaller, IdentitySigner
from parley.common.auth.token_hashing import hash_token
from parley.common.errors import Unauthenticated
from parley.common.events import EventData, new_event, routing_key
from parley_dev.process import child_environment
from support.service_process import ServiceProcess, StartService
from support.wait import wait_until

IDENTITY_SECRET = secrets.token_hex(32)
JWT_SECRET = secrets.token_hex(32)
SERVICES = ("chat", "presence", "notify", "translate")

_ids = count(int(time.time() * 1000) % 10**9 * 1000)


def fresh_id() -> int:
    """Return a new id for a tenant, site or operator."""
    return next(_ids)


@dataclass
class RecordedRequest:
    """A request as a service received it."""

    method: str
    path: str
    query: dict[str, str]
    headers: CIMultiDictProxy[str]
    body: bytes
    caller: Caller


Handler = Callable[[web.Request, RecordedRequest], Awaitable[web.StreamResponse]]


@dataclass
class FakeService:
    """Records every request and responds to it, by the handler that a test has set for method and path, if any."""

    name: str
    backend: FakeBackend
    requests: list[RecordedRequest] = field(default_factory=list)
    handlers: dict[tuple[str, str], Handler] = field(default_factory=dict)
    ready: bool = True
    url: str = ""
    host: str = "127.0.0.1"
    port: int = 0
    _runner: web.AppRunner | None = None

    def proxied_requests(self) -> list[RecordedRequest]:
        return [recorded for recorded in self.requests if not recorded.path.startswith("/internal/")]

    def internal_requests(self, path: str) -> list[RecordedRequest]:
        return [recorded for recorded in self.requests if recorded.path.startswith(f"/internal/{path}")]

    async def start(self) -> None:
        app = web.Application(client_max_size=20 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.host, self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        self.url = f"http://{self.host}:{self.port}"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        try:
            caller = self.backend.signer.verify(request.headers.get(IDENTITY_HEADER))
        except Unauthenticated:
            return web.json_response({"success": False, "error": "no identity", "code": "unauthenticated"}, status=401)
        is_streamed = (request.method, request.path) in self.handlers and request.content_type == "multipart/form-data"
        body = b"" if is_streamed else await request.read()
        query = dict(request.query)
        recorded = RecordedRequest(request.method, request.path, query, request.headers, body, caller)
        self.requests.append(recorded)
        handler = self.handlers.get((request.method, request.path))
        if handler is not None:
            return await handler(request, recorded)
        if request.path.startswith("/internal/"):
            assert isinstance(caller, GatewayCaller)
            return self._handle_internal(request, recorded)
        return web.json_response({"success": True, "service": self.name, "path": request.path})

    def _handle_internal(self, request: web.Request, recorded: RecordedRequest) -> web.StreamResponse:
        backend, body = self.backend, orjson.loads(recorded.body) if recorded.body else {}
        match request.path.split("/")[2:]:
            case ["ready"]:
                return web.json_response({"ready": self.ready}, status=200 if self.ready else 503)
            case ["openapi"]:
                return web.json_response(backend.documents.get(self.name, {"paths": {}, "components": {"schemas": {}}}))
            case ["access", operator]:
                access = backend.operators.get(int(operator))
                if (key_hash := recorded.query.get("api_key_hash")) is not None:
                    is_valid = key_hash in map(hash_token, backend.api_keys)
                    return _document_response({**(access or {}), "owner": False} if is_valid else None)
                session = recorded.query.get("session_id")
                ended = session is not None and session in backend.ended_sessions
                return _document_response(None if ended else access)
            case ["access-by-key"]:
                operator_id = backend.api_keys.get(body["key"])
                return _document_response(backend.operators.get(operator_id) if operator_id else None)
            case ["site"]:
                site = backend.sites.get(recorded.query["site_key"])
                return _document_response(site and {"site": site})
            case ["origin"]:
                return web.json_response({"success": True, "known": recorded.query["origin"] in backend.origins})
            case ["redeem-ticket"]:
                return _document_response(backend.tickets.pop(body["ticket"], None))
            case [("login" | "refresh" | "accept-invitation") as action]:
                return backend.login(action, body)
            case ["logout"]:
                backend.ended_sessions.add(body["session_id"] or "")
                return web.json_response({"success": True})
        return _document_response(None)


def _document_response(document: dict[str, Any] | None) -> web.Response:
    if document is None:
        return web.json_response({"success": False, "error": "nothing", "code": "not_found"}, status=404)
    return web.json_response({"success": True, **document})


@dataclass
class FakeBackend:
    """The services behind the gateway, and their data."""

    signer: IdentitySigner = field(default_factory=lambda: IdentitySigner(IDENTITY_SECRET))
    operators: dict[int, dict[str, Any]] = field(default_factory=dict)
    api_keys: dict[str, int] = field(default_factory=dict)
    sites: dict[str, dict[str, Any]] = field(default_factory=dict)
    origins: set[str] = field(default_factory=set)
    ended_sessions: set[str] = field(default_factory=set)
    tickets: dict[str, dict[str, Any]] = field(default_factory=dict)
    passwords: dict[str, tuple[str, int]] = field(default_factory=dict)
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    services: dict[str, FakeService] = field(default_factory=dict)

    @property
    def chat(self) -> FakeService:
        return self.services["chat"]

    @property
    def notify(self) -> FakeService:
        return self.services["notify"]

    def add_operator(self, **changes: Any) -> dict[str, Any]:
        """Add an operator of a new tenant."""
        operator_id = fresh_id()
        operator = {
            "operator_id": operator_id,
            "tenant_id": fresh_id(),
            "name": "Alex",
            "email": f"alex-{operator_id}@example.com",
            "language": "en",
            "owner": False,
            "suspended": False,
            "version": 1,
            "sites": {str(fresh_id()): ["can_chat"]},
        } | changes
        self.operators[operator_id] = operator
        return operator

    def add_site(self, *domains: str, any_origin: bool = False) -> tuple[str, dict[str, Any]]:
        """Add a site; return its key and the site."""
        key = f"pk_{uuid.uuid4().hex}"
        site = {"id": fresh_id(), "tenant_id": fresh_id(), "domains": list(domains), "any_origin": any_origin}
        self.sites[key] = site
        return key, site

    def login(self, action: str, body: dict[str, Any]) -> web.Response:
        if action == "login":
            password, operator_id = self.passwords.get(body["email"], ("", 0))
            if password != body["password"]:
                error = {"success": False, "error": "Wrong.", "code": "bad_credentials", "request_id": "inner"}
                return web.json_response(error, status=401)
        else:
            operator_id = next(iter(self.operators))
        return web.json_response(
            {
                "success": True,
                "session_id": f"login-{uuid.uuid4().hex}",
                "refresh_token": f"refresh-{uuid.uuid4().hex}",
                "refresh_expires_in": 1000,
                "access": self.operators[operator_id],
            }
        )


def token_for(operator: dict[str, Any], secret: str = JWT_SECRET, **changes: Any) -> str:
    """Return a token as the gateway issues it, with changed claims; None removes a claim."""
    now = int(time.time())
    claims = {
        "iss": "parley",
        "aud": "parley",
        "sub": str(operator["operator_id"]),
        "iat": now,
        "exp": now + 600,
        "jti": uuid.uuid4().hex,
        "sid": f"s-{operator['operator_id']}",
    } | changes
    return jwt.encode({name: value for name, value in claims.items() if value is not None}, secret, "HS256")


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@dataclass
class Gateway:
    """A running gateway, and an HTTP client."""

    url: str
    internal_url: str
    log: Path
    backend: FakeBackend
    client: aiohttp.ClientSession
    amqp_url: str
    process: ServiceProcess

    def get(self, path: str, **options: Any) -> Any:
        return self.client.get(self.url + path, **options)

    def post(self, path: str, **options: Any) -> Any:
        return self.client.post(self.url + path, **options)

    async def publish(self, data: EventData, **scope: Any) -> None:
        """Publish an event as its service would."""
        event = new_event(data, **scope)
        connection = await aio_pika.connect(self.amqp_url)
        async with connection:
            channel = await connection.channel()
            exchange = await channel.get_exchange("parley.events", ensure=False)
            body = orjson.dumps(event.to_document())
            await exchange.publish(aio_pika.Message(body, message_id=event.id, type=event.type), routing_key(event))

    async def metrics(self) -> str:
        async with self.client.get(self.internal_url + "/metrics") as response:
            return await response.text()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.asynccontextmanager
async def running_gateway(
    start: StartService, backend: FakeBackend, amqp_url: str, log: Path, *, wait_ready: bool = True, **env: str
) -> AsyncIterator[Gateway]:
    """Run a gateway process in front of a backend; `env` overrides its environment."""
    port, internal_port = free_port(), free_port()
    environment = {
        **child_environment(),
        "AMQP_URL": amqp_url,
        "PARLEY_ENV": "development",
        "PARLEY_HOST": "127.0.0.1",
        "PARLEY_PORT": str(port),
        "PARLEY_INTERNAL_PORT": str(internal_port),
        "PARLEY_IDENTITY_SECRET": IDENTITY_SECRET,
        "PARLEY_JWT_SECRET": JWT_SECRET,
        "PARLEY_LIMITS_ADDRESS": "login=1000/1000",
        "PARLEY_STOP_SECONDS": "3",
        **{f"PARLEY_{name.upper()}_URLS": backend.services[name].url for name in SERVICES},
        **env,
    }
    async with _running_process(start, environment, log) as process, _http_client() as client:
        urls = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{internal_port}"
        gateway = Gateway(*urls, log, backend, client, amqp_url, process)
        await _wait_started(gateway, "readyz" if wait_ready else "livez")
        yield gateway


@contextlib.asynccontextmanager
async def _running_process(
    start: StartService, environment: dict[str, str], log: Path
) -> AsyncIterator[ServiceProcess]:
    """Run the gateway; variables with an empty value are not set. Raises TimeoutError if it does not stop in 15 s."""
    with log.open("wb") as output:
        process = await start("gateway", {name: value for name, value in environment.items() if value}, output)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), 15)
        except TimeoutError:
            process.send_signal(signal.SIGKILL)
            await process.wait()
            raise


def _http_client() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=30))


async def _wait_started(gateway: Gateway, probe: str) -> None:
    """Wait until the probe succeeds and the public port accepts requests. Fails with the log if the process exits."""

    async def is_started() -> bool:
        assert gateway.process.returncode is None, gateway.log.read_text()
        try:
            async with gateway.client.get(f"{gateway.internal_url}/{probe}") as response:
                if response.status != 200:
                    return False
            async with gateway.get("/nothing"):
                return True
        except aiohttp.ClientError:
            return False

    await wait_until(is_started, timeout=30)


@contextlib.asynccontextmanager
async def running_backend() -> AsyncIterator[FakeBackend]:
    """Run the four fake services."""
    backend = FakeBackend()
    for name in SERVICES:
        backend.services[name] = FakeService(name, backend)
        await backend.services[name].start()
    try:
        yield backend
    finally:
        for service in backend.services.values():
            await service.stop()


async def open_connection(gateway: Gateway) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open a connection for requests that no HTTP client would send."""
    return await asyncio.open_connection("127.0.0.1", int(gateway.url.rpartition(":")[2]))


def connect(gateway: Gateway) -> socket.socket:
    """Return a connection that takes little before the gateway has to wait."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", int(gateway.url.rpartition(":")[2])))
    return client


def build_request(path: str, *lines: str) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: x", *lines, "", ""]).encode()


async def respond_with(backend: FakeBackend, path: str, size: int) -> None:
    async def respond(_request: web.Request, _recorded: RecordedRequest) -> web.StreamResponse:
        return web.Response(body=b"x" * size, content_type="application/octet-stream")

    backend.chat.handlers["GET", path] = respond
