"""Images of visitors for models that see them: shown to those only, small, and only the visitor's own."""

from __future__ import annotations

import io
from base64 import b64decode
from collections.abc import AsyncIterator
from typing import Any

import pytest
from PIL import Image

from parley.chat.ai.metering import Limits
from parley.chat.sites.engine_check import CheckStatus, CheckStep, EngineCheck
from parley.common.auth.identity import VisitorCaller
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
    await ask(replica, visitor, "Which part is broken here?", await upload(app, visitor))
    (request,) = endpoint.requests
    (image,) = shown_images(request)
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
    ("images", "seen"), [(False, "ok"), (True, "limited")], ids=["the site does not want it", "the model is blind"]
)
async def test_other_engines_are_told_that_there_is_an_image(
    app: AdminTestApp, replica: Replica, endpoint: FakeOpenAIServer, images: bool, seen: CheckStatus
) -> None:
    shop = await create_shop(app, images=images, seen=seen)
    visitor = shop.new_visitor()
    await ask(replica, visitor, "Which part is broken here?", await upload(app, visitor))
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
    await ask(replica, visitor, "What is this?", await upload(app, other))
    removed = await upload(app, visitor)
    for stored in list(app.stored_objects()):
        if stored.name in removed:
            stored.unlink()
    await ask(replica, visitor, "And this?", removed)
    assert [shown_images(request) for request in endpoint.requests] == [[], []]


async def test_an_image_alone_is_no_gap_of_the_knowledge(
    app: AdminTestApp, replica: Replica, endpoint: FakeOpenAIServer
) -> None:
    shop = await create_shop(app)
    visitor = shop.new_visitor()
    endpoint.chunks = ()
    await ask(replica, visitor, "", await upload(app, visitor))
    await ask(replica, shop.new_visitor(), "Do you repair cups?")
    questions = app.mongo["unanswered_questions"]
    await wait_until(lambda: questions.find_one({"site_id": shop.site_id, "text": "Do you repair cups?"}))
    assert await questions.count_documents({"site_id": shop.site_id}) == 1
