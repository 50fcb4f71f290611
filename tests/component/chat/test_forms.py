"""The settings of a site's forms: who changes them, and what they may contain."""

from __future__ import annotations

from typing import Any

import pytest

from parley.common.auth.identity import OperatorCaller
from support.admin_app import AdminTestApp
from support.api import ApiResponse

ORDER = {"key": "order", "type": "text", "label": "Order number", "required": True, "max_length": 20}
TOPIC = {"key": "topic", "type": "select", "label": "Topic", "options": ["Sales", "Support"]}
EMAIL = {"key": "email", "type": "email"}
FORMS: dict[str, Any] = {
    "consent": {"text": "I agree to the [policy](https://shop.test/privacy).", "required": True},
    "departments": [{"team_id": None, "label": "Anything else"}],
    "prechat": {"enabled": True, "title": "Hello", "intro": "Who are you?", "fields": [EMAIL, ORDER, TOPIC]},
    "offline": {"enabled": True, "replaces_chat": True, "confirmation": "Thank you!", "fields": [TOPIC]},
}


class FormsClient:
    """Reads and replaces the forms of one site."""

    def __init__(self, app: AdminTestApp, owner: OperatorCaller, site_id: int) -> None:
        self.app, self.owner, self.id = app, owner, site_id
        self.path = f"/api/v1/sites/{site_id}/forms"

    async def put(self, body: Any, caller: OperatorCaller | None = None) -> ApiResponse:
        return await self.app.call("PUT", self.path, caller or self.owner, body)

    async def get(self, caller: OperatorCaller | None = None) -> ApiResponse:
        return await self.app.call("GET", self.path, caller or self.owner)


@pytest.fixture
async def site(app: AdminTestApp) -> FormsClient:
    owner = await app.create_tenant()
    return FormsClient(app, owner, (await app.create_site(owner))["id"])


async def test_forms_are_replaced_and_each_text_of_the_consent_is_kept(site: FormsClient) -> None:
    empty = (await site.get()).ok()
    assert (empty["forms"]["consent"], empty["forms"]["prechat"]["enabled"], empty["consent_texts"]) == (
        None,
        False,
        [],
    )
    forms = (await site.put(FORMS)).ok()["forms"]
    assert forms["consent"] == {**FORMS["consent"], "version": 1}
    assert [field["key"] for field in forms["prechat"]["fields"]] == ["email", "order", "topic"]
    offline = forms["offline"]["fields"]
    assert [(field["key"], field["required"]) for field in offline] == [("email", True), ("topic", False)]
    assert (await site.put(forms)).ok()["forms"] == forms, "a response can be sent back as a request"
    await site.app.wait_for_audit_entry(site.owner, "site.forms_changed")

    changed = {**FORMS, "consent": {"text": "Another text", "required": False}}
    result = (await site.put(changed)).ok()
    assert result["forms"]["consent"]["version"] == 2
    (await site.put({})).ok()
    texts = (await site.get()).ok()["consent_texts"]
    assert [(text["version"], text["text"]) for text in texts] == [(1, FORMS["consent"]["text"]), (2, "Another text")]
    settings = await site.app.admin.site_directory.get(site.owner.tenant_id, site.id)
    assert (settings.forms.consent, settings.forms.prechat.enabled) == (None, False)


@pytest.mark.parametrize(
    ("invalid", "field"),
    [
        ({"consent": {"text": " "}}, "consent.text"),
        ({"consent": {"text": "x" * 2001}}, "consent.text"),
        ({"departments": [{"label": "Sales"}]}, "departments.0.team_id"),
        ({"departments": [{"team_id": 1, "label": "Sales"}]}, "departments.0.team_id"),
        ({"departments": [{"team_id": None, "label": "A"}, {"team_id": None, "label": "B"}]}, "departments"),
        ({"prechat": {"fields": [ORDER, ORDER]}}, "prechat.fields"),
        ({"prechat": {"fields": [{**ORDER, "key": f"f{index}"} for index in range(21)]}}, "prechat.fields"),
        ({"prechat": {"fields": [{**ORDER, "key": "$where"}]}}, "prechat.fields.0.key"),
        ({"prechat": {"fields": [{**ORDER, "key": "email"}]}}, "prechat.fields.0"),
        ({"prechat": {"fields": [{**EMAIL, "key": "mail"}]}}, "prechat.fields.0"),
        ({"prechat": {"fields": [{**ORDER, "label": ""}]}}, "prechat.fields.0"),
        ({"prechat": {"fields": [{**ORDER, "type": "password"}]}}, "prechat.fields.0.type"),
        ({"prechat": {"fields": [{**ORDER, "max_length": 1001}]}}, "prechat.fields.0.max_length"),
        ({"prechat": {"fields": [{**TOPIC, "options": []}]}}, "prechat.fields.0"),
        ({"prechat": {"fields": [{**TOPIC, "options": ["A", "A"]}]}}, "prechat.fields.0"),
        ({"offline": {"label_id": 1}}, "offline.label_id"),
        ({"offline": {"confirmation": "x" * 1001}}, "offline.confirmation"),
    ],
)
async def test_an_invalid_field_is_named_and_nothing_is_changed(
    site: FormsClient, invalid: dict[str, Any], field: str
) -> None:
    response = await site.put({**FORMS, **invalid})
    assert response.status == 422, response.raw
    assert list(response.body["errors"]) == [field]
    assert (await site.get()).ok()["forms"]["prechat"]["enabled"] is False


async def test_only_managers_of_the_site_change_its_forms_and_only_with_its_own_teams(site: FormsClient) -> None:
    app = site.app
    member = await app.create_member(site.owner, site.id, can_chat=True, can_view_conversations=True)
    manager = await app.create_member(site.owner, site.id, can_manage=True)
    stranger = await app.create_tenant()
    assert {(await site.put(FORMS, member)).status, (await site.get(member)).status} == {403}
    assert {(await site.put(FORMS, stranger)).status, (await site.get(stranger)).status} == {404}
    (await site.put(FORMS, manager)).ok()
    foreign_site = (await app.create_site(stranger))["id"]
    team = {"name": "Sales", "site_ids": [foreign_site]}
    foreign = (await app.call("POST", "/api/v1/teams", stranger, team)).ok(201)["team"]["id"]
    refused = await site.put({**FORMS, "departments": [{"team_id": foreign, "label": "Sales"}]})
    assert (refused.status, list(refused.body["errors"])) == (422, ["departments.0.team_id"])
    label = {"name": "Offline", "scope": "site", "site_id": foreign_site, "colour": "#2563eb"}
    label_id = (await app.call("POST", "/api/v1/labels", stranger, label)).ok(201)["label"]["id"]
    refused = await site.put({**FORMS, "offline": {"label_id": label_id}})
    assert (refused.status, list(refused.body["errors"])) == (422, ["offline.label_id"])
