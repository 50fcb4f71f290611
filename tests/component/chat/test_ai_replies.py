"""AI replies on real MongoDB: streamed, stored once, fenced by an accept, and taken over from a replica that died."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from parley.chat.conversations.transitions import REPLY_LEASE_DURATION
from parley.chat.handoff_requests import requests_human
from parley.chat.system_messages import get_locale_strings
from parley.chat.widget.handlers import with_pauses
from parley.common.events.schemas import MessageSource
from support.admin_app import AdminTestApp
from support.ai_replicas import Replica, Shop, run_replicas
from support.openai_server import FakeOpenAIServer

QUESTION, ANSWER = "When are you open?", "From nine to six."


@pytest.fixture
async def endpoint() -> AsyncIterator[FakeOpenAIServer]:
    async with FakeOpenAIServer() as server:
        yield server


@pytest.fixture
async def replicas(app: AdminTestApp, endpoint: FakeOpenAIServer) -> AsyncIterator[tuple[Replica, Replica]]:
    async with run_replicas(app, endpoint) as both:
        yield both


@pytest.fixture
async def shop(app: AdminTestApp) -> Shop:
    shop = await Shop.create(app)
    entry = {"question": QUESTION, "answer": ANSWER}
    (await app.call("POST", f"/api/v1/sites/{shop.site_id}/chatbot/knowledge", shop.owner, entry)).ok(201)
    return shop


async def test_a_reply_is_streamed_and_stored(replicas: tuple[Replica, Replica], shop: Shop) -> None:
    replica, visitor = replicas[0], shop.new_visitor()
    text, outcome = await replica.read_reply(await replica.receive(visitor, QUESTION))
    assert text == ANSWER
    assert outcome.conversation.mode == "ai"
    assert outcome.conversation.reply_lease is None
    assert outcome.message is not None
    assert (outcome.message.content, outcome.message.reply_to) == (ANSWER, 1)
    stored = await replica.module.message_repository.list_for_conversation(outcome.conversation)
    assert stored[-1].sources == (MessageSource(title=QUESTION),)


async def test_an_unrelated_entry_is_no_answer_and_a_greeting_is_returned(
    replicas: tuple[Replica, Replica], shop: Shop
) -> None:
    replica, visitor = replicas[0], shop.new_visitor()
    for text in ("How far is the moon?", "hello there!"):
        reply, outcome = await replica.read_reply(await replica.receive(visitor, text))
        assert reply != ANSWER
        assert outcome.message is not None
        assert outcome.message.sources == ()
    assert outcome.conversation.mode == "ai"


@pytest.mark.parametrize("embeddings", ["local", "none"])
async def test_small_talk_and_a_request_for_a_person_are_understood_beyond_known_words(
    replicas: tuple[Replica, Replica], shop: Shop, embeddings: str
) -> None:
    await shop.configure(ai={"embeddings": embeddings})
    replica, visitor = replicas[0], shop.new_visitor()
    greeting, request = "hey, anyone around?", "could an employee contact me"
    assert not any(map(requests_human, (greeting, request)))
    reply, outcome = await replica.ask(visitor, greeting)
    assert (reply, outcome.conversation.mode) == (get_locale_strings("en").greeting, "ai")
    _, outcome = await replica.ask(visitor, "koppla mig inte till en människa")
    assert outcome.conversation.mode == "ai", "a negation is no request"
    _, outcome = await replica.ask(visitor, request)
    assert (outcome.conversation.mode, outcome.conversation.history[-1].reason) == ("pending", "asked")


async def test_a_repeated_message_gets_the_stored_reply_from_any_replica(
    replicas: tuple[Replica, Replica], shop: Shop
) -> None:
    first, second = replicas
    visitor = shop.new_visitor()
    _, outcome = await first.read_reply(await first.receive(visitor, QUESTION, "m1"))
    repeated = await second.receive(visitor, QUESTION, "m1")
    assert repeated.duplicate
    assert await second.read_reply(repeated) == (ANSWER, outcome)


async def test_after_an_accept_the_ai_writes_nothing_more(
    replicas: tuple[Replica, Replica], shop: Shop, endpoint: FakeOpenAIServer
) -> None:
    replica, visitor = replicas[0], shop.new_visitor()
    await shop.configure(engine="openai")
    endpoint.pause = asyncio.Event()
    received = await replica.receive(visitor, "Tell me a story")
    stream = replica.replies.start_or_join(received)
    assert stream is not None
    chunks = stream.subscribe()
    first = await anext(chunks)
    await replica.module.conversations.accept(shop.owner, received.conversation.id)
    endpoint.pause.set()
    sent = first + "".join([chunk async for chunk in chunks])
    assert "model." not in sent, "the chunk after the accept is not sent"
    assert stream.message is None
    _, found = await replica.module.widget.get_history(visitor, None, 10)
    assert [message.role for message in found.messages] == ["visitor"]


async def test_a_reply_is_not_silent_while_the_model_thinks(
    replicas: tuple[Replica, Replica], shop: Shop, endpoint: FakeOpenAIServer
) -> None:
    replica, visitor = replicas[0], shop.new_visitor()
    await shop.configure(engine="openai")
    endpoint.chunks, endpoint.pause = ("Once upon a time.",), asyncio.Event()
    received = await replica.receive(visitor, "Tell me a story")
    reply = replica.replies.start_or_join(received)
    parts = with_pauses(replica.replies.subscribe(received, reply), 0.01)
    assert [await anext(parts) for _ in range(3)] == [None] * 3, "each is sent as a comment"
    endpoint.pause.set()
    assert "".join([part async for part in parts if isinstance(part, str)]) == "Once upon a time."


async def test_two_questions_without_an_answer_in_a_row_request_a_handoff(
    replicas: tuple[Replica, Replica], shop: Shop
) -> None:
    replica, visitor = replicas[0], shop.new_visitor()
    text, outcome = await replica.read_reply(await replica.receive(visitor, "Zebras?"))
    assert text.startswith("I'm sorry, I don't know")
    assert outcome.conversation.mode == "ai"
    assert outcome.message is not None
    (offer,) = outcome.message.quick_replies
    assert requests_human(offer.label), "who chooses it gets a person"
    _, found = await replica.module.widget.get_history(visitor, None, 10)
    assert found.messages[-1].quick_replies[0].handoff, "the widget offers no second one"
    text, outcome = await replica.read_reply(await replica.receive(visitor, "Giraffes?"))
    assert text.endswith("Leave your e-mail address and we will write back to you.")
    assert outcome.conversation.mode == "pending"


async def test_an_engine_that_fails_requests_a_handoff(
    replicas: tuple[Replica, Replica], shop: Shop, endpoint: FakeOpenAIServer
) -> None:
    replica, visitor = replicas[0], shop.new_visitor()
    await shop.configure(engine="openai")
    endpoint.status = 401
    text, outcome = await replica.read_reply(await replica.receive(visitor, QUESTION))
    assert text.startswith("I'm sorry, I can't answer right now.")
    assert outcome.conversation.mode == "pending"


async def test_the_owner_sees_why_the_last_call_failed_until_one_succeeds(
    replicas: tuple[Replica, Replica], shop: Shop, endpoint: FakeOpenAIServer
) -> None:
    await shop.configure(engine="openai")

    async def ask_and_get_error(replica: Replica) -> dict[str, str]:
        await replica.read_reply(await replica.receive(shop.new_visitor(), QUESTION))
        response = await shop.app.call("GET", f"/api/v1/sites/{shop.site_id}/chatbot", shop.owner)
        return response.ok()["chatbot"]["last_error"]  # type: ignore[no-any-return]

    endpoint.status = 401
    error = await ask_and_get_error(replicas[0])
    assert (error["message"], error["code"]) == ("The AI endpoint refuses the API key (status 401).", "key_refused")
    endpoint.reset()
    assert await ask_and_get_error(replicas[1]) is None
    endpoint.deltas, endpoint.finish_reason = [], "length"
    assert (await ask_and_get_error(replicas[0]))["code"] == "empty_length"
    endpoint.deltas, endpoint.finish_reason = [{"content": "[[NO ANSWER]]"}], "stop"
    assert await ask_and_get_error(replicas[1]) is None


async def test_an_unknown_engine_requests_a_handoff_and_no_other_engine_replies(
    replicas: tuple[Replica, Replica], shop: Shop, endpoint: FakeOpenAIServer
) -> None:
    replica, visitor = replicas[0], shop.new_visitor()
    await shop.app.mongo["sites"].update_one({"_id": shop.site_id}, {"$set": {"chatbot.engine": "parrot"}})
    text, outcome = await replica.read_reply(await replica.receive(visitor, QUESTION))
    assert ANSWER not in text
    assert not endpoint.requests
    assert outcome.conversation.mode == "pending"


async def test_another_replica_takes_over_a_reply_whose_lease_has_ended(
    replicas: tuple[Replica, Replica], shop: Shop
) -> None:
    dead, alive = replicas
    visitor = shop.new_visitor()
    received = await dead.receive(visitor, QUESTION, "m1")
    assert await alive.replies.resume_expired() == 0, "the lease has not ended"
    alive.clock.offset = REPLY_LEASE_DURATION + timedelta(seconds=1)
    assert await alive.replies.resume_expired() == 0, "it is the replica's that received the message"
    alive.clock.offset = REPLY_LEASE_DURATION + timedelta(seconds=3)
    assert await alive.replies.resume_expired() == 1
    assert await dead.replies.resume_expired() == 0, "the reply has a new lease"
    text, outcome = await alive.read_reply(await alive.receive(visitor, QUESTION, "m1"))
    assert text == ANSWER
    assert outcome.message is not None
    assert outcome.message.conversation_id == received.conversation.id


async def test_the_second_reply_that_says_nothing_requests_a_handoff(
    replicas: tuple[Replica, Replica], shop: Shop, endpoint: FakeOpenAIServer
) -> None:
    replica, visitor = replicas[0], shop.new_visitor()
    await shop.configure(engine="openai")
    endpoint.deltas = [{"reasoning_content": "Hm."}]
    text, outcome = await replica.read_reply(await replica.receive(visitor, "One?"))
    assert text.startswith("I'm sorry, I don't know")
    assert outcome.conversation.mode == "ai"
    _, outcome = await replica.read_reply(await replica.receive(visitor, "Two?"))
    assert outcome.conversation.mode == "pending"


async def test_choices_of_a_model_become_quick_replies(
    replicas: tuple[Replica, Replica], shop: Shop, endpoint: FakeOpenAIServer
) -> None:
    replica, visitor = replicas[0], shop.new_visitor()
    await shop.configure(engine="openai")
    endpoint.deltas = [{"content": part} for part in ("Which size? [[cho", "ices: Small | Lar", "ge]]")]
    text, outcome = await replica.read_reply(await replica.receive(visitor, "I need a shirt"))
    assert text == "Which size?"
    (stored,) = await replica.module.message_repository.list_for_conversation(outcome.conversation, after_seq=1)
    assert stored.content == "Which size?"
    assert [one.label for one in stored.quick_replies] == ["Small", "Large"]


async def test_a_greeting_is_not_an_unknown_question(replicas: tuple[Replica, Replica], shop: Shop) -> None:
    replica, visitor = replicas[0], shop.new_visitor()
    for greeting in ("Hello", "Hi there!", "Thanks"):
        text, outcome = await replica.read_reply(await replica.receive(visitor, greeting))
        assert text in ("Hello! How can I help you?", "You're welcome!")
        assert outcome.conversation.mode == "ai"


async def test_an_entry_with_only_function_words_in_common_is_no_answer(
    replicas: tuple[Replica, Replica], shop: Shop
) -> None:
    text, _ = await replicas[0].read_reply(await replicas[0].receive(shop.new_visitor(), "When are you in Paris?"))
    assert text.startswith("I'm sorry, I don't know")
