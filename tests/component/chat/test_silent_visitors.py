"""What strangers leave behind without a word expires: visitors who never wrote, and images that were never sent."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import pytest
from aiohttp.test_utils import TestClient, TestServer
from PIL import Image

from parley.chat.audiences import Scope
from parley.chat.backends import Backends
from parley.chat.canned_replies.handlers import CannedReplyHandlers
from parley.chat.canned_replies.model import CannedReplyDraft
from parley.chat.canned_replies.repository import MongoCannedReplyRepository
from parley.chat.canned_replies.schemas import CannedRepliesQuery
from parley.chat.conversations.module import ConversationModule
from parley.chat.files.model import Uploader
from parley.chat.privacy.module import build_personal_data_service
from parley.chat.settings import ChatSettings
from parley.chat.uploads.handlers import UploadHandlers
from parley.chat.uploads.image_sanitizer import WorkerImageSanitizer
from parley.chat.uploads.repository import MongoUploadRepository
from parley.chat.uploads.service import UploadService
from parley.chat.uploads.storage import FolderStorage
from parley.chat.visitors.errors import VisitorNotFound
from parley.chat.visitors.model import DataSubject
from parley.common.auth.identity import IdentitySigner, OperatorCaller, VisitorCaller
from parley.common.errors import NotFound, ValidationFailed
from parley.common.http import build_app
from parley.common.messaging import RpcClient
from support.admin_app import AdminTestApp, RecordedBroker, StartApp

LIFETIME = timedelta(days=1)


def png() -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (4, 4), (9, 9, 9)).save(buffer, "PNG")
    return buffer.getvalue()


class Chat:
    """Chat's visitors, messages and images, on a clock that tests move."""

    def __init__(self, app: AdminTestApp, owner: OperatorCaller, site_id: int, folder: Path) -> None:
        self.app, self.owner, self.site_id = app, owner, site_id
        settings = ChatSettings(
            env="development",
            identity_secret=secrets.token_hex(32),
            amqp_url="amqp://unused",
            mongodb_uri="mongodb://unused",
            storage_dir=folder,
        )
        rpc = {name: RpcClient(name) for name in ("presence", "translate", "notify")}
        backends = Backends(app.mongo, app.broker, app.outbox, rpc)
        self.module = ConversationModule(backends, app.admin, settings, app.clock)
        self.uploads = UploadService(
            WorkerImageSanitizer(),
            FolderStorage(folder),
            MongoUploadRepository(app.mongo, app.clock, LIFETIME),
            settings.image_base,
        )
        stores = app.mongo, app.outbox, app.admin, FolderStorage(folder), rpc
        self.personal_data = build_personal_data_service(settings, *stores)
        moved = settings.model_copy(update={"public_url": "https://elsewhere.example.com"})
        self.personal_data_at_new_address = build_personal_data_service(moved, *stores)

    @classmethod
    async def create(cls, app: AdminTestApp, folder: Path) -> Self:
        owner = await app.create_tenant()
        site = await app.create_site(owner)
        return cls(app, await app.get_caller(owner.operator_id), site["id"], folder)

    def new_visitor(self) -> VisitorCaller:
        return VisitorCaller(self.owner.tenant_id, self.site_id, f"sess_{secrets.token_hex(16)}")

    async def upload(self, visitor: VisitorCaller) -> str:
        stored = await self.uploads.store_image(visitor.tenant_id, png(), visitor.site_id, visitor.session)
        return stored.url

    async def validate(self, url: str, visitor: VisitorCaller | None = None) -> str | None:
        """As for a message of the visitor; without one, of an operator."""
        uploader = Uploader(self.owner.tenant_id)
        if visitor is not None:
            uploader = Uploader(visitor.tenant_id, visitor.site_id, visitor.session)
        return await self.uploads.validate_url(uploader, url)

    async def wait_for_message(self, url: str, count: int = 1) -> None:
        async with asyncio.timeout(10):
            while await self.app.mongo["messages"].count_documents({"image_url": url}) < count:
                await asyncio.sleep(0.02)


@pytest.fixture
async def chat(isolated_app: AdminTestApp, tmp_path: Path) -> Chat:
    return await Chat.create(isolated_app, tmp_path)


