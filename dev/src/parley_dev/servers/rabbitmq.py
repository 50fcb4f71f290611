"""A private RabbitMQ node with its own port mapper, node name and directories; loopback only, no root."""

import asyncio
import base64
import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import aio_pika
from aio_pika.exceptions import AMQPException

from parley_dev.console import Output, discard
from parley_dev.errors import ServerUnavailable, StartFailed
from parley_dev.ports import LOOPBACK, free_ports
from parley_dev.process import Process, Runnable
from parley_dev.servers import containers, deb_packages
from parley_dev.servers.cache import cached_directory
from parley_dev.servers.containers import Container, Image
from parley_dev.servers.rabbitmq_home import home_without_plugins

# The first version with streams.
_MIN_VERSION = (3, 9)
_COOKIE = "parley"
"""What nodes and their tools know each other by. They listen on loopback only."""

# By default, Erlang's schedulers keep a core busy for a while whenever they run out of work; here they share the cores.
_NO_BUSY_WAITING = "+sbwt none +sbwtdcpu none +sbwtdio none"


@dataclass(frozen=True, slots=True)
class RabbitInstall:
    """Directories of the scripts and of the Erlang runtime they need."""

    sbin: Path
    erlang_bin: Path
    libraries: Path | None = None

    @property
    def epmd(self) -> Path:
        """Erlang's port mapper: in bin/, or next to the emulator where the package has none there."""
        preferred = self.erlang_bin / "epmd"
        return preferred if preferred.exists() else next(self.erlang_bin.parent.glob("erts-*/bin/epmd"), preferred)


