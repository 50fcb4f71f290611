"""Business hours, translation settings and AI settings of a site."""

from __future__ import annotations

from typing import Any

import pytest

from parley.chat.ai.site_keys import SiteKeyCipher, SiteKeyUnreadable
from parley.common.auth.identity import OperatorCaller
from support.admin_app import AdminTestApp
from support.api import ApiResponse

KEY = "sk-secret-of-the-site-0123456789"
HOURS = {
    "time_zone": "Europe/Berlin",
    "weekly": [
        {"day": "monday", "from": "09:00", "to": "12:30"},
        {"day": "monday", "from": "13:00", "to": "24:00"},
        {"day": "tuesday", "from": "00:00", "to": "02:00"},
    ],
    "closed": ["2026-12-25"],
}
TRANSLATION = {"engines": ["local", "google"], "glossary": ["Blaue Stunde"], "daily_characters": 1000}


class SettingsClient:
    """Reads and changes the settings of one site."""

    def __init__(self, app: AdminTestApp, owner: OperatorCaller, site_id: int) -> None:
        self.app, self.owner, self.id = app, owner, site_id
        self.path = f"/api/v1/sites/{site_id}/chatbot"

    async def put(self, caller: OperatorCaller | None = None, **fields: Any) -> ApiResponse:
        return await self.app.call("PUT", self.path, caller or self.owner, fields)

    async def set(self, **fields: Any) -> dict[str, Any]:
        result: dict[str, Any] = (await self.put(**fields)).ok()["chatbot"]
        return result

    async def get(self) -> dict[str, Any]:
        result: dict[str, Any] = (await self.app.call("GET", self.path, self.owner)).ok()["chatbot"]
        return result

    async def get_stored(self) -> dict[str, Any]:
        document = await self.app.mongo["sites"].find_one({"_id": self.id})
        assert document is not None
        result: dict[str, Any] = document["chatbot"]
        return result

    async def get_for_services(self) -> dict[str, Any]:
        """Return what other services get by RPC."""
        result = await self.app.admin.site_directory.rpc_site({"site_id": self.id})
        assert result is not None
        return result


@pytest.fixture
async def site(app: AdminTestApp) -> SettingsClient:
    owner = await app.create_tenant()
    return SettingsClient(app, owner, (await app.create_site(owner))["id"])


async def test_business_hours_can_be_set_and_removed(site: SettingsClient) -> None:
    assert (await site.get())["hours"] is None
    assert (await site.set(hours=HOURS))["hours"] == HOURS
    assert (await site.set(name="Robin"))["hours"] == HOURS, "absent fields stay unchanged"
    settings = await site.app.admin.site_directory.get(site.owner.tenant_id, site.id)
    assert settings.hours is not None
    assert settings.hours.time_zone == "Europe/Berlin"
    chatbot = await site.get()
    assert await site.set(**chatbot) == chatbot, "a response can be sent back as a request"
    assert (await site.set(hours=None))["hours"] is None


