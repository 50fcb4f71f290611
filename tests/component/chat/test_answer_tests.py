"""Answer tests: edited, imported, run against settings that are not saved, and demanded before a change goes live."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from parley.chat.answer_tests.personal_data import AnswerTestData
from parley.chat.conversations import transitions
from parley.chat.messages.model import MessageDraft
from parley.chat.timeouts import TEST_RUN_LEASE
from parley.common.auth.identity import IDENTITY_HEADER, OperatorCaller, VisitorCaller
from support.admin_app import AdminTestApp, StartApp
from support.api import ApiResponse
from support.authorization_matrix import file_form
from support.openai_server import FakeOpenAIServer
from support.wait import wait_until

OPEN, OPEN_ANSWER = "When are you open?", "We are open from 9:00 to 18:00."
SHIP, SHIP_ANSWER = "Do you ship to Norway?", "Yes, parcels to Norway take 5 days."


@dataclass(slots=True)
class Lab:
    """The answer tests of one site."""

    app: AdminTestApp
    owner: OperatorCaller
    site_id: int
    endpoint: FakeOpenAIServer

    @property
    def chatbot(self) -> str:
        return f"/api/v1/sites/{self.site_id}/chatbot"

    async def call(self, method: str, path: str, body: Any = None, **query: Any) -> ApiResponse:
        return await self.app.call(method, f"{self.chatbot}{path}", self.owner, body, **query)

    async def add(self, question: str, **expectation: Any) -> int:
        body = {"question": question, **expectation}
        added: int = (await self.call("POST", "/tests", body)).ok(201)["test"]["id"]
        return added

    async def run(self, **body: Any) -> dict[str, Any]:
        """Start a run, carry it out, and return it."""
        run_id = (await self.call("POST", "/tests/run", body)).ok(201)["run"]["id"]
        assert await self.app.answer_tests.runner.run_due()
        shown: dict[str, Any] = (await self.call("GET", f"/tests/runs/{run_id}")).ok()["run"]
        return shown

    async def verdicts(self, run: dict[str, Any], column: str = "candidate") -> dict[str, Any]:
        results = (await self.call("GET", f"/tests/runs/{run['id']}/results")).ok()["results"]
        return {
            result["question"]: (
                result[column]["verdict"],
                [(reason["kind"], reason["text"]) for reason in result[column]["reasons"]],
            )
            for result in results
        }

    async def chat(self, question: str, answer: str) -> int:
        """A conversation in which the AI has answered a question; returns its id."""
        visitor = VisitorCaller(self.owner.tenant_id, self.site_id, f"sess_{secrets.token_hex(16)}")
        conversations = self.app.conversations
        received = await conversations.visitor_messages.receive(visitor, question)
        conversation = received.conversation
        draft = MessageDraft(await conversations.next_message_id(), "ai", answer, reply_to=1)
        change = await conversations.conversation_repository.change(
            conversation.tenant_id,
            conversation.id,
            lambda current: transitions.add_ai_message(
                current, draft, conversation.generation, self.app.clock(), knew_answer=True
            ),
        )
        assert change is not None
        query = {"conversation_id": conversation.id, "role": "ai"}
        await wait_until(lambda: self.app.mongo["messages"].find_one(query), description="the answer is stored")
        return conversation.id


@pytest.fixture(scope="module")
async def endpoint() -> AsyncIterator[FakeOpenAIServer]:
    async with FakeOpenAIServer() as server:
        yield server


@pytest.fixture(scope="module")
async def ai_app(start_app: StartApp, endpoint: FakeOpenAIServer) -> AsyncIterator[AdminTestApp]:
    async with start_app(openai_url=endpoint.url, openai_api_key="sk-installation") as app:
        yield app


@pytest.fixture
async def lab(ai_app: AdminTestApp, endpoint: FakeOpenAIServer) -> Lab:
    endpoint.reset()
    owner = await ai_app.create_tenant()
    site = await ai_app.create_site(owner)
    lab = Lab(ai_app, await ai_app.get_caller(owner.operator_id), site["id"], endpoint)
    for question, answer in ((OPEN, OPEN_ANSWER), (SHIP, SHIP_ANSWER)):
        (await lab.call("POST", "/knowledge", {"question": question, "answer": answer})).ok(201)
    return lab


async def test_tests_are_made_from_the_knowledge_exported_and_imported(lab: Lab) -> None:
    assert (await lab.call("POST", "/tests/generate")).ok()["created"] == 2
    assert (await lab.call("POST", "/tests/generate")).ok()["created"] == 0
    first, second = (await lab.call("GET", "/tests")).ok()["tests"]
    assert (first["must_say"], first["must_cite"]) == ([["9:00"], ["18:00"]], [[OPEN]])
    assert second["origin"] == "knowledge"
    await lab.add("=1+1|x", must_say=[["two", "deux"], ["*2"]], must_not_say=["three"], enabled=False)
    exported = (await lab.call("GET", "/tests/export", format="csv")).raw.decode()
    assert "'=1+1|x" in exported
    for test in (first, second):
        (await lab.call("DELETE", f"/tests/{test['id']}")).ok()
    imported = (await lab.call("POST", "/tests/import", {"csv": exported})).ok()
    assert (imported["created"], imported["replaced"]) == (2, 1)
    again = (await lab.call("GET", "/tests")).ok()["tests"]
    assert [test["must_say"] for test in again] == [[["two", "deux"], ["*2"]], [["9:00"], ["18:00"]], [["5"]]]
    assert not again[0]["enabled"]
    page = (await lab.call("GET", "/tests", limit=2)).ok()
    assert len((await lab.call("GET", "/tests", limit=2, cursor=page["next_cursor"])).ok()["tests"]) == 1
    wrong = await lab.call("POST", "/tests/import", {"csv": "question,expected\nHow?,dance\n"})
    assert wrong.body["errors"]["csv"].startswith("row 2, expected: ")
    both = await lab.call("POST", "/tests/import", {"csv": "question\n", "tests": []})
    assert (both.status, set(both.body["errors"])) == (422, {"tests"})
    for body in ({"question": " "}, {"question": "x", "must_say": [[]]}, {"question": "x", "must_not_say": ["**"]}):
        assert (await lab.call("POST", "/tests", body)).status == 422
    await lab.app.wait_for_audit_entry(lab.owner, "answer_test.imported")


async def test_a_run_says_what_is_right_wrong_and_unknown(lab: Lab) -> None:
    await lab.add("When do you open?", must_say=[["9:00", "nine"], ["18:00"]], must_cite=[[OPEN]])
    await lab.add("Opening hours?", must_say=[["8:00"]], must_not_say=["18:00"], must_cite=[["https://shop.test/"]])
    await lab.add("How far is the moon?")
    await lab.add("How long is the Nile?", expected="decline")
    await lab.add("Do you deliver to Norway?", expected="decline")
    await lab.add("I want to talk to a person", expected="handoff")
    await lab.add("Hello!", must_not_say=["9:00"])
    run = await lab.run()
    assert (run["state"], run["is_live"], run["passed"], run["total"], run["done"]) == ("done", True, False, 7, 7)
    summary = run["summary"]["candidate"]
    assert (summary["right"], summary["wrong"], summary["unknown"]) == (4, 2, 1)
    assert await lab.verdicts(run) == {
        "When do you open?": ("right", []),
        "Opening hours?": (
            "wrong",
            [("missing", "8:00"), ("forbidden", "18:00"), ("not_cited", "https://shop.test/")],
        ),
        "How far is the moon?": ("unknown", [("declined", "")]),
        "How long is the Nile?": ("right", []),
        "Do you deliver to Norway?": ("wrong", [("not_declined", "")]),
        "I want to talk to a person": ("right", []),
        "Hello!": ("right", []),
    }
    listed = (await lab.call("GET", f"/tests/runs/{run['id']}/results", verdict="unknown")).ok()["results"]
    assert [result["question"] for result in listed] == ["How far is the moon?"]
    assert [one["id"] for one in (await lab.call("GET", "/tests/runs")).ok()["runs"]] == [run["id"]]


async def test_a_candidate_is_compared_with_what_is_live_and_with_real_answers(lab: Lab) -> None:
    changed = await lab.chat(OPEN, "We are always open.")
    await lab.chat(SHIP, "Hello from the **model**")
    await lab.add(OPEN, must_say=[["model"]])
    body = {"engine": "openai", "model": "tuned", "instructions": "Speak like a pirate.", "replays": 5}
    run = await lab.run(**body)
    assert run["passed"]
    assert not run["is_live"]
    assert run["summary"]["live"]["wrong"] == 1
    assert run["summary"]["candidate"]["tokens"] == 3 * 42
    assert (run["summary"]["replays"], run["summary"]["changed"]) == (2, 1)
    assert {request["model"] for request in lab.endpoint.requests} == {"tuned"}
    assert all("pirate" in str(request["messages"]) for request in lab.endpoint.requests)
    replays = (await lab.call("GET", f"/tests/runs/{run['id']}/replays", changed="true")).ok()["replays"]
    assert [replay["conversation_id"] for replay in replays] == [changed]
    assert replays[0]["question"] == OPEN
    assert replays[0]["live"]["text"] == "We are always open."
    assert replays[0]["candidate"]["text"] == "Hello from the model."
    stored = (await lab.call("GET", "")).ok()["chatbot"]
    assert (stored["engine"], stored["instructions"]) == ("builtin", "")
    limited = await lab.app.create_member(lab.owner, lab.site_id, can_manage=True)
    path = f"{lab.chatbot}/tests/run"
    assert (await lab.app.call("POST", path, limited, {"replays": 1})).status == 403


async def test_pages_that_wait_are_tested_before_they_are_approved(lab: Lab) -> None:
    sources = f"/api/v1/sites/{lab.site_id}/knowledge/sources"
    draft = {"kind": "csv", "name": "Drafts", "review": True}
    source = (await lab.app.call("POST", sources, lab.owner, draft)).ok(201)["source"]
    url = lab.app.server.make_url(f"{sources}/{source['id']}/upload-file")
    table = file_form(b"question,answer\nCan I return shoes?,Within 30 days.\n", "drafts.csv")
    headers = {IDENTITY_HEADER: lab.app.signer.sign(lab.owner)}
    async with lab.app.http.post(url, data=table, headers=headers) as response:
        assert response.status == 201, await response.text()
    while await lab.app.knowledge_sources.sync.run_due():
        pass
    (await lab.call("PUT", "", {"require_answer_tests": True})).ok()
    await lab.add("Can I return my shoes?", must_say=[["30"]])
    assert not (await lab.run())["passed"]
    approve = f"{sources}/{source['id']}/approve"
    refused = await lab.app.call("POST", approve, lab.owner)
    assert (refused.status, refused.body["code"], refused.body["run_id"]) == (409, "answer_tests_required", None)
    run = await lab.run(pending_changes=True)
    assert run["passed"], await lab.verdicts(run)
    assert await lab.verdicts(run, "live") == {"Can I return my shoes?": ("unknown", [("declined", "")])}
    assert (await lab.app.call("POST", approve, lab.owner)).ok()["approved"] == 1
    assert (await lab.run())["passed"]


async def test_a_site_may_demand_that_tests_pass_before_a_change_goes_live(lab: Lab) -> None:
    (await lab.call("PUT", "", {"require_answer_tests": True, "instructions": "Be brief."})).ok()
    (await lab.call("PUT", "", {"instructions": "No tests, no demand."})).ok()
    test_id = await lab.add(OPEN, must_say=[["pirate"]])
    change = {"engine": "openai", "instructions": "Speak like a pirate."}
    refused = await lab.call("PUT", "", change)
    assert (refused.status, refused.body["code"], refused.body["run_id"]) == (409, "answer_tests_required", None)
    both = await lab.call("PUT", "", {**change, "require_answer_tests": False})
    assert both.status == 409, "the demand is not lifted by the request that it refuses"
    (await lab.call("PUT", "", {"name": "Robin"})).ok()
    failed = await lab.run(**change)
    refused = await lab.call("PUT", "", change)
    assert refused.body["run_id"] == failed["id"]
    assert refused.body["failing"] == [{"test_id": test_id, "question": OPEN, "verdict": "wrong", "engine": "primary"}]
    lab.endpoint.chunks = ("Aye, ", "pirate!")
    assert (await lab.run(**change))["passed"]
    assert (await lab.call("PUT", "", {**change, "model": "other"})).status == 409, "another candidate"
    await lab.add("Ship ahoy?", must_say=[["parrot"]])
    assert (await lab.call("PUT", "", change)).status == 409, "other tests"
    lab.endpoint.chunks = ("Aye, pirate, parrot!",)
    assert (await lab.run(**change))["passed"]
    (await lab.call("PUT", "", change)).ok()
    (await lab.call("PUT", "", {"require_answer_tests": False})).ok()


def fallback(model: str, **fields: Any) -> dict[str, Any]:
    return {"fallbacks": [{"engine": "openai", "model": model, **fields}]}


@pytest.fixture
async def gated(lab: Lab) -> Lab:
    """A site whose AI must pass a test before a change of it goes live, and whose model `weak` fails it."""
    (await lab.call("PUT", "", {"engine": "openai", "model": "first", "require_answer_tests": True})).ok()
    await lab.add(OPEN, must_say=[["18:00"]])
    lab.endpoint.obey = lambda request: [
        {"content": "I do not know." if request["model"] == "weak" else "Until 18:00."}
    ]
    return lab


async def test_a_new_or_changed_fallback_must_pass_the_tests_by_itself(gated: Lab) -> None:
    refused = await gated.call("PUT", "", fallback("weak"))
    assert (refused.status, refused.body["code"], refused.body["run_id"]) == (409, "answer_tests_required", None)
    run = await gated.run(**fallback("weak"))
    (tested,) = run["tested_fallbacks"]
    results = (await gated.call("GET", f"/tests/runs/{run['id']}/results")).ok()["results"]
    verdicts = [(result["tested_engine"], result["candidate"]["verdict"]) for result in results]
    assert (verdicts, run["passed"], tested["model"]) == (
        [("primary", "right"), (tested["id"], "wrong")],
        False,
        "weak",
    )
    refused = await gated.call("PUT", "", fallback("weak"))
    assert refused.body["run_id"] == run["id"]
    assert [(one["verdict"], one["engine"]) for one in refused.body["failing"]] == [("wrong", tested["id"])]
    assert (await gated.run(**fallback("strong")))["passed"]
    assert (await gated.call("PUT", "", fallback("weak"))).status == 409, "another one has passed"
    stored = (await gated.call("PUT", "", fallback("strong"))).ok()["chatbot"]["fallbacks"][0]
    (await gated.call("PUT", "", fallback("strong", id=stored["id"], input_price=1.0))).ok()
    (await gated.call("PUT", "", {"fallbacks": []})).ok()


async def test_a_change_of_the_instructions_is_tested_with_the_fallbacks_that_follow_them(gated: Lab) -> None:
    await gated.add("I want to talk to a person", expected="handoff")
    both = {"fallbacks": [{"engine": "openai", "model": "strong"}, {"engine": "builtin"}]}
    assert [one["engine"] for one in (await gated.run(**both))["tested_fallbacks"]] == ["openai", "builtin"]
    (await gated.call("PUT", "", both)).ok()
    change = {"instructions": "Be brief."}
    assert (await gated.call("PUT", "", change)).status == 409
    run = await gated.run(**change)
    assert [one["model"] for one in run["tested_fallbacks"]] == ["strong"], "the built-in engine has no instructions"
    (await gated.call("PUT", "", change)).ok()


async def test_an_engine_whose_fallback_answers_for_it_has_not_passed(gated: Lab) -> None:
    builtin = {"fallbacks": [{"engine": "builtin"}]}
    assert (await gated.run(**builtin))["passed"]
    (await gated.call("PUT", "", builtin)).ok()
    change = {"instructions": "Be brief."}
    gated.endpoint.status = 500
    run = await gated.run(**change)
    assert run["passed"], "as visitors would be answered"
    refused = await gated.call("PUT", "", change)
    assert (refused.status, refused.body["run_id"]) == (409, run["id"])
    assert [(one["verdict"], one["engine"]) for one in refused.body["failing"]] == [("unknown", "primary")]


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_run_does_not_vouch_for_knowledge_entries_that_change_after_its_start(gated: Lab, when: str) -> None:
    change = {"instructions": "Be brief."}
    entry = {"question": "Do you sell shoes?", "answer": "Yes."}
    run_id = (await gated.call("POST", "/tests/run", change)).ok(201)["run"]["id"]
    if when == "before":
        added = (await gated.call("POST", "/knowledge", entry)).ok(201)["entry"]
    assert await gated.app.answer_tests.runner.run_due()
    if when == "after":
        added = (await gated.call("POST", "/knowledge", entry)).ok(201)["entry"]
    shown = (await gated.call("GET", f"/tests/runs/{run_id}")).ok()["run"]
    assert (shown["passed"], shown["entries_changed"]) == (True, True)
    refused = await gated.call("PUT", "", change)
    assert (refused.status, refused.body["run_id"]) == (409, None)
    (await gated.call("DELETE", f"/knowledge/{added['id']}")).ok()
    assert not (await gated.call("GET", "/tests/runs")).ok()["runs"][0]["entries_changed"]
    (await gated.call("PUT", "", change)).ok()


async def test_a_run_of_the_version_before_vouches_for_the_first_engine_only(gated: Lab) -> None:
    run = await gated.run(instructions="Be brief.", **fallback("strong"))
    runs, results = gated.app.mongo["answer_test_runs"], gated.app.mongo["answer_test_results"]
    # Its replica has started the run of the newer one, and asked the first engine each time.
    await results.update_many({"run_id": run["id"]}, {"$set": {"candidate.engine": "primary"}})
    assert (await gated.call("PUT", "", fallback("strong"))).status == 409
    await runs.update_one({"_id": run["id"]}, {"$unset": {"tested_fallbacks": "", "entries_version": ""}})
    await results.update_many({"run_id": run["id"]}, {"$unset": {"tested_engine": ""}})
    (await gated.call("PUT", "", {"instructions": "Be brief."})).ok()
    assert (await gated.call("PUT", "", fallback("strong"))).status == 409


async def test_a_run_goes_on_where_a_killed_replica_ended(isolated_app: AdminTestApp) -> None:
    app = isolated_app
    owner = await app.create_tenant()
    site = await app.create_site(owner)
    lab = Lab(app, await app.get_caller(owner.operator_id), site["id"], FakeOpenAIServer())
    for number in range(5):
        await lab.add(f"Question {number}?", expected="decline")
    runner = app.answer_tests.runner
    run_id = (await lab.call("POST", "/tests/run", {})).ok(201)["run"]["id"]
    assert (await lab.call("POST", "/tests/run", {})).body["code"] == "test_run_active"
    repository = app.admin.answer_test_runs
    now = app.clock()
    dead = await repository.claim(now, now + TEST_RUN_LEASE)
    assert dead is not None
    await repository.prepare(dead, await runner._list_questions(dead.run))
    answered = (await repository.next_unanswered(dead.run, 1))[0]
    await runner._answer(dead.run, await app.admin.site_directory.get(owner.tenant_id, site["id"]), answered)
    assert not await runner.run_due(), "the lease has not ended"
    shown = (await lab.call("GET", f"/tests/runs/{run_id}")).ok()["run"]
    assert (shown["state"], shown["done"], shown["total"]) == ("running", 1, 5)
    app.clock.advance(seconds=TEST_RUN_LEASE.total_seconds() + 1)
    assert await runner.run_due()
    assert not await repository.renew(dead, app.clock() + timedelta(minutes=1)), "the run has ended"
    shown = (await lab.call("GET", f"/tests/runs/{run_id}")).ok()["run"]
    assert (shown["passed"], shown["done"]) == (True, 5)
    again = (await lab.call("POST", "/tests/run", {})).ok(201)["run"]["id"]
    cancelled = (await lab.call("POST", f"/tests/runs/{again}/cancel")).ok()["run"]
    assert (cancelled["state"], cancelled["passed"]) == ("cancelled", False)
    assert not await runner.run_due()


async def test_a_run_ends_when_the_tokens_of_the_day_are_used_up(lab: Lab) -> None:
    await lab.add(OPEN, must_say=[["model"]])
    await lab.add(SHIP, must_say=[["model"]])
    (await lab.call("PUT", "", {"engine": "openai", "ai": {"daily_tokens": 100}})).ok()
    run = await lab.run()
    assert run["state"] == "failed"
    assert run["error"]["code"] == "token_limit_reached"
    assert not run["passed"]


async def test_a_test_judges_the_reply_as_visitors_would_see_it(lab: Lab) -> None:
    await lab.add(OPEN, must_say=[["hours"]], must_not_say=["evil.example*"])
    lab.endpoint.chunks = ("The hours are at https://evil.", "example/hours.")
    run = await lab.run(engine="openai")
    assert run["passed"], await lab.verdicts(run)


async def test_an_engine_that_fails_leaves_its_test_unknown(lab: Lab) -> None:
    await lab.add(OPEN)
    lab.endpoint.status = 401
    run = await lab.run(engine="openai")
    assert await lab.verdicts(run) == {OPEN: ("unknown", [("failed", "key_refused")])}


async def test_a_test_says_which_engine_answered_when_the_first_one_fails(lab: Lab) -> None:
    change = {"engine": "openai", "fallbacks": [{"engine": "builtin"}]}
    fallback = (await lab.call("PUT", "", change)).ok()["chatbot"]["fallbacks"][0]
    await lab.add(OPEN, must_say=[["18:00"]])
    lab.endpoint.status = 500
    for instructions in ("Be brief.", None):
        run = await lab.run(instructions=instructions)
        assert run["passed"], await lab.verdicts(run)
        (result,) = (await lab.call("GET", f"/tests/runs/{run['id']}/results")).ok()["results"]
        assert result["candidate"]["engine"] == fallback["id"]
    assert (await lab.call("GET", "")).ok()["chatbot"]["failing_engines"] == [], "visitors' replies did not fail"


async def test_what_comes_from_a_chat_is_exported_and_erased(lab: Lab) -> None:
    words = f"When is {secrets.token_hex(4)} open?"
    conversation_id = await lab.chat(words, "Never.")
    origin = {"conversation_id": conversation_id, "seq": 2}
    verbatim = await lab.add(words, **origin)
    own_words = await lab.add("When is it open?", **origin)
    run = await lab.run(replays=3)
    data = AnswerTestData(lab.app.mongo)
    texts = await data.list_texts([conversation_id])
    assert [text.text for text in texts if text.kind == "answer_test"] == [words, "When is it open?"]
    assert len([text for text in texts if text.kind == "test_answer"]) == 2
    await data.remove([conversation_id])
    tests = (await lab.call("GET", "/tests")).ok()["tests"]
    assert [(test["id"], test["conversation_id"]) for test in tests] == [(own_words, None)]
    assert verbatim != own_words
    assert list(await lab.verdicts(run)) == ["When is it open?"]
    assert (await lab.call("GET", f"/tests/runs/{run['id']}/replays")).ok()["replays"] == []
    assert await data.list_texts([conversation_id]) == []


async def test_a_test_is_made_only_from_a_chat_of_the_same_site(lab: Lab) -> None:
    other = await lab.app.create_site(lab.owner)
    conversation_id = await lab.chat(OPEN, OPEN_ANSWER)
    path = f"/api/v1/sites/{other['id']}/chatbot/tests"
    body = {"question": OPEN, "conversation_id": conversation_id}
    assert (await lab.app.call("POST", path, lab.owner, body)).status == 404
    limited = await lab.app.create_member(lab.owner, lab.site_id, can_manage=True)
    assert (await lab.app.call("POST", f"{lab.chatbot}/tests", limited, body)).status == 403
