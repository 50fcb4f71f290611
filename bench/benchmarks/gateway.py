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

_CONCURRENCY = 32
_SERVICES = ("CHAT", "PRESENCE", "NOTIFY", "TRANSLATE")
_GET = "/api/v1/operator/all-chat-counts"
_POST = "/api/v1/operator/message"
_STREAM = "/api/v1/operator/stream"


@dataclass(frozen=True, slots=True)
class Server:
    """A server process and its port."""

    pid: int
    port: int


async def run(bench: BenchmarkContext) -> Sequence[Metric]:
    """Measure GET, POST and a streamed event, each compared with the baseline server that is also the upstream."""
    secret = secrets.token_hex(32)
    token = _token(secret)
    body = b'{"conversation_id":12,"content":"' + MESSAGE_TEXT.encode()[:120] + b'"}'
    requests = {
        "GET": get(_GET, token),
        "POST": post(_POST, body, token, secrets.token_hex(16)),
    }
    count = bench.size(10_000, 500)
    async with _baseline_server() as upstream, _start_gateway(bench, upstream, secret) as gateway:
        metrics = []
        for name, request in requests.items():
            runs = await _alternate_requests(bench, upstream, gateway, request, count)
            metrics.append(runs.metric(name, "µs CPU", Target("ratio", "at most", 3.0), note=_NOTE))
        streams = bench.size(20, 4)
        events = bench.size(1000, 100)
        request = _stream_request(token, events)
        runs = await alternate(
            bench.rounds(),
            lambda: _measure_streams(bench, upstream, request, streams, events),
            lambda: _measure_streams(bench, gateway, request, streams, events),
        )
        metrics.append(runs.metric("event of a stream", "µs CPU", Target("ratio", "at most", 3.0)))
    return [*metrics, await _measure_with_chat(bench)]


_NOTE = f"{_CONCURRENCY} in flight; with tokens, limits, access log and metrics"


async def _alternate_requests(
    bench: BenchmarkContext, upstream: Server, gateway: Server, request: bytes, count: int
) -> AlternatingRuns:
    for server in (upstream, gateway):
        await bench.run_in_subprocess(send_requests, server.port, request, 500, _CONCURRENCY)
    return await alternate(
        bench.rounds(7),
        lambda: _measure_requests(bench, upstream, request, count),
        lambda: _measure_requests(bench, gateway, request, count),
    )


async def _measure_requests(bench: BenchmarkContext, server: Server, request: bytes, count: int) -> Round:
    before = _cpu(server.pid)
    measured = await bench.run_in_subprocess(send_requests, server.port, request, count, _CONCURRENCY)
    return Round(1e6 * (_cpu(server.pid) - before) / count, driver_cpu=measured.cpu)