async def test_a_visitor_who_never_wrote_is_removed_after_a_day(chat: Chat) -> None:
    visitors, silent = chat.module.visitors, chat.new_visitor()
    wrote, left_address, blocked = (chat.new_visitor() for _ in range(3))
    await visitors.leave_contact_details(silent, {"name": "Jane"})
    await visitors.leave_contact_details(left_address, {"email": "jane@example.com"})
    await chat.module.visitor_messages.receive(wrote, "Hello")
    await visitors.leave_contact_details(blocked, {"name": "Jane"})
    await chat.app.mongo["visitors"].update_one({"session": blocked.session}, {"$set": {"blocked": "ai"}})

    chat.app.clock.advance(hours=23)
    await visitors.remove_silent()
    assert (await visitors.get(silent)).name == "Jane"
    chat.app.clock.advance(hours=2)
    await visitors.remove_silent()
    with pytest.raises(VisitorNotFound):
        await visitors.get(silent)
    for kept in (wrote, left_address, blocked):
        await visitors.get(kept)
    assert await chat.app.mongo["visitors"].count_documents({"expires_at": {"$type": "date"}}) == 0


async def test_a_visitor_who_writes_at_the_last_moment_stays(chat: Chat) -> None:
    visitors, visitor = chat.module.visitors, chat.new_visitor()
    await visitors.leave_contact_details(visitor, {"name": "Jane"})
    chat.app.clock.advance(hours=23)
    await visitors.leave_contact_details(visitor, {"name": "Jane Doe"})
    chat.app.clock.advance(hours=2)
    await visitors.remove_silent()
    assert (await visitors.get(visitor)).name == "Jane Doe"


async def test_a_visitor_of_an_older_version_does_not_expire(chat: Chat) -> None:
    visitors, visitor = chat.module.visitors, chat.new_visitor()
    await visitors.leave_contact_details(visitor, {"name": "Jane"})
    await chat.app.mongo["visitors"].update_one({"session": visitor.session}, {"$unset": {"expires_at": ""}})
    chat.app.clock.advance(days=90)
    await visitors.remove_silent()
    assert (await visitors.get(visitor)).name == "Jane"


async def test_an_image_that_was_never_sent_is_removed_after_a_day(chat: Chat) -> None:
    visitor = chat.new_visitor()
    unsent, sent = await chat.upload(visitor), await chat.upload(visitor)
    await chat.module.visitor_messages.receive(visitor, "", image_url=sent)
    await chat.wait_for_message(sent)
    by_operator = (await chat.uploads.store_image(visitor.tenant_id, png())).url

    chat.app.clock.advance(hours=23, minutes=30)
    await chat.uploads.remove_unsent()
    assert await chat.uploads.read(unsent.rsplit("/", 1)[1])
    chat.app.clock.advance(hours=1)
    await chat.uploads.remove_unsent()
    with pytest.raises(NotFound):
        await chat.uploads.read(unsent.rsplit("/", 1)[1])
    for kept, sender in ((sent, visitor), (by_operator, None)):
        assert await chat.uploads.read(kept.rsplit("/", 1)[1])
        assert await chat.validate(kept, sender) == kept
    assert await chat.app.mongo["uploads"].count_documents({"expires_at": {"$type": "date"}}) == 0


async def test_an_image_can_be_sent_until_it_expires(chat: Chat) -> None:
    visitor = chat.new_visitor()
    url = await chat.upload(visitor)
    chat.app.clock.advance(hours=23, minutes=59)
    assert await chat.validate(url, visitor) == url
    # The message may be stored some time later.
    chat.app.clock.advance(minutes=30)
    await chat.uploads.remove_unsent()
    assert await chat.uploads.read(url.rsplit("/", 1)[1])
    chat.app.clock.advance(minutes=31)
    with pytest.raises(ValidationFailed):
        await chat.validate(url, visitor)


async def test_an_image_that_was_sent_can_always_be_sent_again(chat: Chat) -> None:
    visitor = chat.new_visitor()
    url = await chat.upload(visitor)
    await chat.module.visitor_messages.receive(visitor, "", image_url=url)
    for _ in range(3):
        assert await chat.validate(url, visitor) == url
        chat.app.clock.advance(hours=23, minutes=30)


