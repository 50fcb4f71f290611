"""Fallback when no binaries are available: official images, run by Docker."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from parley_dev.ports import LOOPBACK

MONGODB = "mongo:8.0"
RABBITMQ = "rabbitmq:4.2-management"


@dataclass(frozen=True, slots=True)
class Image:
    """An image to run instead of a binary."""

    name: str


def docker_available() -> bool:
    """Tell whether a Docker daemon answers."""
    try:
        _client().ping()
    except Exception:
        # The SDK raises errors of its own, of requests and of the socket: all mean that there is none.
        return False
    return True


def ensure_image(image: Image) -> None:
    """Pull the image unless it is present."""
    client = _client()
    if not client.images.list(name=image.name):
        client.images.pull(image.name)


@dataclass(slots=True)
class Container:
    """A container with the interface of a process.

    The Docker daemon is its parent, so it outlives a supervisor that is killed; the next start removes it by its name.
    """

    name: str
    image: Image
    data: Path
    data_inside: str
    ports: Mapping[int, int]
    command: Sequence[str] = ()
    env: Mapping[str, str] | None = None
    hostname: str | None = None
    _container: Any = None

    async def start(self) -> None:
        """Start it over its data directory."""
        await asyncio.to_thread(self._start)

    async def stop(self) -> None:
        """Stop and remove it."""
        if self._container is not None:
            await asyncio.to_thread(self._container.stop, timeout=20)
            await asyncio.to_thread(self._remove)

    async def kill(self) -> None:
        """Kill and remove it."""
        if self._container is not None:
            await asyncio.to_thread(self._remove)

    @property
    def running(self) -> bool:
        """Whether it is alive, according to the daemon."""
        if self._container is None:
            return False
        try:
            self._container.reload()
        except Exception:
            # The container or the daemon is gone: not running in either case.
            return False
        return str(self._container.status) in {"created", "running", "restarting"}

    def tail_log(self, lines: int = 15) -> str:
        """Return the end of its output."""
        if self._container is None:
            return ""
        return bytes(self._container.logs(tail=lines)).decode(errors="replace")

    def _start(self) -> None:
        self._remove()
        self.data.mkdir(parents=True, exist_ok=True)
        self._container = _client().containers.run(
            self.image.name,
            list(self.command) or None,
            name=self.name,
            hostname=self.hostname,
            environment=dict(self.env or {}),
            # Files belong to the current user, who can then remove them.
            user=f"{os.getuid()}:{os.getgid()}",
            volumes={str(self.data): {"bind": self.data_inside, "mode": "rw"}},
            ports={f"{inside}/tcp": (LOOPBACK, outside) for inside, outside in self.ports.items()},
            detach=True,
        )

    def _remove(self) -> None:
        for container in _client().containers.list(all=True, filters={"name": f"^/?{self.name}$"}):
            container.remove(force=True)
        self._container = None


def _client() -> Any:
    # Imported on use: the package is untyped and only needed without binaries.
    return import_module("docker").from_env()
