"""Search in everything that was said: what is found, by whom, how soon, and what remains of what was removed."""

from __future__ import annotations

import secrets
from array import array
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from parley.chat.backends import Backends
from parley.chat.conversations.module import ConversationModule
from parley.chat.conversations.queries import ArchiveFilter, ConversationFilter, select_queue
from parley.chat.mongo_ids import BlockIdGenerator
from parley.chat.mongo_schema import SCHEMA
from parley.chat.privacy.module import build_personal_data_service
from parley.chat.search.index import DOCUMENTS, PAGES, SEGMENTS, to_page
from parley.chat.search.postings import iterate_upwards
from parley.chat.search.segments import SegmentBuilder
from parley.chat.search.text import Term
from parley.chat.settings import ChatSettings
from parley.chat.uploads.storage import FolderStorage
from parley.chat.visitors.model import DataSubject
from parley.common.auth.identity import OperatorCaller, VisitorCaller
from parley.common.events.schemas import MessageTranslation
from parley.common.messaging import RpcClient
from support.admin_app import AdminTestApp
from support.migration_job import create_migrator
from support.wait import wait_until

PATH = "/api/v1/operator/search"
INDEX_COLLECTIONS = (DOCUMENTS, PAGES, SEGMENTS)


class Chat:
    """A tenant with a site, whose visitors and operators write."""

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
        self.personal_data = build_personal_data_service(
            settings, app.mongo, app.outbox, app.admin, FolderStorage(folder), rpc
        )

    def new_visitor(self, site_id: int | None = None) -> VisitorCaller:
        return VisitorCaller(self.owner.tenant_id, site_id or self.site_id, f"sess_{secrets.token_hex(16)}")

    async def write(self, *texts: str, visitor: VisitorCaller | None = None) -> int:
        """Send messages as a visitor. Returns the conversation's id, once all are indexed."""
        visitor = visitor or self.new_visitor()
        for text in texts:
            received = await self.module.visitor_messages.receive(visitor, text)
        assert received.message is not None
        message_id = received.message.id
        await self.wait_for_document(f"m:{message_id}")
        return received.conversation.id

    async def wait_for_document(self, document_id: str) -> None:
        async def indexed() -> bool:
            return await self.app.mongo[DOCUMENTS].find_one({"_id": document_id}) is not None

        await wait_until(indexed, description=f"{document_id} is indexed")

    async def find(self, text: str, caller: OperatorCaller | None = None, **query: Any) -> list[dict[str, Any]]:
        response = await self.app.call("GET", PATH, caller or self.owner, q=text, **query)
        hits: list[dict[str, Any]] = response.ok()["hits"]
        return hits

    async def find_texts(self, text: str, caller: OperatorCaller | None = None, **query: Any) -> list[str]:
        return [hit["snippet"]["text"] for hit in await self.find(text, caller, **query)]

    async def build_segments(self, size: int = 1) -> int:
        """Move what is open into segments of so many documents."""
        next_id = BlockIdGenerator(self.app.mongo, "search_segment", block=1).next
        return await SegmentBuilder(
            self.app.mongo, self.app.search.index, next_id, self.app.clock, size=size
        ).build_for_tenant(self.owner.tenant_id)


async def create_chat(app: AdminTestApp, folder: Path) -> Chat:
    owner = await app.create_tenant()
    site = await app.create_site(owner)
    return Chat(app, await app.get_caller(owner.operator_id), site["id"], folder)


@pytest.fixture
async def chat(app: AdminTestApp, tmp_path: Path) -> Chat:
    return await create_chat(app, tmp_path)


@pytest.fixture
async def isolated_chat(isolated_app: AdminTestApp, tmp_path: Path) -> Chat:
    """Of a test that moves the clock, or reads the whole index."""
    return await create_chat(isolated_app, tmp_path)


async def test_a_message_is_found_with_its_place(chat: Chat) -> None:
    conversation_id = await chat.write("Good morning", "My Käsekuchen has not arrived")
    (hit,) = await chat.find("kasekuchen")
    assert hit["conversation"] == {
        "id": conversation_id,
        "site_id": chat.site_id,
        "mode": "ai",
        "visitor_name": None,
    }
    assert (hit["kind"], hit["seq"], hit["role"]) == ("message", 2, "visitor")
    text, ((start, end),) = hit["snippet"]["text"], hit["snippet"]["marks"]
    assert text[start:end] == "Käsekuchen"


