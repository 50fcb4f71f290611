"""A visitor answers a site's forms: before the chat, and while nobody is there."""

from __future__ import annotations

import secrets
from typing import Any

import pytest

from support.api import VisitorClient
from support.identity import SiteServer
from support.tenants import TenantFixture
from support.wait import wait_until

CONSENT = {"text": "I agree", "required": True}
FIELDS = [
    {"key": "name", "type": "name", "required": True},
    {"key": "email", "type": "email", "required": True},
    {"key": "order", "type": "text", "label": "Order number"},
]
ANSWERS = {"name": "Jane", "email": "jane@shop.test", "order": "4711"}
GIVEN = {"given": True, "version": 1}


async def set_forms(tenant: TenantFixture, **forms: Any) -> None:
    (await tenant.owner.send("PUT", f"/sites/{tenant.site_id}/forms", forms)).ok()


async def add_team(tenant: TenantFixture, *operators: int) -> int:
    team = {"name": "Sales", "site_ids": [tenant.site_id], "operator_ids": list(operators)}
    team_id: int = (await tenant.owner.post("/teams", team)).ok(201)["team"]["id"]
    return team_id


async def get_form(visitor: VisitorClient) -> dict[str, Any] | None:
    form: dict[str, Any] | None = (await visitor.get("/config")).ok()["prechat_form"]
    return form


@pytest.fixture
async def asking(tenant: TenantFixture) -> TenantFixture:
    await set_forms(tenant, consent=CONSENT, prechat={"enabled": True, "fields": FIELDS})
    return tenant


async def test_a_conversation_begins_only_when_the_form_was_answered(asking: TenantFixture) -> None:
    visitor = asking.new_visitor()
    form = await get_form(visitor)
    assert form is not None
    assert ([field["key"] for field in form["fields"]], form["consent"]["version"]) == (["name", "email", "order"], 1)
    for refused in (await visitor.post("/stream", message="Hello"), await visitor.post("/handoff")):
        assert (refused.status, refused.body["code"]) == (422, "prechat_form_required")
        assert list(refused.body["errors"]) == ["form"]
    wrong_answers: list[tuple[dict[str, Any], str]] = [
        ({"answers": {"email": "jane@shop.test"}, "consent": GIVEN}, "answers.name"),
        ({"answers": {"name": {"$ne": 1}}, "consent": GIVEN}, "answers.name"),
        ({"answers": ANSWERS}, "consent"),
        ({"answers": ANSWERS, "consent": {"given": False, "version": 1}}, "consent"),
        ({"answers": ANSWERS, "consent": {"given": True, "version": 2}}, "consent.version"),
        ({"answers": ANSWERS, "consent": GIVEN, "team_id": 1}, "team_id"),
    ]
    for wrong, named in wrong_answers:
        response = await visitor.post("/form", **wrong)
        assert (response.status, list(response.body["errors"])) == (422, [named]), response.raw
    (await visitor.post("/form", answers=ANSWERS, consent=GIVEN, lang="de")).ok()
    assert await get_form(visitor) is None
    conversation_id = (await visitor.send_message("Hello", message_id="first"))["conversation_id"]

    seen = (await asking.alex.get(f"/operator/conversation/{conversation_id}")).ok()["conversation"]["visitor"]
    assert (seen["name"], seen["email"], seen["language"]) == ("Jane", "jane@shop.test", "de")
    assert [(one["label"], one["value"]) for one in seen["form"]["answers"]] == [("Order number", "4711")]
    consent = seen["form"]["consent"]
    assert (consent["given"], consent["version"], consent["language"]) == (True, 1, "de")
    assert [one["session_id"] for one in (await asking.owner.get(f"/sites/{asking.site_id}/leads")).ok()["leads"]] == [
        seen["session_id"]
    ]
    export = (
        await asking.owner.get("/operator/visitor/export", site_id=asking.site_id, session_id=seen["session_id"])
    ).ok()["export"]
    assert export["visitor"]["form"] == seen["form"]

    # Another text of a required consent is asked for before the next conversation, and nothing else.
    await set_forms(asking, consent={**CONSENT, "text": "Other"}, prechat={"enabled": True, "fields": FIELDS})
    assert (await visitor.send_message("More"))["conversation_id"] == conversation_id, "it had begun"
    (await asking.alex.post(f"/operator/accept/{conversation_id}")).ok()
    (await asking.alex.post(f"/operator/close/{conversation_id}")).ok()
    form = await get_form(visitor)
    assert form is not None
    assert (form["fields"], form["consent"]["text"]) == ([], "Other")
    assert (await visitor.post("/stream", message="Again")).body["code"] == "prechat_form_required"
    repeated = await visitor.send_message("Hello", message_id="first")
    assert repeated["conversation_id"] == conversation_id, "what was received before is confirmed again"
    (await visitor.post("/form", consent={"given": True, "version": 2})).ok()
    again = (await visitor.send_message("Again"))["conversation_id"]
    assert again != conversation_id
    form = (await asking.alex.get(f"/operator/conversation/{again}")).ok()["conversation"]["visitor"]["form"]
    assert (form["consent"]["version"], form["answers"][0]["value"]) == (2, "4711"), "earlier answers stay"


