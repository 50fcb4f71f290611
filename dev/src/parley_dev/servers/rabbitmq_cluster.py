"""A RabbitMQ cluster of three nodes on loopback, for tests that kill its nodes."""

import asyncio
from pathlib import Path

from parley_dev.errors import ServerUnavailable
from parley_dev.ports import free_ports
from parley_dev.servers.rabbitmq import RabbitInstall, RabbitServer, create_epmd, ensure_rabbitmq

_NAMES = ("parley1", "parley2", "parley3")


class RabbitCluster:
    """Nodes that share a port mapper. Those after the first join it when they are first started."""

    def __init__(self, directory: Path) -> None:
        """Raises ServerUnavailable if RabbitMQ is only to be had in a container."""
        program = ensure_rabbitmq()
        if not isinstance(program, RabbitInstall):
            raise ServerUnavailable("A cluster needs an installed RabbitMQ.")
        (epmd_port,) = free_ports(1)
        self.nodes = [
            RabbitServer(
                directory / name,
                program=program,
                name=name,
                epmd_port=epmd_port,
                peers=_NAMES[:1] if name != _NAMES[0] else (),
            )
            for name in _NAMES
        ]
        directory.mkdir(parents=True, exist_ok=True)
        env = {"PATH": "/usr/bin:/bin", "HOME": str(directory)}
        if program.libraries is not None:
            env["LD_LIBRARY_PATH"] = str(program.libraries)
        self._epmd = create_epmd(program, epmd_port, directory / "epmd.log", directory, env)

    async def start_first(self) -> RabbitServer:
        """Start the first node alone, as one does that is faster than the others."""
        await self._epmd.start()
        await self.nodes[0].start()
        return self.nodes[0]

    async def start_others(self) -> None:
        """Start the nodes that join the first."""
        await asyncio.gather(*(node.start() for node in self.nodes[1:]))

    async def stop(self) -> None:
        """Stop every node, then the port mapper."""
        await asyncio.gather(*(node.stop() for node in self.nodes))
        await self._epmd.stop()