@pytest.mark.parametrize(
    ("invalid", "field"),
    [
        ({"hours": {"time_zone": "Europe/Atlantis"}}, "hours.time_zone"),
        ({"hours": {"time_zone": "../../etc/passwd"}}, "hours.time_zone"),
        ({"hours": {"weekly": []}}, "hours.time_zone"),
        ({"hours": {**HOURS, "weekly": [{"day": "someday", "from": "09:00", "to": "18:00"}]}}, "hours.weekly.0.day"),
        ({"hours": {**HOURS, "weekly": [{"day": "monday", "from": "9:00", "to": "18:00"}]}}, "hours.weekly.0.from"),
        ({"hours": {**HOURS, "weekly": [{"day": "monday", "from": "09:00", "to": "24:01"}]}}, "hours.weekly.0.to"),
        ({"hours": {**HOURS, "weekly": [{"day": "monday", "from": "22:00", "to": "02:00"}]}}, "hours.weekly.0"),
        (
            {"hours": {**HOURS, "weekly": [*HOURS["weekly"], {"day": "monday", "from": "12:00", "to": "13:00"}]}},
            "hours",
        ),
        ({"hours": {**HOURS, "closed": ["2026-02-30"]}}, "hours.closed.0"),
        ({"hours": {**HOURS, "closed": ["25.12.2026"]}}, "hours.closed.0"),
        ({"translation": {"engines": ["babelfish"]}}, "translation.engines.0"),
        ({"translation": {"glossary": [" "]}}, "translation.glossary.0"),
        ({"translation": {"glossary": ["x" * 101]}}, "translation.glossary.0"),
        ({"translation": {"glossary": ["term"] * 201}}, "translation.glossary"),
        ({"translation": {"daily_characters": 0}}, "translation.daily_characters"),
        ({"ai": {"temperature": 2.1}}, "ai.temperature"),
        ({"ai": {"seconds": 0}}, "ai.seconds"),
        ({"ai": {"answer_tokens": 8001}}, "ai.answer_tokens"),
        ({"ai": {"daily_tokens": -1}}, "ai.daily_tokens"),
        ({"ai": {"api_key": "sk with spaces"}}, "ai.api_key"),
        ({"ai": {"api_key": {"$ne": 1}}}, "ai.api_key"),
        ({"ai": {"base_url": "file:///etc/passwd"}}, "ai.base_url"),
        ({"ai": {"base_url": "https://user:password@ai.example.com"}}, "ai.base_url"),
        ({"ai": {"base_url": "https://ai.example.com/v1?key=1"}}, "ai.base_url"),
        ({"ai": {"base_url": "https://ai.example.com:0/v1"}}, "ai.base_url"),
        ({"ai": {"base_url": "https://ai.example.com:99999/v1"}}, "ai.base_url"),
        ({"ai": {"base_url": "https://[::1/v1"}}, "ai.base_url"),
        ({"ai": {"base_url": "https://ai.example.com/\u00a0v1"}}, "ai.base_url"),
        ({"ai": {"base_url": "http://ai.example.com/v1"}}, "ai.base_url"),
        ({"ai": {"base_url": "https://127.0.0.1/v1"}}, "ai.base_url"),
        ({"ai": {"base_url": "https://[::1]/v1"}}, "ai.base_url"),
        ({"ai": {"base_url": "https://169.254.169.254/latest"}}, "ai.base_url"),
        ({"ai": {"base_url": "https://localhost/v1"}}, "ai.base_url"),
        ({"ai": {"base_url": "https://0x7f000001/v1"}}, "ai.base_url"),
    ],
)
async def test_an_invalid_field_is_named_and_nothing_is_changed(
    site: SettingsClient, invalid: dict[str, Any], field: str
) -> None:
    before = await site.get_stored()
    response = await site.put(**invalid)
    assert response.status == 422, response.raw
    assert list(response.body["errors"]) == [field]
    assert await site.get_stored() == before
    assert b"sk with spaces" not in response.raw


async def test_only_managers_of_the_site_can_change_its_settings(site: SettingsClient) -> None:
    app = site.app
    member = await app.create_member(site.owner, site.id, can_chat=True, can_view_conversations=True)
    manager = await app.create_member(site.owner, site.id, can_manage=True)
    stranger = await app.create_tenant()
    for fields in ({"hours": HOURS}, {"translation": TRANSLATION}, {"ai": {"api_key": KEY}}):
        assert (await site.put(member, **fields)).status == 403
        assert (await site.put(stranger, **fields)).status == 404
        (await site.put(manager, **fields)).ok()


async def test_translation_settings_are_available_to_other_services(site: SettingsClient) -> None:
    assert "translation" not in await site.get_for_services()
    assert (await site.set(translation=TRANSLATION))["translation"] == TRANSLATION
    assert (await site.get_for_services())["translation"] == {
        "engines": ("local", "google"),
        "glossary": ("Blaue Stunde",),
        "daily_characters": 1000,
    }
    await site.app.wait_for_event("site.changed", site=site.id)
    await site.set(translation={"glossary": ["Blaue Stunde", " Blaue Stunde "]})
    assert (await site.get_for_services())["translation"] == {"glossary": ("Blaue Stunde",)}
    await site.set(translation=None)
    assert "translation" not in await site.get_for_services()


async def test_routing_and_private_push_are_available_to_other_services(site: SettingsClient) -> None:
    shared = await site.get_for_services()
    assert (shared["routing"], shared["private_push"]) == ("all", False)
    await site.set(routing="manual", private_push=True)
    shared = await site.get_for_services()
    assert (shared["routing"], shared["private_push"]) == ("manual", True)


