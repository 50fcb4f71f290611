"""Wrong answers of the AI: the cited passages, the right answer, and other conversations with the same answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from parley.chat.conversations import transitions
from parley.chat.corrections.module import CorrectionModule
from parley.chat.corrections.personal_data import CorrectionData
from parley.chat.knowledge_sources.model import SourceOptions
from parley.chat.messages.model import MessageDraft
from parley.common.auth.identity import OperatorCaller
from support.admin_app import AdminTestApp
from support.ai_replicas import Replica, Shop, run_replicas
from support.dying_process import run_dying_process
from support.openai_server import FakeOpenAIServer
from support.wait import wait_until

QUESTION, WRONG, RIGHT = "How long can I return an item?", "Within 14 days.", "Within 30 days."


class Corrections:
    """The corrections of one site whose AI knows a wrong answer."""

    def __init__(self, shop: Shop, replica: Replica) -> None:
        self.app, self.shop, self.replica = shop.app, shop, replica
        self.site = f"/api/v1/sites/{shop.site_id}"

    async def call(
        self, method: str, path: str, body: Any = None, caller: OperatorCaller | None = None, **query: Any
    ) -> Any:
        return await self.app.call(method, f"{self.site}{path}", caller or self.shop.owner, body, **query)

    async def know(self, question: str, answer: str) -> int:
        body = {"question": question, "answer": answer}
        entry: int = (await self.call("POST", "/chatbot/knowledge", body)).ok(201)["entry"]["id"]
        return entry

    async def ask(self, text: str = QUESTION) -> int:
        """A visitor asks; returns the conversation's id once the answer is stored among the messages."""
        _, outcome = await self.replica.ask(self.shop.new_visitor(), text)
        await self._wait_stored(outcome.conversation.id)
        return outcome.conversation.id

    async def answer_with(self, cited: tuple[str, ...]) -> int:
        """A conversation in which the AI has answered from passages."""
        module = self.replica.module
        conversation = (await self.replica.receive(self.shop.new_visitor(), "Where can I charge it?")).conversation
        draft = MessageDraft(await module.next_message_id(), "ai", "Here.", reply_to=1, cited=cited)
        await module.conversation_repository.change(
            conversation.tenant_id,
            conversation.id,
            lambda current: transitions.add_ai_message(
                current, draft, conversation.generation, self.app.clock(), knew_answer=True
            ),
        )
        return conversation.id

    async def report(self, conversation_id: int, caller: OperatorCaller | None = None, **fields: Any) -> dict[str, Any]:
        body = {"conversation_id": conversation_id, "seq": 2, "right_answer": RIGHT, **fields}
        correction: dict[str, Any] = (await self.call("POST", "/corrections", body, caller)).ok(201)["correction"]
        return correction

    async def passages(self, conversation_id: int) -> list[dict[str, Any]]:
        response = await self.call("GET", "/cited-passages", conversation_id=conversation_id, seq=2)
        found: list[dict[str, Any]] = response.ok()["passages"]
        return found

    async def affected(self, correction: dict[str, Any], **query: Any) -> Any:
        return (await self.call("GET", f"/corrections/{correction['id']}/conversations", **query)).ok()

    async def _wait_stored(self, conversation_id: int) -> None:
        query = {"conversation_id": conversation_id, "role": "ai"}
        await wait_until(lambda: self.app.mongo["messages"].find_one(query), description="the answer is stored")


@pytest.fixture(scope="module")
async def replica(app: AdminTestApp) -> AsyncIterator[Replica]:
    async with FakeOpenAIServer() as endpoint, run_replicas(app, endpoint) as (first, _):
        yield first


@pytest.fixture
async def corrections(app: AdminTestApp, replica: Replica) -> Corrections:
    return Corrections(await Shop.create(app), replica)


