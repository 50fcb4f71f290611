"""A site's assistant: its settings, and what it knows."""

from __future__ import annotations

import pytest

from parley.chat.knowledge import service as domain
from support.office import Office


async def test_settings_begin_with_defaults_and_change_field_by_field(office: Office) -> None:
    owner = await office.new_tenant()
    site = await office.new_site(owner)
    path = f"/api/v1/sites/{site['id']}/chatbot"
    before = (await office.call("GET", path, owner)).ok()["chatbot"]
    assert (before["operator_timeout"], before["engine"], before["routing"]) == (300, "builtin", "all")
    body = {"name": "Robin", "colours": {"primary": "#112233"}, "operator_timeout": 60, "on_timeout": "ai"}
    after = (await office.call("PUT", path, owner, body)).ok()["chatbot"]
    colours = {**before["colours"], "primary": "#112233"}
    assert after == {**before, **body, "colours": colours}
    assert (await office.call("GET", path, owner)).ok()["chatbot"] == after
    settings = await office.administration.sites.get(owner.tenant_id, site["id"])
    assert (settings.bot_name, settings.operator_timeout.total_seconds()) == ("Robin", 60)
    entry = await office.audited(owner, "chatbot.updated", site_id=site["id"])
    assert entry["details"] == {"fields": ["colours", "name", "on_timeout", "operator_timeout"]}


async def test_every_member_reads_the_settings_and_managers_change_them(office: Office) -> None:
    owner = await office.new_tenant()
    site = await office.new_site(owner)
    member = await office.new_member(owner, site["id"], can_chat=True)
    manager = await office.new_member(owner, site["id"], can_manage=True)
    path = f"/api/v1/sites/{site['id']}/chatbot"
    (await office.call("GET", path, member)).ok()
    assert (await office.call("PUT", path, member, {"name": "Robin"})).status == 403
    (await office.call("PUT", path, manager, {"name": "Robin"})).ok()


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
async def test_settings_out_of_bounds_are_refused(office: Office, wrong: dict[str, object]) -> None:
    owner = await office.new_tenant()
    site = await office.new_site(owner)
    reply = await office.call("PUT", f"/api/v1/sites/{site['id']}/chatbot", owner, wrong)
    assert reply.status == 422
    assert reply.body["errors"]


async def test_knowledge_is_added_listed_changed_and_removed(office: Office) -> None:
    owner = await office.new_tenant()
    site = await office.new_site(owner)
    path = f"/api/v1/sites/{site['id']}/chatbot/knowledge"
    made = [
        (await office.call("POST", path, owner, {"question": f"Question {n}?", "answer": "Yes."})).ok(201)["entry"]
        for n in range(3)
    ]
    page = (await office.call("GET", path, owner, limit=2)).ok()
    rest = (await office.call("GET", path, owner, limit=2, cursor=page["next_cursor"])).ok()
    assert [*page["knowledge"], *rest["knowledge"]] == made
    assert rest["next_cursor"] is None
    body = {"question": "Really?", "answer": "No."}
    changed = (await office.call("PUT", f"{path}/{made[0]['id']}", owner, body)).ok()["entry"]
    assert changed == {"id": made[0]["id"], **body}
    (await office.call("DELETE", f"{path}/{made[1]['id']}", owner)).ok()
    assert (await office.call("DELETE", f"{path}/{made[1]['id']}", owner)).status == 404
    assert (await office.call("PUT", f"{path}/{made[1]['id']}", owner, body)).status == 404
    await office.audited(owner, "knowledge.deleted", site_id=site["id"])


async def test_an_entry_is_reached_through_its_own_site_alone(office: Office) -> None:
    owner = await office.new_tenant()
    site, other = await office.new_site(owner), await office.new_site(owner)
    body = {"question": "Why?", "answer": "Because."}
    path = f"/api/v1/sites/{site['id']}/chatbot/knowledge"
    entry = (await office.call("POST", path, owner, body)).ok(201)["entry"]
    wrong = f"/api/v1/sites/{other['id']}/chatbot/knowledge/{entry['id']}"
    assert (await office.call("PUT", wrong, owner, body)).status == 404
    assert (await office.call("DELETE", wrong, owner)).status == 404


async def test_a_site_holds_so_many_entries_and_no_more(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(domain, "MOST_ENTRIES", 2)
    owner = await office.new_tenant()
    site = await office.new_site(owner)
    path = f"/api/v1/sites/{site['id']}/chatbot/knowledge"
    body = {"question": "Why?", "answer": "Because."}
    for _ in range(2):
        (await office.call("POST", path, owner, body)).ok(201)
    full = await office.call("POST", path, owner, body)
    assert (full.status, full.body["code"]) == (409, "knowledge_full")


async def test_a_search_finds_the_best_entry_of_its_own_site(office: Office) -> None:
    owner = await office.new_tenant()
    site, other = await office.new_site(owner), await office.new_site(owner)
    entries = [
        (site, "When are you open?", "From nine to six."),
        (site, "Do you ship abroad?", "Yes, when the shop is open, worldwide."),
        (site, "Wie sind die Öffnungszeiten?", "Neun bis achtzehn Uhr."),
        (other, "When are you open?", "Never."),
    ]
    for at, question, answer in entries:
        path = f"/api/v1/sites/{at['id']}/chatbot/knowledge"
        (await office.call("POST", path, owner, {"question": question, "answer": answer})).ok(201)
    search = office.administration.knowledge.search
    found = await search(site["id"], "are you open today", 5)
    assert found[0].answer == "From nine to six."
    assert "Never." not in [passage.answer for passage in found]
    assert [passage.score for passage in found] == sorted((passage.score for passage in found), reverse=True)
    assert [passage.answer for passage in await search(site["id"], "öffnungszeiten", 1)] == ["Neun bis achtzehn Uhr."]
    # What a text search takes for its own signs is a visitor's plain text.
    assert [passage.answer for passage in await search(site["id"], '-open "nothing', 1)] == ["From nine to six."]
    assert await search(site["id"], "", 5) == []
