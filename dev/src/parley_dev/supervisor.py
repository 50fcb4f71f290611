"""`make run`: brings everything up in order, keeps it up, and takes down what it started, and only that."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from parley_dev.console import Output
from parley_dev.demo import seed
from parley_dev.errors import DevError, PortTaken
from parley_dev.ports import is_free
from parley_dev.process import stop_leftovers
from parley_dev.secrets import Secrets
from parley_dev.servers import MongoServer, RabbitServer, ensure_mongodb, ensure_rabbitmq
from parley_dev.stack import Stack
from parley_dev.web import build_web

_POLL = 0.3
_FIRST_DELAY, _LONGEST_DELAY = 1.0, 30.0
# After this long without a crash the next one counts as the first again.
_HEALTHY = 60.0


@dataclass(frozen=True, slots=True)
class Options:
    """What a person asked for."""

    directory: Path
    port: int = 8080
    replicas: int = 1
    mongodb_uri: str | None = None
    amqp_url: str | None = None
    demo: bool = True


class Server(Protocol):
    """A private MongoDB or RabbitMQ."""

    @property
    def uri(self) -> str:
        """Where clients connect."""

    @property
    def running(self) -> bool:
        """Whether it is alive."""

    async def start(self) -> None:
        """Start it."""

    async def stop(self) -> None:
        """Stop it in order."""

    def tail_log(self, lines: int = 15) -> str:
        """The end of its log."""


@dataclass(frozen=True, slots=True)
class SupervisedProcess:
    """Something that is started again when it ends by itself."""

    name: str
    running: Callable[[], bool]
    start: Callable[[], Awaitable[None]]
    tail_log: Callable[[int], str]


class Supervisor:
    """One run, from the first line on the terminal to the last."""

    def __init__(self, options: Options, say: Output) -> None:
        self._options = options
        self._say = say
        self._stack: Stack | None = None
        self._web: Path | None = None
        self._signals = 0

    def run(self) -> None:
        """Run until a signal; blocks."""
        ended = stop_leftovers(self._options.directory / "run")
        if ended:
            self._say(f"Ended what an earlier run left behind: {', '.join(ended)}.")
        if not is_free(self._options.port):
            raise PortTaken(
                f"Port {self._options.port} is taken by another program. "
                f"Choose another, for example: make run PORT={self._options.port + 1}"
            )
        # Before the loop starts: bringing binaries blocks, and Ctrl-C must still end it.
        self._web = self._pages()
        mongodb, rabbitmq = self._servers()
        asyncio.run(self._live(mongodb, rabbitmq))

    def _pages(self) -> Path | None:
        """The built panel and widget; everything else is of use without them."""
        try:
            return build_web(Path("web").resolve(), self._say)
        except DevError as error:
            self._say(str(error))
            return None

    def _servers(self) -> tuple[MongoServer | None, RabbitServer | None]:
        home, mongodb, rabbitmq = self._options.directory, None, None
        if self._options.mongodb_uri is None:
            program = ensure_mongodb(self._say)
            pid_file, log = home / "run" / "mongodb.pid", home / "logs" / "mongodb.log"
            mongodb = MongoServer(home / "mongodb", program=program, pid_file=pid_file, log=log)
        if self._options.amqp_url is None:
            install = ensure_rabbitmq(self._say)
            pids, log = home / "run", home / "logs" / "rabbitmq.log"
            rabbitmq = RabbitServer(home / "rabbitmq", program=install, pid_directory=pids, log=log)
        return mongodb, rabbitmq

    async def _live(self, mongodb: MongoServer | None, rabbitmq: RabbitServer | None) -> None:
        loop, me = asyncio.get_running_loop(), asyncio.current_task()
        assert me is not None
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._asked_to_stop, me)
        try:
            async with AsyncExitStack() as started:
                await self._up(started, mongodb, rabbitmq)
        except asyncio.CancelledError:
            if not self._signals:
                raise
        self._say("Stopped. The data stays in .dev for the next time.")

    async def _up(self, started: AsyncExitStack, mongodb: MongoServer | None, rabbitmq: RabbitServer | None) -> None:
        servers: list[tuple[str, Server]] = []
        if mongodb is not None:
            servers.append(("MongoDB", mongodb))
        if rabbitmq is not None:
            servers.append(("RabbitMQ", rabbitmq))
        if servers:
            self._say(f"Starting {' and '.join(name for name, _ in servers)}…")
            for _, server in servers:
                started.push_async_callback(server.stop)
            await _together(*(server.start() for _, server in servers))
        stack = self._stack = Stack(
            mongodb_uri=mongodb.uri if mongodb is not None else self._options.mongodb_uri or "",
            amqp_url=rabbitmq.uri if rabbitmq is not None else self._options.amqp_url or "",
            directory=self._options.directory,
            gateway_port=self._options.port,
            replicas=self._options.replicas,
            secrets=Secrets.load_or_create(self._options.directory / "secrets.json"),
            env={"gateway": {"PARLEY_WEB_DIR": str(self._web)}} if self._web is not None else None,
        )
        self._say("Starting the services: gateway, chat, presence, notify, translate…")
        started.push_async_callback(stack.stop)
        await stack.start()
        await stack.wait_ready()
        await self._greet(stack)
        kept = [SupervisedProcess(name, _alive(server), server.start, server.tail_log) for name, server in servers]
        for replica in stack.all_processes():
            process = replica.process
            kept.append(SupervisedProcess(replica.name, _alive(process), process.start, process.tail_log))
        await _together(*(self._keep(each) for each in kept))

    async def _greet(self, stack: Stack) -> None:
        lines = ["", f"Parley is running at {stack.gateway_url}"]
        if self._web is not None:
            lines += [
                "",
                f"  A shop with the chat on it:  {stack.gateway_url}/demo",
                f"  The operators' panel:        {stack.gateway_url}/panel",
            ]
        lines.append(f"  The API, described:          {stack.gateway_url}/docs")
        if self._options.demo:
            self._say("Preparing the demo…")
            try:
                lines += ["", *(await seed(stack, self._options.directory / "demo.json")).lines()]
            except DevError as error:
                # The services are up and of use without it.
                lines += ["", f"  There is no demo: {error}"]
        lines += ["", f"  Logs: {_short(stack.logs)}", "  Ctrl-C stops everything.", ""]
        self._say("\n".join(lines))

    async def _keep(self, kept: SupervisedProcess) -> None:
        loop, delay = asyncio.get_running_loop(), _FIRST_DELAY
        while True:
            since = loop.time()
            while kept.running():  # noqa: ASYNC110 - a loop-free child has no event to wait for
                await asyncio.sleep(_POLL)
            if loop.time() - since > _HEALTHY:
                delay = _FIRST_DELAY
            words = "\n".join(f"  | {line[:200]}" for line in kept.tail_log(8).splitlines())
            self._say(f"{kept.name} ended by itself; starting it again in {delay:.0f} s. Its last words:\n{words}")
            await asyncio.sleep(delay)
            delay = min(delay * 2, _LONGEST_DELAY)
            try:
                await kept.start()
            except DevError as error:
                self._say(f"{kept.name} did not start: {error}")
            else:
                self._say(f"{kept.name} is started again.")

    def _asked_to_stop(self, running: "asyncio.Task[None]") -> None:
        self._signals += 1
        if self._signals == 1:
            self._say("\nStopping… (Ctrl-C again to stop without waiting)")
            running.cancel()
        elif self._stack is not None:
            self._stack.force_stop()


def _alive(what: object) -> Callable[[], bool]:
    return lambda: bool(getattr(what, "running", False))


def _short(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


async def _together(*work: Awaitable[None]) -> None:
    """All at once; when one fails the others are cancelled, and waited for."""
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
