"""MongoDB, RabbitMQ, fork servers and one stack, shared by all workers of a test run.

The process that pytest was started in owns them (`InfrastructureOwner`): it starts each on its first use and stops all
at the end of the run. Workers, and that process itself, ask it through a socket (`Infrastructure`).

Servers named in MONGODB_URI and AMQP_URL are used instead of private ones.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import tempfile
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, Any

from parley_dev.console import print_line
from parley_dev.process import Process
from parley_dev.servers import MongoServer, RabbitServer
from parley_dev.stack import SpawnService, Stack
from parley_dev.web import build_web
from support.mail_server import MailServer
from support.openai_server import FakeOpenAIServer
from support.service_process import CAN_FORK, ForkedProcess, ServiceProcess, start_fork_server, start_python

NO_RATE_LIMITS = {
    "PARLEY_LIMITS_ADDRESS": "off",
    "PARLEY_LIMITS_SESSION": "off",
    "PARLEY_LIMITS_OPERATOR": "off",
    "PARLEY_LIMITS_SITE": "off",
    "PARLEY_STREAMS_PER_ADDRESS": "100000",
    "PARLEY_CONNECTIONS_PER_ADDRESS": "100000",
}
"""The gateway's settings without limits: all tests come from one address. The limits have tests of their own."""

_VHOSTS = tuple(f"tests-{number}" for number in range(24))
_WEB = Path(__file__).parents[2] / "web"
_START_TIMEOUT_SECONDS = 300
_MEMORY = Path("/dev/shm")
_MIN_FREE_BYTES = 3 * 2**30


class InfrastructureOwner:
    """Starts the shared servers and the shared stack on their first use, and stops them with `stop`.

    They are children of its thread, since the kernel ends them with the thread that has started them.
    """

    def __init__(self) -> None:
        self._directory = Path(tempfile.mkdtemp(prefix="parley-tests-"))
        self._data = _create_data_directory() or self._directory
        self.socket = self._directory / "socket"
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="test-infrastructure", daemon=True)
        self._listening = threading.Event()
        self._mongo: MongoServer | None = None
        self._rabbit: RabbitServer | None = None
        self._vhosts = list(_VHOSTS)
        self._stack: Stack | None = None
        self._ai: FakeOpenAIServer | None = None
        self._mail = MailServer(directory=self._directory / "mails")
        self._fork_servers: dict[str, asyncio.Task[tuple[Process, Path]]] = {}
        self._lock = asyncio.Lock()

    def start(self) -> None:
        """Listen for requests."""
        self._thread.start()
        self._listening.wait()

    def stop(self) -> None:
        """Stop everything that was started."""
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        for directory in (self._directory, self._data):
            shutil.rmtree(directory, ignore_errors=True)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._listen())
        self._loop.run_forever()

    async def _listen(self) -> None:
        self._server = await asyncio.start_unix_server(self._serve, self.socket)
        self._listening.set()

    async def _stop(self) -> None:
        self._server.close()
        await self._server.wait_closed()
        if self._stack is not None:
            await self._stack.stop()
        if self._ai is not None:
            await self._ai.__aexit__(None, None, None)
            await self._mail.__aexit__(None, None, None)
        for server in self._fork_servers.values():
            process, _ = await server
            await process.kill()
        await asyncio.gather(*(server.stop() for server in (self._mongo, self._rabbit) if server is not None))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handlers: dict[str, Callable[[dict[str, Any]], Awaitable[Any]]] = {
            "servers": self._servers,
            "broker": self._broker,
            "stack": self._shared_stack,
        }
        try:
            request = json.loads(await reader.readline())
            if (service := request.get("fork_server")) is not None:
                result = {"result": str(await self._fork_server(service))}
            else:
                async with self._lock:
                    result = {"result": await handlers[request["get"]](request)}
        except Exception as exc:
            result = {"error": f"{type(exc).__name__}: {exc}"}
        writer.write(json.dumps(result).encode() + b"\n")
        await writer.drain()
        writer.close()

    async def _servers(self, _request: dict[str, Any]) -> str:
        """Start MongoDB and RabbitMQ. Returns the URI of MongoDB."""
        starting: list[Awaitable[None]] = []
        if self._mongo is None and "MONGODB_URI" not in os.environ:
            self._mongo = MongoServer(self._data / "mongodb")
            starting.append(self._mongo.start())
        if self._rabbit is None and "AMQP_URL" not in os.environ:
            self._rabbit = RabbitServer(self._data / "rabbitmq", vhosts=_VHOSTS)
            starting.append(self._rabbit.start())
        await asyncio.gather(*starting)
        return self._mongo.uri if self._mongo is not None else os.environ["MONGODB_URI"]

    async def _broker(self, _request: dict[str, Any]) -> str | None:
        """Return the URL of an unused virtual host; None when there is none left."""
        await self._servers({})
        if self._rabbit is None:
            return os.environ["AMQP_URL"]
        # A node in a container has no virtual hosts.
        return self._rabbit.vhost_uri(self._vhosts.pop()) if self._vhosts and self._rabbit.vhosts else None

    async def _shared_stack(self, request: dict[str, Any]) -> str:
        """Start the shared stack. Returns its description."""
        if self._stack is None:
            mongodb_uri, amqp_url = await self._servers({}), await self._broker({})
            self._ai = await FakeOpenAIServer().__aenter__()
            await self._mail.__aenter__()
            mail = {f"PARLEY_{name.upper()}": str(value) for name, value in self._mail.settings.items()}
            web = await asyncio.to_thread(build_web, _WEB, print_line) if request["web"] else None
            gateway = {**NO_RATE_LIMITS, **({"PARLEY_WEB_DIR": str(web)} if web is not None else {})}
            self._stack = await _start(
                Stack(
                    mongodb_uri=mongodb_uri,
                    amqp_url=amqp_url or (self._rabbit.uri if self._rabbit else ""),
                    directory=self._directory / "stack",
                    database_prefix=f"t{secrets.token_hex(4)}",
                    env={
                        "gateway": gateway,
                        # For sites that choose the engine `openai`; its reply is always the same.
                        "chat": {
                            "PARLEY_OPENAI_URL": self._ai.url,
                            "PARLEY_OPENAI_API_KEY": "sk-test",
                            "PARLEY_TOOL_PRIVATE_HOSTS": "127.0.0.1",
                            **mail,
                            "PARLEY_KNOWLEDGE_PRIVATE_HOSTS": "127.0.0.1",
                        },
                        # Browsers of the tests subscribe at a push service of the test.
                        "notify": {"PARLEY_PUSH_PRIVATE_HOSTS": "127.0.0.1", **mail},
                    },
                    spawn=self._spawn if CAN_FORK else None,
                )
            )
        return self._stack.to_json()

    async def _spawn(self, service: str, environment: Mapping[str, str], output: IO[bytes]) -> ForkedProcess:
        return ForkedProcess(await self._fork_server(service), environment, output)

    async def _fork_server(self, service: str) -> Path:
        """Start the fork server of a service. Returns its socket."""
        if service not in self._fork_servers:
            self._fork_servers[service] = asyncio.create_task(start_fork_server(service, self._directory))
        _, path = await self._fork_servers[service]
        return path


