"""A visitor with something in every place where Parley keeps anything, and how to look for it everywhere."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from string import ascii_lowercase
from typing import Any

from pymongo import AsyncMongoClient

from parley_dev.stack import Stack
from support.api import VisitorClient
from support.authorization_matrix import image_form, make_image
from support.tenants import TenantFixture
from support.wait import wait_until

FINISHED_WITHIN = 90.0


@dataclass(frozen=True, slots=True)
class Found:
    """A visitor with something in every place where Parley keeps anything, each with the canary in it."""

    visitor: VisitorClient
    conversation_id: int
    handle: str
    canary: str
    image_url: str


async def places_of(mongodb_uri: str, prefix: str, needle: str) -> set[str]:
    """The collections of all of an installation's databases in which a text occurs."""
    found = set()
    async with AsyncMongoClient[dict[str, Any]](mongodb_uri) as client:
        for database in await client.list_database_names():
            if not database.startswith(f"{prefix}_"):
                continue
            for collection in await client[database].list_collection_names():
                documents = client[database][collection].find({})
                async for document in documents:
                    if needle in repr(document):
                        found.add(f"{database.removeprefix(prefix + '_')}.{collection}")
    return found


async def somebody(tenant: TenantFixture) -> Found:
    # Letters alone: what has a number in it is no part of what translations are remembered by.
    canary = "zq" + "".join(secrets.choice(ascii_lowercase) for _ in range(10))
    visitor, conversation_id = await tenant.assigned_conversation()
    alex = tenant.alex
    page = f"https://shop.test/?q={canary}"
    (await visitor.post("/heartbeat", page=page, title=f"{canary} shoes", referrer=f"https://find.test/{canary}")).ok()
    languages = {"conversation_id": conversation_id, "lang": "pt-BR"}
    (await alex.post("/operator/translation/set-lang", languages)).ok()
    (await alex.post("/operator/translation/toggle", {"conversation_id": conversation_id, "enabled": True})).ok()

    async def translating() -> bool:
        shown = (await alex.get(f"/operator/conversation/{conversation_id}")).ok()["conversation"]
        return bool(shown["translation"]["enabled"])

    await wait_until(translating)
    form = image_form(make_image(), **visitor.credentials)
    image_url = (await visitor.api.request("POST", "/api/v1/chat/upload-image", data=form)).ok()["url"]
    await visitor.send_message(f"O meu nome é {canary}. Onde está o meu pedido?", image_url=image_url)
    await alex.send_message(conversation_id, f"Hello {canary}, it is on its way.")
    (await alex.post("/operator/note", {"conversation_id": conversation_id, "content": f"{canary} is a VIP"})).ok()
    (await visitor.post("/contact", name=canary, email=f"{canary}@shop.test", phone="+351 1234567")).ok()
    (await visitor.post("/rate", score=5, comment=f"{canary} was happy")).ok()
    shown = (await alex.get(f"/operator/conversation/{conversation_id}")).ok()["conversation"]
    return Found(visitor, conversation_id, shown["visitor"]["session_id"], canary, image_url)


async def translations_of(mongodb_uri: str, prefix: str, conversation_id: int) -> int:
    """How many remembered translations were made for a conversation; an engine need not leave a canary alive."""
    async with AsyncMongoClient[dict[str, Any]](mongodb_uri) as client:
        return await client[f"{prefix}_translate"]["cache"].count_documents({"made_for": conversation_id})


def prefix_of(stack: Stack) -> str:
    return stack.environment("chat")["PARLEY_DATABASE_PREFIX"]


async def finished(mongodb_uri: str, prefix: str) -> None:
    """Until no erasure is under way."""

    async def none_due() -> bool:
        async with AsyncMongoClient[dict[str, Any]](mongodb_uri) as client:
            erasures = client[f"{prefix}_chat"]["erasures"]
            under_way = {"$or": [{"finished_at": {"$exists": False}}, {"outbox.0": {"$exists": True}}]}
            return await erasures.count_documents(under_way) == 0

    await wait_until(none_due, timeout=FINISHED_WITHIN)


async def nowhere(mongodb_uri: str, prefix: str, needle: str) -> bool:
    return not await places_of(mongodb_uri, prefix, needle)


async def spread(one: Found, mongodb_uri: str, prefix: str) -> None:
    """Until what the visitor left lies in every place that keeps it."""
    everywhere = {
        "chat.conversations",
        "chat.messages",
        "chat.notes",
        "chat.visitors",
        "presence.visitors",
    }

    async def missing() -> set[str]:
        return everywhere - await places_of(mongodb_uri, prefix, one.canary)

    async def kept() -> bool:
        return not await missing() and await translations_of(mongodb_uri, prefix, one.conversation_id) > 0

    await wait_until(kept, timeout=30, description="something lies everywhere")
