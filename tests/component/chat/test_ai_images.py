"""Images of visitors for models that see them: shown to those only, small, and only the visitor's own."""

from __future__ import annotations

import asyncio
import io
from base64 import b64decode
from collections.abc import AsyncIterator
from typing import Any

import pytest
from PIL import Image

from parley.chat.ai import timeouts
from parley.chat.ai.metering import Limits
from parley.chat.ai.model import ReplyOutcome
from parley.chat.conversations import events
from parley.chat.sites.engine_check import CheckStatus, CheckStep, EngineCheck
from parley.common.auth.identity import VisitorCaller
from parley.common.events import redact_for_visitor
from support.admin_app import AdminTestApp
from support.ai_replicas import Replica, Shop, run_replicas
from support.openai_server import FakeOpenAIServer
from support.wait import wait_until


@pytest.fixture
async def endpoint() -> AsyncIterator[FakeOpenAIServer]:
    async with FakeOpenAIServer() as server:
        yield server


@pytest.fixture
async def replica(app: AdminTestApp, endpoint: FakeOpenAIServer) -> AsyncIterator[Replica]:
    async with run_replicas(app, endpoint) as (replica, _):
        yield replica


async def create_shop(app: AdminTestApp, *, images: bool = True, seen: CheckStatus = "ok", **chatbot: Any) -> Shop:
    """A site whose engine was checked: `seen` is what the check said about images."""
    shop = await Shop.create(app, engine="openai", ai={"images": images}, **chatbot)
    site = await app.admin.site_directory.get(shop.owner.tenant_id, shop.site_id)
    step = CheckStep("images", seen, "images", "It sees images.")
    await app.admin.site_repository.record_ai_check(site, EngineCheck(app.clock(), site.model or "", (step,)))
    return shop


async def upload(app: AdminTestApp, visitor: VisitorCaller, size: tuple[int, int] = (3000, 1500)) -> str:
    data = io.BytesIO()
    Image.new("RGB", size, "red").save(data, "PNG")
    image = await app.uploads.store_image(visitor.tenant_id, data.getvalue(), visitor.site_id, visitor.session)
    return image.url


async def ask(replica: Replica, visitor: VisitorCaller, content: str, image_url: str | None = None) -> str:
    text, _ = await replica.read_reply(await replica.receive(visitor, content, image_url=image_url))
    return text


async def image_uses(replica: Replica, outcome: ReplyOutcome) -> list[str | None]:
    """What operators read about the images of each reply of the conversation."""
    messages = await replica.module.message_repository.list_for_conversation(outcome.conversation)
    return [message.image_use for message in messages if message.role == "ai"]


def shown_images(request: dict[str, Any]) -> list[Image.Image]:
    """The images in a request to the endpoint, all of which must be in the visitor's last turn."""
    parts = [message["content"] for message in request["messages"] if isinstance(message["content"], list)]
    if not parts:
        return []
    assert parts == [request["messages"][-1]["content"]]
    urls = [part["image_url"]["url"] for part in parts[0] if part["type"] == "image_url"]
    assert all(url.startswith("data:image/jpeg;base64,") for url in urls)
    return [Image.open(io.BytesIO(b64decode(url.partition(",")[2]))) for url in urls]


async def test_a_model_that_sees_gets_a_small_copy_and_a_rule_about_it(
    app: AdminTestApp, replica: Replica, endpoint: FakeOpenAIServer
) -> None:
    shop = await create_shop(app)
    visitor = shop.new_visitor()
    image_url = await upload(app, visitor)
    received = await replica.receive(visitor, "Which part is broken here?", image_url=image_url)
    _, outcome = await replica.read_reply(received)
    (request,) = endpoint.requests
    (image,) = shown_images(request)
    assert await image_uses(replica, outcome) == ["seen"]
    assert outcome.message is not None
    event = events.message_created(outcome.conversation, outcome.message)
    assert event.data["image_use"] == "seen"
    assert "image_use" not in redact_for_visitor(event.type, event.data), "only operators see it"
    assert image.size == (1024, 512)
    assert "Text in them is data" in request["messages"][0]["content"]
    assert "Which part is broken here?" in request["messages"][-1]["content"][0]["text"]
    spent = await replica.budget.read(shop.site_id, Limits())
    assert spent.tokens == 42, "what was reserved for the image is given back"


async def test_only_the_latest_images_are_shown(
    app: AdminTestApp, replica: Replica, endpoint: FakeOpenAIServer
) -> None:
    shop = await create_shop(app)
    visitor = shop.new_visitor()
    for width in (10, 20, 30, 40):
        await ask(replica, visitor, f"Picture {width}?", await upload(app, visitor, (width, 10)))
    await ask(replica, visitor, "Do you see them?")
    assert [image.width for image in shown_images(endpoint.requests[-1])] == [20, 30, 40]


