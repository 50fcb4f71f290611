"""Working hours, translation and AI of a site: set by those who manage it, checked field by field, and told to whom
they concern."""

from __future__ import annotations

from typing import Any

import pytest

from parley.chat.ai.site_keys import KeyUnreadable, SiteKeys
from parley.common.auth.identity import OperatorCaller
from support.api import Reply
from support.office import Office

KEY = "sk-a-secret-of-the-sites-own-0123456789"
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


class Shop:
    """A site, and its settings as somebody sets them."""

    def __init__(self, office: Office, owner: OperatorCaller, site_id: int) -> None:
        self.office, self.owner, self.id = office, owner, site_id
        self.path = f"/api/v1/sites/{site_id}/chatbot"

    async def put(self, caller: OperatorCaller | None = None, **fields: Any) -> Reply:
        return await self.office.call("PUT", self.path, caller or self.owner, fields)

    async def set(self, **fields: Any) -> dict[str, Any]:
        found: dict[str, Any] = (await self.put(**fields)).ok()["chatbot"]
        return found

    async def shown(self) -> dict[str, Any]:
        found: dict[str, Any] = (await self.office.call("GET", self.path, self.owner)).ok()["chatbot"]
        return found

    async def kept(self) -> dict[str, Any]:
        document = await self.office.mongo["sites"].find_one({"_id": self.id})
        assert document is not None
        found: dict[str, Any] = document["chatbot"]
        return found

    async def told(self) -> dict[str, Any]:
        """What other services hear of the site."""
        found = await self.office.administration.sites.answer_site({"site_id": self.id})
        assert found is not None
        return found


@pytest.fixture
async def shop(office: Office) -> Shop:
    owner = await office.new_tenant()
    return Shop(office, owner, (await office.new_site(owner))["id"])


async def test_hours_are_shown_as_they_were_set_until_they_are_taken_back(shop: Shop) -> None:
    assert (await shop.shown())["hours"] is None
    assert (await shop.set(hours=HOURS))["hours"] == HOURS
    assert (await shop.set(name="Robin"))["hours"] == HOURS, "what is left out stays as it is"
    settings = await shop.office.administration.sites.get(shop.owner.tenant_id, shop.id)
    assert settings.hours is not None
    assert settings.hours.time_zone == "Europe/Berlin"
    everything = await shop.shown()
    assert await shop.set(**everything) == everything, "what was answered may be sent back"
    assert (await shop.set(hours=None))["hours"] is None


