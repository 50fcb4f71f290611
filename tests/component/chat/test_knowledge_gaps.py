"""Questions that the AI could not answer: recorded with its reply, grouped by meaning, made into knowledge entries."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from parley.chat.knowledge.errors import MAX_ENTRIES
from parley.chat.knowledge_gaps.grouping import QuestionGrouper
from parley.chat.knowledge_gaps.model import UnansweredQuestion
from parley.chat.knowledge_gaps.module import KnowledgeGapModule
from parley.chat.knowledge_gaps.personal_data import GapData
from parley.chat.knowledge_gaps.repository import QUESTIONS, question_document
from parley.chat.messages.operator_service import OperatorContent
from parley.common.auth.identity import VisitorCaller
from support.admin_app import AdminTestApp
from support.ai_replicas import Replica, Shop, run_replicas
from support.dying_process import run_dying_process
from support.openai_server import FakeOpenAIServer
from support.wait import wait_until

if TYPE_CHECKING:
    from parley.chat.ai.module import AiModule

AUSTRIA = "Do you ship to Austria?"
AUSTRIA_GERMAN = "Liefert ihr nach Österreich?"
CANCEL = "How do I cancel my order?"
ANSWER = "Yes, we deliver to Austria within three days."


class Gaps:
    """The gaps of one site, with two replicas that answer and group."""

    def __init__(self, shop: Shop, replicas: tuple[Replica, Replica]) -> None:
        self.app, self.shop, self.replicas = shop.app, shop, replicas
        self.path = f"/api/v1/sites/{shop.site_id}/knowledge-gaps"
        self.groupers = [
            QuestionGrouper(
                self.app.gaps.gaps,
                self.app.admin.site_directory,
                replica.retrieval,
                self.app.gaps.grouper.next_id,
                self.app.clock,
            )
            for replica in replicas
        ]

    async def ask(self, text: str, visitor: VisitorCaller | None = None) -> int:
        """A visitor asks; returns the conversation's id once what was recorded is stored."""
        visitor = visitor or self.shop.new_visitor()
        _, outcome = await self.replicas[0].ask(visitor, text)
        await self.app.outbox.sweep(self.app.clock())
        return outcome.conversation.id

    async def wait_recorded(self, count: int) -> None:
        query = {"site_id": self.shop.site_id}
        await wait_until(lambda: _counts(self.app, query, count), description=f"{count} questions are recorded")

    async def group(self) -> None:
        await asyncio.gather(*(grouper.group_waiting() for grouper in self.groupers))

    async def call(self, method: str, path: str = "", body: Any = None, status: int = 200, **query: Any) -> Any:
        response = await self.app.call(method, f"{self.path}{path}", self.shop.owner, body, **query)
        return response.ok(status)

    async def list(self, state: str = "open") -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = (await self.call("GET", state=state))["gaps"]
        return listed


async def _counts(app: AdminTestApp, query: dict[str, Any], count: int) -> bool:
    return await app.mongo[QUESTIONS].count_documents(query) == count


@pytest.fixture(scope="module")
async def replicas(app: AdminTestApp) -> AsyncIterator[tuple[Replica, Replica]]:
    async with FakeOpenAIServer() as endpoint, run_replicas(app, endpoint) as both:
        yield both


@pytest.fixture
async def gaps(app: AdminTestApp, replicas: tuple[Replica, Replica]) -> Gaps:
    return Gaps(await Shop.create(app), replicas)


async def test_questions_without_an_answer_are_grouped_by_meaning_over_languages_and_counted_once(gaps: Gaps) -> None:
    visitor = gaps.shop.new_visitor()
    received = await gaps.replicas[0].receive(visitor, AUSTRIA, "m1")
    # The same message sent to the other replica, and again, is the same question.
    again = await gaps.replicas[1].receive(visitor, AUSTRIA, "m1")
    await asyncio.gather(*(r.read_reply(m) for r, m in zip(gaps.replicas, (received, again), strict=True)))
    await gaps.replicas[1].ask(visitor, "I want to talk to a person")
    for text in ("Hello!", "Thank you very much", AUSTRIA_GERMAN, CANCEL):
        await gaps.ask(text)
    await gaps.wait_recorded(3)
    await gaps.group()
    await gaps.group()
    listed = await gaps.list()
    assert [(gap["question"], gap["count"]) for gap in listed] == [(AUSTRIA, 2), (CANCEL, 1)]
    details = await gaps.call("GET", f"/{listed[0]['id']}")
    assert [one["text"] for one in details["examples"]] == [AUSTRIA_GERMAN, AUSTRIA]
    assert {one["outcome"] for one in details["examples"]} == {"declined"}
    assert [(week["count"], week["total"]) for week in details["weeks"]] == [(2, 3)]
    page = await gaps.call("GET", limit=1)
    rest = await gaps.call("GET", limit=1, cursor=page["next_cursor"])
    assert [gap["id"] for gap in rest["gaps"]] == [listed[1]["id"]]