async def test_all_words_are_needed_and_phrases_are_adjacent(chat: Chat) -> None:
    await chat.write("the parcel is late", "late is the hour", "the late parcel")
    assert len(await chat.find("the late")) == 3
    assert await chat.find_texts("parcel late") == ["the late parcel", "the parcel is late"]
    assert await chat.find_texts('"the late"') == ["the late parcel"]
    assert await chat.find_texts('"is late" parcel') == ["the parcel is late"]
    assert await chat.find("parcel hour") == []
    assert await chat.find("...") == []


async def test_the_same_is_found_in_segments_and_before(chat: Chat) -> None:
    texts = [f"number {number} of the parcels, {'even' if number % 2 else 'odd'}" for number in range(9)]
    visitor = chat.new_visitor()
    await chat.write(*texts, visitor=visitor)
    before = await chat.find_texts("parcels even")
    assert before == [texts[number] for number in (7, 5, 3, 1)]
    assert await chat.build_segments(4) == 2
    still_open = {"tenant_id": chat.owner.tenant_id, "open": True}
    assert await chat.app.mongo[DOCUMENTS].count_documents(still_open) == 1
    assert await chat.find_texts("parcels even") == before
    assert await chat.find_texts('"the parcels"') == texts[::-1]
    assert await chat.find_texts("parc", in_="messages") == texts[::-1]
    assert await chat.find("parcels", in_="notes") == []
    assert await chat.build_segments(4) == 0, "nothing is due"


@pytest.mark.parametrize("segment_size", [None, 3, 7])
async def test_pages_continue_where_the_last_one_ended(chat: Chat, segment_size: int | None) -> None:
    visitor = chat.new_visitor()
    texts = [f"parcel {number}" for number in range(20)]
    await chat.write(*texts, visitor=visitor)
    if segment_size:
        await chat.build_segments(segment_size)
    for query in ("parcel", '"parcel 1" parcel', "parcel 1"):
        expected = await chat.find_texts(query, limit=100)
        found: list[str] = []
        cursor: dict[str, Any] = {}
        while True:
            page = (await chat.app.call("GET", PATH, chat.owner, q=query, limit=3, **cursor)).ok()
            found += [hit["snippet"]["text"] for hit in page["hits"]]
            if page["next_cursor"] is None:
                break
            cursor = {"cursor": page["next_cursor"]}
        assert found == expected
    assert len(expected) == 1


async def test_notes_and_visitors_are_found(chat: Chat) -> None:
    visitor = chat.new_visitor()
    conversation_id = await chat.write("Hello", visitor=visitor)
    await chat.module.visitors.leave_contact_details(
        visitor, {"name": "Anna-Lena Schmidt", "email": "anna@example.com", "phone": "+49 170 1234567"}
    )
    note = await chat.module.conversations.add_note(chat.owner, conversation_id, "Prefers telephone")
    await chat.wait_for_document(f"n:{note.id}")
    await chat.wait_for_document(f"v:{conversation_id}")
    (hit,) = await chat.find("telephone")
    assert (hit["kind"], hit["id"], hit["author"]["id"]) == ("note", note.id, chat.owner.operator_id)
    for query in ("chmidt", "anna lena", "example.com", "170 1234567", "0170/1234567", "234567"):
        (hit,) = await chat.find(query)
        assert (hit["kind"], hit["conversation"]["visitor_name"]) == ("visitor", "Anna-Lena Schmidt"), query
        assert hit["snippet"]["marks"], query
    assert await chat.find("telephone", in_="messages,visitors") == []
    assert await chat.find("schmidt", in_="messages,notes") == []
    # Another name, also when the old one is in a segment.
    await chat.build_segments()
    await chat.module.visitors.leave_contact_details(visitor, {"name": "Bea Meier"})

    async def renamed() -> bool:
        return bool(await chat.find("meier"))

    await wait_until(renamed, description="the new name is found")
    assert await chat.find("schmidt") == []