async def test_an_image_whose_message_waits_for_the_broker_is_kept(start_app: StartApp, tmp_path: Path) -> None:
    async with start_app(RecordedBroker("amqp://never-connected")) as app:
        chat = await Chat.create(app, tmp_path)
        visitor = chat.new_visitor()
        url = await chat.upload(visitor)
        await chat.module.visitor_messages.receive(visitor, "", image_url=url)
        assert await app.mongo["messages"].find_one({"image_url": url}) is None
        app.clock.advance(days=2)
        await chat.uploads.remove_unsent()
        assert await chat.uploads.read(url.rsplit("/", 1)[1])


async def test_a_sent_image_stays_when_the_address_of_the_installation_changes(chat: Chat) -> None:
    visitor = chat.new_visitor()
    sent, unsent = await chat.upload(visitor), await chat.upload(visitor)
    await chat.module.visitor_messages.receive(visitor, "", image_url=sent)
    await chat.wait_for_message(sent)
    moved = replace(chat.uploads, base_url="https://elsewhere.example.com/uploads/")
    chat.app.clock.advance(days=2)
    await moved.remove_unsent()
    assert await moved.read(sent.rsplit("/", 1)[1])
    with pytest.raises(NotFound):
        await moved.read(unsent.rsplit("/", 1)[1])


async def test_erasure_finds_images_that_were_sent_under_an_earlier_address(chat: Chat) -> None:
    first, second = chat.new_visitor(), chat.new_visitor()
    names = {}
    for audience in (("first",), ("first", "second")):
        url = (await chat.uploads.store_image(first.tenant_id, png())).url
        names[audience] = url.rsplit("/", 1)[1]
        for visitor in (first, second)[: len(audience)]:
            await chat.module.visitor_messages.receive(visitor, "", image_url=url)
        await chat.wait_for_message(url, len(audience))
    subjects = [DataSubject(one.tenant_id, one.site_id, one.session) for one in (first, second)]
    privacy = chat.personal_data_at_new_address

    assert (await privacy.count(subjects[0])).images == 2
    assert (await privacy.erase(chat.owner, subjects[0])).images == 1
    with pytest.raises(NotFound):
        await chat.uploads.read(names["first",])
    assert await chat.uploads.read(names["first", "second"]), "the second visitor sees it still"
    await privacy.erase(chat.owner, subjects[1])
    with pytest.raises(NotFound):
        await chat.uploads.read(names["first", "second"])


async def test_replies_that_nobody_can_see_any_more_are_removed(chat: Chat) -> None:
    replies, repository = chat.app.admin.canned_replies, MongoCannedReplyRepository(chat.app.mongo, chat.app.clock)
    deleted = (await chat.app.create_site(chat.owner))["id"]
    chat.owner = await chat.app.get_caller(chat.owner.operator_id)
    scopes: list[tuple[Scope, int | None]] = [("mine", None), ("site", chat.site_id), ("site", deleted), ("all", None)]
    for scope, site_id in scopes:
        await replies.add(chat.owner, CannedReplyDraft(scope, site_id, "hi", "Hello!", None))
    removed = replace(chat.owner, operator_id=chat.owner.operator_id + 1_000_000)
    await replies.add(removed, CannedReplyDraft("mine", None, "hi", "Hello!", None))
    await chat.app.admin.site_service.delete(chat.owner, deleted)
    await replies.remove_orphaned()
    audiences = sorted(name for tenant, name in await repository.list_audiences() if tenant == chat.owner.tenant_id)
    assert audiences == ["all", f"operator:{chat.owner.operator_id}", f"site:{chat.site_id}"]


async def test_an_operators_image_in_a_canned_reply_is_kept_when_a_visitor_is_erased(chat: Chat) -> None:
    visitor = chat.new_visitor()
    url = (await chat.uploads.store_image(visitor.tenant_id, png())).url
    await chat.app.admin.canned_replies.add(chat.owner, CannedReplyDraft("all", None, "menu", "See the picture.", url))
    await chat.module.visitor_messages.receive(visitor, "", image_url=url)
    await chat.wait_for_message(url)
    await chat.personal_data.erase(chat.owner, DataSubject(visitor.tenant_id, visitor.site_id, visitor.session))
    assert await chat.uploads.read(url.rsplit("/", 1)[1])


