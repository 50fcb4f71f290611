"""SeaweedFS: an S3 server from a package of the development environment, on loopback only."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from minio import Minio
from minio.error import MinioException
from urllib3 import PoolManager, Retry, Timeout
from urllib3.exceptions import HTTPError

from parley_dev.errors import ServerUnavailable, StartFailed
from parley_dev.ports import LOOPBACK, free_ports
from parley_dev.process import Process

BUCKET = "parley"


class S3Server:
    """A server over a data directory, with one bucket and one key."""

    def __init__(
        self,
        directory: Path,
        access_key: str = "parley",
        secret_key: str = "parley-development",  # noqa: S107 - it listens on loopback only
        *,
        port: int | None = None,
        pid_file: Path | None = None,
        log: Path | None = None,
    ) -> None:
        """Raises ServerUnavailable if the program is not installed."""
        self.directory = directory
        self.access_key = access_key
        self.secret_key = secret_key
        ports = free_ports(10)
        self.port = port or ports[0]
        self._process = Process(
            "seaweedfs",
            _command(directory / "data", self.port, ports[1:]),
            log=log or directory / "seaweedfs.log",
            env={
                "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
                "HOME": str(directory),
                "AWS_ACCESS_KEY_ID": access_key,
                "AWS_SECRET_ACCESS_KEY": secret_key,
            },
            pid_file=pid_file or directory / "seaweedfs.pid",
        )

    @property
    def endpoint(self) -> str:
        """The value of PARLEY_S3_ENDPOINT."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def running(self) -> bool:
        """Whether it is alive."""
        return self._process.running

    def environment(self) -> dict[str, str]:
        """Return chat's settings for it."""
        return {
            "PARLEY_S3_ENDPOINT": self.endpoint,
            "PARLEY_S3_BUCKET": BUCKET,
            "PARLEY_S3_ACCESS_KEY": self.access_key,
            "PARLEY_S3_SECRET_KEY": self.secret_key,
            "PARLEY_S3_SECURE": "false",
        }

    async def start(self, timeout: float = 60.0) -> None:
        """Start it and wait until it answers. Raises StartFailed."""
        (self.directory / "data").mkdir(parents=True, exist_ok=True)
        await self._process.start()
        try:
            await asyncio.wait_for(self._wait_answering(), timeout)
        except TimeoutError as exc:
            await self._process.kill()
            raise StartFailed(f"SeaweedFS did not answer within {timeout:.0f} s.\n{self.tail_log()}") from exc

    async def stop(self) -> None:
        """Stop it in order."""
        await self._process.stop()

    def tail_log(self, lines: int = 15) -> str:
        """Return the end of its log."""
        return self._process.tail_log(lines)

    async def _wait_answering(self) -> None:
        pool = PoolManager(retries=Retry(total=0), timeout=Timeout(5))
        client = Minio(self.endpoint, self.access_key, self.secret_key, secure=False, http_client=pool)
        while self.running:
            # The bucket is created some time after the listener opens.
            with contextlib.suppress(MinioException, HTTPError):
                if await asyncio.to_thread(client.bucket_exists, BUCKET):
                    return
            await asyncio.sleep(0.1)
        raise StartFailed(f"SeaweedFS ended during its start.\n{self.tail_log()}")


def _command(data: Path, port: int, others: Sequence[int]) -> list[str]:
    program = Path(sys.executable).with_name("weed")
    if not program.exists():
        raise ServerUnavailable("SeaweedFS is not installed for this platform; run without S3=1.")
    parts = [f"{part}.port{kind}" for part in ("master", "volume", "filer", "admin") for kind in ("", ".grpc")]
    ports = dict(zip(("s3.port.grpc", *parts), others, strict=True))
    return [
        str(program),
        "mini",
        f"-ip={LOOPBACK}",
        f"-ip.bind={LOOPBACK}",
        f"-dir={data}",
        f"-s3.port={port}",
        *(f"-{name}={number}" for name, number in ports.items()),
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-webdav=false",
        "-admin.ui=false",
        "-master.telemetry=false",
        f"-bucket={BUCKET}",
    ]
