"""Outside business hours: a handoff tells the visitor when the site opens, and the conversation still waits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from parley.chat.sites.settings_schemas import DAYS
from support.api import VisitorClient
from support.tenants import TenantFixture
from support.wait import wait_until


def in_two_days() -> dict[str, Any]:
    """Return business hours that start in two days at noon."""
    day = DAYS[(datetime.now(UTC) + timedelta(days=2)).weekday()]
    return {"time_zone": "UTC", "weekly": [{"day": day, "from": "12:00", "to": "13:00"}]}


@pytest.fixture
async def closed(tenant: TenantFixture) -> TenantFixture:
    """A site that is closed now, with an operator online."""
    (await tenant.owner.send("PUT", f"/sites/{tenant.site_id}/chatbot", {"hours": in_two_days()})).ok()
    (await tenant.alex.post("/operator/heartbeat", {"site_ids": [tenant.site_id]})).ok()

    async def online() -> bool:
        return bool((await tenant.new_visitor().get("/config")).ok()["operators_online"])

    await wait_until(online)
    return tenant


async def history(visitor: VisitorClient) -> list[tuple[str, str]]:
    return [(one["role"], one["content"]) for one in (await visitor.get("/history")).ok()["messages"]]


async def test_the_widget_configuration_has_open_status_and_next_opening(
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


async def test_a_handoff_requested_from_the_ai_gets_the_notice_in_the_visitors_language(closed: TenantFixture) -> None:
    visitor = closed.new_visitor()
    answer = await visitor.send_message("Ich möchte mit einem Menschen sprechen", lang="de")
    assert answer["mode"] == "pending", "the conversation waits in the queue"
    assert answer["answer"].startswith("Wir haben gerade geschlossen.")
    assert "um 12:00 (UTC) wieder da" in answer["answer"]


async def test_a_handoff_after_two_unanswered_questions_gets_the_notice(closed: TenantFixture) -> None:
    visitor = closed.new_visitor()
    await visitor.send_message("What is the meaning of life?")
    second = await visitor.send_message("And of the universe?")
    assert second["mode"] == "pending"
    assert "We are closed right now." in second["answer"]


async def test_a_handoff_by_button_gets_the_notice_once(closed: TenantFixture) -> None:
    visitor = closed.new_visitor()
    await visitor.send_message("Bonjour", lang="fr")
    (await visitor.post("/handoff")).ok()
    role, content = (await history(visitor))[-1]
    assert role == "system"
    assert content.startswith("Nous sommes fermés pour le moment. Laissez votre adresse e-mail")
    assert "à 12:00 (UTC)" in content
    (await visitor.post("/handoff")).ok()
    assert [one for one, _ in await history(visitor)].count("system") == 1, "the notice is sent once"


async def test_a_visitor_blocked_for_the_ai_gets_the_notice_after_their_message(closed: TenantFixture) -> None:
    visitor = closed.new_visitor()
    conversation_id = (await visitor.send_message("Hello?"))["conversation_id"]
    block = {"blocked": True, "block_type": "ai"}
    (await closed.alex.post(f"/operator/conversation/{conversation_id}/block", block)).ok()
    async with visitor.events() as widget:
        await widget.wait_for("ready")
        assert (await visitor.send_message("Is anybody there?"))["mode"] == "pending"
        notice = await widget.wait_for("message.created", lambda event: event.data["data"]["role"] == "system")
    assert notice.data["data"]["content"].startswith("We are closed right now.")
    await visitor.send_message("Hello?")
    assert [role for role, _ in (await history(visitor))[-3:]] == ["visitor", "system", "visitor"]


async def test_within_hours_with_an_operator_online_there_is_no_notice(closed: TenantFixture) -> None:
    (await closed.owner.send("PUT", f"/sites/{closed.site_id}/chatbot", {"hours": None})).ok()
    visitor = closed.new_visitor()
    await visitor.send_message("Hello?")
    (await visitor.post("/handoff")).ok()
    assert "system" not in [role for role, _ in await history(visitor)]


async def test_conversations_wait_in_the_queue_and_can_be_accepted_outside_hours(closed: TenantFixture) -> None:
    visitor, conversation_id = await closed.pending_conversation()
    waiting = (await closed.alex.get("/operator/all-active-chats", status="pending")).ok()["chats"]
    assert [chat["id"] for chat in waiting] == [conversation_id]
    (await closed.alex.post(f"/operator/accept/{conversation_id}")).ok()
    assert (await visitor.get("/history")).ok()["mode"] == "operator"
