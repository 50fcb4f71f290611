"""A visitor with data in every collection that stores personal data, and a search for that data in all databases."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from string import ascii_lowercase
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase

from parley_dev.stack import Stack
from support.api import VisitorClient
from support.authorization_matrix import PDF, file_form, image_form, make_image
from support.tenants import TenantFixture
from support.wait import wait_until

COLLECTIONS = {"chat.conversations", "chat.files", "chat.messages", "chat.notes", "chat.visitors", "presence.visitors"}
"""Where the canary of a visitor is stored."""


@dataclass(frozen=True, slots=True)
class VisitorWithData:
    """A visitor with personal data, which all contains the canary."""

    visitor: VisitorClient
    site_id: int
    conversation_id: int
    handle: str
    canary: str
    image_url: str
    file_url: str


@dataclass(frozen=True, slots=True)
class Databases:
    """The databases of all services of a stack."""

    mongodb_uri: str
    prefix: str

    @classmethod
    def of_stack(cls, stack: Stack, mongodb_uri: str) -> Databases:
        return cls(mongodb_uri, stack.environment("chat")["PARLEY_DATABASE_PREFIX"])

    async def get_tenant_id(self, site_id: int) -> int:
        async with AsyncMongoClient[dict[str, Any]](self.mongodb_uri) as client:
            site = await client[f"{self.prefix}_chat"]["sites"].find_one({"_id": site_id})
        assert site is not None
        return int(site["tenant_id"])

    async def collections_containing(self, text: str) -> set[str]:
        """Return the collections with a document that contains a text, as `service.collection`."""
        result = set()
        async with AsyncMongoClient[dict[str, Any]](self.mongodb_uri) as client:
            names = await client.list_database_names()
            for name in (name for name in names if name.startswith(f"{self.prefix}_")):
                for collection in await client[name].list_collection_names():
                    if await _contains(client[name], collection, text):
                        result.add(f"{name.removeprefix(self.prefix + '_')}.{collection}")
        return result

    async def wait_stored_everywhere(self, stored: VisitorWithData) -> None:
        """Wait until the visitor's data is in every collection that stores it."""

        async def is_stored() -> bool:
            missing = COLLECTIONS - await self.collections_containing(stored.canary)
            return not missing and await self.count_translations(stored.conversation_id) > 0

        await wait_until(is_stored, timeout=30, description="the visitor's data to be stored everywhere")

    async def count_translations(self, conversation_id: int) -> int:
        """Count the cached translations of a conversation; a translation need not contain the canary."""
        async with AsyncMongoClient[dict[str, Any]](self.mongodb_uri) as client:
            return await client[f"{self.prefix}_translate"]["cache"].count_documents({"made_for": conversation_id})

    async def finish_erasures(self, site_id: int) -> None:
        """End the grace period of a site's erasures, and wait until they are finished."""
        pending = {"site_id": site_id, "$or": [{"finished_at": {"$exists": False}}, {"outbox.0": {"$exists": True}}]}
        async with AsyncMongoClient[dict[str, Any]](self.mongodb_uri) as client:
            erasures = client[f"{self.prefix}_chat"]["erasures"]
            assert await erasures.count_documents({"site_id": site_id}) > 0
            await erasures.update_many({**pending, "due": {"$type": "date"}}, {"$set": {"due": datetime.now(UTC)}})

            async def are_finished() -> bool:
                return await erasures.count_documents(pending) == 0

            await wait_until(are_finished, timeout=30, description="the second pass of the erasure")

    async def wait_erased(self, text: str) -> None:
        """Wait until no collection contains a text."""

        async def is_erased() -> bool:
            return not await self.collections_containing(text)

        await wait_until(is_erased, timeout=30, description="the data to be erased")


async def _contains(database: AsyncDatabase[dict[str, Any]], collection: str, text: str) -> bool:
    # Strings are UTF-8 in BSON as well: searching the undecoded batches is many times faster than decoding them.
    needle = text.encode()
    batches: AsyncIterator[bytes] = database[collection].find_raw_batches({})  # type: ignore[assignment]
    async for batch in batches:
        if needle in batch:
            return True
    return False


async def create_visitor_with_data(tenant: TenantFixture) -> VisitorWithData:
    """Create a visitor and use everything that stores personal data."""
    # Only letters: the translation cache leaves out what contains digits.
    canary = "zq" + "".join(secrets.choice(ascii_lowercase) for _ in range(10))
    visitor, conversation_id = await tenant.assigned_conversation()
    alex = tenant.alex
    page = f"https://shop.test/{canary}"
    (await visitor.post("/heartbeat", page=page, title=f"{canary} shoes", referrer=f"https://find.test/{canary}")).ok()
    language = {"conversation_id": conversation_id, "lang": "pt-BR"}
    (await alex.post("/operator/translation/set-lang", language)).ok()
    (await alex.post("/operator/translation/toggle", {"conversation_id": conversation_id, "enabled": True})).ok()

    async def is_translated() -> bool:
        conversation = (await alex.get(f"/operator/conversation/{conversation_id}")).ok()["conversation"]
        return bool(conversation["translation"]["enabled"])

    await wait_until(is_translated)
    form = image_form(make_image(), **visitor.credentials)
    image_url = (await visitor.api.request("POST", "/api/v1/chat/upload-image", data=form)).ok()["url"]
    await visitor.send_message(f"O meu nome é {canary}. Onde está o meu pedido?", image_url=image_url)
    form = file_form(PDF, f"{canary}.pdf", **visitor.credentials)
    file = (await visitor.api.request("POST", "/api/v1/chat/upload-file", data=form)).ok()["file"]
    await visitor.send_message("", file_id=file["id"])
    await alex.send_message(conversation_id, f"Hello {canary}, it is on its way.")
    (await alex.post("/operator/note", {"conversation_id": conversation_id, "content": f"{canary} is a VIP"})).ok()
    (await visitor.post("/contact", name=canary, email=f"{canary}@shop.test", phone="+351 1234567")).ok()
    question = {"key": "order", "type": "text", "label": "Order"}
    forms = {"prechat": {"enabled": True, "fields": [question]}}
    (await tenant.owner.send("PUT", f"/sites/{tenant.site_id}/forms", forms)).ok()
    (await visitor.post("/form", answers={"order": f"{canary} 12"})).ok()
    (await tenant.owner.send("PUT", f"/sites/{tenant.site_id}/forms", {})).ok()
    (await visitor.post("/rate", score=5, comment=f"{canary} was happy")).ok()
    conversation = (await alex.get(f"/operator/conversation/{conversation_id}")).ok()["conversation"]
    handle = conversation["visitor"]["session_id"]
    return VisitorWithData(visitor, tenant.site_id, conversation_id, handle, canary, image_url, file["url"])