async def send_requests(port: int, request: bytes, count: int, concurrency: int) -> None:
    """Send `count` requests over kept-alive connections. Raises RuntimeError when one is not answered with 200."""
    connections = [await Connection.open("127.0.0.1", port) for _ in range(concurrency)]

    async def worker(connection: Connection, many: int) -> None:
        for _ in range(many):
            response = await connection.request(request)
            if response.status != 200:
                raise RuntimeError(f"{response.status}: {response.body[:200]!r}")

    share = [count // concurrency + (number < count % concurrency) for number in range(concurrency)]
    await asyncio.gather(*(worker(connection, many) for connection, many in zip(connections, share, strict=True)))
    for connection in connections:
        connection.close()


async def _measure_streams(bench: BenchmarkContext, server: Server, request: bytes, streams: int, events: int) -> Round:
    before = _cpu(server.pid)
    measured = await bench.run_in_subprocess(read_streams, server.port, request, streams)
    return Round(1e6 * (_cpu(server.pid) - before) / (streams * events), driver_cpu=measured.cpu)


async def read_streams(port: int, request: bytes, streams: int) -> None:
    """Read this many streams to their end."""

    async def read_one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        tail = b""
        while part := await reader.read(262_144):
            tail = (tail + part)[-5:]
            if tail == b"0\r\n\r\n":
                break
        writer.close()

    await asyncio.gather(*(read_one() for _ in range(streams)))


async def _measure_with_chat(bench: BenchmarkContext) -> Metric:
    """Measure a GET through the stack's gateway: the gateway's processor time compared with chat's own."""
    scenario = bench.scenario
    count = bench.size(3000, 300)
    # A request whose cost does not depend on how much data earlier benchmarks have left.
    request = get(f"/api/v1/operator/conversation/{scenario.assigned[0].conversation_id}", scenario.operator_token)
    await bench.run_in_subprocess(send_requests, scenario.port, request, 200, _CONCURRENCY)
    rounds: list[tuple[Round, Round]] = []
    for _ in range(bench.rounds()):
        before = bench.usage("chat").cpu_seconds, bench.usage("gateway").cpu_seconds
        await bench.run_in_subprocess(send_requests, scenario.port, request, count, _CONCURRENCY)
        used = bench.usage("chat").cpu_seconds - before[0], bench.usage("gateway").cpu_seconds - before[1]
        rounds.append((Round(1e6 * used[1] / count), Round(1e6 * used[0] / count)))
    runs = AlternatingRuns([gateway for gateway, _ in rounds], [chat for _, chat in rounds])
    return runs.metric("GET compared with chat", "µs CPU", note="baseline: chat's own processor time for it")


def _cpu(pid: int) -> float:
    return resource_usage(pid).cpu_seconds


def _token(secret: str) -> str:
    now = int(time.time())
    claims = {"iss": "parley", "aud": "parley", "sub": "1", "iat": now, "exp": now + 3600, "jti": secrets.token_hex(16)}
    return jwt.encode({**claims, "sid": "login-1"}, secret, "HS256")


def _stream_request(token: str, events: int) -> bytes:
    return get(_STREAM, token).removesuffix(b"\r\n") + f"{EVENTS_HEADER}: {events}\r\n\r\n".encode()


@asynccontextmanager
async def _baseline_server() -> AsyncIterator[Server]:
    (port,) = free_ports(1)
    async with _process("bench.baseline_http", str(port)) as pid:
        await _wait_reachable(f"http://127.0.0.1:{port}{_GET}")
        yield Server(pid, port)


@asynccontextmanager
async def _start_gateway(bench: BenchmarkContext, upstream: Server, secret: str) -> AsyncIterator[Server]:
    """Start a gateway with rate limits that count but never reject: counting is part of its cost."""
    port, internal = free_ports(2)
    limits = ",".join(f"{name}=1000000/1000000" for name in ("read", "write"))
    env = {
        "AMQP_URL": bench.amqp_url,
        "PARLEY_ENV": "development",
        "PARLEY_HOST": "127.0.0.1",
        "PARLEY_PORT": str(port),
        "PARLEY_INTERNAL_PORT": str(internal),
        "PARLEY_IDENTITY_SECRET": secrets.token_hex(32),
        "PARLEY_JWT_SECRET": secret,
        "PARLEY_STREAMS_PER_ADDRESS": UNLIMITED["PARLEY_STREAMS_PER_ADDRESS"],
        "PARLEY_CONNECTIONS_PER_ADDRESS": UNLIMITED["PARLEY_CONNECTIONS_PER_ADDRESS"],
        **{f"PARLEY_LIMITS_{scope}": limits for scope in ("ADDRESS", "OPERATOR")},
        **{f"PARLEY_{name}_URLS": f"http://127.0.0.1:{upstream.port}" for name in _SERVICES},
    }
    async with _process("parley.gateway", env=env, log=bench.directory / "gateway.log") as pid:
        await _wait_reachable(f"http://127.0.0.1:{internal}/readyz")
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


async def _wait_reachable(url: str) -> None:
    async with aiohttp.ClientSession() as http, asyncio.timeout(30):
        while True:
            try:
                async with http.get(url) as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.05)


BENCHMARK = Benchmark(
    "gateway",
    "processor time of the gateway for a request and for a streamed event.",
    "a handler of the same HTTP server that returns the same bytes (it is also the gateway's upstream).",
    run,
)