class RabbitServer:
    """A node over a data directory, which can be killed and started again."""

    def __init__(
        self,
        directory: Path,
        port: int | None = None,
        *,
        program: RabbitInstall | Image | None = None,
        pid_directory: Path | None = None,
        log: Path | None = None,
        vhosts: Sequence[str] = (),
        name: str = "parley",
        epmd_port: int | None = None,
        peers: Sequence[str] = (),
    ) -> None:
        """`vhosts`: virtual hosts in addition to the default one. A node in a container has none.

        A node of a cluster has a `name` of its own, a port mapper that its peers share, and at its first start it joins
        the `peers`, which are other names.
        """
        self.directory = directory
        self.node_name = f"{name}@localhost"
        self._peers = tuple(f"{peer}@localhost" for peer in peers)
        self._shared_epmd_port = epmd_port
        spare, self._distribution_port, own_epmd_port = free_ports(3)
        self._epmd_port = epmd_port or own_epmd_port
        self.port = port or spare
        self._command: tuple[Path, dict[str, str]] | None = None
        self._log = log or directory / "rabbitmq.log"
        self._pids = pid_directory or directory
        self._epmd: Runnable | None = None
        self.vhosts = tuple(vhosts)
        self._node = self._create_processes(program or ensure_rabbitmq())

    @property
    def uri(self) -> str:
        """The URL for clients."""
        return f"amqp://guest:guest@{LOOPBACK}:{self.port}/"

    def vhost_uri(self, vhost: str) -> str:
        """Return the URL for clients of a virtual host."""
        return f"{self.uri}{vhost}"

    @property
    def running(self) -> bool:
        """Whether it is alive."""
        return self._node.running

    async def start(self, timeout: float = 90.0) -> None:
        """Start it and wait until clients can open a channel. Raises StartFailed."""
        if self._command is not None:
            self._configure()
        if self._epmd is not None and not self._epmd.running:
            await self._epmd.start()
        await self._node.start()
        try:
            await asyncio.wait_for(self._wait_accepting(), timeout)
        except TimeoutError as exc:
            await self.kill()
            raise StartFailed(f"RabbitMQ did not answer within {timeout:.0f} s.\n{self.tail_log()}") from exc

    async def stop(self) -> None:
        """Stop it in order, its port mapper last."""
        await self._node.stop()
        if self._epmd is not None:
            await self._epmd.stop()

    async def kill(self) -> None:
        """Kill it; queues declared more than a second ago survive with their messages."""
        await self._node.kill()
        if self._epmd is not None:
            await self._epmd.kill()

    async def restart(self) -> None:
        """Stop it in order if it runs, and start it again."""
        await self.stop()
        await self.start()

    async def control(self, tool: str, *arguments: str, check: bool = True) -> str:
        """Run one of RabbitMQ's tools, or a script that uses them, for this node and return what it prints.

        Raises RuntimeError if it fails, unless `check` is false; also for a node in a container.
        """
        if self._command is None:
            raise RuntimeError("The node runs in a container.")
        sbin, env = self._command
        process = await asyncio.create_subprocess_exec(
            str(sbin / tool), *arguments, env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        output = (await process.communicate())[0].decode()
        if check and process.returncode != 0:
            raise RuntimeError(f"{tool} {' '.join(arguments)}: {output}")
        return output

    def tail_log(self, lines: int = 15) -> str:
        """Return the end of its log."""
        return self._node.tail_log(lines)

    def _create_processes(self, program: RabbitInstall | Image) -> Runnable:
        if isinstance(program, Image):
            self.vhosts = ()
            digest = hashlib.sha256(str(self.directory.resolve()).encode()).hexdigest()[:10]
            # Its data directory contains the host name, which must therefore stay the same.
            return Container(
                f"parley-rabbitmq-{digest}",
                program,
                self.directory / "mnesia",
                "/var/lib/rabbitmq",
                {5672: self.port},
                hostname="parley",
            )
        env = self._environment(program)
        # The tools in /usr/sbin refuse every user but the machine's own server's.
        self._command = program.sbin, {**env, "PATH": f"{program.sbin}:{env['PATH']}"}
        if self._shared_epmd_port is None:
            self._epmd = create_epmd(program, self._epmd_port, self._log.with_name("epmd.log"), self._pids, env)
        return Process(
            "rabbitmq",
            [str(program.sbin / "rabbitmq-server")],
            log=self._log,
            env=env,
            pid_file=self._pids / "rabbitmq.pid",
        )

    def _environment(self, program: RabbitInstall) -> dict[str, str]:
        home = self.directory.resolve()
        path = f"{program.erlang_bin}:/usr/bin:/bin:/usr/sbin:/sbin"
        env = {
            "PATH": path,
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": LOOPBACK,
            "ERL_CRASH_DUMP_SECONDS": "0",
            # With it the script executes the emulator instead of waiting for it: one process, one pid, one signal. The
            # arguments that the script then leaves out: no console, and no reaction to SIGINT.
            "RABBITMQ_ALLOW_INPUT": "1",
            "RABBITMQ_SERVER_START_ARGS": f"-noinput +B i {_NO_BUSY_WAITING}",
            # The settings in /etc/rabbitmq are for the machine's own server.
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_NODENAME": self.node_name,
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self._distribution_port),
            "RABBITMQ_MNESIA_BASE": str(home / "mnesia"),
            "RABBITMQ_LOG_BASE": str(home / "log"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_CONFIG_FILE": str(home / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(home / "advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "enabled_plugins"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(home / "generated"),
            "RABBITMQ_PID_FILE": str(home / "node.pid"),
        }
        if program.libraries is not None:
            env["LD_LIBRARY_PATH"] = str(program.libraries)
        return env

    def _configure(self) -> None:
        home = self.directory.resolve()
        for directory in (home, home / "mnesia", home / "log", home / "generated"):
            directory.mkdir(parents=True, exist_ok=True)
        (home / "rabbitmq.conf").write_text(
            f"listeners.tcp.local = {LOOPBACK}:{self.port}\n"
            "vm_memory_high_watermark.absolute = 1GB\n"
            "disk_free_limit.absolute = 200MB\n"
            "log.console = true\n"
            "log.console.level = info\n"
            "log.file = false\n"
            + (f"load_definitions = {home / 'definitions.json'}\n" if self.vhosts else "")
            + "".join(
                f"cluster_formation.classic_config.nodes.{number} = {peer}\n"
                for number, peer in enumerate((self.node_name, *self._peers), 1)
                if self._peers
            )
        )
        cookie = home / ".erlang.cookie"
        if not cookie.exists():
            cookie.write_text(_COOKIE)
            cookie.chmod(0o400)
        if self.vhosts:
            (home / "definitions.json").write_text(json.dumps(_definitions(["/", *self.vhosts])))
        (home / "advanced.config").write_text("[{kernel, [{inet_dist_use_interface, {127,0,0,1}}]}].\n")
        (home / "enabled_plugins").write_text("[].\n")

    async def _wait_accepting(self) -> None:
        while True:
            if not self.running:
                raise StartFailed(f"RabbitMQ ended during its start.\n{self.tail_log()}")
            try:
                # A socket first: aio-pika logs every refused connection. Then a channel: the listener opens before the
                # node accepts commands.
                _, writer = await asyncio.open_connection(LOOPBACK, self.port)
                writer.close()
                async with aio_pika.Connection(aio_pika.connection.make_url(self.uri)) as connection:
                    await connection.connect(timeout=5)
                    await connection.channel()
                    return
            except (OSError, AMQPException, TimeoutError):
                await asyncio.sleep(0.1)


def create_epmd(program: RabbitInstall, port: int, log: Path, pids: Path, env: Mapping[str, str]) -> Process:
    """Create the port mapper's process, which nodes find each other by."""
    return Process(
        "epmd",
        [str(program.epmd), "-address", LOOPBACK, "-port", str(port)],
        log=log,
        env=env,
        pid_file=pids / "epmd.pid",
        stop_timeout_seconds=5.0,
    )


def _definitions(vhosts: Sequence[str]) -> dict[str, object]:
    """Define the default user and these virtual hosts (https://www.rabbitmq.com/docs/passwords: salt, then hash)."""
    salt = os.urandom(4)
    password = base64.b64encode(salt + hashlib.sha256(salt + b"guest").digest()).decode()
    full_access = {"configure": ".*", "write": ".*", "read": ".*"}
    return {
        "users": [
            {
                "name": "guest",
                "password_hash": password,
                "hashing_algorithm": "rabbit_password_hashing_sha256",
                "tags": "administrator",
            }
        ],
        "vhosts": [{"name": vhost} for vhost in vhosts],
        "permissions": [{"user": "guest", "vhost": vhost, **full_access} for vhost in vhosts],
    }


def ensure_rabbitmq(output: Output = discard) -> RabbitInstall | Image:
    """Return the machine's RabbitMQ, or one downloaded as Debian packages, or an image for Docker.

    Blocks while it downloads. Raises ServerUnavailable.
    """
    installed = _find_installed()
    if installed is not None:
        return _without_plugins(installed)
    reason = "this machine has no apt-get"
    if deb_packages.is_supported():
        try:
            downloaded = cached_directory("rabbitmq", lambda draft, final: _download(draft, final, output))
            return _without_plugins(_find_install(downloaded))
        except ServerUnavailable as exc:
            reason = str(exc)
    if containers.docker_available():
        image = Image(containers.RABBITMQ)
        output(f"Downloading RabbitMQ through Docker ({image.name})…")
        containers.ensure_image(image)
        return image
    raise ServerUnavailable(
        f"RabbitMQ is not installed and could not be downloaded: {reason}\n"
        "Install rabbitmq-server 3.9 or newer, start Docker, or set AMQP_URL to a broker you have."
    )


def _without_plugins(install: RabbitInstall) -> RabbitInstall:
    return replace(install, sbin=home_without_plugins(install.sbin))


def _find_installed() -> RabbitInstall | None:
    erl = shutil.which("erl")
    if erl is None:
        return None
    sbins = [*Path("/usr/lib/rabbitmq/lib").glob("*/sbin"), *Path("/opt/rabbitmq").glob("sbin")]
    on_path = shutil.which("rabbitmq-server")
    if on_path is not None:
        # Homebrew links the script itself; Debian's is a wrapper that refuses every user but its own.
        sbins.append(Path(on_path).resolve().parent)
    for sbin in sbins:
        if (sbin / "rabbitmq-defaults").exists() and _version(sbin) >= _MIN_VERSION:
            return RabbitInstall(sbin=sbin, erlang_bin=Path(erl).resolve().parent)
    return None


def _version(sbin: Path) -> tuple[int, ...]:
    # From the directory name (rabbitmq_server-3.10.8): running the server's own command would start an emulator.
    numbers = re.search(r"(\d+)\.(\d+)", sbin.parent.name)
    return tuple(int(number) for number in numbers.groups()) if numbers else _MIN_VERSION


def _download(draft: Path, final: Path, output: Output) -> None:
    output("Downloading RabbitMQ and Erlang (58 MB, once per user)…")
    deb_packages.unpack("rabbitmq-server", draft, lambda name: name.startswith("erlang-"))
    erlang = draft / "usr" / "lib" / "erlang"
    for script in [*erlang.glob("bin/*"), *erlang.glob("erts-*/bin/*")]:
        if script.name in {"erl", "start"} and not script.is_symlink():
            text = script.read_text().replace("/usr/lib/erlang", str(final / "usr" / "lib" / "erlang"))
            script.write_text(text)
    for unused in ("usr/share/doc", "usr/share/man"):
        shutil.rmtree(draft / unused, ignore_errors=True)
    if _version(_find_install(draft).sbin) < _MIN_VERSION:
        raise ServerUnavailable("this system's RabbitMQ package is older than 3.9.")


def _find_install(root: Path) -> RabbitInstall:
    sbin = next(root.glob("usr/lib/rabbitmq/lib/*/sbin"), None)
    if sbin is None:
        raise ServerUnavailable("the downloaded package does not have the expected layout.")
    libraries = next(root.glob("usr/lib/*-linux-gnu*"), None)
    return RabbitInstall(sbin=sbin, erlang_bin=root / "usr" / "lib" / "erlang" / "bin", libraries=libraries)