async def test_a_wrong_answer_leads_to_its_entry_and_to_all_conversations_with_the_same_answer(
    corrections: Corrections,
) -> None:
    entry = await corrections.know(QUESTION, WRONG)
    await corrections.know("Do you sell bicycles?", "We sell bicycles of all sizes.")
    reported, first, second = [await corrections.ask() for _ in range(3)]
    await corrections.ask("Do you sell bicycles?")
    (passage,) = await corrections.passages(reported)
    assert (passage["kind"], passage["source_id"], passage["state"]) == ("knowledge", entry, "current")
    assert (passage["title"], passage["text"]) == (QUESTION, WRONG)
    correction = await corrections.report(reported, note="It is longer.")
    assert (correction["question"], correction["wrong_answer"], correction["passages"]) == (QUESTION, WRONG, 1)
    body = {"question": QUESTION, "answer": RIGHT, "entry_id": entry}
    applied = (await corrections.call("POST", f"/corrections/{correction['id']}/apply", body)).ok()["correction"]
    assert applied["entry_id"] == entry
    twice = await corrections.call("POST", f"/corrections/{correction['id']}/apply", body)
    assert (twice.status, twice.body["code"]) == (409, "correction_applied")
    await corrections.app.wait_for_audit_entry(corrections.shop.owner, "correction.applied")
    assert (await corrections.passages(reported))[0]["state"] == "changed"

    later = await corrections.ask()
    affected = (await corrections.affected(correction))["conversations"]
    assert [(one["conversation"]["id"], one["seqs"]) for one in affected] == [(second, [2]), (first, [2])]
    page = await corrections.affected(correction, limit=1)
    rest = await corrections.affected(correction, limit=1, cursor=page["next_cursor"])
    assert [one["conversation"]["id"] for one in rest["conversations"]] == [first]
    assert later not in [one["conversation"]["id"] for one in affected], "it got the right answer"

    await corrections.app.mongo["conversations"].delete_one({"_id": second})
    page = await corrections.affected(correction, limit=1)
    assert page["conversations"] == [], "it was removed, and its messages are to be"
    rest = await corrections.affected(correction, limit=1, cursor=page["next_cursor"])
    assert [one["conversation"]["id"] for one in rest["conversations"]] == [first]


async def test_of_two_managers_who_apply_a_correction_at_once_one_writes_an_entry(corrections: Corrections) -> None:
    await corrections.know(QUESTION, WRONG)
    path = f"/corrections/{(await corrections.report(await corrections.ask()))['id']}/apply"
    body = {"question": QUESTION, "answer": RIGHT}
    refused = await corrections.call("POST", path, {**body, "entry_id": 2**40})
    assert refused.status == 404, "what could not be written leaves the correction as it was"
    responses = await asyncio.gather(*(corrections.call("POST", path, body) for _ in range(2)))
    applied, late = sorted(responses, key=lambda response: int(response.status))
    assert (applied.status, late.status, late.body["code"]) == (200, 409, "correction_applied")
    _, entry = (await corrections.call("GET", "/chatbot/knowledge")).ok()["knowledge"]
    assert (entry["id"], entry["answer"]) == (applied.body["correction"]["entry_id"], RIGHT)


async def test_of_two_managers_who_correct_one_entry_at_once_the_second_sees_the_conflict(
    corrections: Corrections,
) -> None:
    """Also those of different corrections; one who reads the entry again may change it."""
    entry_id = await corrections.know(QUESTION, WRONG)
    conversation_id = await corrections.ask()
    (passage,) = await corrections.passages(conversation_id)

    add, shop = corrections.app.create_member, corrections.shop
    permissions = {"can_manage": True, "can_chat": True, "can_view_conversations": True}
    managers = [await add(shop.owner, shop.site_id, **permissions) for _ in range(4)]

    async def apply(answer: str, version: str, manager: OperatorCaller) -> Any:
        correction = await corrections.report(conversation_id, manager, right_answer=answer)
        body = {"question": QUESTION, "answer": answer, "entry_id": entry_id, "entry_version": version}
        return await corrections.call("POST", f"/corrections/{correction['id']}/apply", body, manager)

    answers = [f"Within {days} days." for days in (30, 40, 50, 60)]
    responses = await asyncio.gather(
        *(apply(answer, passage["version"], manager) for answer, manager in zip(answers, managers, strict=True))
    )
    (winner,) = (number for number, response in enumerate(responses) if response.status == 200)
    for response in responses[:winner] + responses[winner + 1 :]:
        assert (response.status, response.body["success"], response.body["code"]) == (409, False, "entry_changed")
    (entry,) = (await corrections.call("GET", "/chatbot/knowledge")).ok()["knowledge"]
    assert entry["answer"] == answers[winner]
    (now,) = await corrections.passages(conversation_id)
    assert (now["state"], now["version"]) == ("changed", entry["version"])
    (await apply("Within 70 days.", now["version"], managers[0])).ok()
    same = {"question": QUESTION, "answer": "Within 70 days.", "version": passage["version"]}
    (await corrections.call("PUT", f"/chatbot/knowledge/{entry_id}", same)).ok()