async def test_nothing_is_asked_where_a_conversation_is_open_or_the_site_has_proved_it(tenant: TenantFixture) -> None:
    before, online, person = (tenant.new_visitor() for _ in range(3))
    begun = (await before.send_message("Hello"))["conversation_id"]
    await set_forms(tenant, prechat={"enabled": True, "fields": FIELDS[:2]})
    assert (await before.send_message("Still here"))["conversation_id"] == begun, "begun before the form"

    (await online.post("/heartbeat", page="https://shop.test/", title="Shop")).ok()

    async def list_online() -> list[dict[str, Any]]:
        listed = (await tenant.alex.get("/operator/online-visitors", site_id=tenant.site_id)).ok()
        return list(listed["visitors"])

    visitors = await wait_until(list_online)
    body = {"site_id": tenant.site_id, "session_id": visitors[0]["session_id"], "content": "May I help?"}
    written = (await tenant.alex.post("/operator/proactive-message", body)).ok()["message"]["conversation_id"]
    assert (await online.send_message("Yes"))["conversation_id"] == written, "an operator wrote first"

    server = await SiteServer.create(tenant.owner, tenant.site_id)
    await server.identify(person, "customer-1", name="Jane", email="jane@shop.test")
    assert await get_form(person) is None
    await person.send_message("I am Jane")


async def test_the_chosen_department_gets_the_conversation(tenant: TenantFixture) -> None:
    team_id = await add_team(tenant, tenant.sam.id)
    departments = [{"team_id": team_id, "label": "Buying"}, {"team_id": None, "label": "Anything"}]
    await set_forms(tenant, departments=departments, prechat={"enabled": True})
    buyer, other = tenant.new_visitor(), tenant.new_visitor()
    assert (await buyer.post("/form", team_id=10**6)).body["errors"] == {"team_id": "must be one of the departments"}
    (await buyer.post("/form", team_id=team_id)).ok()
    (await other.post("/form")).ok()
    for visitor, expected in ((buyer, team_id), (other, None)):
        conversation_id = (await visitor.post("/handoff")).ok()["conversation_id"]
        conversation = (await tenant.alex.get(f"/operator/conversation/{conversation_id}")).ok()["conversation"]
        assert (conversation["mode"], conversation["team_id"]) == ("pending", expected)
    (await tenant.owner.send("DELETE", f"/teams/{team_id}")).ok()


async def test_an_offline_message_waits_in_the_queue_with_its_label(tenant: TenantFixture) -> None:
    label = {"name": f"Offline {secrets.token_hex(2)}", "scope": "site", "site_id": tenant.site_id, "colour": "#2563eb"}
    label_id = (await tenant.owner.post("/labels", label)).ok(201)["label"]["id"]
    offline = {"enabled": True, "confirmation": "We will write to you.", "label_id": label_id, "fields": FIELDS[2:]}
    # Nobody can be reached by push either.
    (await tenant.owner.send("PUT", f"/sites/{tenant.site_id}/chatbot", {"routing": "manual"})).ok()
    visitor = tenant.new_visitor()
    refused = await visitor.post("/offline-form", message="Hi", answers={"email": "jane@shop.test"})
    assert (refused.status, refused.body["code"]) == (409, "form_off")
    await set_forms(tenant, offline=offline, prechat={"enabled": True, "fields": FIELDS})
    config = (await visitor.get("/config")).ok()
    assert [field["key"] for field in config["offline_form"]["fields"]] == ["email", "order"]
    refused = await visitor.post("/offline-form", message="Hi")
    assert list(refused.body["errors"]) == ["answers.email"]
    body = {"message": "When does it arrive?", "answers": {"email": "jane@shop.test"}, "message_id": "offline-1"}
    sent = (await visitor.post("/offline-form", **body)).ok()
    assert (await visitor.post("/offline-form", **body)).ok() == sent, "sent again, it is the same message"
    assert (sent["mode"], sent["confirmation"]) == ("pending", "We will write to you.")
    conversation = (await tenant.alex.get(f"/operator/conversation/{sent['conversation_id']}")).ok()["conversation"]
    assert [(one["role"], one["content"]) for one in conversation["messages"]] == [
        ("visitor", "When does it arrive?"),
        ("system", "We will write to you."),
    ]
    assert (conversation["labels"], conversation["visitor"]["email"]) == ([label_id], "jane@shop.test")
    assert [(one["action"], one["reason"]) for one in conversation["history"]] == [("pending", "offline_form")]
    chats = (await tenant.alex.get("/operator/active-chats", site_id=tenant.site_id, status="pending")).ok()["chats"]
    assert [chat["id"] for chat in chats] == [sent["conversation_id"]]

    (await tenant.alex.post(f"/operator/accept/{sent['conversation_id']}")).ok()
    (await tenant.alex.send("PUT", f"/operator/conversation/{sent['conversation_id']}/labels", {"labels": []})).ok()
    again = (await visitor.post("/offline-form", message="Hello?", answers={"email": "jane@shop.test"})).ok()
    assert (again["conversation_id"], again["mode"]) == (sent["conversation_id"], "operator"), "somebody has it"
    conversation = (await tenant.alex.get(f"/operator/conversation/{sent['conversation_id']}")).ok()["conversation"]
    assert (conversation["messages"][-1]["content"], conversation["labels"]) == ("Hello?", [label_id])

    blocked = {"blocked": True, "block_type": "operator"}
    (await tenant.alex.post(f"/operator/conversation/{sent['conversation_id']}/block", blocked)).ok()
    refused = await visitor.post("/offline-form", message="Hi", answers={"email": "jane@shop.test"})
    assert (refused.status, refused.body["code"]) == (403, "visitor_blocked")
