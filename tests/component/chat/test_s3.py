"""Storage of images in a real S3 server: wrong keys, a missing bucket and no server are named as the cause."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from parley.chat.cli.storage import check_storage
from parley.chat.settings import ChatSettings
from parley.chat.uploads.s3_storage import S3Storage
from parley.common.cli import CommandError
from parley.common.errors import Unavailable
from parley_dev.errors import ServerUnavailable
from parley_dev.servers.seaweedfs import BUCKET, S3Server

NAME = f"{'a1' * 16}.png"
IMAGE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[S3Server]:
    directory: Path = tmp_path_factory.mktemp("s3")
    try:
        server = S3Server(directory)
    except ServerUnavailable as exc:
        pytest.skip(str(exc))
    await server.start()
    yield server
    await server.stop()


def storage(server: S3Server, **changes: str) -> S3Storage:
    arguments = {
        "endpoint": server.endpoint,
        "access_key": server.access_key,
        "secret_key": server.secret_key,
        "bucket": BUCKET,
        **changes,
    }
    return S3Storage(**arguments, secure=False)


async def test_an_image_is_stored_read_and_removed(server: S3Server) -> None:
    images = storage(server)
    assert await images.get_unwritable_reason() is None
    assert await images.get(NAME) is None
    await images.put(NAME, IMAGE, "image/png")
    assert await images.get(NAME) == IMAGE
    await images.remove(NAME)
    await images.remove(NAME)
    assert await images.get(NAME) is None


@pytest.mark.parametrize(
    ("changes", "cause", "reason"),
    [
        ({"access_key": "unknown"}, "keys", "PARLEY_S3_ACCESS_KEY or PARLEY_S3_SECRET_KEY is refused"),
        ({"secret_key": "wrong"}, "keys", "PARLEY_S3_ACCESS_KEY or PARLEY_S3_SECRET_KEY is refused"),
        ({"bucket": "missing"}, "bucket", "PARLEY_S3_BUCKET: there is no bucket missing"),
        ({"endpoint": "127.0.0.1:1"}, "unreachable", "PARLEY_S3_ENDPOINT does not answer as S3 does (unreachable)"),
    ],
)
async def test_why_images_cannot_be_stored_is_told(
    server: S3Server, changes: dict[str, str], cause: str, reason: str
) -> None:
    images = storage(server, **changes)
    assert await images.get_unwritable_reason() == reason
    labels = {"operation": "put", "cause": cause}
    before = REGISTRY.get_sample_value("parley_chat_storage_failures_total", labels) or 0
    with pytest.raises(Unavailable):
        await images.put(NAME, IMAGE, "image/png")
    assert REGISTRY.get_sample_value("parley_chat_storage_failures_total", labels) == before + 1


async def test_the_check_of_the_configuration_names_a_wrong_key(server: S3Server) -> None:
    variables = {name.removeprefix("PARLEY_").lower(): value for name, value in server.environment().items()}
    required = {
        "env": "development",
        "identity_secret": "5f0b7f0e9c1d4a7b8e2f6a3c9d0e1f2a",
        "amqp_url": "amqp://unused",
        "mongodb_uri": "mongodb://unused",
    }
    assert BUCKET in await check_storage(ChatSettings.model_validate({**required, **variables}))
    with pytest.raises(CommandError, match="is refused"):
        await check_storage(ChatSettings.model_validate({**required, **variables, "s3_secret_key": "wrong"}))
