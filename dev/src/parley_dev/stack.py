"""The five services as processes of this machine."""

import asyncio
import json
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

import aiohttp

from parley_dev.errors import StartFailed
from parley_dev.ports import LOOPBACK, free_ports
from parley_dev.process import Child, Process, child_environment
from parley_dev.secrets import Secrets

GATEWAY = "gateway"
BACKEND_SERVICES = ("chat", "presence", "notify", "translate")
SERVICES = (GATEWAY, *BACKEND_SERVICES)

# Services that hold clients' connections stop first, so that no client reaches a service that is already gone.
_STOP_ORDER = ((GATEWAY,), ("notify",), ("chat", "presence", "translate"))

Addresses = Mapping[str, Sequence[tuple[str, int, int]]]
"""The host, the public and the internal port of every replica, by service."""

SpawnService = Callable[[str, Mapping[str, str], IO[bytes]], Awaitable[Child]]
"""Starts a process of a service, with an environment and a file for its output."""


@dataclass(frozen=True, slots=True)
class ServiceProcess:
    """One replica of a service."""

    service: str
    index: int
    host: str
    port: int
    internal_port: int
    process: Process

    @property
    def url(self) -> str:
        """The base URL of its API."""
        return f"http://{self.host}:{self.port}"

    @property
    def internal_url(self) -> str:
        """The base URL of health and metrics."""
        return f"http://{self.host}:{self.internal_port}"

    @property
    def name(self) -> str:
        """The service's name, with the replica's number when there are several."""
        return self.process.name


def module_command(service: str) -> list[str]:
    """Return the command that runs a service."""
    return [sys.executable, "-m", f"parley.{service}"]