@pytest.mark.parametrize(
    ("wrong", "field"),
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
async def test_what_is_wrong_is_said_beside_its_field_and_changes_nothing(
    shop: Shop, wrong: dict[str, Any], field: str
) -> None:
    before = await shop.kept()
    reply = await shop.put(**wrong)
    assert reply.status == 422, reply.raw
    assert list(reply.body["errors"]) == [field]
    assert await shop.kept() == before
    assert b"sk with spaces" not in reply.raw


async def test_only_who_manages_the_site_changes_any_of_it(shop: Shop) -> None:
    office = shop.office
    member = await office.new_member(shop.owner, shop.id, can_chat=True, can_view_conversations=True)
    manager = await office.new_member(shop.owner, shop.id, can_manage=True)
    stranger = await office.new_tenant()
    for fields in ({"hours": HOURS}, {"translation": TRANSLATION}, {"ai": {"api_key": KEY}}):
        assert (await shop.put(member, **fields)).status == 403
        assert (await shop.put(stranger, **fields)).status == 404
        (await shop.put(manager, **fields)).ok()


async def test_translation_is_told_to_who_translates_and_that_it_changed(shop: Shop) -> None:
    assert "translation" not in await shop.told()
    assert (await shop.set(translation=TRANSLATION))["translation"] == TRANSLATION
    assert (await shop.told())["translation"] == {
        "engines": ("local", "google"),
        "glossary": ("Blaue Stunde",),
        "daily_characters": 1000,
    }
    await shop.office.heard("site.changed", site=shop.id)
    await shop.set(translation={"glossary": ["Blaue Stunde", " Blaue Stunde "]})
    assert (await shop.told())["translation"] == {"glossary": ("Blaue Stunde",)}
    await shop.set(translation=None)
    assert "translation" not in await shop.told()


async def test_routing_and_private_pushes_are_told_to_who_rings(shop: Shop) -> None:
    told = await shop.told()
    assert (told["routing"], told["private_push"]) == ("all", False)
    await shop.set(routing="manual", private_push=True)
    told = await shop.told()
    assert (told["routing"], told["private_push"]) == ("manual", True)


async def test_the_ai_is_set_field_by_field(shop: Shop) -> None:
    nothing = dict.fromkeys(("base_url", "temperature", "seconds", "answer_tokens", "daily_tokens"))
    assert (await shop.shown())["ai"] == {**nothing, "api_key_set": False}
    await shop.set(ai={"base_url": "https://93.184.215.14/v1/", "temperature": 0, "seconds": 10})
    after = await shop.set(ai={"answer_tokens": 100, "daily_tokens": 5000, "seconds": None})
    assert after["ai"] == {
        "base_url": "https://93.184.215.14/v1",
        "api_key_set": False,
        "temperature": 0,
        "seconds": None,
        "answer_tokens": 100,
        "daily_tokens": 5000,
    }
    assert (await shop.set(ai={"base_url": ""}))["ai"]["base_url"] is None


async def test_a_key_is_never_seen_again(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    changed = await shop.put(ai={"api_key": KEY})
    assert changed.ok()["chatbot"]["ai"]["api_key_set"] is True
    shown = await shop.office.call("GET", shop.path, shop.owner)
    event = await shop.office.heard("site.changed", site=shop.id)
    entry = await shop.office.audited(shop.owner, "chatbot.updated", site_id=shop.id)
    assert entry["details"] == {"fields": ["ai"]}
    site = await shop.office.mongo["sites"].find_one({"_id": shop.id})
    told = await shop.told()
    for where in (changed.raw, shown.raw, event, entry, site, told, caplog.text):
        assert KEY not in str(where)
    assert "ai" not in told, "nothing of a site's AI leaves chat"
    settings = await shop.office.administration.sites.get(shop.owner.tenant_id, shop.id)
    assert "sealed" not in repr(settings)


async def test_a_kept_key_opens_for_its_site_and_with_this_secret_alone(shop: Shop) -> None:
    await shop.set(ai={"api_key": KEY})
    sealed = (await shop.kept())["ai"]["sealed_key"]
    keys = shop.office.administration.site_keys
    assert keys.open(shop.id, sealed) == KEY
    with pytest.raises(KeyUnreadable):
        keys.open(shop.id + 1, sealed)
    with pytest.raises(KeyUnreadable):
        SiteKeys("another secret of the installation").open(shop.id, sealed)


async def test_a_key_stays_until_it_is_taken_back(shop: Shop) -> None:
    await shop.set(ai={"api_key": KEY})
    assert (await shop.set(ai={"temperature": 1}))["ai"]["api_key_set"]
    assert (await shop.set(ai=(await shop.shown())["ai"]))["ai"]["api_key_set"], "what was answered may be sent back"
    assert not (await shop.set(ai={"api_key": ""}))["ai"]["api_key_set"]


async def test_a_key_does_not_follow_to_an_address_it_was_not_given_for(shop: Shop) -> None:
    """Else whoever manages the site could have a key that they never saw sent to a server of their own."""
    first, second = "https://93.184.215.14/v1", "https://93.184.215.14/v2"
    assert (await shop.set(ai={"base_url": first, "api_key": KEY}))["ai"]["api_key_set"]
    assert (await shop.set(ai={"base_url": first}))["ai"]["api_key_set"]
    assert not (await shop.set(ai={"base_url": second}))["ai"]["api_key_set"]
    assert (await shop.set(ai={"base_url": first, "api_key": KEY}))["ai"]["api_key_set"]
    assert not (await shop.set(ai={"base_url": None}))["ai"]["api_key_set"]


async def test_settings_of_a_site_made_by_an_earlier_version_are_the_defaults(shop: Shop) -> None:
    await shop.office.mongo["sites"].update_one(
        {"_id": shop.id}, {"$unset": {"chatbot.hours": 1, "chatbot.translation": 1, "chatbot.ai": 1}}
    )
    shown = await shop.shown()
    assert shown["hours"] is None
    assert shown["translation"] == {"engines": [], "glossary": [], "daily_characters": None}
    assert shown["ai"]["api_key_set"] is False