async def test_translations_are_found(chat: Chat) -> None:
    conversation_id = await chat.write("Wo ist mein Paket?")
    translation = MessageTranslation(lang="en", content="Where is my parcel?")
    await chat.module.message_translations.save(conversation_id, 1, translation)
    await chat.app.search.feed.index_translation(conversation_id, 1)
    assert await chat.find_texts("parcel") == ["Where is my parcel?"]
    assert await chat.find_texts("paket") == ["Wo ist mein Paket?"]
    await chat.app.search.feed.index_translation(conversation_id, 1)
    assert len(await chat.find("parcel")) == 1


async def test_only_what_the_caller_may_view_is_found(chat: Chat) -> None:
    other_site = (await chat.app.create_site(chat.owner, "Other"))["id"]
    chat.owner = await chat.app.get_caller(chat.owner.operator_id)
    await chat.write("parcel here")
    await chat.write("parcel there", visitor=chat.new_visitor(other_site))
    viewer = await chat.app.create_member(chat.owner, chat.site_id, can_view_conversations=True)
    chatting = await chat.app.create_member(chat.owner, other_site, can_chat=True)
    stranger = await chat.app.create_tenant()
    for build in (False, True):
        if build:
            await chat.build_segments(2)
        assert await chat.find_texts("parcel") == ["parcel there", "parcel here"]
        assert await chat.find_texts("parcel", site_id=other_site) == ["parcel there"]
        assert await chat.find_texts("parcel", viewer) == ["parcel here"]
        assert await chat.find("parcel", stranger) == []
        assert (await chat.app.call("GET", PATH, viewer, q="parcel", site_id=other_site)).status == 403
        assert (await chat.app.call("GET", PATH, stranger, q="parcel", site_id=other_site)).status == 404
    assert await chat.find("parcel", replace(chatting, sites={})) == []


@pytest.mark.parametrize("in_segment", [False, True])
async def test_lists_of_conversations_are_filtered_by_what_was_said(chat: Chat, in_segment: bool) -> None:
    other_site = (await chat.app.create_site(chat.owner, "Other"))["id"]
    chat.owner = await chat.app.get_caller(chat.owner.operator_id)
    visitor = chat.new_visitor()
    # The newest message has none of the words.
    asked = await chat.write("My order A-1234 is late", "订单什么时候到", "Thank you", visitor=visitor)
    await chat.module.visitors.leave_contact_details(visitor, {"name": "Jane Order"})
    named = await chat.write("Hello", visitor=(by_name := chat.new_visitor()))
    await chat.module.visitors.leave_contact_details(by_name, {"name": "Parcel Jack"})
    await chat.write("My order is late, too", visitor=chat.new_visitor(other_site))
    note = await chat.module.conversations.add_note(chat.owner, named, "A late parcel")
    await chat.wait_for_document(f"n:{note.id}")
    if in_segment:
        await chat.build_segments()

    async def list_ids(text: str) -> list[int]:
        fields = ConversationFilter(search=text)
        queries, selection = chat.module.queries, select_queue("ai", fields)
        archive = await queries.list_archive(chat.owner, chat.site_id, ArchiveFilter((), fields), None, 0, 10)
        queue = await queries.list_site_queue(chat.owner, chat.site_id, selection, None, 10)
        ids = [conversation.id for conversation in archive.rows]
        assert archive.total == await queries.count_archive(chat.owner, chat.site_id, ArchiveFilter((), fields), 10)
        assert archive.total == await queries.count_queue(chat.owner, chat.site_id, selection, 10) == len(ids)
        assert [conversation.id for conversation in queue.rows] == ids
        return ids

    for text in ("late order", "a1234", "什么时候", "时候"):
        assert await list_ids(text) == [asked], text
    assert await list_ids("order") == [asked], "each once, also where name and message match"
    assert await list_ids("parcel") == [named], "by the name, and not by the note"
    for text in ("late parcel", "什么时间", "times"):
        assert await list_ids(text) == [], text


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "q"),
        ({"q": ""}, "q"),
        ({"q": "x" * 201}, "q"),
        ({"q": "x", "in_": "files"}, "in"),
        ({"q": "x", "cursor": "zzz"}, "cursor"),
        ({"q": "x", "limit": 0}, "limit"),
    ],
)
async def test_what_is_wrong_is_named(chat: Chat, query: dict[str, Any], field: str) -> None:
    response = await chat.app.call("GET", PATH, chat.owner, **query)
    assert list(response.ok(422)["errors"]) == [field]


