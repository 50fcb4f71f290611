"""What another manager deletes between a request's read and its write is not found, and no change of it is audited."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from parley.chat.identification.secrets_service import IdentitySecretService
from parley.chat.triggers.model import TriggerDraft
from parley.common.auth.identity import OperatorCaller
from parley.common.errors import NotFound
from support.admin_app import AdminTestApp

Deletion = Callable[[], Awaitable[None]]


class Interrupted:
    """A repository: when a method is called first, something is deleted before its result is used."""

    def __init__(self, repository: Any, method: str, delete: Deletion) -> None:
        self._repository, self._method, self._delete = repository, method, delete
        self._is_first = True

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._repository, name)
        return self._interrupt(method) if name == self._method and self._is_first else method

    def _interrupt(self, method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def call(*args: Any) -> Any:
            self._is_first = False
            result = await method(*args)
            await self._delete()
            return result

        return call


class Office:
    def __init__(self, app: AdminTestApp, owner: OperatorCaller, site_id: int) -> None:
        self.app, self.owner, self.site_id = app, owner, site_id

    async def add(self, path: str, body: dict[str, Any], name: str) -> int:
        reply = await self.app.call("POST", f"/api/v1/sites/{self.site_id}/{path}", self.owner, body)
        added_id: int = reply.ok(201)[name]["id"]
        return added_id

    def deletion(self, path: str) -> Deletion:
        async def delete() -> None:
            (await self.app.call("DELETE", f"/api/v1/sites/{self.site_id}/{path}", self.owner)).ok()

        return delete

    def interrupted_sites(self, path: str) -> Any:
        """The service of sites, where something is deleted after a site was read."""
        sites = self.app.admin.site_service
        interrupted: Any = Interrupted(sites.sites, "get", self.deletion(path))
        return replace(sites, sites=interrupted)

    async def audited(self) -> set[str]:
        rows = self.app.mongo["audit"].find({"tenant_id": self.owner.tenant_id})
        return {row["action"] async for row in rows}


@pytest.fixture
async def office(app: AdminTestApp) -> Office:
    owner = await app.create_tenant()
    site = await app.create_site(owner)
    return Office(app, await app.get_caller(owner.operator_id), site["id"])


@pytest.mark.parametrize("is_change", [True, False], ids=["changed", "deleted"])
async def test_a_trigger(office: Office, *, is_change: bool) -> None:
    trigger_id = await office.add("triggers", {"name": "Hi", "message": "Hello", "enabled": True}, "trigger")
    sites = office.interrupted_sites(f"triggers/{trigger_id}")
    triggers = replace(office.app.admin.triggers.service, sites=sites)
    where = (office.owner, office.site_id, trigger_id)
    draft = TriggerDraft("Hi", "Welcome")
    request: Awaitable[object] = triggers.replace(*where, draft) if is_change else triggers.delete(*where)
    with pytest.raises(NotFound):
        await request


async def test_an_identity_secret(office: Office) -> None:
    secret_id = await office.add("identity-secrets", {"name": "Server"}, "identity_secret")
    sites = office.interrupted_sites(f"identity-secrets/{secret_id}")
    admin, clock = office.app.admin, office.app.clock
    encrypt, next_id = admin.identity_secret_cipher.encrypt, admin.site_service.next_id
    secrets = IdentitySecretService(sites, encrypt, next_id, clock)
    with pytest.raises(NotFound):
        await secrets.revoke(office.owner, office.site_id, secret_id)


async def test_the_tools_of_an_mcp_server(office: Office) -> None:
    path = "chatbot/mcp-servers"
    server_id = await office.add(path, {"name": "shop", "url": "https://1.1.1.1/"}, "server")
    service = office.app.tools.servers.handlers.servers
    servers: Any = Interrupted(service.servers, "find_listing", office.deletion(f"{path}/{server_id}"))
    with pytest.raises(NotFound):
        await replace(service, servers=servers).allow(office.owner, office.site_id, server_id, [])
    assert "mcp_server.tools_allowed" not in await office.audited()


async def test_a_knowledge_source(office: Office) -> None:
    path = "knowledge/sources"
    source_id = await office.add(path, {"kind": "file", "name": "Files"}, "source")
    service = office.app.knowledge_sources.service
    sources: Any = Interrupted(service.sources, "get", office.deletion(f"{path}/{source_id}"))
    with pytest.raises(NotFound):
        await replace(service, sources=sources).delete(office.owner, office.site_id, source_id)


@pytest.mark.parametrize("is_change", [True, False], ids=["changed", "deleted"])
async def test_a_document(office: Office, *, is_change: bool) -> None:
    source_id = await office.add("knowledge/sources", {"kind": "file", "name": "Files"}, "source")
    service = office.app.knowledge_sources.service

    async def chunks() -> AsyncIterator[bytes]:
        yield b"# Help\n\nWe help."

    document = await service.upload(office.owner, office.site_id, source_id, "help.md", chunks())
    path = f"knowledge/sources/{source_id}/documents/{document.id}"
    documents: Any = Interrupted(service.documents, "get", office.deletion(path))
    interrupted = replace(service, documents=documents)
    where = (office.owner, office.site_id, source_id, document.id)
    request: Awaitable[object] = (
        interrupted.set_enabled(*where, enabled=False) if is_change else interrupted.delete_document(*where)
    )
    with pytest.raises(NotFound):
        await request
    assert "knowledge_source.document_changed" not in await office.audited()