def _create_data_directory() -> Path | None:
    """Create a directory in memory for the servers' data, which they flush to disk before they acknowledge it.

    None where there is no such file system or little room. Removes those of runs that were killed.
    """
    if not _MEMORY.is_dir() or shutil.disk_usage(_MEMORY).free < _MIN_FREE_BYTES:
        return None
    for left in _MEMORY.glob("parley-tests-*"):
        if not Path("/proc", left.name.split("-")[2]).exists():
            shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"parley-tests-{os.getpid()}-", dir=_MEMORY))


class Infrastructure:
    """A worker's access to what the run shares."""

    def __init__(self, socket: Path, *, web: bool) -> None:
        self._socket = socket
        self._web = web
        self.spawn: SpawnService | None = self._fork if CAN_FORK else None
        """Starts a stack's processes."""

    async def mongodb_uri(self) -> str:
        """Return the URI of the shared MongoDB. Tests use databases of their own."""
        uri: str = await self._get("servers")
        return uri

    async def shared_stack(self) -> Stack:
        """Return the shared stack. Tests use tenants of their own, and neither stop nor change it."""
        return Stack.from_json(await self._get("stack", web=self._web))

    @asynccontextmanager
    async def broker(self, directory: Path) -> AsyncIterator[str]:
        """Provide the URL of a broker that nobody else uses: queues are named by service, so stacks cannot share one.

        It is a virtual host of the shared RabbitMQ, or a node of its own when there is none left.
        """
        url: str | None = await self._get("broker")
        if url is not None:
            yield url
            return
        server = RabbitServer(directory / "rabbitmq")
        await server.start()
        try:
            yield server.uri
        finally:
            await server.stop()

    @asynccontextmanager
    async def stack(
        self, directory: Path, replicas: int = 1, env: Mapping[str, Mapping[str, str]] | None = None
    ) -> AsyncIterator[Stack]:
        """Start a stack with settings of its own, and stop it at the end."""
        async with self.broker(directory) as amqp_url:
            stack = Stack(
                mongodb_uri=await self.mongodb_uri(),
                amqp_url=amqp_url,
                directory=directory,
                replicas=replicas,
                database_prefix=f"t{secrets.token_hex(4)}",
                env={"gateway": NO_RATE_LIMITS, **(env or {})},
                spawn=self.spawn,
            )
            try:
                yield await _start(stack)
            finally:
                await stack.stop()

    async def start_service(
        self, service: str, environment: Mapping[str, str], output: IO[bytes] | None
    ) -> ServiceProcess:
        """Start a service outside a stack."""
        return await (self._fork if CAN_FORK else start_python)(service, environment, output)

    async def _fork(self, service: str, environment: Mapping[str, str], output: IO[bytes] | None) -> ForkedProcess:
        return ForkedProcess(Path(await self._ask(fork_server=service)), environment, output)

    async def _get(self, what: str, **parameters: Any) -> Any:
        return await self._ask(get=what, **parameters)

    async def _ask(self, **request: Any) -> Any:
        async with asyncio.timeout(_START_TIMEOUT_SECONDS):
            reader, writer = await asyncio.open_unix_connection(self._socket)
            try:
                writer.write(json.dumps(request).encode() + b"\n")
                answer = json.loads(await reader.readline())
            finally:
                writer.close()
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["result"]


def mail_directory(stack: Stack) -> Path:
    """Where the mails are that the shared stack has sent (`support.mail_server.read_mails`)."""
    return stack.directory.parent / "mails"


async def _start(stack: Stack) -> Stack:
    try:
        await stack.start()
        await stack.wait_ready()
    except BaseException:
        await stack.stop()
        raise
    return stack
