"""Knowledge sources: pages of a real web server and uploaded files, read by syncs of two replicas."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp.web import Request, Response, StreamResponse

from parley.chat.knowledge_sources.document_repository import MongoDocumentRepository
from parley.chat.knowledge_sources.http_fetcher import HttpFetcher
from parley.chat.knowledge_sources.limits import MAX_DOCUMENT_BYTES
from parley.chat.knowledge_sources.module import KnowledgeSourceModule
from parley.chat.knowledge_sources.server_turns import MongoServerTurns
from parley.chat.mongo_ids import BlockIdGenerator
from parley.chat.retrieval.model import Passage
from parley.chat.timeouts import SYNC_LEASE
from parley.common.auth.identity import IDENTITY_HEADER, OperatorCaller
from parley.common.http.ssrf_guard import SsrfGuard
from support.admin_app import AdminTestApp
from support.api import ApiResponse
from support.authorization_matrix import file_form
from support.website import (
    Gate,
    Handler,
    Website,
    broken_page,
    endless_page,
    gzip_bomb,
    redirect,
    respond,
    run_website,
)

TEXT = "We deliver to all countries of Europe within five working days, and to islands within ten."


@dataclass(slots=True)
class Sources:
    """The sources of one site, as its owner sees them."""

    app: AdminTestApp
    owner: OperatorCaller
    site_id: int

    @property
    def path(self) -> str:
        return f"/api/v1/sites/{self.site_id}/knowledge/sources"

    @classmethod
    async def create(cls, app: AdminTestApp) -> Sources:
        owner = await app.create_tenant()
        site = await app.create_site(owner)
        return cls(app, await app.get_caller(owner.operator_id), site["id"])

    async def add(self, kind: str, url: str | None = None, **options: Any) -> int:
        body = {"kind": kind, "name": kind, "url": url, **options}
        added: int = (await self.app.call("POST", self.path, self.owner, body)).ok(201)["source"]["id"]
        return added

    async def sync(self, replica: KnowledgeSourceModule | None = None) -> None:
        """Carry out every sync that is due."""
        while await (replica or self.app.knowledge_sources).sync.run_due():
            pass

    async def get(self, source_id: int) -> dict[str, Any]:
        shown: dict[str, Any] = (await self.app.call("GET", f"{self.path}/{source_id}", self.owner)).ok()["source"]
        return shown

    async def documents(self, source_id: int, **query: Any) -> dict[str, dict[str, Any]]:
        path = f"{self.path}/{source_id}/documents"
        listed = (await self.app.call("GET", path, self.owner, limit=100, **query)).ok()["documents"]
        return {
            document["name"].partition("://")[2].partition("/")[2] or document["name"]: document for document in listed
        }

    async def results(self, source_id: int) -> dict[str, str]:
        """What became of each document: its error, or its status."""
        documents = await self.documents(source_id)
        return {
            name: document["error"]["code"] if document["error"] else document["status"]
            for name, document in documents.items()
        }

    async def act(self, source_id: int, action: str) -> ApiResponse:
        return await self.app.call("POST", f"{self.path}/{source_id}/{action}", self.owner)

    async def resync(self, source_id: int) -> None:
        (await self.act(source_id, "sync")).ok()
        await self.sync()

    async def upload(self, source_id: int, data: bytes, name: str) -> ApiResponse:
        url = self.app.server.make_url(f"{self.path}/{source_id}/upload-file")
        headers = {IDENTITY_HEADER: self.app.signer.sign(self.owner)}
        async with self.app.http.post(url, data=file_form(data, name), headers=headers) as response:
            return ApiResponse(response.status, dict(response.headers), await response.read())

    async def passages(self) -> Sequence[Passage]:
        """What answers can be given from."""
        site = await self.app.admin.site_directory.get(self.owner.tenant_id, self.site_id)
        return await self.app.knowledge_sources.passages.list_passages(site)

    async def texts(self) -> list[str]:
        return sorted(passage.text for passage in await self.passages())


@pytest.fixture
async def website() -> AsyncIterator[Website]:
    async with run_website() as website:
        yield website


@pytest.fixture
async def sources(app: AdminTestApp) -> Sources:
    return await Sources.create(app)


@pytest.fixture
async def timed_sources(isolated_app: AdminTestApp) -> Sources:
    """For tests that move the clock."""
    return await Sources.create(isolated_app)


async def test_a_crawl_reads_the_pages_of_a_website_and_keeps_in_step(timed_sources: Sources, website: Website) -> None:
    sources = timed_sources
    website.handlers["/robots.txt"] = respond(
        body=b"User-agent: Parley\nDisallow: /private\n", content_type="text/plain"
    )
    website.add("/", "Home", TEXT, "/delivery?utm_source=x#top", "/private/a", "/old", "/hidden", "/copy", "/logo.png")
    website.add("/delivery", "Delivery", f"Parcels. {TEXT}", "/deep", "/seasonal", "https://elsewhere.example/")
    website.add("/deep", "Deep", f"Deep. {TEXT}", "/deeper")
    website.add("/deeper", "Deeper", TEXT)
    website.add("/seasonal", "Seasonal", f"Only in summer. {TEXT}")
    website.add("/hidden", "Hidden", TEXT, head='<meta name="robots" content="noindex">')
    website.add("/copy", "Delivery", TEXT, head='<link rel="canonical" href="/delivery">')
    website.handlers["/old"] = redirect("/delivery")
    source_id = await sources.add("crawl", f"{website.url}/", max_depth=2, schedule="daily")
    assert (await sources.get(source_id))["sync"]["state"] == "waiting"
    await sources.sync()
    assert await sources.results(source_id) == {
        f"{website.url}/": "ready",
        "delivery": "ready",
        "deep": "ready",
        "seasonal": "ready",
        "private/a": "robots",
        "old": "redirected",
        "hidden": "noindex",
        "copy": "duplicate",
    }
    shown = await sources.get(source_id)
    assert (shown["sync"]["state"], shown["sync"]["done"], shown["sync"]["total"]) == ("idle", 8, 8)
    assert shown["documents"] == {"ready": 4, "failed": 0, "skipped": 4, "pending": 0, "passages": 4}
    assert website.most_concurrent == 1
    agents = {request.headers["User-Agent"] for request in website.requests}
    assert agents == {"Mozilla/5.0 (compatible; Parley/1.0; +https://chat.test)"}
    document = (await sources.documents(source_id, status="ready"))["delivery"]
    assert (document["title"], document["language"], document["version"]) == ("Delivery", "en", 1)

    website.add("/delivery", "Delivery", "We deliver nowhere any more.", "/new", "/deep")
    website.add("/new", "New", f"New. {TEXT}")
    website.handlers["/deep"] = respond(500)
    del website.pages["/hidden"]
    website.requests.clear()
    sources.app.clock.advance(days=1, seconds=1)
    await sources.sync()
    results = await sources.results(source_id)
    assert results["new"] == "ready"
    assert results["deep"] == "server_error"
    assert results["hidden"] == "not_found"
    # No page links to it any more.
    assert "seasonal" not in results
    documents = await sources.documents(source_id)
    assert documents["delivery"]["version"] == 2
    assert documents[f"{website.url}/"]["version"] == 1
    # What a server cannot give for the moment stays.
    assert f"Deep. {TEXT}" in await sources.texts()
    assert "We deliver nowhere any more." in await sources.texts()
    home = next(request for request in website.requests if request.path == "/")
    assert "If-None-Match" in home.headers


async def test_a_sitemap_lists_the_pages_also_compressed_and_in_parts(sources: Sources, website: Website) -> None:
    for number in range(4):
        website.add(f"/page-{number}", f"Page {number}", f"{number}. {TEXT}")

    def urls(*paths: str) -> bytes:
        rows = "".join(f"<url><loc>{website.url}{path}</loc></url>" for path in paths)
        return f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{rows}</urlset>'.encode()

    index = "".join(
        f"<sitemap><loc>{website.url}/{name}</loc></sitemap>" for name in ("a.xml", "b.xml.gz", "bomb.xml.gz")
    )
    robots = f"Sitemap: {website.url}/map.xml\n".encode()
    bomb = gzip.compress(bytes(60 * 2**20))
    website.handlers["/robots.txt"] = respond(body=robots, content_type="text/plain")
    website.handlers["/map.xml"] = respond(body=f"<sitemapindex>{index}</sitemapindex>".encode())
    website.handlers["/a.xml"] = respond(body=urls("/page-0", "/page-1"))
    website.handlers["/b.xml.gz"] = respond(body=gzip.compress(urls("/page-2", "/missing")))
    website.handlers["/bomb.xml.gz"] = respond(body=bomb)
    source_id = await sources.add("sitemap", website.url)
    await sources.sync()
    assert await sources.results(source_id) == {
        "page-0": "ready",
        "page-1": "ready",
        "page-2": "ready",
        "missing": "not_found",
    }
    other_id = await sources.add("sitemap", f"{website.url}/nothing.xml")
    await sources.sync()
    assert (await sources.get(other_id))["sync"]["error"]["code"] == "not_found"


async def test_what_a_website_cannot_give_for_the_moment_removes_no_other_page(
    sources: Sources, website: Website
) -> None:
    """Pages that only a failing page or a failing part of a sitemap names are read again, and stay."""
    website.add("/", "Home", TEXT, "/delivery")
    website.add("/delivery", "Delivery", f"Parcels. {TEXT}", "/deep")
    website.add("/deep", "Deep", f"Deep. {TEXT}")
    website.add("/listed", "Listed", f"Listed. {TEXT}")
    website.add("/dropped", "Dropped", f"Dropped. {TEXT}")

    def sitemap(*paths: str) -> Handler:
        rows = "".join(f"<url><loc>{website.url}{path}</loc></url>" for path in paths)
        return respond(body=f"<urlset>{rows}</urlset>".encode(), content_type="application/xml")

    robots = "".join(f"Sitemap: {website.url}/{name}.xml\n" for name in "ab")
    website.handlers |= {
        "/robots.txt": respond(body=robots.encode(), content_type="text/plain"),
        "/a.xml": sitemap("/", "/dropped"),
        "/b.xml": sitemap("/listed"),
    }
    crawl_id = await sources.add("crawl", f"{website.url}/", max_depth=2)
    sitemap_id = await sources.add("sitemap", f"{website.url}/")
    await sources.sync()
    home = f"{website.url}/"
    failing = {"/": respond(500), "/b.xml": respond(500)}
    website.handlers |= {**failing, "/a.xml": sitemap("/")}
    website.add("/deep", "Deep", f"Deeper. {TEXT}")
    await sources.resync(crawl_id)
    await sources.resync(sitemap_id)
    assert await sources.results(crawl_id) == {home: "server_error", "delivery": "ready", "deep": "ready"}
    assert await sources.results(sitemap_id) == {home: "server_error", "listed": "ready", "dropped": "ready"}
    assert f"Deeper. {TEXT}" in await sources.texts()

    website.handlers["/b.xml"] = respond(404)
    website.handlers["/"] = respond(410)
    await sources.resync(crawl_id)
    await sources.resync(sitemap_id)
    assert await sources.results(crawl_id) == {home: "not_found"}
    assert await sources.results(sitemap_id) == {home: "not_found"}


async def test_every_failure_of_a_website_has_its_own_error(sources: Sources, website: Website) -> None:
    page = f"<title>Größe</title><main><h1>Größe</h1><p>{TEXT} Größe</p></main>"
    port = website.url.rpartition(":")[2]
    website.handlers |= {
        "/inside": redirect("http://10.0.0.1/"),
        "/named": redirect(f"http://localhost:{port}/secret"),
        "/loop": redirect("/loop"),
        "/gone": respond(410),
        "/locked": respond(401),
        "/endless": endless_page,
        "/broken": broken_page,
        "/bomb": gzip_bomb(64),
        "/picture": respond(body=b"\x89PNG", content_type="image/png"),
        "/empty": respond(body=b"<body></body>"),
        "/charset": respond(body=page.encode("cp1252"), content_type="text/html; charset=utf-8"),
        "/brotli": respond(body=b"x", Content_Encoding="br"),
    }
    expected = {
        "inside": "address_rejected",
        "named": "address_rejected",
        "loop": "too_many_redirects",
        "gone": "not_found",
        "locked": "access_denied",
        "endless": "too_large",
        "broken": "unreachable",
        "bomb": "too_large",
        "picture": "unsupported_type",
        "empty": "no_text",
        "charset": "ready",
        "brotli": "unsupported_encoding",
    }
    ids = {name: await sources.add("web_page", f"{website.url}/{name}") for name in expected}
    await sources.sync()
    results = {name: (await sources.results(source_id))[name] for name, source_id in ids.items()}
    assert results == expected
    assert await sources.texts() == [f"{TEXT} Größe"]
    assert "/secret" not in website.paths()
    refused = await sources.app.call(
        "POST", sources.path, sources.owner, {"kind": "crawl", "name": "x", "url": "file:///"}
    )
    assert (refused.status, set(refused.body["errors"])) == (422, {"url"})


async def test_a_sync_comes_back_when_a_busy_server_asks_for_it(timed_sources: Sources, website: Website) -> None:
    sources = timed_sources
    website.handlers["/page"] = respond(429, Retry_After="120")
    source_id = await sources.add("web_page", f"{website.url}/page")
    await sources.sync()
    assert (await sources.get(source_id))["sync"]["state"] == "running"
    assert website.paths() == ["/page"]
    del website.handlers["/page"]
    website.add("/page", "Page", TEXT)
    sources.app.clock.advance(seconds=121)
    await sources.sync()
    assert await sources.results(source_id) == {"page": "ready"}


async def test_a_killed_sync_is_finished_by_another_replica(timed_sources: Sources, website: Website) -> None:
    """Exactly one replica carries out a sync; after its death another one goes on where it stopped."""
    sources = timed_sources
    app = sources.app
    website.add("/", "Home", TEXT, *(f"/{number}" for number in range(4)))
    for number in range(4):
        website.add(f"/{number}", f"Page {number}", f"{number}. {TEXT}")
    gate = Gate(respond(body=website.pages.pop("/2").encode()))
    website.handlers["/2"] = gate.answer
    source_id = await sources.add("crawl", f"{website.url}/")
    first = asyncio.create_task(app.knowledge_sources.sync.run_due())
    await gate.reached.wait()
    assert (await sources.act(source_id, "sync")).body["code"] == "sync_running"
    assert not await app.knowledge_sources.sync.run_due()
    first.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await first
    assert (await sources.get(source_id))["sync"]["done"] == 3
    assert not await app.knowledge_sources.sync.run_due()
    app.clock.advance(seconds=SYNC_LEASE.total_seconds() + 1)
    gate.opened.set()
    await sources.sync()
    shown = await sources.get(source_id)
    assert (shown["sync"]["state"], shown["documents"]["ready"]) == ("idle", 5)
    assert sorted(website.paths()) == ["/", "/0", "/1", "/2", "/2", "/3"]


class DyingRepository(MongoDocumentRepository):
    """Of a replica that is killed as soon as it has stored a page, or the document of a file."""

    def __init__(self, app: AdminTestApp) -> None:
        super().__init__(app.mongo, BlockIdGenerator(app.mongo, "knowledge_document").next)

    async def store_content(self, *args: Any, **kwargs: Any) -> None:
        await super().store_content(*args, **kwargs)
        raise asyncio.CancelledError

    async def add_file(self, *args: Any) -> tuple[int, str | None]:
        await super().add_file(*args)
        raise asyncio.CancelledError


async def test_a_sync_that_was_killed_after_a_page_goes_on_with_its_links(
    timed_sources: Sources, website: Website
) -> None:
    app, sync = timed_sources.app, timed_sources.app.knowledge_sources.sync
    website.add("/", "Home", TEXT, "/delivery")
    website.add("/delivery", "Delivery", f"Parcels. {TEXT}")
    source_id = await timed_sources.add("crawl", f"{website.url}/")
    with pytest.raises(asyncio.CancelledError):
        await replace(sync, documents=DyingRepository(app)).run_due()
    app.clock.advance(seconds=SYNC_LEASE.total_seconds() + 1)
    await timed_sources.sync()
    assert await timed_sources.results(source_id) == {f"{website.url}/": "ready", "delivery": "ready"}
    assert sorted(website.paths()) == ["/", "/delivery"]


async def test_replicas_take_turns_at_a_website(sources: Sources, website: Website) -> None:
    """One request at a time and a pause after it, whichever replicas read the website for whichever sources."""
    pause = timedelta(milliseconds=60)
    app, times = sources.app, list[float]()

    async def answer(request: Request) -> StreamResponse:
        times.append(asyncio.get_running_loop().time())
        await asyncio.sleep(0.02)
        times.append(asyncio.get_running_loop().time())
        return Response(text=f"<p>{request.path} {TEXT}</p>", content_type="text/html")

    guard = SsrfGuard(("127.0.0.1",))
    webs = [HttpFetcher(guard, MongoServerTurns(app.mongo), "Mozilla/5.0 (compatible; Parley/1.0)") for _ in range(2)]
    sync = app.knowledge_sources.sync
    replicas = [replace(sync, reader=replace(sync.reader, web=web), web=web, pause=pause) for web in webs]
    for path in ("/a", "/b"):
        website.handlers[path] = answer
        await sources.add("web_page", f"{website.url}{path}")
    try:
        assert await asyncio.gather(*(replica.run_due() for replica in replicas)) == [True, True]
    finally:
        await asyncio.gather(*(one.stop() for one in webs))
    assert sorted(website.paths()) == ["/a", "/b"]
    assert website.most_concurrent == 1
    assert times[2] - times[1] >= pause.total_seconds()


async def test_a_limited_crawl_ends_and_a_deleted_source_leaves_nothing(sources: Sources, website: Website) -> None:
    app = sources.app

    async def trap(request: aiohttp.web.Request) -> aiohttp.web.Response:
        text = f"<main><p>{request.path} {TEXT}</p><a href='{request.path}x'>on</a></main>"
        return aiohttp.web.Response(text=text, content_type="text/html")

    for length in range(1, 12):
        website.handlers["/" + "x" * length] = trap
    source_id = await sources.add("crawl", f"{website.url}/x", max_pages=6, max_depth=10)
    await sources.sync()
    assert (await sources.get(source_id))["documents"]["ready"] == 6
    before = len(list(app.stored_objects()))
    uploads = await sources.add("file")
    (await sources.upload(uploads, b"# Help\n\nWe help.", "help.md")).ok(201)
    await sources.sync()
    stored = app.mongo["knowledge_documents"]
    assert await stored.count_documents({"site_id": sources.site_id}) == 7
    (await app.call("DELETE", f"{sources.path}/{source_id}", sources.owner)).ok()
    assert (await app.call("GET", f"{sources.path}/{source_id}", sources.owner)).status == 404
    await app.knowledge_sources.service.remove_deleted()
    assert await stored.count_documents({"site_id": sources.site_id}) == 1
    (await app.call("DELETE", f"/api/v1/sites/{sources.site_id}", sources.owner)).ok()
    await app.knowledge_sources.service.remove_deleted()
    assert await stored.count_documents({"site_id": sources.site_id}) == 0
    assert await app.mongo["knowledge_sources"].count_documents({"site_id": sources.site_id}) == 0
    assert len(list(app.stored_objects())) == before


async def test_files_are_read_by_their_content_and_replaced_by_name(sources: Sources) -> None:
    before = len(list(sources.app.stored_objects()))
    source_id = await sources.add("file")
    (await sources.upload(source_id, b"# Returns\n\nWithin 30 days.", "returns.md")).ok(201)
    (await sources.upload(source_id, b"%PDF-1.7\nbroken", "manual.pdf")).ok(201)
    assert (await sources.upload(source_id, b"\x7fELF\x00\x01", "tool.pdf")).status == 415
    assert (await sources.upload(source_id, b"", "empty.txt")).status == 422
    too_large = await sources.upload(source_id, b"a" * (MAX_DOCUMENT_BYTES + 1), "large.txt")
    assert (too_large.status, too_large.body["code"]) == (413, "file_too_large")
    await sources.sync()
    assert await sources.results(source_id) == {"returns.md": "ready", "manual.pdf": "damaged"}
    (await sources.upload(source_id, b"# Returns\n\nWithin 60 days.", "returns.md")).ok(201)
    await sources.sync()
    assert await sources.texts() == ["Within 60 days."]
    documents = await sources.documents(source_id)
    assert documents["returns.md"]["version"] == 2
    assert len(list(sources.app.stored_objects())) == before + 2
    one = f"{sources.path}/{source_id}/documents/{documents['returns.md']['id']}"
    (await sources.app.call("PUT", one, sources.owner, {"enabled": False})).ok()
    assert await sources.texts() == []
    (await sources.app.call("DELETE", one, sources.owner)).ok()
    assert len(list(sources.app.stored_objects())) == before + 1

    table = await sources.add("csv", question_column="Frage", answer_column="Antwort")
    (await sources.upload(table, b'Antwort;Frage\nJa;Offen?\n"Nein,\nnie";Zu?\n', "faq.csv")).ok(201)
    (await sources.upload(table, b"a,b\n1,2\n", "other.csv")).ok(201)
    await sources.sync()
    assert await sources.results(table) == {"faq.csv": "ready", "other.csv": "column_missing"}
    assert [(one.title, one.text) for one in await sources.passages()] == [("Offen?", "Ja"), ("Zu?", "Nein,\nnie")]
    assert (await sources.upload(await sources.add("crawl", "https://example.com/"), b"x", "x.txt")).status == 409


async def test_an_upload_that_was_cut_off_leaves_nothing(timed_sources: Sources) -> None:
    sources, module = timed_sources, timed_sources.app.knowledge_sources
    source_id = await sources.add("file")

    async def until_the_process_ends() -> AsyncIterator[bytes]:
        yield b"a" * 100_000
        raise SystemError

    with pytest.raises(SystemError):
        await module.service.upload(sources.owner, sources.site_id, source_id, "a.txt", until_the_process_ends())
    name = (await module.sources.list_uploads(sources.app.clock() + timedelta(seconds=1)))[0][1]
    await module.service.objects.put_stream(name, _chunks(b"half"), "text/plain")
    await module.service.remove_deleted()
    assert len(list(sources.app.stored_objects())) == 1
    sources.app.clock.advance(hours=2)
    await module.service.remove_deleted()
    assert list(sources.app.stored_objects()) == []
    assert await sources.documents(source_id) == {}


async def test_a_file_whose_replica_was_killed_is_read_all_the_same(timed_sources: Sources) -> None:
    app, service = timed_sources.app, timed_sources.app.knowledge_sources.service
    source_id = await timed_sources.add("file")
    dying = replace(service, documents=DyingRepository(app))
    with pytest.raises(asyncio.CancelledError):
        await dying.upload(timed_sources.owner, timed_sources.site_id, source_id, "a.txt", _chunks(TEXT.encode()))
    app.clock.advance(hours=2)
    await service.remove_deleted()
    await timed_sources.sync()
    assert await timed_sources.results(source_id) == {"a.txt": "ready"}


async def _chunks(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def test_changes_wait_until_somebody_approves_them(sources: Sources, website: Website) -> None:
    website.add("/page", "Delivery", "We deliver to Spain.")
    source_id = await sources.add("web_page", f"{website.url}/page", review=True)
    await sources.sync()
    assert await sources.texts() == []
    assert (await sources.get(source_id))["documents"]["pending"] == 1
    assert (await sources.act(source_id, "approve")).ok()["approved"] == 1
    passage = (await sources.passages())[0]
    assert (passage.title, passage.heading_path, passage.url) == ("Delivery", (), f"{website.url}/page")
    assert (passage.text, passage.language) == ("We deliver to Spain.", "en")
    website.add("/page", "Delivery", "We deliver to Spain and Italy.")
    await sources.resync(source_id)
    assert await sources.texts() == ["We deliver to Spain."]
    document = (await sources.documents(source_id, pending="true"))["page"]
    one = f"documents/{document['id']}"
    changes = (await sources.app.call("GET", f"{sources.path}/{source_id}/{one}/changes", sources.owner)).ok()[
        "changes"
    ]
    lines = ["-We deliver to Spain.", "+We deliver to Spain and Italy."]
    assert changes == [{"kind": "changed", "heading": ["Delivery"], "lines": lines}]
    (await sources.act(source_id, f"{one}/reject")).ok()
    assert (await sources.act(source_id, f"{one}/approve")).body["code"] == "nothing_pending"
    await sources.resync(source_id)
    assert (await sources.act(source_id, f"{one}/approve")).ok()["approved"] == 1
    assert await sources.texts() == ["We deliver to Spain and Italy."]
    await sources.app.wait_for_audit_entry(sources.owner, "knowledge_source.approved", site_id=sources.site_id)


async def test_only_managers_of_the_site_see_and_change_its_sources(sources: Sources) -> None:
    app = sources.app
    source_id = await sources.add("file")
    reader = await app.create_member(sources.owner, sources.site_id, can_chat=True)
    manager = await app.create_member(sources.owner, sources.site_id, can_manage=True)
    stranger = await app.create_tenant()
    other = await app.create_site(sources.owner)
    for method, path in (("GET", sources.path), ("PUT", f"{sources.path}/{source_id}")):
        body = {"name": "Manuals"} if method == "PUT" else None
        assert (await app.call(method, path, reader, body)).status == 403
        assert (await app.call(method, path, stranger, body)).status == 404
        (await app.call(method, path, manager, body)).ok()
    assert (
        await app.call("GET", f"/api/v1/sites/{other['id']}/knowledge/sources/{source_id}", sources.owner)
    ).status == 404
    scheduled = await app.call("PUT", f"{sources.path}/{source_id}", manager, {"schedule": "daily"})
    assert set(scheduled.body["errors"]) == {"schedule"}


async def test_a_schedule_counts_from_the_last_sync(timed_sources: Sources, website: Website) -> None:
    sources = timed_sources
    website.add("/page", "Page", TEXT)
    source_id = await sources.add("web_page", f"{website.url}/page")
    await sources.sync()
    assert (await sources.get(source_id))["sync"]["next_at"] is None
    (await sources.app.call("PUT", f"{sources.path}/{source_id}", sources.owner, {"schedule": "hourly"})).ok()
    sources.app.clock.advance(seconds=timedelta(minutes=59).total_seconds())
    assert not await sources.app.knowledge_sources.sync.run_due()
    sources.app.clock.advance(minutes=2)
    await sources.sync()
    assert website.paths() == ["/page", "/page"]
    (await sources.app.call("PUT", f"{sources.path}/{source_id}", sources.owner, {"enabled": False})).ok()
    assert await sources.texts() == []
    sources.app.clock.advance(days=2)
    assert not await sources.app.knowledge_sources.sync.run_due()