async def test_an_operator_who_reports_an_answer_again_replaces_the_report_until_it_is_applied(
    corrections: Corrections,
) -> None:
    entry_id = await corrections.know(QUESTION, WRONG)
    conversation_id = await corrections.ask()
    add, shop = corrections.app.create_member, corrections.shop
    colleague = await add(shop.owner, shop.site_id, can_chat=True, can_view_conversations=True)
    first = await corrections.report(conversation_id, right_answer="Within 20 days.")
    again = await corrections.report(conversation_id, note="It was 14.")
    assert (again["id"], again["right_answer"], again["note"]) == (first["id"], RIGHT, "It was 14.")
    other = await corrections.report(conversation_id, colleague)
    body = {"question": QUESTION, "answer": RIGHT, "entry_id": entry_id}
    (await corrections.call("POST", f"/corrections/{first['id']}/apply", body)).ok()
    later = await corrections.report(conversation_id)
    listed = (await corrections.call("GET", "/corrections")).ok()["corrections"]
    assert [one["id"] for one in listed] == [later["id"], other["id"], first["id"]]


@pytest.mark.parametrize(("command", "collection"), [("insert", "knowledge"), ("update", "corrections")])
async def test_a_correction_whose_process_dies_while_it_is_applied_is_applied_by_the_next_request(
    corrections: Corrections, mongodb_uri: str, command: str, collection: str
) -> None:
    app, shop = corrections.app, corrections.shop
    wrong = await corrections.know(QUESTION, WRONG)
    correction_id = (await corrections.report(await corrections.ask()))["id"]
    async with run_dying_process(app, mongodb_uri) as process:
        module = CorrectionModule(process.mongo, process.admin, app.conversations, app.knowledge_sources)
        apply = module.handlers.corrections.apply
        await process.die_before(
            command, collection, lambda: apply(shop.owner, shop.site_id, correction_id, QUESTION, RIGHT, None)
        )
    body = {"question": QUESTION, "answer": RIGHT}
    repeated = await corrections.call("POST", f"/corrections/{correction_id}/apply", body)
    assert repeated.status == (200 if collection == "knowledge" else 409), repeated.raw
    _, entry = (await corrections.call("GET", "/chatbot/knowledge")).ok()["knowledge"]
    assert (entry["id"] > wrong, entry["answer"]) == (True, RIGHT)
    (applied,) = (await corrections.call("GET", "/corrections")).ok()["corrections"]
    assert applied["entry_id"] == entry["id"]


async def test_an_entry_whose_process_dies_before_it_is_changed_is_changed_by_the_next_request(
    corrections: Corrections, mongodb_uri: str
) -> None:
    app, shop = corrections.app, corrections.shop
    entry_id = await corrections.know(QUESTION, WRONG)
    correction_id = (await corrections.report(await corrections.ask()))["id"]
    async with run_dying_process(app, mongodb_uri) as process:
        module = CorrectionModule(process.mongo, process.admin, app.conversations, app.knowledge_sources)
        apply = module.handlers.corrections.apply
        await process.die_before(
            "update", "knowledge", lambda: apply(shop.owner, shop.site_id, correction_id, QUESTION, RIGHT, entry_id)
        )
    body = {"question": QUESTION, "answer": RIGHT, "entry_id": entry_id}
    (await corrections.call("POST", f"/corrections/{correction_id}/apply", body)).ok()
    (entry,) = (await corrections.call("GET", "/chatbot/knowledge")).ok()["knowledge"]
    assert entry["answer"] == RIGHT


