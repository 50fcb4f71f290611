"""A11: a blocked visitor is refused on exactly the paths that the kind of block names."""

from __future__ import annotations

from typing import Any

import pytest

from parley.gateway.routes import Credential
from parley_dev.stack import Stack
from support.api import Api, Visitor
from support.authorization_matrix import image_form, picture
from support.routes import forwards
from support.tenants import World

WRITING = {"stream", "email", "contact", "upload-image", "rate", "typing", "handoff"}
"""What reaches somebody, or leaves something with us."""

FREE = {
    "history": "their own words",
    "operator-messages": "their own words",
    "pending-proactive": "their own words",
    "block-status": "tells that they are blocked",
    "config": "how the widget looks",
    "read": "what they have seen",
    "heartbeat": "that they are there; operators see who is blocked",
    "events": "their own conversation",
}
"""What a blocked visitor may go on with, and why."""

BODIES: dict[str, dict[str, Any]] = {
    "stream": {"message": "Let me in"},
    "email": {"email": "jane@example.com"},
    "contact": {"name": "Jane"},
    "rate": {"score": 1},
    "read": {"seq": 1},
    "heartbeat": {"page": "https://shop.test/"},
}


@pytest.fixture(scope="module")
async def world(stack: Stack, api: Api, mongodb_uri: str) -> World:
    return await World.make(api, stack, mongodb_uri)


async def _statuses(world: World, visitor: Visitor) -> dict[str, int]:
    """What every path of a visitor answers."""
    found: dict[str, int] = {}
    for forward in forwards(Credential.VISITOR):
        name = forward.path.rpartition("/")[2]
        if name == "events":
            async with world.api.http.get(world.api.base + forward.path, params=visitor.names) as stream:
                found[name] = stream.status
        elif name == "upload-image":
            form = image_form(picture(), **visitor.names)
            found[name] = (await world.api.call("POST", forward.path, data=form)).status
        elif forward.method == "GET":
            found[name] = (await visitor.get(f"/{name}")).status
        else:
            found[name] = (await visitor.post(f"/{name}", **BODIES.get(name, {}))).status
    return found


async def _block(world: World, conversation_id: int, kind: str | None) -> None:
    body = {"blocked": kind is not None, **({"block_type": kind} if kind else {})}
    (await world.alex.post(f"/operator/conversation/{conversation_id}/block", body)).ok()


async def test_every_path_is_one_or_the_other() -> None:
    names = {forward.path.rpartition("/")[2] for forward in forwards(Credential.VISITOR)}
    assert names == WRITING | set(FREE)


async def test_blocked_for_both_can_write_nowhere_and_read_on(world: World) -> None:
    visitor = world.visitor()
    conversation_id = (await visitor.say("Hello"))["conversation_id"]
    await _block(world, conversation_id, "both")
    found = await _statuses(world, visitor)
    assert {name for name, status in found.items() if status == 403} == WRITING
    assert {name for name, status in found.items() if status == 200} == set(FREE)
    assert (await visitor.get("/block-status")).ok() == {"success": True, "blocked": True, "block_type": "both"}
    refused = await visitor.post("/stream", message="Let me in")
    assert refused.body["code"] == "visitor_blocked"
    history = (await visitor.get("/history")).ok()["messages"]
    assert "Let me in" not in [one["content"] for one in history]
    await _block(world, conversation_id, None)
    assert set((await _statuses(world, visitor)).values()) == {200}


async def test_blocked_for_operators_never_reaches_one(world: World) -> None:
    visitor = world.visitor()
    conversation_id = (await visitor.say("Hello"))["conversation_id"]
    await _block(world, conversation_id, "operator")
    found = await _statuses(world, visitor)
    assert {name for name, status in found.items() if status == 403} == {"handoff"}
    said = await visitor.say("Give me a person please")
    assert said["mode"] == "ai"
    assert said["answer"], "the AI goes on answering"
    waiting = (await world.alex.get("/operator/active-chats", site_id=world.site_id)).ok()["chats"]
    assert conversation_id not in [chat["id"] for chat in waiting]


async def test_blocked_for_operators_while_held_is_cut_off_from_them(world: World) -> None:
    visitor, conversation_id = await world.taken()
    await _block(world, conversation_id, "operator")
    shown = (await world.alex.get(f"/operator/conversation/{conversation_id}")).ok()["conversation"]
    before = shown["last_seq"]
    reply = await visitor.post("/stream", message="Are you still there?")
    shown = (await world.alex.get(f"/operator/conversation/{conversation_id}")).ok()["conversation"]
    if shown["mode"] == "operator":
        assert reply.status == 403
        assert shown["last_seq"] == before


async def test_blocked_for_the_ai_never_costs_a_token(world: World) -> None:
    visitor = world.visitor()
    conversation_id = (await visitor.say("Hello"))["conversation_id"]
    await _block(world, conversation_id, "ai")
    parts = [part async for part in visitor.parts("Tell me a long story")]
    assert [part["type"] for part in parts] == ["done"], "no AI says a word"
    assert parts[0]["meta"]["mode"] == "pending", "a person is awaited instead"
    found = await _statuses(world, visitor)
    assert 403 not in found.values()


async def test_a_block_holds_in_the_next_conversation_and_not_for_others(world: World) -> None:
    visitor, conversation_id = await world.taken()
    await _block(world, conversation_id, "both")
    (await world.alex.post(f"/operator/close/{conversation_id}")).ok()
    assert (await visitor.post("/stream", message="Again")).status == 403
    other = world.visitor()
    assert (await other.say("Hello"))["mode"] == "ai"
