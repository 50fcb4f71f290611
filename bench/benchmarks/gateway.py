"""Benchmark `gateway`: processor time that the gateway adds to a request and to a streamed event."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import jwt

from bench.baseline_http import EVENTS_HEADER
from bench.driver import Connection, get, post
from bench.harness import UNLIMITED, BenchmarkContext, resource_usage
from bench.measurement import AlternatingRuns, Benchmark, Metric, Round, Target, alternate
from bench.requests import MESSAGE_TEXT
from parley_dev.ports import free_ports

_AT_ONCE = 32
_SERVICES = ("CHAT", "PRESENCE", "NOTIFY", "TRANSLATE")
_GET = "/api/v1/operator/all-chat-counts"
_POST = "/api/v1/operator/message"
_STREAM = "/api/v1/operator/stream"


@dataclass(frozen=True, slots=True)
class Server:
    """A process that answers, and its door."""

    pid: int
    port: int


async def run(bench: BenchmarkContext) -> Sequence[Metric]:
    """GET, POST and an event of a stream, each beside the bare handler that also stands behind the gateway."""
    secret = secrets.token_hex(32)
    token = _token(secret)
    body = b'{"conversation_id":12,"content":"' + MESSAGE_TEXT.encode()[:120] + b'"}'
    requests = {
        "GET": get(_GET, token),
        "POST": post(_POST, body, token, secrets.token_hex(16)),
    }
    count = bench.size(10_000, 500)
    async with _bare() as behind, _gateway(bench, behind, secret) as gateway:
        figures = []
        for name, request in requests.items():
            turns = await _alternated(bench, behind, gateway, request, count)
            figures.append(turns.metric(name, "µs CPU", Target("ratio", "at most", 3.0), note=_NOTE))
        streams = bench.size(20, 4)
        events = bench.size(1000, 100)
        request = _stream_request(token, events)
        turns = await alternate(
            bench.rounds(),
            lambda: _streamed(bench, behind, request, streams, events),
            lambda: _streamed(bench, gateway, request, streams, events),
        )
        figures.append(turns.metric("event of a stream", "µs CPU", Target("ratio", "at most", 3.0)))
    return [*figures, await _direct(bench)]


_NOTE = f"{_AT_ONCE} in flight; with tokens, limits, access log and metrics"


async def _alternated(
    bench: BenchmarkContext, behind: Server, gateway: Server, request: bytes, count: int
) -> AlternatingRuns:
    for server in (behind, gateway):
        await bench.run_in_subprocess(ask, server.port, request, 500, _AT_ONCE)
    return await alternate(
        bench.rounds(7),
        lambda: _asked(bench, behind, request, count),
        lambda: _asked(bench, gateway, request, count),
    )


async def _asked(bench: BenchmarkContext, server: Server, request: bytes, count: int) -> Round:
    before = _cpu(server.pid)
    ran = await bench.run_in_subprocess(ask, server.port, request, count, _AT_ONCE)
    return Round(1e6 * (_cpu(server.pid) - before) / count, driver_cpu=ran.cpu)


async def ask(port: int, request: bytes, count: int, at_once: int) -> None:
    """So many requests over kept connections. Raises RuntimeError where one is refused."""
    connections = [await Connection.open("127.0.0.1", port) for _ in range(at_once)]

    async def lane(connection: Connection, many: int) -> None:
        for _ in range(many):
            answer = await connection.request(request)
            if answer.status != 200:
                raise RuntimeError(f"{answer.status}: {answer.body[:200]!r}")

    share = [count // at_once + (number < count % at_once) for number in range(at_once)]
    await asyncio.gather(*(lane(connection, many) for connection, many in zip(connections, share, strict=True)))
    for connection in connections:
        connection.close()


async def _streamed(bench: BenchmarkContext, server: Server, request: bytes, streams: int, events: int) -> Round:
    before = _cpu(server.pid)
    ran = await bench.run_in_subprocess(read_streams, server.port, request, streams)
    return Round(1e6 * (_cpu(server.pid) - before) / (streams * events), driver_cpu=ran.cpu)


async def read_streams(port: int, request: bytes, streams: int) -> None:
    """Read so many streams to their end."""

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        tail = b""
        while part := await reader.read(262_144):
            tail = (tail + part)[-5:]
            if tail == b"0\r\n\r\n":
                break
        writer.close()

    await asyncio.gather(*(one() for _ in range(streams)))


async def _direct(bench: BenchmarkContext) -> Metric:
    """What the service itself takes for a GET, by the gateway of the stack: so what the gateway adds to it."""
    scene = bench.scenario
    count = bench.size(3000, 300)
    # One that costs chat the same however large the database has become in the parts before.
    request = get(f"/api/v1/operator/conversation/{scene.assigned[0].conversation_id}", scene.operator_token)
    await bench.run_in_subprocess(ask, scene.port, request, 200, _AT_ONCE)
    rounds: list[tuple[Round, Round]] = []
    for _ in range(bench.rounds()):
        before = bench.usage("chat").cpu_seconds, bench.usage("gateway").cpu_seconds
        await bench.run_in_subprocess(ask, scene.port, request, count, _AT_ONCE)
        used = bench.usage("chat").cpu_seconds - before[0], bench.usage("gateway").cpu_seconds - before[1]
        rounds.append((Round(1e6 * used[1] / count), Round(1e6 * used[0] / count)))
    turns = AlternatingRuns([gateway for gateway, _ in rounds], [chat for _, chat in rounds])
    return turns.metric("GET beside what chat takes", "µs CPU", note="floor: chat's own processor time for it")


def _cpu(pid: int) -> float:
    return resource_usage(pid).cpu_seconds


def _token(secret: str) -> str:
    now = int(time.time())
    claims = {"iss": "parley", "aud": "parley", "sub": "1", "iat": now, "exp": now + 3600, "jti": secrets.token_hex(16)}
    return jwt.encode({**claims, "sid": "login-1"}, secret, "HS256")


def _stream_request(token: str, events: int) -> bytes:
    return get(_STREAM, token).removesuffix(b"\r\n") + f"{EVENTS_HEADER}: {events}\r\n\r\n".encode()


@asynccontextmanager
async def _bare() -> AsyncIterator[Server]:
    (port,) = free_ports(1)
    async with _process("bench.baseline_http", str(port)) as pid:
        await _reachable(f"http://127.0.0.1:{port}{_GET}")
        yield Server(pid, port)


@asynccontextmanager
async def _gateway(bench: BenchmarkContext, behind: Server, secret: str) -> AsyncIterator[Server]:
    """A gateway of its own, with limits that count but never refuse: they are a part of what it costs."""
    port, internal = free_ports(2)
    plenty = ",".join(f"{name}=1000000/1000000" for name in ("read", "write"))
    env = {
        "AMQP_URL": bench.rabbit.uri,
        "PARLEY_ENV": "development",
        "PARLEY_HOST": "127.0.0.1",
        "PARLEY_PORT": str(port),
        "PARLEY_INTERNAL_PORT": str(internal),
        "PARLEY_IDENTITY_SECRET": secrets.token_hex(32),
        "PARLEY_JWT_SECRET": secret,
        "PARLEY_STREAMS_PER_ADDRESS": UNLIMITED["PARLEY_STREAMS_PER_ADDRESS"],
        **{f"PARLEY_LIMITS_{scope}": plenty for scope in ("ADDRESS", "OPERATOR")},
        **{f"PARLEY_{name}_URLS": f"http://127.0.0.1:{behind.port}" for name in _SERVICES},
    }
    async with _process("parley.gateway", env=env, log=bench.directory / "gateway.log") as pid:
        await _reachable(f"http://127.0.0.1:{internal}/readyz")
        yield Server(pid, port)


@asynccontextmanager
async def _process(
    module: str, *arguments: str, env: dict[str, str] | None = None, log: Path = Path(os.devnull)
) -> AsyncIterator[int]:
    with log.open("w") as out:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", module, *arguments, env={**os.environ, **(env or {})}, stdout=out
        )
    try:
        yield process.pid
    finally:
        process.terminate()
        await process.wait()


async def _reachable(url: str) -> None:
    async with aiohttp.ClientSession() as http, asyncio.timeout(30):
        while True:
            try:
                async with http.get(url) as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.05)


BENCHMARK = Benchmark(
    "gateway",
    "processor time that the gateway takes for a request and for an event of a stream.",
    "a bare handler of the same server that answers the same bytes (it also stands behind the gateway).",
    run,
)
