"""Settings and knowledge entries of a site's assistant."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from parley.chat.knowledge import service as domain
from parley.chat.sites.chatbot import AiError
from support.admin_app import AdminTestApp


async def test_settings_have_defaults_and_can_be_changed_one_by_one(app: AdminTestApp) -> None:
    owner = await app.create_tenant()
    site = await app.create_site(owner)
    path = f"/api/v1/sites/{site['id']}/chatbot"
    before = (await app.call("GET", path, owner)).ok()["chatbot"]
    assert (before["operator_timeout"], before["engine"], before["routing"]) == (300, "builtin", "all")
    body = {"name": "Robin", "colours": {"primary": "#112233"}, "operator_timeout": 60, "on_timeout": "ai"}
    after = (await app.call("PUT", path, owner, body)).ok()["chatbot"]
    colours = {**before["colours"], "primary": "#112233"}
    assert after == {**before, **body, "colours": colours}
    assert (await app.call("GET", path, owner)).ok()["chatbot"] == after
    settings = await app.admin.site_directory.get(owner.tenant_id, site["id"])
    assert (settings.bot_name, settings.operator_timeout.total_seconds()) == ("Robin", 60)
    entry = await app.wait_for_audit_entry(owner, "chatbot.updated", site_id=site["id"])
    assert entry["details"] == {"fields": ["colours", "name", "on_timeout", "operator_timeout"]}


async def test_the_last_error_of_the_ai_is_shown_until_a_success_or_other_settings(app: AdminTestApp) -> None:
    owner = await app.create_tenant()
    site = await app.create_site(owner)
    path = f"/api/v1/sites/{site['id']}/chatbot"

    async def last_error() -> dict[str, Any] | None:
        return (await app.call("GET", path, owner)).ok()["chatbot"]["last_error"]  # type: ignore[no-any-return]

    assert await last_error() is None
    (await app.call("PUT", path, owner, {"engine": "openai", "model": "m-1"})).ok()
    error = AiError("The AI endpoint refuses the API key (status 401).", "key_refused", app.clock())
    sites, old = app.admin.site_repository, await app.admin.site_directory.get(owner.tenant_id, site["id"])
    await sites.record_ai_call(old, error)
    shown = await last_error()
    assert shown is not None
    assert (shown["message"], shown["code"]) == (error.message, "key_refused")
    assert datetime.fromisoformat(shown["at"]) - error.at < timedelta(milliseconds=1)
    (await app.call("PUT", path, owner, {"welcome": "Hello"})).ok()
    assert await last_error() == shown
    await sites.record_ai_call(old, None)
    assert await last_error() is None

    await sites.record_ai_call(old, error)
    changed = (await app.call("PUT", path, owner, {"ai": {"api_key": "sk-new"}})).ok()["chatbot"]
    assert changed["last_error"] is None
    assert await last_error() is None
    # A reply that had begun with the settings before.
    await sites.record_ai_call(old, error)
    assert await last_error() is None


async def test_members_can_read_the_settings_and_managers_change_them(app: AdminTestApp) -> None:
    owner = await app.create_tenant()
    site = await app.create_site(owner)
    member = await app.create_member(owner, site["id"], can_chat=True)
    manager = await app.create_member(owner, site["id"], can_manage=True)
    path = f"/api/v1/sites/{site['id']}/chatbot"
    (await app.call("GET", path, member)).ok()
    assert (await app.call("PUT", path, member, {"name": "Robin"})).status == 403
    (await app.call("PUT", path, manager, {"name": "Robin"})).ok()


@pytest.mark.parametrize(
    "wrong",
    [
        {"operator_timeout": 29},
        {"operator_timeout": 86_401},
        {"operator_timeout": "60"},
        {"engine": "parrot"},
        {"on_timeout": "never"},
        {"routing": {"$ne": 1}},
        {"colours": {"primary": "red; background: url(//evil)"}},
        {"instructions": "x" * 8001},
        {"name": ""},
    ],
)
async def test_invalid_settings_are_rejected(app: AdminTestApp, wrong: dict[str, object]) -> None:
    owner = await app.create_tenant()
    site = await app.create_site(owner)
    response = await app.call("PUT", f"/api/v1/sites/{site['id']}/chatbot", owner, wrong)
    assert response.status == 422
    assert response.body["errors"]


async def test_knowledge_entries_can_be_added_listed_changed_and_deleted(app: AdminTestApp) -> None:
    owner = await app.create_tenant()
    site = await app.create_site(owner)
    path = f"/api/v1/sites/{site['id']}/chatbot/knowledge"
    created = [
        (await app.call("POST", path, owner, {"question": f"Question {n}?", "answer": "Yes."})).ok(201)["entry"]
        for n in range(3)
    ]
    page = (await app.call("GET", path, owner, limit=2)).ok()
    rest = (await app.call("GET", path, owner, limit=2, cursor=page["next_cursor"])).ok()
    assert [*page["knowledge"], *rest["knowledge"]] == created
    assert rest["next_cursor"] is None
    body = {"question": "Really?", "answer": "No."}
    changed = (await app.call("PUT", f"{path}/{created[0]['id']}", owner, body)).ok()["entry"]
    assert changed == {"id": created[0]["id"], **body, "version": changed["version"]}
    old = await app.call("PUT", f"{path}/{created[0]['id']}", owner, body | {"answer": "Yes", **_version(created[0])})
    assert (old.status, old.body["code"]) == (409, "entry_changed")
    again = await app.call("PUT", f"{path}/{created[0]['id']}", owner, body | {"answer": "Yes", **_version(changed)})
    assert again.ok()["entry"]["answer"] == "Yes"
    (await app.call("DELETE", f"{path}/{created[1]['id']}", owner)).ok()
    assert (await app.call("DELETE", f"{path}/{created[1]['id']}", owner)).status == 404
    assert (await app.call("PUT", f"{path}/{created[1]['id']}", owner, body)).status == 404
    await app.wait_for_audit_entry(owner, "knowledge.deleted", site_id=site["id"])


def _version(entry: dict[str, Any]) -> dict[str, Any]:
    return {"version": entry["version"]}


async def test_an_entry_cannot_be_changed_through_another_site(app: AdminTestApp) -> None:
    owner = await app.create_tenant()
    site, other = await app.create_site(owner), await app.create_site(owner)
    body = {"question": "Why?", "answer": "Because."}
    path = f"/api/v1/sites/{site['id']}/chatbot/knowledge"
    entry = (await app.call("POST", path, owner, body)).ok(201)["entry"]
    wrong = f"/api/v1/sites/{other['id']}/chatbot/knowledge/{entry['id']}"
    assert (await app.call("PUT", wrong, owner, body)).status == 404
    assert (await app.call("DELETE", wrong, owner)).status == 404


async def test_a_site_has_a_maximum_number_of_entries(app: AdminTestApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(domain, "MAX_ENTRIES", 2)
    owner = await app.create_tenant()
    site = await app.create_site(owner)
    path = f"/api/v1/sites/{site['id']}/chatbot/knowledge"
    body = {"question": "Why?", "answer": "Because."}
    for _ in range(2):
        (await app.call("POST", path, owner, body)).ok(201)
    full = await app.call("POST", path, owner, body)
    assert (full.status, full.body["code"]) == (409, "knowledge_full")