async def test_a_passage_of_a_file_is_named_and_is_gone_with_it(corrections: Corrections) -> None:
    app, owner, site_id = corrections.app, corrections.shop.owner, corrections.shop.site_id
    service = app.knowledge_sources.service
    source, _ = await service.create(owner, site_id, "file", SourceOptions("Manuals"))
    text = "You can charge your scooter at every branch, for free."
    document = await service.upload(owner, site_id, source.id, "scooter.md", _chunks(f"# Charging\n\n{text}"))
    while await app.knowledge_sources.sync.run_due():
        pass
    settings = await app.admin.site_directory.get(owner.tenant_id, site_id)
    (cited,) = await app.knowledge_sources.passages.list_passages(settings)
    conversation_id = await corrections.answer_with((cited.reference, f"document:{document.id}:0123456789abcdef"))
    current, changed = await corrections.passages(conversation_id)
    assert (current["kind"], current["source_id"], current["state"]) == ("document", document.id, "current")
    assert (current["title"], current["text"]) == ("Charging", text)
    assert (changed["state"], changed["text"]) == ("changed", "")
    await service.delete_document(owner, site_id, source.id, document.id)
    assert [one["state"] for one in await corrections.passages(conversation_id)] == ["gone", "gone"]


async def test_corrections_need_the_permissions_of_their_conversations(corrections: Corrections) -> None:
    await corrections.know(QUESTION, WRONG)
    conversation_id = await corrections.ask()
    correction = await corrections.report(conversation_id)
    add, shop = corrections.app.create_member, corrections.shop
    chatter = await add(shop.owner, shop.site_id, can_chat=True)
    viewer = await add(shop.owner, shop.site_id, can_view_conversations=True)
    operator = await add(shop.owner, shop.site_id, can_chat=True, can_view_conversations=True)
    body = {"conversation_id": conversation_id, "seq": 2, "right_answer": RIGHT}
    for caller, status in ((chatter, 403), (viewer, 403), (operator, 201)):
        assert (await corrections.call("POST", "/corrections", body, caller)).status == status
    affected = f"/corrections/{correction['id']}/conversations"
    assert (await corrections.call("GET", affected, None, chatter)).status == 403
    assert (await corrections.call("GET", affected, None, viewer)).status == 200
    apply = {"question": QUESTION, "answer": RIGHT}
    assert (await corrections.call("POST", f"/corrections/{correction['id']}/apply", apply, operator)).status == 403
    for seq in (1, 3):
        assert (await corrections.call("POST", "/corrections", {**body, "seq": seq})).status == 404, "not the AI's"


async def test_an_erasure_leaves_of_a_correction_only_what_an_operator_wrote(corrections: Corrections) -> None:
    await corrections.know(QUESTION, WRONG)
    conversation_id = await corrections.ask()
    await corrections.report(conversation_id, note="Jane was promised 14 days.")
    data = CorrectionData(corrections.app.corrections.corrections)
    (text,) = await data.list_texts([conversation_id])
    assert (text.kind, text.text) == ("correction", f"{QUESTION}\n{WRONG}\nJane was promised 14 days.")
    await data.remove([conversation_id])
    (kept,) = (await corrections.call("GET", "/corrections")).ok()["corrections"]
    assert (kept["conversation_id"], kept["question"], kept["wrong_answer"], kept["note"]) == (None, "", "", "")
    assert kept["right_answer"] == RIGHT


async def _chunks(text: str) -> AsyncIterator[bytes]:
    yield text.encode()
