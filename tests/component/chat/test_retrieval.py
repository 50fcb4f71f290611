"""Retrieval with the real database, the real worker process and the local model."""

from __future__ import annotations

import secrets
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from parley.chat.ai.engine_catalog import AiEngineCatalog
from parley.chat.ai.engines.context import EngineContext
from parley.chat.ai.metered_embedder import MeteredEmbedder
from parley.chat.ai.usage_repository import MongoTokenBudget
from parley.chat.knowledge_sources.model import SourceOptions
from parley.chat.retrieval.model import Findings
from parley.chat.retrieval.repository import VECTORS
from parley.chat.retrieval.service import RetrievalService
from parley.chat.retrieval.worker_client import WorkerSearcher
from parley.chat.settings import ChatSettings
from parley.chat.sites.site_settings import SiteSettings
from parley.common.auth.identity import OperatorCaller
from parley.common.http.ssrf_guard import SsrfGuard
from parley.common.runtime.clock import utc_now
from parley.common.runtime.tasks import BackgroundTasks
from support.admin_app import AdminTestApp
from support.openai_server import FakeOpenAIServer
from support.wait import wait_until

ENTRIES = (
    ("How much storage does the Starter plan have?", "The Starter plan has 5 GB."),
    ("How much storage does the Team plan have?", "The Team plan has 100 GB."),
    ("How do I cancel my subscription?", "Under Settings, Billing."),
    ("Do you ship outside Europe?", "No, to countries of the EU only."),
    ("How long can I return an item?", "You can return it within 30 days."),
    ("Who pays for the return shipping?", "We pay it."),
)


class Retrieval:
    """The retrieval of one chat process."""

    def __init__(self, app: AdminTestApp, command: tuple[str, ...] | None = None) -> None:
        self.searcher = WorkerSearcher(command) if command else WorkerSearcher()
        settings = ChatSettings(
            env="development",
            identity_secret=secrets.token_hex(32),
            amqp_url="amqp://unused",
            mongodb_uri="mongodb://unused",
        )
        context = EngineContext(settings, app.admin.site_key_cipher, SsrfGuard(["127.0.0.1"]))
        self.budget = MongoTokenBudget(app.mongo, utc_now, 0)
        self.engines, self.tasks = AiEngineCatalog(context), BackgroundTasks("retrieval")
        self.service = RetrievalService(
            (app.admin.knowledge, app.knowledge_sources.passages),
            app.admin.passage_vectors,
            self.searcher,
            MeteredEmbedder(self.engines.openai, self.budget),
            utc_now,
            self.tasks.spawn,
        )

    async def answer(self, site: SiteSettings, question: str) -> list[str]:
        return [found.passage.text for found in (await self.service.search(site, question, 4)).answers]

    async def stop(self) -> None:
        await self.tasks.stop(0)
        await self.searcher.stop()
        await self.engines.stop()


class Knowledge:
    def __init__(self, app: AdminTestApp, owner: OperatorCaller, site: SiteSettings) -> None:
        self.app, self.owner, self.site = app, owner, site
        self.path = f"/api/v1/sites/{site.id}/chatbot/knowledge"

    async def add(self, question: str, answer: str) -> int:
        response = await self.app.call("POST", self.path, self.owner, {"question": question, "answer": answer})
        return int(response.ok(201)["entry"]["id"])


@pytest.fixture(scope="module")
async def retrieval(app: AdminTestApp) -> AsyncIterator[Retrieval]:
    retrieval = Retrieval(app)
    yield retrieval
    await retrieval.stop()


async def create_knowledge(app: AdminTestApp) -> Knowledge:
    owner = await app.create_tenant()
    site = await app.create_site(owner)
    knowledge = Knowledge(app, owner, await app.admin.site_directory.get(owner.tenant_id, site["id"]))
    for question, answer in ENTRIES:
        await knowledge.add(question, answer)
    return knowledge


async def test_the_passages_that_answer_are_found_in_any_language(app: AdminTestApp, retrieval: Retrieval) -> None:
    site = (await create_knowledge(app)).site
    answers = [answer for _, answer in ENTRIES]
    assert await retrieval.answer(site, "How many GB of storage are in the Team plan?") == [answers[1]]
    assert await retrieval.answer(site, "Wie kündige ich mein Abonnement?") == [answers[2]]
    assert await retrieval.answer(site, "Expédiez-vous en dehors de l'Europe ?") == [answers[3]]
    both = await retrieval.answer(site, "How long can I return something, and who pays for the return shipping?")
    assert set(both) == {answers[4], answers[5]}
    assert await retrieval.answer(site, "How far is the moon?") == []
    assert await retrieval.answer(site, "   ") == []
    nearest = [found.passage.text for found in (await retrieval.service.search(site, "storage of Starter", 2)).passages]
    assert nearest == answers[:2]


