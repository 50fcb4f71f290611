"""Outside working hours: whoever asks for a person is told so, and until when, and their conversation waits all the
same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from parley.chat.sites.settings_schemas import DAYS
from support.api import Visitor
from support.tenants import World
from support.wait import until


def in_two_days() -> dict[str, Any]:
    """Hours of a site that opens in two days, at noon."""
    day = DAYS[(datetime.now(UTC) + timedelta(days=2)).weekday()]
    return {"time_zone": "UTC", "weekly": [{"day": day, "from": "12:00", "to": "13:00"}]}


@pytest.fixture
async def closed(world: World) -> World:
    """A site that is closed now, whose operator is online all the same."""
    (await world.owner.send("PUT", f"/sites/{world.site_id}/chatbot", {"hours": in_two_days()})).ok()
    (await world.alex.post("/operator/heartbeat", {"site_ids": [world.site_id]})).ok()

    async def online() -> bool:
        return bool((await world.visitor().get("/config")).ok()["operators_online"])

    await until(online)
    return world


async def said(visitor: Visitor) -> list[tuple[str, str]]:
    return [(one["role"], one["content"]) for one in (await visitor.get("/history")).ok()["messages"]]


async def test_the_widget_is_told_whether_it_is_open_and_when_it_will_be(world: World, closed: World) -> None:
    config = (await closed.visitor().get("/config")).ok()
    assert config["open"] is False
    opens = datetime.fromisoformat(config["opens_at"])
    assert opens.date() == (datetime.now(UTC) + timedelta(days=2)).date()
    assert (opens.hour, opens.minute, opens.utcoffset()) == (12, 0, timedelta(0))
    (await closed.owner.send("PUT", f"/sites/{closed.site_id}/chatbot", {"hours": None})).ok()
    config = (await closed.visitor().get("/config")).ok()
    assert (config["open"], config["opens_at"]) == (True, None)


async def test_who_asks_the_ai_for_a_person_is_told_in_their_language(closed: World) -> None:
    visitor = closed.visitor()
    answer = await visitor.say("Ich möchte mit einem Menschen sprechen", lang="de")
    assert answer["mode"] == "pending", "it waits for when they are back"
    assert answer["answer"].startswith("Wir haben gerade geschlossen.")
    assert "um 12:00 (UTC) wieder da" in answer["answer"]


async def test_whom_the_ai_cannot_help_twice_is_told(closed: World) -> None:
    visitor = closed.visitor()
    await visitor.say("What is the meaning of life?")
    second = await visitor.say("And of the universe?")
    assert second["mode"] == "pending"
    assert "We are closed right now." in second["answer"]


async def test_who_presses_the_button_is_told(closed: World) -> None:
    visitor = closed.visitor()
    await visitor.say("Bonjour", lang="fr")
    (await visitor.post("/handoff")).ok()
    role, content = (await said(visitor))[-1]
    assert role == "system"
    assert content.startswith("Nous sommes fermés pour le moment. Laissez votre adresse e-mail")
    assert "à 12:00 (UTC)" in content
    (await visitor.post("/handoff")).ok()
    assert [one for one, _ in await said(visitor)].count("system") == 1, "once is enough"


async def test_whom_the_ai_is_not_for_is_told_behind_what_they_said(closed: World) -> None:
    visitor = closed.visitor()
    talk = (await visitor.say("Hello?"))["conversation_id"]
    block = {"blocked": True, "block_type": "ai"}
    (await closed.alex.post(f"/operator/conversation/{talk}/block", block)).ok()
    async with visitor.events() as widget:
        await widget.wait("ready")
        assert (await visitor.say("Is anybody there?"))["mode"] == "pending"
        told = await widget.wait("message.created", lambda event: event.data["data"]["role"] == "system")
    assert told.data["data"]["content"].startswith("We are closed right now.")
    await visitor.say("Hello?")
    assert [role for role, _ in (await said(visitor))[-3:]] == ["visitor", "system", "visitor"]


async def test_within_hours_with_somebody_online_nobody_is_asked_for_an_address(closed: World) -> None:
    (await closed.owner.send("PUT", f"/sites/{closed.site_id}/chatbot", {"hours": None})).ok()
    visitor = closed.visitor()
    await visitor.say("Hello?")
    (await visitor.post("/handoff")).ok()
    assert "system" not in [role for role, _ in await said(visitor)]


async def test_the_team_finds_who_waited_in_its_queue_and_may_take_them_at_any_hour(closed: World) -> None:
    visitor, conversation_id = await closed.waiting()
    waiting = (await closed.alex.get("/operator/all-active-chats", status="pending")).ok()["chats"]
    assert [chat["id"] for chat in waiting] == [conversation_id]
    (await closed.alex.post(f"/operator/accept/{conversation_id}")).ok()
    assert (await visitor.get("/history")).ok()["mode"] == "operator"