class Stack:
    """All services over a MongoDB and a RabbitMQ that run already.

    Several replicas of a service behind the gateway are found as in a cluster: they listen on the same port of several
    loopback addresses, and the gateway finds these behind one name, in a hosts file.

    `env` adds variables by service, with "*" for all services. `spawn` starts processes instead of the commands.
    """

    def __init__(
        self,
        *,
        mongodb_uri: str,
        amqp_url: str,
        directory: Path,
        gateway_port: int | None = None,
        replicas: int | Mapping[str, int] = 1,
        env: Mapping[str, Mapping[str, str]] | None = None,
        database_prefix: str | None = None,
        secrets: Secrets | None = None,
        command: Callable[[str], Sequence[str]] = module_command,
        stop_timeout_seconds: float = 20.0,
        addresses: Addresses | None = None,
        spawn: SpawnService | None = None,
    ) -> None:
        self.directory = directory.resolve()
        self.logs = self.directory / "logs"
        self.secrets = secrets or Secrets.generate()
        self._mongodb_uri = mongodb_uri
        self._amqp_url = amqp_url
        self._extra_env = env or {}
        self._database_prefix = database_prefix
        self._command = command
        self._stop_timeout_seconds = stop_timeout_seconds
        self._spawn = spawn
        self._addresses = addresses or _assign_ports(replicas, gateway_port)
        self._hosts_file = self.directory / "hosts"
        self.gateway_url = f"http://{LOOPBACK}:{self._addresses[GATEWAY][0][1]}"
        self._replicas = {service: self._create_processes(service) for service in SERVICES}

    def to_json(self) -> str:
        """Describe the stack for another process, which opens it with `from_json`."""
        description = {
            "mongodb_uri": self._mongodb_uri,
            "amqp_url": self._amqp_url,
            "directory": str(self.directory),
            "env": {service: dict(variables) for service, variables in self._extra_env.items()},
            "database_prefix": self._database_prefix,
            "secrets": asdict(self.secrets),
            "addresses": {service: list(ports) for service, ports in self._addresses.items()},
        }
        return json.dumps(description)

    @classmethod
    def from_json(cls, text: str) -> "Stack":
        """Open a stack that another process has started and will stop."""
        description: dict[str, Any] = json.loads(text)
        addresses = {
            service: [(str(host), int(public), int(internal)) for host, public, internal in replicas]
            for service, replicas in description.pop("addresses").items()
        }
        return cls(
            directory=Path(description.pop("directory")),
            secrets=Secrets(**description.pop("secrets")),
            addresses=addresses,
            **description,
        )

    def processes(self, service: str) -> list[ServiceProcess]:
        """Return the replicas of a service, running or not."""
        return list(self._replicas[service])

    def all_processes(self) -> list[ServiceProcess]:
        """Return every replica of every service."""
        return [replica for replicas in self._replicas.values() for replica in replicas]

    def environment(self, service: str, index: int = 0) -> dict[str, str]:
        """Return the environment of a replica: this process's own, with the replica's settings."""
        host, port, internal_port = self._addresses[service][index]
        inherited = child_environment()
        env = {
            **inherited,
            "PARLEY_ENV": "development",
            "PARLEY_LOG_LEVEL": inherited.get("PARLEY_LOG_LEVEL", "info"),
            "PYTHONUNBUFFERED": "1",
            "MONGODB_URI": self._mongodb_uri,
            "AMQP_URL": self._amqp_url,
            "PARLEY_HOST": host,
            "PARLEY_PORT": str(port),
            "PARLEY_INTERNAL_PORT": str(internal_port),
            "PARLEY_IDENTITY_SECRET": self.secrets.identity,
        }
        if self._database_prefix is not None:
            env["PARLEY_DATABASE_PREFIX"] = self._database_prefix
        if service == GATEWAY:
            env["PARLEY_JWT_SECRET"] = self.secrets.jwt
            env["PARLEY_HOSTS_FILE"] = str(self._hosts_file)
            env |= {f"PARLEY_{backend.upper()}_URLS": self._urls(backend) for backend in BACKEND_SERVICES}
            if len(self._addresses[GATEWAY]) > 1:
                env["PARLEY_REUSE_PORT"] = "true"
        if service == "chat":
            env["PARLEY_STORAGE_DIR"] = str(self.directory / "uploads")
            env["PARLEY_PUBLIC_URL"] = self.gateway_url
        if service == "notify":
            env["PARLEY_VAPID_PRIVATE_KEY"] = self.secrets.vapid
            env["PARLEY_VAPID_SUBJECT"] = "mailto:owner@example.com"
        return env | dict(self._extra_env.get("*", {})) | dict(self._extra_env.get(service, {}))

    async def start(self) -> None:
        """Start every replica; `wait_ready` waits until they serve requests."""
        (self.directory / "uploads").mkdir(parents=True, exist_ok=True)
        self.write_hosts({})
        try:
            await asyncio.gather(*(replica.process.start() for replica in self.all_processes()))
        except BaseException:
            await self.stop()
            raise

    def write_hosts(self, replicas: Mapping[str, int]) -> None:
        """Let the gateway find this many replicas of a service, the first ones; all of those that are not named."""
        lines = [
            f"{host} {service}"
            for service in BACKEND_SERVICES
            for host, _, _ in self._addresses[service][: replicas.get(service)]
        ]
        written = self._hosts_file.with_suffix(".new")
        written.write_text("\n".join([*lines, ""]))
        written.rename(self._hosts_file)

    async def stop(self) -> None:
        """Stop every replica, those that hold clients' connections first."""
        for services in _STOP_ORDER:
            replicas = [replica for service in services for replica in self._replicas[service]]
            await asyncio.gather(*(replica.process.stop() for replica in replicas))

    def force_stop(self) -> None:
        """Send SIGKILL to all replicas without waiting."""
        for replica in self.all_processes():
            replica.process.force_stop()

    async def kill(self, service: str, index: int = 0) -> None:
        """Kill one replica, as a crash would."""
        await self._replicas[service][index].process.kill()

    async def restart(self, service: str, index: int = 0, *, timeout: float = 60.0) -> None:
        """Stop one replica if it runs, start it on its old ports, and wait until it is ready. Raises StartFailed."""
        replica = self._replicas[service][index]
        await replica.process.stop()
        await replica.process.start()
        await self._wait_ok([replica], f"{replica.internal_url}/readyz", timeout)

    async def wait_ready(self, timeout: float = 90.0) -> None:
        """Wait until every replica is ready and not degraded, and the gateway reports so. Raises StartFailed."""
        replicas = self.all_processes()
        waits = [self._wait_ok([replica], f"{replica.internal_url}/readyz?verbose", timeout) for replica in replicas]
        waits.append(self._wait_ok(replicas, f"{self.gateway_url}/healthz", timeout))
        tasks = [asyncio.ensure_future(wait) for wait in waits]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()

    async def _wait_ok(self, replicas: Sequence[ServiceProcess], url: str, timeout: float) -> None:
        deadline = asyncio.get_running_loop().time() + timeout
        answer = "nothing"
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as client:
            while asyncio.get_running_loop().time() < deadline:
                for replica in replicas:
                    if not replica.process.running:
                        reason = f"{replica.name} ended during its start (code {replica.process.returncode})"
                        raise StartFailed(f"{reason}:\n{replica.process.tail_log()}")
                try:
                    async with client.get(url) as response:
                        text = await response.text()
                        if response.status == 200 and not _is_degraded(response.content_type, text):
                            return
                        answer = f"{response.status} {text[:300]}"
                except (aiohttp.ClientError, TimeoutError):
                    pass  # It does not listen yet.
                await asyncio.sleep(0.1)
        name = replicas[0].name if len(replicas) == 1 else GATEWAY
        log = "\n".join(replica.process.tail_log() for replica in replicas if replica.name == name)
        raise StartFailed(f"{name} was not ready within {timeout:.0f} s; {url} answered {answer}.\n{log}")

    def _urls(self, service: str) -> str:
        """Return the base URLs of a service: one for each port of its replicas, as their hosts have one name."""
        ports = dict.fromkeys(public for _, public, _ in self._addresses[service])
        return ",".join(
            f"http://{service}:{port}" if len(ports) == 1 else f"http://{LOOPBACK}:{port}" for port in ports
        )

    def _create_processes(self, service: str) -> list[ServiceProcess]:
        replicas: list[ServiceProcess] = []
        for index, (host, port, internal_port) in enumerate(self._addresses[service]):
            name = f"{service}-{index}" if len(self._addresses[service]) > 1 else service
            process = Process(
                name,
                self._command(service),
                log=self.logs / f"{name}.log",
                env=self.environment(service, index),
                pid_file=self.directory / "run" / f"{name}.pid",
                stop_timeout_seconds=self._stop_timeout_seconds,
                # An orphan has no clients to drain for, and must not hold its port while it tries to.
                orphan_signal=signal.SIGKILL,
                spawn=partial(self._spawn, service) if self._spawn is not None else None,
            )
            replicas.append(ServiceProcess(service, index, host, port, internal_port, process))
        return replicas


