"""Files: what is stored, refused, scanned, sent, and deleted after its time."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from parley.chat.backends import Backends
from parley.chat.canned_replies.model import CannedReplyDraft
from parley.chat.conversations.module import ConversationModule
from parley.chat.files.clamd import ClamdScanner
from parley.chat.files.errors import FileInfected, FileTooLarge, FileTypeNotAllowed, ScannerUnavailable, TooManyFiles
from parley.chat.files.model import FilePolicy, Uploader
from parley.chat.files.repository import MongoFileRepository
from parley.chat.files.service import FileService, UploadSlots
from parley.chat.settings import ChatSettings
from parley.chat.uploads.storage import FolderStorage
from parley.common.auth.identity import OperatorCaller, VisitorCaller
from parley.common.errors import NotFound, ParleyError, ValidationFailed
from parley.common.events.schemas import FileSchema
from parley.common.messaging import RpcClient
from support.admin_app import AdminTestApp
from support.authorization_matrix import PDF
from support.clamd import EICAR, FakeClamd, run_fake_clamd
from support.file_samples import REFUSED, SAMPLES
from support.wait import wait_until

ALL = FilePolicy(frozenset({"pdf", "document", "text", "audio", "video"}), 1_000_000)
LIFETIME = timedelta(days=1)


async def chunks(*data: bytes) -> AsyncIterator[bytes]:
    for chunk in data:
        yield chunk


class Files:
    """Chat's messages and files, on a clock that tests move."""

    def __init__(self, app: AdminTestApp, owner: OperatorCaller, site_id: int, folder: Path) -> None:
        self.app, self.owner, self.site_id, self.folder = app, owner, site_id, folder
        settings = ChatSettings(
            env="development",
            identity_secret=secrets.token_hex(32),
            amqp_url="amqp://unused",
            mongodb_uri="mongodb://unused",
            storage_dir=folder,
        )
        rpc = {name: RpcClient(name) for name in ("presence", "translate", "notify")}
        self.module = ConversationModule(
            Backends(app.mongo, app.broker, app.outbox, rpc), app.admin, settings, app.clock
        )
        self.service = FileService(
            FolderStorage(folder),
            MongoFileRepository(app.mongo, app.clock, LIFETIME),
            None,
            ALL,
            "https://chat.example.com/files/",
            app.clock,
        )

    def new_visitor(self) -> VisitorCaller:
        return VisitorCaller(self.owner.tenant_id, self.site_id, f"sess_{secrets.token_hex(16)}")

    async def upload(self, visitor: VisitorCaller, data: bytes = PDF, name: str = "report.pdf") -> FileSchema:
        return await self.service.store(uploader(visitor), ALL, name, chunks(data))

    async def send(self, visitor: VisitorCaller, file_id: str) -> FileSchema:
        sendable = await self.service.get_for_sending(uploader(visitor), file_id)
        received = await self.module.visitor_messages.receive(visitor, "", file=sendable)
        await wait_until(lambda: self.app.mongo["messages"].find_one({"file.id": file_id}))
        assert received.message is not None
        assert received.message.file is not None
        return received.message.file

    async def read(self, file_id: str) -> bytes:
        file = await self.service.get(file_id)
        return b"".join([chunk async for chunk in await self.service.read(file, 0, file.size)])

    async def set_site(self, **changes: object) -> None:
        body = {"files": changes}
        (await self.app.call("PUT", f"/api/v1/sites/{self.site_id}/chatbot", self.owner, body)).ok()

    def stored_files(self) -> list[Path]:
        return [path for path in self.folder.rglob("*") if path.is_file()]


def uploader(visitor: VisitorCaller) -> Uploader:
    return Uploader(visitor.tenant_id, visitor.site_id, visitor.session)


def count_uploads(kind: str, result: str) -> float:
    labels = {"kind": kind, "result": result}
    return REGISTRY.get_sample_value("parley_chat_file_uploads_total", labels) or 0


@pytest.fixture
async def files(isolated_app: AdminTestApp, tmp_path: Path) -> Files:
    owner = await isolated_app.create_tenant()
    site = await isolated_app.create_site(owner)
    return Files(isolated_app, await isolated_app.get_caller(owner.operator_id), site["id"], tmp_path)


@pytest.fixture
async def clamd() -> AsyncIterator[FakeClamd]:
    async with run_fake_clamd() as fake:
        yield fake


async def test_every_accepted_type_is_stored_as_it_is(files: Files) -> None:
    for name, (data, kind, content_type) in SAMPLES.items():
        before = count_uploads(kind, "stored")
        stored = await files.upload(files.new_visitor(), data)
        assert (stored.kind, stored.content_type, stored.size) == (kind, content_type, len(data)), name
        assert await files.read(stored.id) == data
        assert count_uploads(kind, "stored") == before + 1


