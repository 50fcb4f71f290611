"""A tenant for one test: an owner, two operators and a site, created through the API."""

from __future__ import annotations

import secrets
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from parley.chat.admin_module import AdminModule
from parley.chat.cli.context import open_context
from parley.chat.settings import ChatSettings
from parley_dev.stack import Stack
from support.api import ApiClient, OperatorClient, VisitorClient
from support.password_hashing import cheap_password_hashes

PASSWORD = "correct-horse-battery"

_admin_modules: MutableMapping[ApiClient, AdminModule] = WeakKeyDictionary()
"""Chat's administration by the client of its gateway: opening it costs as much as all else of a tenant."""


@dataclass(slots=True)
class TenantFixture:
    """A tenant with a site, its owner, and the operators Alex and Sam."""

    api: ApiClient
    name: str
    owner: OperatorClient
    alex: OperatorClient
    sam: OperatorClient
    site_id: int
    site_key: str

    @classmethod
    async def create(cls, api: ApiClient, stack: Stack, mongodb_uri: str) -> TenantFixture:
        name, owner = await cls.create_owner(api, stack, mongodb_uri)
        site = (await owner.post("/sites", {"name": "Shop", "domains": ["shop.test"]})).ok(201)["site"]
        alex = await cls._add_operator(api, owner, name, "Alex", site["id"])
        sam = await cls._add_operator(api, owner, name, "Sam", site["id"])
        return cls(api, name, owner, alex, sam, site["id"], site["site_key"])

    @classmethod
    async def create_owner(cls, api: ApiClient, stack: Stack, mongodb_uri: str) -> tuple[str, OperatorClient]:
        """Create a tenant with an owner and nothing else. Returns its name and the owner."""
        name = f"tenant-{secrets.token_hex(4)}"
        email = f"owner@{name}.test"
        admin = await _open_admin_module(api, stack, mongodb_uri)
        await admin.accounts.create_tenant(name, email, PASSWORD, "Olivia Owner")
        return name, await cls.log_in(api, email)

    @staticmethod
    async def log_in(api: ApiClient, email: str, password: str = PASSWORD) -> OperatorClient:
        login = await api.login(email, password)
        return api.operator(login["token"], login["user"]["id"], login["user"]["name"])

    @classmethod
    async def _add_operator(
        cls, api: ApiClient, owner: OperatorClient, tenant: str, name: str, site_id: int, **granted: bool
    ) -> OperatorClient:
        email = f"{name.lower()}-{secrets.token_hex(3)}@{tenant}.test"
        permissions = {"can_chat": True, "can_view_conversations": True, "can_manage": False, **granted}
        body: dict[str, Any] = {
            "email": email,
            "name": name,
            "site_ids": [site_id],
            "permissions": permissions,
        }
        token = (await owner.post("/team", body)).ok(201)["invitation"]["token"]
        # Accepting the invitation hashes the password once and logs in; a password set by the owner is hashed twice.
        login = await api.accept_invitation(token, name, PASSWORD)
        return api.operator(login["token"], login["user"]["id"], login["user"]["name"])

    async def add_operator(self, name: str, site_id: int | None = None, **granted: bool) -> OperatorClient:
        """Add an operator to the site (or another site), with these permissions in addition to the defaults."""
        return await self._add_operator(self.api, self.owner, self.name, name, site_id or self.site_id, **granted)

    async def add_site(self, name: str = "Blog") -> dict[str, Any]:
        site: dict[str, Any] = (await self.owner.post("/sites", {"name": name, "domains": []})).ok(201)["site"]
        return site

    def new_visitor(self) -> VisitorClient:
        return self.api.visitor(self.site_key)

    async def pending_conversation(self, message: str = "Is anybody there?") -> tuple[VisitorClient, int]:
        """Create a visitor who requested a handoff. Returns them and the conversation's id."""
        visitor = self.new_visitor()
        reply = await visitor.send_message(message)
        (await visitor.post("/handoff")).ok()
        return visitor, reply["conversation_id"]

    async def assigned_conversation(self) -> tuple[VisitorClient, int]:
        """Create a visitor whose conversation is assigned to Alex. Returns them and the conversation's id."""
        visitor, conversation_id = await self.pending_conversation()
        (await self.alex.post(f"/operator/accept/{conversation_id}")).ok()
        return visitor, conversation_id


async def _open_admin_module(api: ApiClient, stack: Stack, mongodb_uri: str) -> AdminModule:
    if api not in _admin_modules:
        prefix = stack.environment("chat")["PARLEY_DATABASE_PREFIX"]
        settings = ChatSettings.model_construct(
            mongodb_uri=mongodb_uri, database_prefix=prefix, amqp_url="", identity_secret=""
        )
        with cheap_password_hashes():
            context = await api.closed_with_it.enter_async_context(open_context(settings))
        _admin_modules[api] = context.admin
    return _admin_modules[api]