def _is_degraded(content_type: str, text: str) -> bool:
    return content_type == "application/json" and bool(json.loads(text).get("degraded"))


def _assign_ports(replicas: int | Mapping[str, int], gateway_port: int | None) -> dict[str, list[tuple[str, int, int]]]:
    """Give each replica a public and an internal port. Replicas of one service share the public one if they can."""
    counts = {name: replicas if isinstance(replicas, int) else replicas.get(name, 1) for name in SERVICES}
    hosts = _replica_hosts(max(counts.values()))
    ports = iter(free_ports(2 * sum(counts.values()) + len(SERVICES), hosts))
    addresses: dict[str, list[tuple[str, int, int]]] = {}
    for name, count in counts.items():
        shared = next(ports)
        if name == GATEWAY:
            shared = gateway_port or shared
            addresses[name] = [(LOOPBACK, shared, next(ports)) for _ in range(count)]
        elif len(hosts) >= count:
            addresses[name] = [(host, shared, next(ports)) for host in hosts[:count]]
        else:
            addresses[name] = [(LOOPBACK, next(ports), next(ports)) for _ in range(count)]
    return addresses


def _replica_hosts(count: int) -> list[str]:
    """Return as many loopback addresses as there are, up to `count`. Only Linux has the whole network 127.0.0.0/8."""
    return [f"127.0.0.{1 + number}" for number in range(count)] if sys.platform == "linux" else [LOOPBACK]
