"""A tenant of a test's own: an owner, two operators and a site, made as their owner would make them."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from parley.chat.owner import create_owner
from parley_dev.stack import Stack
from support.api import Api, Operator, Visitor

PASSWORD = "correct-horse-battery"


@dataclass(slots=True)
class World:
    """Everybody a conversation needs."""

    api: Api
    tenant: str
    owner: Operator
    alex: Operator
    sam: Operator
    site_id: int
    site_key: str

    @classmethod
    async def make(cls, api: Api, stack: Stack, mongodb_uri: str) -> World:
        name = f"tenant-{secrets.token_hex(4)}"
        email = f"owner@{name}.test"
        prefix = stack.environment("chat")["PARLEY_DATABASE_PREFIX"]
        await create_owner(mongodb_uri, prefix, tenant=name, email=email, password=PASSWORD, name="Olivia Owner")
        owner = await cls.log_in(api, email)
        site = (await owner.post("/sites", {"name": "Shop", "domains": ["shop.test"]})).ok(201)["site"]
        alex = await cls._join(api, owner, name, "Alex", site["id"])
        sam = await cls._join(api, owner, name, "Sam", site["id"])
        return cls(api, name, owner, alex, sam, site["id"], site["site_key"])

    @staticmethod
    async def log_in(api: Api, email: str, password: str = PASSWORD) -> Operator:
        found = await api.login(email, password)
        return api.operator(found["token"], found["user"]["id"], found["user"]["name"])

    @classmethod
    async def _join(cls, api: Api, owner: Operator, tenant: str, name: str, site_id: int, **granted: bool) -> Operator:
        email = f"{name.lower()}-{secrets.token_hex(3)}@{tenant}.test"
        permissions = {"can_chat": True, "can_view_conversations": True, "can_manage": False, **granted}
        body: dict[str, Any] = {
            "email": email,
            "name": name,
            "password": PASSWORD,
            "site_ids": [site_id],
            "permissions": permissions,
        }
        (await owner.post("/team", body)).ok(201)
        return await cls.log_in(api, email)

    async def join(self, name: str, site_id: int | None = None, **granted: bool) -> Operator:
        """Another operator on the site (or another site), with the permissions named."""
        return await self._join(self.api, self.owner, self.tenant, name, site_id or self.site_id, **granted)

    async def another_site(self, name: str = "Blog") -> dict[str, Any]:
        site: dict[str, Any] = (await self.owner.post("/sites", {"name": name, "domains": []})).ok(201)["site"]
        return site

    def visitor(self) -> Visitor:
        return self.api.visitor(self.site_key)

    async def waiting(self, words: str = "Is anybody there?") -> tuple[Visitor, int]:
        """A visitor who wrote and asked for a person, and their conversation."""
        visitor = self.visitor()
        said = await visitor.say(words)
        (await visitor.post("/handoff")).ok()
        return visitor, said["conversation_id"]

    async def taken(self) -> tuple[Visitor, int]:
        """A visitor whose conversation Alex holds."""
        visitor, conversation_id = await self.waiting()
        (await self.alex.post(f"/operator/accept/{conversation_id}")).ok()
        return visitor, conversation_id