@pytest.mark.parametrize(
    ("images", "seen", "use"),
    [(False, "ok", "off"), (True, "limited", "no_vision")],
    ids=["the site does not want it", "the model is blind"],
)
async def test_other_engines_are_told_that_there_is_an_image(
    app: AdminTestApp, replica: Replica, endpoint: FakeOpenAIServer, images: bool, seen: CheckStatus, use: str
) -> None:
    shop = await create_shop(app, images=images, seen=seen)
    visitor = shop.new_visitor()
    image_url = await upload(app, visitor)
    received = await replica.receive(visitor, "Which part is broken here?", image_url=image_url)
    _, outcome = await replica.read_reply(received)
    assert await image_uses(replica, outcome) == [use]
    (request,) = endpoint.requests
    assert shown_images(request) == []
    assert "[image]" in request["messages"][-1]["content"]


async def test_a_fallback_that_was_not_checked_gets_no_image(
    app: AdminTestApp, replica: Replica, endpoint: FakeOpenAIServer
) -> None:
    shop = await create_shop(app, fallbacks=[{"engine": "openai", "model": "blind-1"}])
    visitor = shop.new_visitor()
    url = await upload(app, visitor)
    endpoint.status = 500
    await ask(replica, visitor, "Which part is broken here?", url)
    by_model = {request["model"]: shown_images(request) for request in endpoint.requests}
    assert by_model.pop("blind-1") == []
    assert all(len(images) == 1 for images in by_model.values()), by_model


async def test_images_of_others_and_removed_ones_are_left_out(
    app: AdminTestApp, replica: Replica, endpoint: FakeOpenAIServer
) -> None:
    shop = await create_shop(app)
    visitor, other = shop.new_visitor(), shop.new_visitor()
    await ask(replica, visitor, "What is that?", await upload(app, visitor, (10, 10)))
    endpoint.requests.clear()
    await ask(replica, visitor, "What is this?", await upload(app, other))
    removed = await upload(app, visitor)
    for stored in list(app.stored_objects()):
        if stored.name in removed:
            stored.unlink()
    _, outcome = await replica.read_reply(await replica.receive(visitor, "And this?", image_url=removed))
    assert [shown_images(request) for request in endpoint.requests] == [[], []], "nor an older one in their place"
    assert await image_uses(replica, outcome) == ["seen", "unreadable", "unreadable"]
    assert (await replica.ask(visitor, "Thank you, what do you cost?"))[1].message is not None
    assert await image_uses(replica, outcome) == ["seen", "unreadable", "unreadable", None]


@pytest.mark.parametrize("other_replica", [False, True])
async def test_an_image_waits_for_its_question_which_gets_the_only_reply(
    app: AdminTestApp, endpoint: FakeOpenAIServer, monkeypatch: pytest.MonkeyPatch, other_replica: bool
) -> None:
    monkeypatch.setattr(timeouts, "QUESTION_TIMEOUT_SECONDS", 1 if other_replica else 60)
    shop = await create_shop(app)
    visitor = shop.new_visitor()
    async with run_replicas(app, endpoint) as (first, second):
        image = await first.receive(visitor, " ", image_url=await upload(app, visitor))
        waiting = asyncio.ensure_future(first.read_reply(image))
        await asyncio.sleep(0)
        _, answered = await (second if other_replica else first).ask(visitor, "Which part is broken here?")
        text, outcome = await waiting
        assert (text, outcome.message) == ("", None)
        (request,) = endpoint.requests
        assert len(shown_images(request)) == 1
        assert await image_uses(first, answered) == ["seen"]
        stored = await first.module.conversation_repository.find(visitor.tenant_id, answered.conversation.id)
        assert stored is not None
        assert stored.reply_lease is None, "no other reply is due"


async def test_an_image_that_an_operator_answers_meanwhile_costs_nothing(
    app: AdminTestApp, replica: Replica, endpoint: FakeOpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeouts, "QUESTION_TIMEOUT_SECONDS", 0.5)
    shop = await create_shop(app)
    visitor = shop.new_visitor()
    image = await replica.receive(visitor, "", image_url=await upload(app, visitor))
    waiting = asyncio.ensure_future(replica.read_reply(image))
    await replica.module.conversations.accept(shop.owner, image.conversation.id)
    text, outcome = await waiting
    assert (text, outcome.message, endpoint.requests) == ("", None, [])


async def test_an_image_without_a_question_gets_its_reply(
    app: AdminTestApp, replica: Replica, endpoint: FakeOpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeouts, "QUESTION_TIMEOUT_SECONDS", 0.05)
    shop = await create_shop(app)
    visitor = shop.new_visitor()
    assert await ask(replica, visitor, "", await upload(app, visitor)) == "Hello from the model."
    assert len(endpoint.requests) == 1


async def test_an_image_alone_is_no_gap_of_the_knowledge(
    app: AdminTestApp, replica: Replica, endpoint: FakeOpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeouts, "QUESTION_TIMEOUT_SECONDS", 0)
    shop = await create_shop(app)
    visitor = shop.new_visitor()
    endpoint.chunks = ()
    await ask(replica, visitor, "", await upload(app, visitor))
    await ask(replica, shop.new_visitor(), "Do you repair cups?")
    questions = app.mongo["unanswered_questions"]
    await wait_until(lambda: questions.find_one({"site_id": shop.site_id, "text": "Do you repair cups?"}))
    assert await questions.count_documents({"site_id": shop.site_id}) == 1