async def test_a_second_question_in_a_row_is_recorded_with_its_handoff(gaps: Gaps) -> None:
    visitor = gaps.shop.new_visitor()
    for text in (AUSTRIA, CANCEL):
        await gaps.ask(text, visitor)
    await gaps.wait_recorded(2)
    rows = gaps.app.mongo[QUESTIONS].find({"site_id": gaps.shop.site_id}).sort("at", 1)
    assert [row["outcome"] async for row in rows] == ["declined", "handed_over"]


async def test_a_site_with_many_questions_does_not_keep_those_of_others_waiting(gaps: Gaps) -> None:
    busy = await Shop.create(gaps.app)
    earlier = gaps.app.clock() - timedelta(minutes=1)
    questions = [
        UnansweredQuestion(busy.owner.tenant_id, busy.site_id, busy.site_id, seq, CANCEL, None, "declined", earlier)
        for seq in range(600)
    ]
    await gaps.app.mongo[QUESTIONS].insert_many([question_document(question) for question in questions])
    await gaps.ask(AUSTRIA)
    await gaps.wait_recorded(1)
    await gaps.group()
    await gaps.app.gaps.remove_site(busy.site_id)
    assert [gap["question"] for gap in await gaps.list()] == [AUSTRIA]


async def test_an_operators_answer_becomes_an_entry_and_a_later_question_opens_the_gap_again(gaps: Gaps) -> None:
    visitor = gaps.shop.new_visitor()
    conversation_id = await gaps.ask(AUSTRIA, visitor)
    module = gaps.replicas[0].module
    for text in ("Hello!", "Let me see", ANSWER):
        await module.operator_messages.send(gaps.shop.owner, conversation_id, OperatorContent(text), None)
    await module.visitor_messages.receive(visitor, "Great, thanks")
    goodbye = OperatorContent("You are welcome, see you soon!")
    await module.operator_messages.send(gaps.shop.owner, conversation_id, goodbye, None)
    await gaps.wait_recorded(1)
    await gaps.group()
    (gap,) = await gaps.list()
    draft = (await gaps.call("GET", f"/{gap['id']}"))["draft"]
    assert draft == {"question": AUSTRIA, "answer": ANSWER, "conversation_id": conversation_id}
    path = f"/api/v1/sites/{gaps.shop.site_id}/chatbot/knowledge"
    assert (await gaps.app.call("GET", path, gaps.shop.owner)).ok()["knowledge"] == [], "nobody has confirmed it"
    body = {"question": draft["question"], "answer": draft["answer"]}
    entry = (await gaps.call("POST", f"/{gap['id']}/entry", body, 201))["entry"]
    twice = await gaps.app.call("POST", f"{gaps.path}/{gap['id']}/entry", gaps.shop.owner, body)
    assert (twice.status, twice.body["code"]) == (409, "gap_answered")
    (answered,) = await gaps.list("answered")
    assert answered["entry_id"] == entry["id"]
    await gaps.app.wait_for_audit_entry(gaps.shop.owner, "knowledge_gap.answered")
    text, _ = await gaps.replicas[1].ask(gaps.shop.new_visitor(), AUSTRIA_GERMAN)
    assert text == ANSWER, "the AI knows it now"

    (await gaps.app.call("DELETE", f"{path}/{entry['id']}", gaps.shop.owner)).ok()
    await gaps.ask(AUSTRIA_GERMAN)
    await gaps.wait_recorded(2)
    await gaps.group()
    (reopened,) = await gaps.list()
    assert (reopened["id"], reopened["count"]) == (gap["id"], 2)
    assert reopened["reopened_at"] is not None


async def test_of_two_managers_who_answer_a_gap_at_once_one_writes_an_entry(gaps: Gaps) -> None:
    await gaps.ask(AUSTRIA)
    await gaps.wait_recorded(1)
    await gaps.group()
    (gap,) = await gaps.list()
    app, shop = gaps.app, gaps.shop
    entries = app.mongo["knowledge"]
    await entries.insert_many([{"_id": -shop.site_id * 1000 - n, "site_id": shop.site_id} for n in range(MAX_ENTRIES)])
    path, body = f"{gaps.path}/{gap['id']}/entry", {"question": AUSTRIA, "answer": ANSWER}
    assert (await app.call("POST", path, shop.owner, body)).body["code"] == "knowledge_full"
    assert await gaps.list() == [gap], "what could not be written leaves the gap as it was"
    await entries.delete_many({"site_id": shop.site_id})
    responses = await asyncio.gather(*(app.call("POST", path, shop.owner, body) for _ in range(2)))
    made, late = sorted(responses, key=lambda response: response.status)
    assert (made.status, late.status, late.body["code"]) == (201, 409, "gap_answered")
    (answered,) = await gaps.list("answered")
    assert answered["entry_id"] == made.body["entry"]["id"]
    assert await entries.count_documents({"site_id": shop.site_id}) == 1


