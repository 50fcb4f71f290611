"""The last resort where no binaries are to be had: official images, run by Docker."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from parley_dev.ports import LOOPBACK

MONGODB = "mongo:7"
RABBITMQ = "rabbitmq:3.13-management"


@dataclass(frozen=True, slots=True)
class Image:
    """An image to run in place of a binary."""

    name: str


def docker_available() -> bool:
    """Whether a Docker daemon is here for us."""
    try:
        _client().ping()
    except Exception:
        # The SDK raises its own errors, requests' and the socket's: all of them mean no.
        return False
    return True


def ensure_image(image: Image) -> None:
    """Pull it unless it is here."""
    client = _client()
    if not client.images.list(name=image.name):
        client.images.pull(image.name)


@dataclass(slots=True)
class Container:
    """A container that looks like a process to whoever runs it.

    Docker's daemon is its parent, so it does outlive a supervisor that is killed outright; the next start removes it,
    by its name.
    """

    name: str
    image: Image
    data: Path
    data_inside: str
    ports: Mapping[int, int]
    command: Sequence[str] = ()
    env: Mapping[str, str] | None = None
    hostname: str | None = None
    _running: Any = None

    async def start(self) -> None:
        """Start it over its data folder."""
        await asyncio.to_thread(self._start)

    async def stop(self) -> None:
        """Ask it to end."""
        if self._running is not None:
            await asyncio.to_thread(self._running.stop, timeout=20)
            await asyncio.to_thread(self._remove)

    async def kill(self) -> None:
        """SIGKILL."""
        if self._running is not None:
            await asyncio.to_thread(self._remove)

    @property
    def running(self) -> bool:
        """Whether it is alive, as the daemon tells it."""
        if self._running is None:
            return False
        try:
            self._running.reload()
        except Exception:
            # Gone, or the daemon is: either way not running.
            return False
        return str(self._running.status) in {"created", "running", "restarting"}

    def tail_log(self, lines: int = 15) -> str:
        """The end of what it printed."""
        if self._running is None:
            return ""
        return bytes(self._running.logs(tail=lines)).decode(errors="replace")

    def _start(self) -> None:
        self._remove()
        self.data.mkdir(parents=True, exist_ok=True)
        self._running = _client().containers.run(
            self.image.name,
            list(self.command) or None,
            name=self.name,
            hostname=self.hostname,
            environment=dict(self.env or {}),
            # Files belong to whoever runs us, who can then remove them.
            user=f"{os.getuid()}:{os.getgid()}",
            volumes={str(self.data): {"bind": self.data_inside, "mode": "rw"}},
            ports={f"{inside}/tcp": (LOOPBACK, outside) for inside, outside in self.ports.items()},
            detach=True,
        )

    def _remove(self) -> None:
        for container in _client().containers.list(all=True, filters={"name": f"^/?{self.name}$"}):
            container.remove(force=True)
        self._running = None


def _client() -> Any:
    # Untyped, and not needed by those who have binaries: imported only when asked for.
    return import_module("docker").from_env()