async def test_changes_are_found_by_every_replica_and_old_vectors_are_deleted(
    app: AdminTestApp, retrieval: Retrieval
) -> None:
    knowledge, other = await create_knowledge(app), Retrieval(app)
    site, question = knowledge.site, "Do you repair teapots?"
    try:
        assert await retrieval.answer(site, question) == await other.answer(site, question) == []
        entry_id = await knowledge.add(question, "Yes, for 20 euros.")
        assert await retrieval.answer(site, question) == await other.answer(site, question) == ["Yes, for 20 euros."]
        body = {"question": question, "answer": "Not any more."}
        (await app.call("PUT", f"{knowledge.path}/{entry_id}", knowledge.owner, body)).ok()
        assert await other.answer(site, question) == ["Not any more."]
        (await app.call("DELETE", f"{knowledge.path}/{entry_id}", knowledge.owner)).ok()
        assert await retrieval.answer(site, question) == []
    finally:
        await other.stop()
    await retrieval.service.remove_site(site.id)
    assert await app.mongo[VECTORS].count_documents({"site_id": site.id}) == 0


async def test_documents_answer_questions_until_they_are_turned_off(app: AdminTestApp, retrieval: Retrieval) -> None:
    knowledge, service = await create_knowledge(app), app.knowledge_sources.service
    owner, site = knowledge.owner, knowledge.site
    question, text = "Where can I charge my scooter?", "You can charge your scooter at every branch, for free."
    assert await retrieval.answer(site, question) == []
    source, _ = await service.create(owner, site.id, "file", SourceOptions("Manuals"))
    document = await service.upload(owner, site.id, source.id, "scooter.md", _chunks(f"# Charging\n\n{text}"))
    while await app.knowledge_sources.sync.run_due():
        pass
    found = (await retrieval.service.search(site, question, 3)).answers
    assert [(one.passage.heading, one.passage.text) for one in found] == [("Charging", text)]
    await service.set_enabled(owner, site.id, source.id, document.id, False)
    assert await retrieval.answer(site, question) == []


async def _chunks(text: str) -> AsyncIterator[bytes]:
    yield text.encode()


async def test_a_site_may_compare_words_only(app: AdminTestApp, retrieval: Retrieval) -> None:
    site = (await create_knowledge(app)).site
    words = replace(site, ai=replace(site.ai, embeddings="none"))
    found = await retrieval.service.search(words, "cancelling subscriptions", 3)
    assert found.passages[0].passage.text == ENTRIES[2][1]
    assert await retrieval.answer(words, "Wie kündige ich mein Abonnement?") == []


async def test_a_site_may_use_the_embeddings_of_its_endpoint(app: AdminTestApp, retrieval: Retrieval) -> None:
    site = (await create_knowledge(app)).site
    async with FakeOpenAIServer() as endpoint:
        ai = replace(site.ai, embeddings="endpoint", embedding_model="letters", base_url=endpoint.url)
        changed = replace(site, ai=ai)

        async def is_found_by_meaning() -> bool:
            # All letters of an entry, and none of its words.
            findings = await retrieval.service.search(changed, "hwo od i anclec ym bscusrptoini", 3)
            return bool(findings.passages) and findings.passages[0].passage.text == ENTRIES[2][1]

        await wait_until(is_found_by_meaning, description="passages are embedded")
        assert ENTRIES[2][0] in endpoint.embedded
        endpoint.status = 500
        found = await retrieval.service.search(changed, "cancelling subscriptions", 3)
        assert found.passages[0].passage.text == ENTRIES[2][1], "words are compared while the endpoint fails"


async def test_a_worker_that_dies_is_started_again(app: AdminTestApp, tmp_path: Path) -> None:
    site, mark = (await create_knowledge(app)).site, tmp_path / "died"
    dies_once = (
        f"import os, pathlib; mark = pathlib.Path({str(mark)!r})\n"
        "if not mark.exists(): mark.touch(); os._exit(1)\n"
        "from parley.chat.retrieval.worker import main; main()"
    )
    retrieval = Retrieval(app, (sys.executable, "-c", dies_once))
    always_dies = Retrieval(app, (sys.executable, "-c", "raise SystemExit(1)"))
    try:
        assert await retrieval.answer(site, "How do I cancel my subscription?") == [ENTRIES[2][1]]
        assert mark.exists()
        assert await always_dies.service.search(site, "How do I cancel my subscription?", 3) == Findings()
    finally:
        await retrieval.stop()
        await always_dies.stop()
