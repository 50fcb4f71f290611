"""The five services as processes of this machine."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from parley_dev.errors import StartFailed
from parley_dev.ports import LOOPBACK, free_ports
from parley_dev.process import Process
from parley_dev.secrets import Secrets

GATEWAY = "gateway"
BACKEND_SERVICES = ("chat", "presence", "notify", "translate")
SERVICES = (GATEWAY, *BACKEND_SERVICES)

# First those that hold clients' connections, so that nobody is refused by a service that is gone already.
_STOPPING = ((GATEWAY,), ("notify",), ("chat", "presence", "translate"))


@dataclass(frozen=True, slots=True)
class ServiceProcess:
    """One replica of a service."""

    service: str
    index: int
    port: int
    internal_port: int
    process: Process

    @property
    def url(self) -> str:
        """Its public address."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def internal_url(self) -> str:
        """Where its health and its metrics are."""
        return f"http://{LOOPBACK}:{self.internal_port}"

    @property
    def name(self) -> str:
        """Its name to a person."""
        return self.process.name


def module_command(service: str) -> list[str]:
    """How a service is started."""
    return [sys.executable, "-m", f"parley.{service}"]


class Stack:
    """All services over a MongoDB and a RabbitMQ that run already."""

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
    ) -> None:
        self.directory = directory.resolve()
        self.logs = self.directory / "logs"
        self.secrets = secrets or Secrets.generate()
        self._mongodb_uri = mongodb_uri
        self._amqp_url = amqp_url
        self._extra = env or {}
        self._database_prefix = database_prefix
        self._command = command
        self._grace = stop_timeout_seconds
        self._addresses = _addresses(replicas, gateway_port)
        self.gateway_url = f"http://{LOOPBACK}:{self._addresses[GATEWAY][0][0]}"
        self._replicas = {service: self._made(service) for service in SERVICES}

    def processes(self, service: str) -> list[ServiceProcess]:
        """The replicas of a service, running or not."""
        return list(self._replicas[service])

    def all_processes(self) -> list[ServiceProcess]:
        """Every replica of every service."""
        return [replica for replicas in self._replicas.values() for replica in replicas]

    def environment(self, service: str, index: int = 0) -> dict[str, str]:
        """What a replica is given, over what we were given ourselves."""
        port, internal_port = self._addresses[service][index]
        env = {
            **os.environ,
            "PARLEY_ENV": "development",
            "PARLEY_LOG_LEVEL": os.environ.get("PARLEY_LOG_LEVEL", "info"),
            "PYTHONUNBUFFERED": "1",
            "MONGODB_URI": self._mongodb_uri,
            "AMQP_URL": self._amqp_url,
            "PARLEY_HOST": LOOPBACK,
            "PARLEY_PORT": str(port),
            "PARLEY_INTERNAL_PORT": str(internal_port),
            "PARLEY_IDENTITY_SECRET": self.secrets.identity,
        }
        if self._database_prefix is not None:
            env["PARLEY_DATABASE_PREFIX"] = self._database_prefix
        if service == GATEWAY:
            env["PARLEY_JWT_SECRET"] = self.secrets.jwt
            for other in BACKEND_SERVICES:
                urls = (f"http://{LOOPBACK}:{public}" for public, _ in self._addresses[other])
                env[f"PARLEY_{other.upper()}_URLS"] = ",".join(urls)
            if len(self._addresses[GATEWAY]) > 1:
                env["PARLEY_REUSE_PORT"] = "true"
        if service == "chat":
            env["PARLEY_STORAGE_DIR"] = str(self.directory / "uploads")
            env["PARLEY_PUBLIC_URL"] = self.gateway_url
        return env | dict(self._extra.get("*", {})) | dict(self._extra.get(service, {}))

    async def start(self) -> None:
        """Start every replica; `wait_ready` tells when they serve."""
        (self.directory / "uploads").mkdir(parents=True, exist_ok=True)
        try:
            for replica in self.all_processes():
                await replica.process.start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop every replica in order: who holds clients' connections first."""
        for services in _STOPPING:
            replicas = [replica for service in services for replica in self._replicas[service]]
            await asyncio.gather(*(replica.process.stop() for replica in replicas))

    def force_stop(self) -> None:
        """SIGKILL to all at once, for a person who will not wait."""
        for replica in self.all_processes():
            replica.process.force_stop()

    async def kill(self, service: str, index: int = 0) -> None:
        """SIGKILL one replica, as a crash would."""
        await self._replicas[service][index].process.kill()

    async def restart(self, service: str, index: int = 0, *, timeout: float = 60.0) -> None:
        """Stop one replica in order if it runs, start it on its old ports, and wait until it is ready."""
        replica = self._replicas[service][index]
        await replica.process.stop()
        await replica.process.start()
        await self._wait([replica], f"{replica.internal_url}/readyz", timeout)

    async def wait_ready(self, timeout: float = 90.0) -> None:
        """Until every replica says it is ready and the gateway says that all are; an error when one ends before."""
        replicas = self.all_processes()
        waits = [self._wait([replica], f"{replica.internal_url}/readyz", timeout) for replica in replicas]
        waits.append(self._wait(replicas, f"{self.gateway_url}/healthz", timeout))
        tasks = [asyncio.ensure_future(wait) for wait in waits]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()

    async def _wait(self, replicas: Sequence[ServiceProcess], url: str, timeout: float) -> None:
        deadline = asyncio.get_running_loop().time() + timeout
        answer = "nothing"
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as client:
            while asyncio.get_running_loop().time() < deadline:
                for replica in replicas:
                    if not replica.process.running:
                        ending = f"{replica.name} ended as it started (code {replica.process.returncode})"
                        raise StartFailed(f"{ending}:\n{replica.process.tail_log()}")
                try:
                    async with client.get(url) as response:
                        if response.status == 200:
                            return
                        answer = f"{response.status} {(await response.text())[:300]}"
                except (aiohttp.ClientError, TimeoutError):
                    pass  # It does not listen yet.
                await asyncio.sleep(0.1)
        name = replicas[0].name if len(replicas) == 1 else GATEWAY
        said = "\n".join(replica.process.tail_log() for replica in replicas if replica.name == name)
        raise StartFailed(f"{name} was not ready within {timeout:.0f} s; {url} answered {answer}.\n{said}")

    def _made(self, service: str) -> list[ServiceProcess]:
        made: list[ServiceProcess] = []
        for index, (port, internal_port) in enumerate(self._addresses[service]):
            name = f"{service}-{index}" if len(self._addresses[service]) > 1 else service
            process = Process(
                name,
                self._command(service),
                log=self.logs / f"{name}.log",
                env=self.environment(service, index),
                pid_file=self.directory / "run" / f"{name}.pid",
                stop_timeout_seconds=self._grace,
                # An orphan has nobody to drain for, and must not hold its port while it tries to.
                orphan_signal=signal.SIGKILL,
            )
            made.append(ServiceProcess(service, index, port, internal_port, process))
        return made


def _addresses(replicas: int | Mapping[str, int], gateway_port: int | None) -> dict[str, list[tuple[int, int]]]:
    # A public and an internal port each; the gateway's replicas share the public one.
    counts = {name: replicas if isinstance(replicas, int) else replicas.get(name, 1) for name in SERVICES}
    ports = iter(free_ports(2 * sum(counts.values()) + 1))
    shared = next(ports) if gateway_port is None else gateway_port
    addresses = {name: [(next(ports), next(ports)) for _ in range(count)] for name, count in counts.items()}
    addresses[GATEWAY] = [(shared, internal) for _, internal in addresses[GATEWAY]]
    return addresses
