"""`make run`: starts servers and services in order, restarts what crashes, and stops only what it has started."""

import asyncio
import signal
from collections.abc import Awaitable
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
from parley_dev.servers import MongoServer, RabbitServer, S3Server, ensure_mongodb, ensure_rabbitmq
from parley_dev.stack import Stack
from parley_dev.web import build_web

_POLL_SECONDS = 0.3
_MIN_RESTART_DELAY_SECONDS, _MAX_RESTART_DELAY_SECONDS = 1.0, 30.0
# After this long without a crash the restart delay starts again from its minimum.
_STABLE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Options:
    """The command line's options."""

    directory: Path
    port: int = 8080
    replicas: int = 1
    mongodb_uri: str | None = None
    amqp_url: str | None = None
    demo: bool = True
    s3: bool = False


class Restartable(Protocol):
    """A server or a service process, as far as supervision needs it."""

    @property
    def running(self) -> bool:
        """Whether it is alive."""

    async def start(self) -> None:
        """Start it."""

    def tail_log(self, lines: int = 15) -> str:
        """Return the end of its log."""


@dataclass(frozen=True, slots=True)
class SupervisedProcess:
    """A process that is restarted when it ends by itself."""

    name: str
    process: Restartable


@dataclass(frozen=True, slots=True)
class Servers:
    """The servers of this run; None for those that exist already, or are not wanted."""

    mongodb: MongoServer | None
    rabbitmq: RabbitServer | None
    s3: S3Server | None

    def named(self) -> list[tuple[str, MongoServer | RabbitServer | S3Server]]:
        """Return those that there are, with their names."""
        servers = (("MongoDB", self.mongodb), ("RabbitMQ", self.rabbitmq), ("SeaweedFS", self.s3))
        return [(name, server) for name, server in servers if server is not None]


