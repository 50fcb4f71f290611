"""A site's own texts in other languages: drafts, approval, and what has changed since."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from parley.chat.site_texts.originals import localize
from parley.chat.sites.site_settings import SiteSettings
from parley.common.auth.identity import OperatorCaller
from support.admin_app import AdminTestApp
from support.api import ApiResponse


@dataclass
class Site:
    app: AdminTestApp
    owner: OperatorCaller
    id: int

    async def put(self, language: str, **texts: Any) -> ApiResponse:
        return await self.app.call("PUT", self._path, self.owner, {"language": language, "texts": texts})

    async def texts(self) -> dict[str, dict[str, Any]]:
        listed = (await self.app.call("GET", self._path, self.owner)).ok()["texts"]
        return {text["key"]: text for text in listed}

    async def set_original(self, **texts: str) -> None:
        (await self.app.call("PUT", f"/api/v1/sites/{self.id}/chatbot", self.owner, texts)).ok()

    async def settings(self) -> SiteSettings:
        return await self.app.admin.site_directory.get(self.owner.tenant_id, self.id)

    async def translate(self, **body: Any) -> ApiResponse:
        return await self.app.call("POST", f"{self._path}/translate", self.owner, body)

    @property
    def _path(self) -> str:
        return f"/api/v1/sites/{self.id}/texts"


@pytest.fixture
async def site(app: AdminTestApp) -> Site:
    owner = await app.create_tenant()
    return Site(app, owner, (await app.create_site(owner))["id"])


async def test_visitors_read_what_a_person_has_approved(site: Site) -> None:
    assert await site.texts() == {}, "Parley's own texts need no translation"
    await site.set_original(welcome="Ask us about shoes.")
    (await site.put("de", welcome={"content": "Fragen zu Schuhen?"})).ok()
    assert localize(await site.settings(), "de-AT").welcome == "Ask us about shoes.", "nobody has approved it"
    (await site.put("de", welcome={"content": "Fragen Sie uns zu Schuhen.", "approved": True})).ok()
    settings = await site.settings()
    assert localize(settings, "de-AT").welcome == "Fragen Sie uns zu Schuhen."
    assert [localize(settings, tag).welcome for tag in ("en-GB", "fr", None)] == ["Ask us about shoes."] * 3
    german = (await site.texts())["welcome"]["translations"]["de"]
    assert german["draft"] is None
    assert german["approved"]["approved_by"] == {"id": site.owner.operator_id, "name": site.owner.name}
    (await site.put("de", welcome={"content": "Schuhe?"})).ok()
    assert localize(await site.settings(), "de").welcome == "Fragen Sie uns zu Schuhen.", "a draft changes nothing"
    (await site.put("de", welcome=None)).ok()
    assert localize(await site.settings(), "de").welcome == "Ask us about shoes."
    assert (await site.texts())["welcome"]["translations"] == {}


async def test_a_changed_original_makes_its_translations_stale(site: Site) -> None:
    await site.set_original(offline_message="Back on Monday.")
    (await site.put("pt-br", offline_message={"content": "Voltamos na segunda.", "approved": True})).ok()
    await site.set_original(offline_message="Back on Tuesday.")
    brazilian = (await site.texts())["offline_message"]["translations"]["pt-BR"]
    assert brazilian["approved"]["stale"] is True
    assert localize(await site.settings(), "pt-BR").offline_message == "Voltamos na segunda.", "it is still shown"
    late = {"content": "Voltamos na segunda.", "approved": True, "original": "Back on Monday."}
    (await site.put("pt-BR", offline_message=late)).ok()
    translations = (await site.texts())["offline_message"]["translations"]
    assert translations["pt-BR"]["approved"]["stale"] is True, "it was checked against the earlier original"
    (await site.put("pt-BR", offline_message={"content": "Voltamos na terça.", "approved": True})).ok()
    assert (await site.texts())["offline_message"]["translations"]["pt-BR"]["approved"]["stale"] is False


async def test_forms_are_read_in_the_visitors_language(site: Site) -> None:
    path = f"/api/v1/sites/{site.id}/forms"
    fields = [{"key": "order", "type": "text", "label": "Order number"}]
    forms = {
        "consent": {"text": "We keep your data.", "required": True},
        "prechat": {"enabled": True, "fields": fields},
    }
    (await site.app.call("PUT", path, site.owner, forms)).ok()
    german = {"prechat.field.order": "Bestellnummer", "forms.consent": "Wir speichern Ihre Daten."}
    (await site.put("de", **{key: {"content": text, "approved": True} for key, text in german.items()})).ok()
    read = localize(await site.settings(), "de").forms
    assert (read.prechat.fields[0].label, read.consent and read.consent.text) == tuple(german.values())
    forms["consent"] = {"text": "We keep and sell your data.", "required": True}
    fields[0]["label"] = "Your order number"
    (await site.app.call("PUT", path, site.owner, forms)).ok()
    read = localize(await site.settings(), "de").forms
    assert read.prechat.fields[0].label == "Bestellnummer"
    assert read.consent is not None
    assert read.consent.text == "We keep and sell your data.", "nobody agrees to an earlier text"


async def test_default_texts_are_in_the_visitors_language(site: Site) -> None:
    settings = await site.settings()
    assert localize(settings, "de-CH").welcome.startswith("Hallo!")
    assert localize(settings, "tlh").welcome == settings.welcome
    assert localize(settings, "fr").offline_message.startswith("Personne")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"language": "de", "texts": {"motto": {"content": "x"}}}, "texts.motto"),
        ({"language": "de", "texts": {"welcome": {"content": "  "}}}, "texts.welcome.content"),
        ({"language": "de", "texts": {"welcome": {"content": "x" * 3001}}}, "texts.welcome.content"),
        ({"language": "EN", "texts": {"welcome": {"content": "Hi"}}}, "language"),
        ({"language": "../de", "texts": {"welcome": {"content": "Hallo"}}}, "language"),
        ({"language": "de", "texts": {}}, "texts"),
    ],
)
async def test_invalid_texts_are_refused(site: Site, body: dict[str, Any], field: str) -> None:
    await site.set_original(welcome="Welcome to the shop")
    refused = await site.app.call("PUT", f"/api/v1/sites/{site.id}/texts", site.owner, body)
    assert refused.status == 422
    assert list(refused.body["errors"]) == [field]


async def test_without_an_engine_there_are_no_drafts(site: Site) -> None:
    (await site.translate(language="de")).ok()
    await site.set_original(welcome="Welcome to the shop")
    refused = await site.translate(language="de")
    assert (refused.status, refused.body["code"]) == (503, "translation_unavailable")
    unknown = await site.translate(language="de", keys=["motto"])
    assert list(unknown.body["errors"]) == ["keys"]