async def test_ai_settings_can_be_changed_one_by_one(site: SettingsClient) -> None:
    unset = dict.fromkeys(("base_url", "temperature", "seconds", "answer_tokens", "daily_tokens", "embedding_model"))
    assert (await site.get())["ai"] == {**unset, "api_key_set": False, "embeddings": "local", "images": False}
    await site.set(ai={"base_url": "https://93.184.215.14/v1/", "temperature": 0, "seconds": 10})
    after = await site.set(ai={"answer_tokens": 100, "daily_tokens": 5000, "seconds": None})
    assert after["ai"] == {
        "base_url": "https://93.184.215.14/v1",
        "api_key_set": False,
        "temperature": 0,
        "seconds": None,
        "answer_tokens": 100,
        "daily_tokens": 5000,
        "embeddings": "local",
        "embedding_model": None,
        "images": False,
    }
    assert (await site.set(ai={"base_url": ""}))["ai"]["base_url"] is None


async def test_an_ai_key_is_never_returned_logged_or_published(
    site: SettingsClient, caplog: pytest.LogCaptureFixture
) -> None:
    changed = await site.put(ai={"api_key": KEY})
    assert changed.ok()["chatbot"]["ai"]["api_key_set"] is True
    response = await site.app.call("GET", site.path, site.owner)
    event = await site.app.wait_for_event("site.changed", site=site.id)
    entry = await site.app.wait_for_audit_entry(site.owner, "chatbot.updated", site_id=site.id)
    assert entry["details"] == {"fields": ["ai"]}
    stored = await site.app.mongo["sites"].find_one({"_id": site.id})
    shared = await site.get_for_services()
    for output in (changed.raw, response.raw, event, entry, stored, shared, caplog.text):
        assert KEY not in str(output)
    assert "ai" not in shared, "AI settings never leave chat"
    settings = await site.app.admin.site_directory.get(site.owner.tenant_id, site.id)
    assert "encrypted" not in repr(settings)


async def test_a_stored_ai_key_can_be_decrypted_only_for_its_site_and_with_the_same_secret(
    site: SettingsClient,
) -> None:
    await site.set(ai={"api_key": KEY})
    encrypted = (await site.get_stored())["ai"]["sealed_key"]
    cipher = site.app.admin.site_key_cipher
    assert cipher.decrypt(site.id, encrypted) == KEY
    with pytest.raises(SiteKeyUnreadable):
        cipher.decrypt(site.id + 1, encrypted)
    with pytest.raises(SiteKeyUnreadable):
        SiteKeyCipher("another secret of the installation").decrypt(site.id, encrypted)


async def test_an_ai_key_stays_until_it_is_removed(site: SettingsClient) -> None:
    await site.set(ai={"api_key": KEY})
    assert (await site.set(ai={"temperature": 1}))["ai"]["api_key_set"]
    assert (await site.set(ai=(await site.get())["ai"]))["ai"]["api_key_set"], (
        "a response can be sent back as a request"
    )
    assert not (await site.set(ai={"api_key": ""}))["ai"]["api_key_set"]


async def test_a_change_of_the_ai_endpoint_deletes_the_ai_key(site: SettingsClient) -> None:
    """Otherwise a manager could send a key that they never saw to a server of their own."""
    first, second = "https://93.184.215.14/v1", "https://93.184.215.14/v2"
    assert (await site.set(ai={"base_url": first, "api_key": KEY}))["ai"]["api_key_set"]
    assert (await site.set(ai={"base_url": first}))["ai"]["api_key_set"]
    assert not (await site.set(ai={"base_url": second}))["ai"]["api_key_set"]
    assert (await site.set(ai={"base_url": first, "api_key": KEY}))["ai"]["api_key_set"]
    assert not (await site.set(ai={"base_url": None}))["ai"]["api_key_set"]


async def test_settings_missing_from_old_documents_have_their_defaults(site: SettingsClient) -> None:
    await site.app.mongo["sites"].update_one(
        {"_id": site.id}, {"$unset": {"chatbot.hours": 1, "chatbot.translation": 1, "chatbot.ai": 1}}
    )
    chatbot = await site.get()
    assert chatbot["hours"] is None
    assert chatbot["translation"] == {"engines": [], "glossary": [], "daily_characters": None}
    assert chatbot["ai"]["api_key_set"] is False