class Supervisor:
    """One run of `make run`."""

    def __init__(self, options: Options, output: Output) -> None:
        self._options = options
        self._output = output
        self._stack: Stack | None = None
        self._web: Path | None = None
        self._signals = 0

    def run(self) -> None:
        """Run until a signal; blocks. Raises DevError."""
        stopped = stop_leftovers(self._options.directory / "run")
        if stopped:
            self._output(f"Stopped processes of an earlier run: {', '.join(stopped)}.")
        if not is_free(self._options.port):
            raise PortTaken(
                f"Port {self._options.port} is in use by another program. "
                f"Choose another one, for example: make run PORT={self._options.port + 1}"
            )
        # Before the loop starts: downloading binaries blocks, and Ctrl-C must still interrupt it.
        self._web = self._build_web()
        asyncio.run(self._run_until_signal(self._create_servers()))

    def _build_web(self) -> Path | None:
        """Build the panel and the widget; None when that fails, since the API works without them."""
        try:
            return build_web(Path("web").resolve(), self._output)
        except DevError as exc:
            self._output(str(exc))
            return None

    def _create_servers(self) -> Servers:
        home, mongodb, rabbitmq, s3 = self._options.directory, None, None, None
        if self._options.mongodb_uri is None:
            program = ensure_mongodb(self._output)
            pid_file, log = home / "run" / "mongodb.pid", home / "logs" / "mongodb.log"
            mongodb = MongoServer(home / "mongodb", program=program, pid_file=pid_file, log=log)
        if self._options.amqp_url is None:
            install = ensure_rabbitmq(self._output)
            pids, log = home / "run", home / "logs" / "rabbitmq.log"
            rabbitmq = RabbitServer(home / "rabbitmq", program=install, pid_directory=pids, log=log)
        if self._options.s3:
            pid_file, log = home / "run" / "seaweedfs.pid", home / "logs" / "seaweedfs.log"
            s3 = S3Server(home / "seaweedfs", pid_file=pid_file, log=log)
        return Servers(mongodb, rabbitmq, s3)

    async def _run_until_signal(self, servers: Servers) -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._on_signal, task)
        try:
            async with AsyncExitStack() as exit_stack:
                await self._start_and_supervise(exit_stack, servers)
        except asyncio.CancelledError:
            if not self._signals:
                raise
        self._output("Stopped. The data stays in .dev for the next run.")

    async def _start_and_supervise(self, exit_stack: AsyncExitStack, own: Servers) -> None:
        servers = own.named()
        if servers:
            self._output(f"Starting {' and '.join(name for name, _ in servers)}…")
            for _, server in servers:
                exit_stack.push_async_callback(server.stop)
            await _gather_or_cancel(*(server.start() for _, server in servers))
        stack = self._stack = self._create_stack(own)
        self._output("Starting the services: gateway, chat, presence, notify, translate…")
        exit_stack.push_async_callback(stack.stop)
        await stack.start()
        await stack.wait_ready()
        await self._print_banner(stack)
        supervised = [SupervisedProcess(name, server) for name, server in servers]
        supervised += [SupervisedProcess(replica.name, replica.process) for replica in stack.all_processes()]
        await _gather_or_cancel(*(self._supervise(one) for one in supervised))

    def _create_stack(self, own: Servers) -> Stack:
        env = {"gateway": {"PARLEY_WEB_DIR": str(self._web)}} if self._web is not None else {}
        if own.s3 is not None:
            env["chat"] = own.s3.environment()
        return Stack(
            mongodb_uri=own.mongodb.uri if own.mongodb is not None else self._options.mongodb_uri or "",
            amqp_url=own.rabbitmq.uri if own.rabbitmq is not None else self._options.amqp_url or "",
            directory=self._options.directory,
            gateway_port=self._options.port,
            replicas=self._options.replicas,
            secrets=Secrets.load_or_create(self._options.directory / "secrets.json"),
            env=env,
        )

    async def _print_banner(self, stack: Stack) -> None:
        lines = ["", f"Parley is running at {stack.gateway_url}"]
        if self._web is not None:
            lines += [
                "",
                f"  Demo shop with the widget:   {stack.gateway_url}/demo",
                f"  Operator panel:              {stack.gateway_url}/panel",
            ]
        lines.append(f"  API documentation:           {stack.gateway_url}/docs")
        if self._options.demo:
            self._output("Preparing the demo…")
            try:
                lines += ["", *(await seed(stack, self._options.directory / "demo.json")).lines()]
            except DevError as exc:
                # The services are usable without the demo.
                lines += ["", f"  The demo is not available: {exc}"]
        lines += ["", f"  Logs: {_relative(stack.logs)}", "  Ctrl-C stops everything.", ""]
        self._output("\n".join(lines))

    async def _supervise(self, supervised: SupervisedProcess) -> None:
        loop, delay = asyncio.get_running_loop(), _MIN_RESTART_DELAY_SECONDS
        name, process = supervised.name, supervised.process
        while True:
            started = loop.time()
            while process.running:  # noqa: ASYNC110 - a loop-free child has no event to wait for
                await asyncio.sleep(_POLL_SECONDS)
            if loop.time() - started > _STABLE_SECONDS:
                delay = _MIN_RESTART_DELAY_SECONDS
            log = "\n".join(f"  | {line[:200]}" for line in process.tail_log(8).splitlines())
            self._output(f"{name} ended unexpectedly; restarting it in {delay:.0f} s. The end of its log:\n{log}")
            await asyncio.sleep(delay)
            delay = min(delay * 2, _MAX_RESTART_DELAY_SECONDS)
            try:
                await process.start()
            except DevError as exc:
                self._output(f"{name} did not start: {exc}")
            else:
                self._output(f"{name} was restarted.")

    def _on_signal(self, task: "asyncio.Task[None]") -> None:
        self._signals += 1
        if self._signals == 1:
            self._output("\nStopping… (Ctrl-C again to stop without waiting)")
            task.cancel()
        elif self._stack is not None:
            self._stack.force_stop()


def _relative(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


async def _gather_or_cancel(*work: Awaitable[None]) -> None:
    """Run all at the same time; when one fails, cancel the others and wait for them."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