@pytest.mark.parametrize(("command", "collection"), [("insert", "knowledge"), ("update", "knowledge_gaps")])
async def test_a_gap_whose_process_dies_while_it_is_answered_is_answered_by_the_next_request(
    gaps: Gaps, mongodb_uri: str, command: str, collection: str
) -> None:
    await gaps.ask(AUSTRIA)
    await gaps.wait_recorded(1)
    await gaps.group()
    (gap,) = await gaps.list()
    app, shop = gaps.app, gaps.shop
    async with run_dying_process(app, mongodb_uri) as process:
        # Its AI groups questions, which this process does not live for.
        ai = cast("AiModule", SimpleNamespace(retrieval=gaps.replicas[0].retrieval))
        module = KnowledgeGapModule(process.mongo, process.admin, app.conversations, ai)
        make_entry = module.handlers.gaps.make_entry
        await process.die_before(
            command, collection, lambda: make_entry(shop.owner, shop.site_id, gap["id"], AUSTRIA, ANSWER)
        )
    path, body = f"{gaps.path}/{gap['id']}/entry", {"question": AUSTRIA, "answer": ANSWER}
    repeated = await app.call("POST", path, shop.owner, body)
    assert repeated.status == (201 if collection == "knowledge" else 409), repeated.raw
    (answered,) = await gaps.list("answered")
    entries = app.mongo["knowledge"]
    assert [row["_id"] async for row in entries.find({"site_id": shop.site_id})] == [answered["entry_id"]]

    await gaps.call("PUT", f"/{gap['id']}", {"state": "open"})
    another = (await gaps.call("POST", f"/{gap['id']}/entry", body, 201))["entry"]
    assert another["id"] != answered["entry_id"], "a gap that was opened again gets another entry"


async def test_a_dismissed_gap_stays_dismissed_until_a_manager_opens_it(gaps: Gaps) -> None:
    await gaps.ask(CANCEL)
    await gaps.wait_recorded(1)
    await gaps.group()
    (gap,) = await gaps.list()
    await gaps.call("PUT", f"/{gap['id']}", {"state": "dismissed"})
    await gaps.ask("I want to cancel my order, how?")
    await gaps.wait_recorded(2)
    await gaps.group()
    assert await gaps.list() == []
    (dismissed,) = await gaps.list("dismissed")
    assert dismissed["count"] == 2
    assert (await gaps.call("PUT", f"/{gap['id']}", {"state": "open"}))["gap"]["state"] == "open"
    assert (await gaps.app.call("PUT", f"{gaps.path}/{gap['id']}", gaps.shop.owner, {"state": "x"})).status == 422
    viewer = await gaps.app.create_member(gaps.shop.owner, gaps.shop.site_id, can_view_conversations=True)
    assert (await gaps.app.call("GET", gaps.path, viewer)).status == 200
    refused = await gaps.app.call("PUT", f"{gaps.path}/{gap['id']}", viewer, {"state": "dismissed"})
    assert refused.status == 403


async def test_an_erasure_removes_a_visitors_questions_from_gaps(gaps: Gaps) -> None:
    erased, kept, alone = await gaps.ask(AUSTRIA), await gaps.ask(AUSTRIA_GERMAN), await gaps.ask(CANCEL)
    await gaps.wait_recorded(3)
    await gaps.group()
    data = GapData(gaps.app.gaps.gaps)
    assert [(one.kind, one.text) for one in await data.list_texts([erased])] == [("unanswered_question", AUSTRIA)]
    await data.remove([erased, alone])
    (gap,) = await gaps.list()
    assert (gap["question"], gap["count"]) == (AUSTRIA_GERMAN, 1)
    details = await gaps.call("GET", f"/{gap['id']}")
    assert [one["conversation_id"] for one in details["examples"]] == [kept]
    # Its group is still found, by the question that leads it now.
    await gaps.ask(AUSTRIA)
    await gaps.wait_recorded(2)
    await gaps.group()
    assert [(one["id"], one["count"]) for one in await gaps.list()] == [(gap["id"], 2)]


async def test_another_model_compares_the_same_gaps(gaps: Gaps) -> None:
    await gaps.ask(AUSTRIA)
    await gaps.wait_recorded(1)
    await gaps.shop.configure(ai={"embeddings": "none"})
    await gaps.group()
    await gaps.shop.configure(ai={"embeddings": "local"})
    await gaps.ask(AUSTRIA_GERMAN)
    await gaps.ask("Ship to Austria?")
    await gaps.wait_recorded(3)
    await gaps.group()
    assert [(gap["question"], gap["count"]) for gap in await gaps.list()] == [(AUSTRIA, 3)]