async def test_a_visitors_image_is_erased_also_where_an_earlier_version_let_others_show_it(chat: Chat) -> None:
    visitor, other = chat.new_visitor(), chat.new_visitor()
    url = await chat.upload(visitor)
    await chat.app.admin.canned_replies.add(chat.owner, CannedReplyDraft("all", None, "map", "See the picture.", url))
    await chat.module.visitor_messages.receive(other, "Theirs", image_url=url)
    await chat.wait_for_message(url)
    chat.app.clock.advance(days=2)
    await chat.uploads.remove_unsent()
    assert await chat.uploads.read(url.rsplit("/", 1)[1])
    await chat.personal_data.erase(chat.owner, DataSubject(visitor.tenant_id, visitor.site_id, visitor.session))
    with pytest.raises(NotFound):
        await chat.uploads.read(url.rsplit("/", 1)[1])
    (reply,) = await chat.app.admin.canned_replies.list_page(chat.owner, None, "map", 0, 10)
    assert (reply.text, reply.image_url) == ("See the picture.", None), "it can still be sent"


async def test_an_earlier_versions_canned_reply_keeps_a_visitors_image_until_it_is_deleted(chat: Chat) -> None:
    visitor = chat.new_visitor()
    url = await chat.upload(visitor)
    await chat.app.admin.canned_replies.add(chat.owner, CannedReplyDraft("all", None, "map", "See the picture.", url))
    chat.app.clock.advance(days=2)
    await chat.uploads.remove_unsent()
    assert await chat.uploads.read(url.rsplit("/", 1)[1])
    for reply in await chat.app.admin.canned_replies.list_page(chat.owner, None, "map", 0, 10):
        await chat.app.admin.canned_replies.delete(chat.owner, reply.id)
    chat.app.clock.advance(hours=2)
    await chat.uploads.remove_unsent()
    with pytest.raises(NotFound):
        await chat.uploads.read(url.rsplit("/", 1)[1])


async def test_an_image_of_a_canned_reply_can_be_sent_when_the_address_of_the_installation_changes(chat: Chat) -> None:
    url = (await chat.uploads.store_image(chat.owner.tenant_id, png())).url
    await chat.app.admin.canned_replies.add(chat.owner, CannedReplyDraft("all", None, "map", "See the picture.", url))
    moved = replace(chat.uploads, base_url="https://elsewhere.example.com/uploads/")
    context: Any = SimpleNamespace(caller=chat.owner, query=CannedRepliesQuery())
    files: Any = None  # this reply has none
    listed = await CannedReplyHandlers(chat.app.admin.canned_replies, moved, files).list_page(context)
    shown = listed.canned_replies[0].image_url
    assert shown is not None
    assert shown.startswith("https://elsewhere.example.com/uploads/")
    assert await moved.validate_url(Uploader(chat.owner.tenant_id), shown) == shown


async def test_a_browser_that_has_an_image_gets_304_until_it_is_erased(chat: Chat) -> None:
    visitor = chat.new_visitor()
    url = await chat.upload(visitor)
    await chat.module.visitor_messages.receive(visitor, "", image_url=url)
    server = build_app([], signer=IdentitySigner(secrets.token_hex(32)))
    server.router.add_get(
        "/uploads/{name}", UploadHandlers(chat.uploads, chat.module.visitors, chat.module.late_writes).deliver
    )
    path = f"/uploads/{url.rsplit('/', 1)[1]}"

    async with TestClient(TestServer(server)) as client:
        async with client.get(path) as response:
            assert response.status == 200
            assert response.headers["Cache-Control"] == "private, no-cache"
            image = await response.read()
            revalidation = {"If-None-Match": response.headers["ETag"]}
        etag = revalidation["If-None-Match"]
        for etags in (etag, f"W/{etag}", f'"another", {etag}', "*"):
            async with client.get(path, headers={"If-None-Match": etags}) as response:
                assert (response.status, response.headers["ETag"], await response.read()) == (304, etag, b"")
                assert response.headers["Cache-Control"] == "private, no-cache"
        async with client.get(path, headers={"If-None-Match": '"another"'}) as response:
            assert (response.status, await response.read()) == (200, image)
        subject = DataSubject(visitor.tenant_id, visitor.site_id, visitor.session)
        await chat.personal_data.erase(chat.owner, subject)
        for headers in (revalidation, {"If-None-Match": "*"}, {}):
            async with client.get(path, headers=headers) as response:
                assert response.status == 404
