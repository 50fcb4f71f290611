"""The databases of all services, read at one moment and written when they are empty.

This is the one place that opens the databases of other services: a backup is consistent only if it has them all at the
same moment. It runs as an administrator's command with an account that may read them, never in a service.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import IO

from bson import decode_file_iter
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.write_concern import WriteConcern

SERVICES = ("chat", "presence", "notify", "translate")
_RAW: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)
_BATCH = 500


class InstallationDatabases:
    """The databases `<prefix>_<service>`."""

    def __init__(self, client: AsyncMongoClient[RawBSONDocument], prefix: str) -> None:
        self._client = client
        self._prefix = prefix

    async def list_collections(self) -> Sequence[tuple[str, str]]:
        """Return service and name of every collection. Raises what pymongo raises."""
        collections: list[tuple[str, str]] = []
        for service in SERVICES:
            names = await self._client[f"{self._prefix}_{service}"].list_collection_names()
            collections += [(service, name) for name in sorted(names) if not name.startswith("system.")]
        return collections

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncClientSession]:
        """A session in which everything is read as it was at the first read, in all databases."""
        async with self._client.start_session(snapshot=True) as session:
            yield session

    async def copy_collection(self, session: AsyncClientSession, service: str, name: str, file: IO[bytes]) -> int:
        """Write the documents of a collection to a file and return their number. Raises what pymongo raises."""
        collection = self._client[f"{self._prefix}_{service}"].get_collection(name, codec_options=_RAW)
        count = 0
        async for document in collection.find({}, session=session, batch_size=_BATCH):
            file.write(document.raw)
            count += 1
        return count

    async def find_occupied(self) -> str | None:
        """Return a collection that has documents; None if there is none. Raises what pymongo raises."""
        for service, name in await self.list_collections():
            if await self._client[f"{self._prefix}_{service}"][name].find_one({}) is not None:
                return f"{self._prefix}_{service}.{name}"
        return None

    async def fill_collection(self, service: str, name: str, file: IO[bytes]) -> int:
        """Insert the documents of a file and return their number. Raises what pymongo raises."""
        collection = self._client[f"{self._prefix}_{service}"].get_collection(
            name, codec_options=_RAW, write_concern=WriteConcern("majority", j=True)
        )
        batch: list[RawBSONDocument] = []
        count = 0
        for document in decode_file_iter(file, _RAW):
            batch.append(document)
            if len(batch) == _BATCH:
                await collection.insert_many(batch)
                count, batch = count + len(batch), []
        if batch:
            await collection.insert_many(batch)
        return count + len(batch)