def new_word() -> str:
    return f"w{secrets.token_hex(6)}"


async def stored_in_index(chat: Chat, *needles: str) -> list[str]:
    """Where the index still has one of these texts."""
    found = []
    for collection in INDEX_COLLECTIONS:
        async for document in chat.app.mongo[collection].find():
            found += [f"{collection}: {needle}" for needle in needles if needle in repr(document)]
    return found


async def erase(chat: Chat, visitor: VisitorCaller) -> None:
    subject = DataSubject(visitor.tenant_id, visitor.site_id, visitor.session)
    await chat.personal_data.erase(chat.owner, subject)


@pytest.mark.parametrize("in_segment", [False, True])
async def test_nothing_remains_of_an_erased_visitor(chat: Chat, in_segment: bool) -> None:
    visitor, words = chat.new_visitor(), [new_word() for _ in range(4)]
    await chat.write(f"{words[0]} and parcel", words[1], visitor=visitor)
    conversation_id = await chat.write("visible parcel")
    await chat.module.visitors.leave_contact_details(visitor, {"name": words[2]})
    await chat.write(words[3], visitor=visitor)
    if in_segment:
        assert await chat.build_segments(5) == 1
    assert len(await stored_in_index(chat, *words)) >= len(words)
    await erase(chat, visitor)
    assert await stored_in_index(chat, *words) == []
    (hit,) = await chat.find("parcel")
    assert hit["conversation"]["id"] == conversation_id


async def test_what_is_erased_while_a_segment_is_built_does_not_remain(chat: Chat) -> None:
    visitor, word = chat.new_visitor(), new_word()
    await chat.write(f"{word} and parcel", visitor=visitor)
    await chat.write("visible parcel")

    class ErasingIndex(SegmentBuilder):
        """Erases when the pages are written, and the documents have no place yet."""

        async def _set_places(self, number: int, contents: Any, deadline: float) -> None:
            await erase(chat, visitor)
            await super()._set_places(number, contents, deadline)

    next_id = BlockIdGenerator(chat.app.mongo, "search_segment", block=1).next
    builder = ErasingIndex(chat.app.mongo, chat.app.search.index, next_id, chat.app.clock, size=2)
    assert await builder.build_for_tenant(chat.owner.tenant_id) == 1
    assert await stored_in_index(chat, word) == []
    assert await chat.find_texts("parcel") == ["visible parcel"]


@pytest.mark.parametrize("step", ["_write_pages", "_set_places", "_seal"])
async def test_a_segment_that_a_process_left_unfinished_is_built_again(isolated_chat: Chat, step: str) -> None:
    texts = [f"parcel {number}" for number in range(4)]
    await isolated_chat.write(*texts, visitor=isolated_chat.new_visitor())

    async def crash(*_: object) -> None:
        raise ConnectionError

    next_id = BlockIdGenerator(isolated_chat.app.mongo, "search_segment", block=1).next
    builder = SegmentBuilder(
        isolated_chat.app.mongo, isolated_chat.app.search.index, next_id, isolated_chat.app.clock, size=4
    )
    setattr(builder, step, crash)
    with pytest.raises(ConnectionError):
        await builder.build_for_tenant(isolated_chat.owner.tenant_id)
    assert await isolated_chat.find_texts("parcel") == texts[::-1]
    assert await isolated_chat.build_segments(4) == 0, "the lease has not ended"
    isolated_chat.app.clock.advance(hours=1)
    await isolated_chat.build_segments(4)
    assert await isolated_chat.find_texts("parcel") == texts[::-1]
    assert await isolated_chat.app.mongo[SEGMENTS].distinct("state") == ["sealed"]
    assert await isolated_chat.app.mongo[DOCUMENTS].count_documents({"open": True}) == 0
    segment = await isolated_chat.app.mongo[SEGMENTS].find_one()
    assert segment is not None
    prefixes = {page["_id"].split(":")[0] async for page in isolated_chat.app.mongo[PAGES].find()}
    assert prefixes == {str(segment["_id"])}


async def test_a_deleted_site_leaves_the_index(chat: Chat) -> None:
    word = new_word()
    await chat.write(f"{word} one", f"{word} two", f"{word} three", visitor=chat.new_visitor())
    await chat.build_segments(2)
    assert await chat.app.search.index.remove_site(chat.owner.tenant_id, chat.site_id) == 3
    assert await stored_in_index(chat, word) == []