async def test_what_is_refused_leaves_nothing_behind(files: Files) -> None:
    visitor = files.new_visitor()
    for data in REFUSED.values():
        with pytest.raises(FileTypeNotAllowed):
            await files.upload(visitor, data)
    before = count_uploads("none", "file_too_large")
    small = replace(ALL, max_bytes=100)
    with pytest.raises(FileTooLarge) as too_large:
        await files.service.store(uploader(visitor), small, "a.pdf", chunks(PDF, bytes(101 - len(PDF)), PDF))
    assert too_large.value.details == {"max_bytes": 100}
    assert count_uploads("none", "file_too_large") == before + 1
    with pytest.raises(FileTypeNotAllowed):
        await files.service.store(uploader(visitor), replace(ALL, kinds=frozenset({"text"})), "a.txt", chunks(PDF))
    with pytest.raises(ValidationFailed):
        await files.service.store(uploader(visitor), ALL, "empty.txt", chunks())
    assert not files.stored_files()
    assert await files.app.mongo["files"].count_documents({}) == 0


async def test_only_so_many_files_arrive_at_the_same_time(files: Files) -> None:
    service = replace(files.service, slots=UploadSlots(1))
    arrived, rest = asyncio.Event(), asyncio.Event()

    async def slow_chunks() -> AsyncIterator[bytes]:
        yield PDF[:20]
        arrived.set()
        await rest.wait()
        yield PDF[20:]

    first = asyncio.create_task(service.store(uploader(files.new_visitor()), ALL, "a.pdf", slow_chunks()))
    await arrived.wait()
    with pytest.raises(TooManyFiles):
        await service.store(uploader(files.new_visitor()), ALL, "b.pdf", chunks(PDF))
    rest.set()
    assert (await first).size == len(PDF)
    assert (await service.store(uploader(files.new_visitor()), ALL, "b.pdf", chunks(PDF))).size == len(PDF)


async def test_an_infected_file_is_refused_and_not_stored(files: Files, clamd: FakeClamd, tmp_path: Path) -> None:
    """A20: a file that the scanner reports is 422 and not stored."""
    service = replace(files.service, scanner=ClamdScanner(clamd.address))
    visitor = files.new_visitor()
    with pytest.raises(FileInfected):
        await service.store(uploader(visitor), ALL, "a.txt", chunks(EICAR[:30], EICAR[30:]))
    assert not files.stored_files()
    clean = await service.store(uploader(visitor), ALL, "a.pdf", chunks(PDF[:30], PDF[30:]))
    assert clamd.scanned == [EICAR, PDF]
    assert await files.read(clean.id) == PDF
    async with run_fake_clamd(str(tmp_path / "clamd.sock")) as by_socket:
        service = replace(service, scanner=ClamdScanner(by_socket.address))
        with pytest.raises(FileInfected):
            await service.store(uploader(visitor), ALL, "a.txt", chunks(EICAR))


async def test_without_an_answer_of_the_scanner_nothing_is_stored(files: Files, clamd: FakeClamd) -> None:
    """A20: while the scanner is down or fails, a file is 503 and not stored."""

    async def expect_refusal(address: str) -> None:
        service = replace(files.service, scanner=ClamdScanner(address))
        with pytest.raises(ScannerUnavailable) as refused:
            await service.store(uploader(files.new_visitor()), ALL, "a.pdf", chunks(PDF))
        assert refused.value.code == "scanner_unavailable"

    await expect_refusal("127.0.0.1:1")
    await expect_refusal("unix:/nowhere/clamd.sock")
    for answer in (b"INSTREAM size limit exceeded. ERROR", b"", b"stream: something else"):
        clamd.answer = answer
        await expect_refusal(clamd.address)
    assert not files.stored_files()


async def test_a_file_is_sent_by_the_visitor_who_uploaded_it(files: Files) -> None:
    visitor = files.new_visitor()
    stored = await files.upload(visitor, name="../Größe.pdf")
    shown = await files.send(visitor, stored.id)
    assert (shown.name, shown.url) == ("Größe.pdf", stored.url)
    conversation = await files.app.mongo["conversations"].find_one({"site_id": files.site_id})
    assert conversation is not None
    assert conversation["last_message"]["preview"] == "📎 Größe.pdf"
    stranger = replace(visitor, session=f"sess_{secrets.token_hex(16)}")
    for other in (stranger, replace(visitor, site_id=files.site_id + 1), replace(visitor, tenant_id=99)):
        with pytest.raises(ValidationFailed):
            await files.service.get_for_sending(uploader(other), stored.id)
    with pytest.raises(ValidationFailed):
        await files.service.get_for_sending(Uploader(visitor.tenant_id), stored.id)


