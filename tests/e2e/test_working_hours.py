"""Outside working hours: whoever asks for a person is told so, and until when, and their conversation waits all the
same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from parley.chat.sites.settings_schemas import DAYS
from support.api import VisitorClient
from support.tenants import TenantFixture
from support.wait import wait_until


def in_two_days() -> dict[str, Any]:
    """Hours of a site that opens in two days, at noon."""
    day = DAYS[(datetime.now(UTC) + timedelta(days=2)).weekday()]
    return {"time_zone": "UTC", "weekly": [{"day": day, "from": "12:00", "to": "13:00"}]}


@pytest.fixture
async def closed(tenant: TenantFixture) -> TenantFixture:
    """A site that is closed now, whose operator is online all the same."""
    (await tenant.owner.send("PUT", f"/sites/{tenant.site_id}/chatbot", {"hours": in_two_days()})).ok()
    (await tenant.alex.post("/operator/heartbeat", {"site_ids": [tenant.site_id]})).ok()

    async def online() -> bool:
        return bool((await tenant.new_visitor().get("/config")).ok()["operators_online"])

    await wait_until(online)
    return tenant


async def said(visitor: VisitorClient) -> list[tuple[str, str]]:
    return [(one["role"], one["content"]) for one in (await visitor.get("/history")).ok()["messages"]]


async def test_the_widget_is_told_whether_it_is_open_and_when_it_will_be(
    tenant: TenantFixture, closed: TenantFixture
) -> None:
    config = (await closed.new_visitor().get("/config")).ok()
    assert config["open"] is False
    opens = datetime.fromisoformat(config["opens_at"])
    assert opens.date() == (datetime.now(UTC) + timedelta(days=2)).date()
    assert (opens.hour, opens.minute, opens.utcoffset()) == (12, 0, timedelta(0))
    (await closed.owner.send("PUT", f"/sites/{closed.site_id}/chatbot", {"hours": None})).ok()
    config = (await closed.new_visitor().get("/config")).ok()
    assert (config["open"], config["opens_at"]) == (True, None)


async def test_who_asks_the_ai_for_a_person_is_told_in_their_language(closed: TenantFixture) -> None:
    visitor = closed.new_visitor()
    answer = await visitor.send_message("Ich möchte mit einem Menschen sprechen", lang="de")
    assert answer["mode"] == "pending", "it waits for when they are back"
    assert answer["answer"].startswith("Wir haben gerade geschlossen.")
    assert "um 12:00 (UTC) wieder da" in answer["answer"]


async def test_whom_the_ai_cannot_help_twice_is_told(closed: TenantFixture) -> None:
    visitor = closed.new_visitor()
    await visitor.send_message("What is the meaning of life?")
    second = await visitor.send_message("And of the universe?")
    assert second["mode"] == "pending"
    assert "We are closed right now." in second["answer"]


async def test_who_presses_the_button_is_told(closed: TenantFixture) -> None:
    visitor = closed.new_visitor()
    await visitor.send_message("Bonjour", lang="fr")
    (await visitor.post("/handoff")).ok()
    role, content = (await said(visitor))[-1]
    assert role == "system"
    assert content.startswith("Nous sommes fermés pour le moment. Laissez votre adresse e-mail")
    assert "à 12:00 (UTC)" in content
    (await visitor.post("/handoff")).ok()
    assert [one for one, _ in await said(visitor)].count("system") == 1, "once is enough"


async def test_whom_the_ai_is_not_for_is_told_behind_what_they_said(closed: TenantFixture) -> None:
    visitor = closed.new_visitor()
    talk = (await visitor.send_message("Hello?"))["conversation_id"]
    block = {"blocked": True, "block_type": "ai"}
    (await closed.alex.post(f"/operator/conversation/{talk}/block", block)).ok()
    async with visitor.events() as widget:
        await widget.wait_for("ready")
        assert (await visitor.send_message("Is anybody there?"))["mode"] == "pending"
        told = await widget.wait_for("message.created", lambda event: event.data["data"]["role"] == "system")
    assert told.data["data"]["content"].startswith("We are closed right now.")
    await visitor.send_message("Hello?")
    assert [role for role, _ in (await said(visitor))[-3:]] == ["visitor", "system", "visitor"]


async def test_within_hours_with_somebody_online_nobody_is_asked_for_an_address(closed: TenantFixture) -> None:
    (await closed.owner.send("PUT", f"/sites/{closed.site_id}/chatbot", {"hours": None})).ok()
    visitor = closed.new_visitor()
    await visitor.send_message("Hello?")
    (await visitor.post("/handoff")).ok()
    assert "system" not in [role for role, _ in await said(visitor)]


async def test_the_team_finds_who_waited_in_its_queue_and_may_take_them_at_any_hour(closed: TenantFixture) -> None:
    visitor, conversation_id = await closed.pending_conversation()
    waiting = (await closed.alex.get("/operator/all-active-chats", status="pending")).ok()["chats"]
    assert [chat["id"] for chat in waiting] == [conversation_id]
    (await closed.alex.post(f"/operator/accept/{conversation_id}")).ok()
    assert (await visitor.get("/history")).ok()["mode"] == "operator"