async def test_indexing_again_changes_nothing(chat: Chat) -> None:
    await chat.write("parcel one", "parcel two", visitor=chat.new_visitor())
    await chat.build_segments(1)
    own = {"tenant_id": chat.owner.tenant_id}
    before = await chat.app.mongo[DOCUMENTS].find(own).sort("_id", 1).to_list()
    async for _ in chat.app.search.feed.rebuild():
        pass
    assert await chat.app.mongo[DOCUMENTS].find(own).sort("_id", 1).to_list() == before


async def test_a_rebuild_repairs_the_index(chat: Chat) -> None:
    await chat.write("parcel one", "parcel two", visitor=chat.new_visitor())
    documents, word = chat.app.mongo[DOCUMENTS], new_word()
    (gone, *_) = await chat.find("one")
    await documents.delete_one({"_id": f"m:{gone['id']}"})
    (stale, *_) = await chat.find("two")
    await documents.update_one({"_id": f"m:{stale['id']}"}, {"$set": {"terms": [word]}})
    orphan = await documents.find_one({"_id": f"m:{stale['id']}"})
    assert orphan is not None
    await documents.insert_one({**orphan, "_id": "m:-1", "source_id": -1})
    async for _ in chat.app.search.feed.rebuild():
        pass
    assert await chat.find_texts("parcel") == ["parcel two", "parcel one"]
    assert await stored_in_index(chat, word) == []


async def unpack_pages(chat: Chat) -> None:
    """Write the pages of segments as version 10 of the schema did."""
    async for row in chat.app.mongo[PAGES].find():
        page = to_page(row)
        found = {term: iterate_upwards(page.bits(page.find(Term(term)))) for term in page.terms.split()}
        terms = {term: array("H", positions).tobytes() for term, positions in found.items()}
        await chat.app.mongo[PAGES].replace_one({"_id": row["_id"]}, {"version": 0, "terms": terms})


async def test_pages_of_the_version_before_are_read_and_packed(isolated_chat: Chat) -> None:
    """And nothing is written that the version before cannot read while it runs."""
    visitor, word = isolated_chat.new_visitor(), new_word()
    await isolated_chat.write("parcel 1", "parcel 2")
    await isolated_chat.write(f"{word} parcels", visitor=visitor)
    schema = isolated_chat.app.mongo["schema"]
    await schema.update_one({}, {"$currentDate": {"code.10": True}})
    assert await isolated_chat.build_segments(3) == 0
    await schema.update_one({}, {"$unset": {"code.10": ""}})
    assert await isolated_chat.build_segments(3) == 1
    await unpack_pages(isolated_chat)
    assert await isolated_chat.find_texts("parc") == [f"{word} parcels", "parcel 2", "parcel 1"]
    await erase(isolated_chat, visitor)
    assert await stored_in_index(isolated_chat, word) == []
    await schema.delete_many({})
    assert await create_migrator(isolated_chat.app.mongo.database, SCHEMA).run() == []
    assert await isolated_chat.app.mongo[PAGES].distinct("terms.1") == [], "all are packed"
    assert await isolated_chat.find_texts("parcel 2") == ["parcel 2"]
    assert await isolated_chat.find("parcels") == []


async def test_what_older_code_wrote_is_indexed_by_the_migration(isolated_chat: Chat) -> None:
    visitor = isolated_chat.new_visitor()
    conversation_id = await isolated_chat.write("parcel one", "parcel two", visitor=visitor)
    await isolated_chat.module.visitors.leave_contact_details(visitor, {"name": "Zacharias"})
    await isolated_chat.wait_for_document(f"v:{conversation_id}")
    for collection in INDEX_COLLECTIONS:
        await isolated_chat.app.mongo[collection].delete_many({})
    await isolated_chat.app.mongo["schema"].delete_many({})
    assert await create_migrator(isolated_chat.app.mongo.database, SCHEMA).run() == []
    assert await isolated_chat.find_texts("parcel") == ["parcel two", "parcel one"]
    (hit,) = await isolated_chat.find("zachar")
    assert hit["conversation"]["id"] == conversation_id