async def test_a_file_that_was_not_sent_expires_after_a_day(files: Files) -> None:
    visitor = files.new_visitor()
    sent, unsent = await files.upload(visitor), await files.upload(visitor)
    await files.send(visitor, sent.id)
    files.app.clock.advance(hours=23)
    await files.service.remove_expired()
    assert await files.read(unsent.id)
    files.app.clock.advance(hours=2)
    await files.service.remove_expired()
    with pytest.raises(NotFound):
        await files.read(unsent.id)
    with pytest.raises(ValidationFailed):
        await files.service.get_for_sending(uploader(visitor), unsent.id)
    assert await files.read(sent.id) == PDF
    assert await files.app.mongo["files"].count_documents({"expires_at": {"$type": "date"}}) == 0


async def test_a_file_of_a_canned_reply_is_kept_until_the_last_reply_with_it_is_deleted(files: Files) -> None:
    replies = files.app.admin.canned_replies
    stored = await files.service.store(Uploader(files.owner.tenant_id), ALL, "terms.pdf", chunks(PDF))
    first, second = [
        await replies.add(files.owner, CannedReplyDraft("all", None, shortcut, "Our terms.", None, stored))
        for shortcut in ("terms", "agb")
    ]
    files.app.clock.advance(days=2)
    await replies.replace(files.owner, first.id, CannedReplyDraft("all", None, "terms", "No terms.", None))
    files.app.clock.advance(hours=2)
    await files.service.remove_expired()
    assert await files.read(stored.id) == PDF, "the other reply has it"
    changed = CannedReplyDraft("all", None, "agb", "These terms.", None, stored)
    assert (await replies.replace(files.owner, second.id, changed)).file == stored
    await replies.delete(files.owner, second.id)
    files.app.clock.advance(hours=2)
    await files.service.remove_expired()
    with pytest.raises(NotFound):
        await files.read(stored.id)


async def test_a_message_waiting_in_the_outbox_keeps_its_file(files: Files) -> None:
    visitor = files.new_visitor()
    stored = await files.upload(visitor)
    entry = {"at": files.app.clock(), "carried": [{"into": "messages", "document": {"file": {"id": stored.id}}}]}
    await files.app.mongo["conversations"].insert_one({"_id": 1, "visitor_key": "x", "outbox": [entry]})
    files.app.clock.advance(hours=25)
    await files.service.remove_expired()
    assert await files.read(stored.id)
    await files.app.mongo["conversations"].delete_one({"_id": 1})
    files.app.clock.advance(hours=2)
    await files.service.remove_expired()
    with pytest.raises(NotFound):
        await files.read(stored.id)


async def test_a_sent_file_expires_after_the_days_of_its_site(files: Files) -> None:
    await files.set_site(expire_days=30)
    visitor = files.new_visitor()
    stored = await files.upload(visitor)
    shown = await files.send(visitor, stored.id)
    assert shown.expires_at is not None
    assert abs(shown.expires_at - files.app.clock() - timedelta(days=30)) < timedelta(minutes=1)
    for _ in range(2):
        files.app.clock.advance(days=14)
        await files.service.remove_expired()
    assert await files.read(stored.id) == PDF
    files.app.clock.advance(days=3)
    await files.service.remove_expired()
    with pytest.raises(NotFound):
        await files.read(stored.id)
    assert not files.stored_files()
    assert await files.app.mongo["messages"].count_documents({"file.id": stored.id}) == 1, "the message stays"


async def test_a_site_accepts_only_its_kinds_and_sizes(files: Files) -> None:
    visitor = files.new_visitor()
    stored = await files.upload(visitor)
    for changes in ({"kinds": ["text"]}, {"max_bytes": 10}):
        await files.set_site(**changes)
        with pytest.raises(ValidationFailed) as refused:
            await files.send(visitor, stored.id)
        assert list(refused.value.fields) == ["file_id"]
        site = await files.app.admin.cached_sites.get(files.owner.tenant_id, files.site_id)
        with pytest.raises((FileTypeNotAllowed, FileTooLarge)):
            await files.service.store(uploader(visitor), files.service.policy_of(site), "a.pdf", chunks(PDF))
    await files.set_site(enabled_for_visitors=False)
    site = await files.app.admin.cached_sites.get(files.owner.tenant_id, files.site_id)
    with pytest.raises(ParleyError, match="accepts no files"):
        files.service.require_visitors_allowed(site)
