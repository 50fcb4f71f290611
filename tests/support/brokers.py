"""Brokers that share no queue: queues are named by service, and another stack's chat would take this one's events.

A node takes seconds of a core to start, a virtual host of one that runs takes nothing. So the run's own node has spare
ones. Who kills the broker starts one of their own.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from parley_dev.servers import RabbitServer

SPARE_VHOSTS = tuple(f"apart-{number}" for number in range(14))
_spare: dict[str, list[str]] = {}
"""Virtual hosts nobody has used, by the address of their node."""


def offer(server: RabbitServer) -> None:
    """Let `broker_apart` use this node's virtual hosts."""
    _spare[server.uri] = [server.vhost_uri(vhost) for vhost in server.vhosts]


@asynccontextmanager
async def broker_apart(amqp_url: str, directory: Path) -> AsyncIterator[str]:
    """The address of a broker for one stack alone. One named in AMQP_URL is used as it is."""
    if "AMQP_URL" in os.environ:
        yield os.environ["AMQP_URL"]
    elif spare := _spare.get(amqp_url):
        yield spare.pop()
    else:
        server = RabbitServer(directory / "rabbitmq")
        await server.start()
        try:
            yield server.uri
        finally:
            await server.stop()
