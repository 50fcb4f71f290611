"""Sites in MongoDB. A deleted site stays, for its conversations, but only `list_all` returns it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any

from pymongo import ReturnDocument

from parley.chat import metrics
from parley.chat.accounts.errors import EditConflict
from parley.chat.audit.model import AuditedEvent
from parley.chat.audit.repository import audited_outbox_entry
from parley.chat.forms.mappers import forms_document, to_forms
from parley.chat.identification.model import IdentitySecret
from parley.chat.newer_documents import known_fields, with_unknown_fields
from parley.chat.site_texts.model import ApprovedText, DraftText, SiteTexts, TextTranslation
from parley.chat.sites.business_hours import BusinessHours, TimeRange
from parley.chat.sites.chatbot import (
    AiCaps,
    AiError,
    AiPrices,
    AiSettings,
    ChatbotSettings,
    Colours,
    FallbackEngine,
    FilesSettings,
    TranslationSettings,
)
from parley.chat.sites.engine_check import EngineCheck
from parley.chat.sites.engine_documents import (
    SELECTION,
    check_document,
    hash_selection,
    to_checks,
    to_state,
    to_states,
)
from parley.chat.sites.engine_state import pause_after
from parley.chat.sites.errors import SiteNotFound
from parley.chat.sites.model import Site
from parley.chat.sites.routing import Fallback, SiteRouting
from parley.chat.sites.site_settings import SiteSettings
from parley.chat.triggers.model import Trigger, TriggerDraft
from parley.common.events.schemas import QuickReply
from parley.common.mongodb import Document, Index, Mongo, Outbox

COLLECTION = "sites"
_AI_ERROR = "ai_error"
_AI_CHECK_BEGAN = "ai_check_began"
_AI_CHECKS = "ai_checks"
"""The last check of each engine. Changes without a new version of the site."""
_ENGINES = "ai_engines"
"""How engines have failed lately, by their ids. Changes without a new version of the site."""
_IDENTITY_SECRETS = "identity_secrets"
_IDENTITY_SECRETS_USED = "identity_secrets_used"
"""When each was used last, by its id. Changes without a new version of the site."""

INDEXES = [
    Index(COLLECTION, [("site_key", 1)], {"name": "site_key", "unique": True}),
    Index(COLLECTION, [("tenant_id", 1), ("deleted", 1), ("_id", 1)], {"name": "tenant"}),
    Index(COLLECTION, [("domains", 1)], {"name": "domains"}),
    Index(COLLECTION, [("deleted", 1)], {"name": "deleted", "partialFilterExpression": {"deleted": True}}),
    Index(
        COLLECTION,
        [("any_origin", 1)],
        {"name": "any_origin", "partialFilterExpression": {"any_origin": True}},
    ),
]


class MongoSiteRepository:
    """Implements SiteRepository."""

    def __init__(self, mongo: Mongo, outbox: Outbox) -> None:
        self._mongo = mongo
        self._outbox = outbox

    async def get(self, tenant_id: int, site_id: int) -> Site:
        site = await self._find_one({"_id": site_id, "tenant_id": tenant_id})
        if site is None:
            raise SiteNotFound
        return site

    async def find(self, site_id: int) -> Site | None:
        return await self._find_one({"_id": site_id})

    async def find_by_key(self, site_key: str) -> Site | None:
        return await self._find_one({"site_key": site_key})

    async def any_lists_domain(self, domains: Sequence[str]) -> bool:
        matches = [{"domains": {"$in": list(domains)}}, {"any_origin": True}]
        return await self._mongo[COLLECTION].find_one({"$or": matches, "deleted": False}, {"_id": 1}) is not None

    async def list_page(self, tenant_id: int, site_ids: Sequence[int] | None, after: int, limit: int) -> list[Site]:
        ids: Document = {"$gt": after}
        if site_ids is not None:
            ids["$in"] = list(site_ids)
        rows = self._mongo[COLLECTION].find({"tenant_id": tenant_id, "deleted": False, "_id": ids}, limit=limit)
        return [_to_site(row) async for row in rows.sort("_id", 1)]

    async def list_all(self) -> list[Site]:
        return [_to_site(row) async for row in self._mongo[COLLECTION].find({}).sort("_id", 1)]

    async def list_ids(self, tenant_id: int) -> list[int]:
        rows = self._mongo[COLLECTION].find({"tenant_id": tenant_id, "deleted": False}, {"_id": 1})
        return [row["_id"] async for row in rows]

    async def filter_existing(self, tenant_id: int, site_ids: Sequence[int]) -> list[int]:
        if not site_ids:
            return []
        query = {"tenant_id": tenant_id, "deleted": False, "_id": {"$in": list(site_ids)}}
        return [row["_id"] async for row in self._mongo[COLLECTION].find(query, {"_id": 1})]

    async def add(self, site: Site, audited: AuditedEvent) -> None:
        document = {
            "_id": site.id,
            "tenant_id": site.tenant_id,
            "created_at": site.created_at,
            **_mutable_fields(site),
            "outbox": [audited_outbox_entry(audited)],
        }
        await self._mongo[COLLECTION].insert_one(document)
        self._outbox.enqueue(COLLECTION, document)

    async def save(self, before: Site, after: Site, audited: AuditedEvent) -> None:
        stored = {"_id": before.id, "version": before.version}
        fields = await with_unknown_fields(
            self._mongo, COLLECTION, stored, lambda row: _mutable_fields(_to_site(row)), _mutable_fields(after)
        )
        update: Document = {"$set": fields, "$push": {"outbox": audited_outbox_entry(audited)}}
        if before.chatbot.ai_selection != after.chatbot.ai_selection:
            update["$unset"] = {_AI_ERROR: ""}
        row = await self._mongo[COLLECTION].find_one_and_update(
            stored,
            update,
            {"outbox": 1},
            return_document=ReturnDocument.AFTER,
        )
        if row is None:
            raise EditConflict
        self._outbox.enqueue(COLLECTION, row)

    async def record_ai_call(self, site: SiteSettings, error: AiError | None) -> None:
        selected: Document = {"chatbot.engine": site.engine, "chatbot.model": site.model}
        # Absent fields, in documents of earlier versions, match None.
        selected |= {f"chatbot.ai.{name}": value for name, value in _ai_document(site.ai).items()}
        if error is None:
            await self._mongo[COLLECTION].update_one(
                {"_id": site.id, **selected, _AI_ERROR: {"$exists": True}}, {"$unset": {_AI_ERROR: ""}}
            )
        else:
            await self._mongo[COLLECTION].update_one({"_id": site.id, **selected}, {"$set": {_AI_ERROR: asdict(error)}})

    async def claim_ai_check(self, site_id: int, at: datetime, interval_seconds: float) -> bool:
        latest = at - timedelta(seconds=interval_seconds)
        result = await self._mongo[COLLECTION].update_one(
            {"_id": site_id, _AI_CHECK_BEGAN: {"$not": {"$gt": latest}}}, {"$set": {_AI_CHECK_BEGAN: at}}
        )
        return result.matched_count > 0

    async def record_ai_check(self, site: SiteSettings, check: EngineCheck) -> None:
        document = check_document(check, site.checked_selection)
        await self._mongo[COLLECTION].update_one(
            {"_id": site.id}, {"$set": {f"{_AI_CHECKS}.{site.engine_id}": document}}
        )

    async def record_engine_failure(self, site: SiteSettings, error: AiError) -> None:
        path, selection = f"{_ENGINES}.{site.engine_id}", hash_selection(site.checked_selection)
        row = await self._mongo[COLLECTION].find_one_and_update(
            {"_id": site.id, f"{path}.{SELECTION}": selection},
            {"$inc": {f"{path}.failures": 1}, "$set": {f"{path}.error": asdict(error)}},
            {path: 1},
            return_document=ReturnDocument.AFTER,
        )
        if row is None:
            first = {"failures": 1, "error": asdict(error), SELECTION: selection}
            await self._mongo[COLLECTION].update_one({"_id": site.id}, {"$set": {path: first}})
            return
        state = to_state(row[_ENGINES][site.engine_id])
        pause = pause_after(state.failures)
        if pause is None:
            return
        opened = {f"{path}.retry_at": error.at + pause, f"{path}.since": state.since or error.at}
        if not state.is_open:
            metrics.AI_BREAKERS_OPENED.inc()
        await self._mongo[COLLECTION].update_one({"_id": site.id, f"{path}.{SELECTION}": selection}, {"$set": opened})

    async def record_engine_success(self, site: SiteSettings) -> None:
        path = f"{_ENGINES}.{site.engine_id}"
        await self._mongo[COLLECTION].update_one({"_id": site.id, path: {"$exists": True}}, {"$unset": {path: ""}})

    async def claim_trial(self, site: SiteSettings, retry_at: datetime, now: datetime, seconds: float) -> bool:
        path = f"{_ENGINES}.{site.engine_id}.retry_at"
        result = await self._mongo[COLLECTION].update_one(
            {"_id": site.id, path: retry_at}, {"$set": {path: now + timedelta(seconds=seconds)}}
        )
        return result.matched_count > 0

    async def record_identity_secret_use(self, site_id: int, secret_id: int, at: datetime) -> None:
        await self._mongo[COLLECTION].update_one(
            {"_id": site_id, f"{_IDENTITY_SECRETS}.id": secret_id},
            {"$set": {f"{_IDENTITY_SECRETS_USED}.{secret_id}": at}},
        )

    async def _find_one(self, query: Document) -> Site | None:
        row = await self._mongo[COLLECTION].find_one({**query, "deleted": False})
        return None if row is None else _to_site(row)


_STORED_KEY = "sealed_key"
"""The field of the encrypted AI key."""


def _mutable_fields(site: Site) -> Document:
    return {
        "name": site.name,
        "site_key": site.site_key,
        "domains": list(site.domains),
        "any_origin": site.any_origin,
        "language": site.language,
        "page_tracking": site.page_tracking,
        "page_parameters": list(site.page_parameters),
        "sound": site.sound,
        "read_receipts": site.read_receipts,
        "transcript_email": site.transcript_email,
        "chatbot": _chatbot_document(site.chatbot),
        "routing": _routing_document(site.routing),
        "forms": forms_document(site.forms),
        _IDENTITY_SECRETS: [_identity_secret_document(secret) for secret in site.identity_secrets],
        "triggers": [_trigger_document(trigger) for trigger in site.triggers],
        "texts": _text_documents(site.texts),
        "deleted": site.deleted,
        "version": site.version,
    }


def _to_site(row: Document) -> Site:
    chatbot = _to_chatbot(row["chatbot"])
    return Site(
        id=row["_id"],
        tenant_id=row["tenant_id"],
        name=row["name"],
        site_key=row["site_key"],
        created_at=row["created_at"],
        domains=tuple(row["domains"]),
        any_origin=row["any_origin"],
        language=row["language"],
        # Absent in documents of the version before.
        page_tracking=row.get("page_tracking", True),
        page_parameters=tuple(row.get("page_parameters", ())),
        sound=row.get("sound", True),
        read_receipts=row.get("read_receipts", True),
        transcript_email=row.get("transcript_email", True),
        routing=_to_routing(row.get("routing")),
        chatbot=chatbot,
        forms=to_forms(row.get("forms")),
        identity_secrets=tuple(_to_identity_secrets(row)),
        triggers=tuple(_to_trigger(document) for document in row.get("triggers", ())),
        texts=_to_texts(row.get("texts", ())),
        last_ai_error=AiError(**known_fields(AiError, row[_AI_ERROR])) if _AI_ERROR in row else None,
        engine_checks=to_checks(row.get(_AI_CHECKS, {}), chatbot),
        engine_states=to_states(row.get(_ENGINES, {}), chatbot),
        deleted=row["deleted"],
        version=row["version"],
    )


def _identity_secret_document(secret: IdentitySecret) -> Document:
    return {"id": secret.id, "name": secret.name, "encrypted": secret.encrypted, "created_at": secret.created_at}


def _to_identity_secrets(row: Document) -> Iterator[IdentitySecret]:
    used = row.get(_IDENTITY_SECRETS_USED, {})
    for secret in row.get(_IDENTITY_SECRETS, ()):
        yield IdentitySecret(
            secret["id"], secret["name"], secret["encrypted"], secret["created_at"], used.get(str(secret["id"]))
        )


def _trigger_document(trigger: Trigger) -> Document:
    times = {"created_at": trigger.created_at, "updated_at": trigger.updated_at}
    replies = [reply.model_dump() for reply in trigger.draft.quick_replies]
    return {"id": trigger.id, **asdict(trigger.draft), "quick_replies": replies, **times}


def _to_trigger(document: Document) -> Trigger:
    fields = known_fields(TriggerDraft, document)
    fields |= {name: tuple(value) for name, value in fields.items() if isinstance(value, list)}
    fields["quick_replies"] = tuple(QuickReply.model_validate(reply) for reply in fields.get("quick_replies", ()))
    return Trigger(document["id"], TriggerDraft(**fields), document["created_at"], document["updated_at"])


def _text_documents(texts: SiteTexts) -> list[Document]:
    return [{"language": language, "key": key, **asdict(translation)} for language, key, translation in texts]


def _to_texts(rows: Sequence[Document]) -> SiteTexts:
    """Convert the translations; sites that earlier versions stored have none."""
    translations: dict[str, dict[str, TextTranslation]] = {}
    for row in rows:
        approved, draft = row["approved"], row["draft"]
        translations.setdefault(row["language"], {})[row["key"]] = TextTranslation(
            ApprovedText(**known_fields(ApprovedText, approved)) if approved else None,
            DraftText(**known_fields(DraftText, draft)) if draft else None,
        )
    return SiteTexts(translations)


def _routing_document(routing: SiteRouting) -> Document:
    fallbacks = [{"team_id": one.team_id, "after_seconds": one.after.total_seconds()} for one in routing.fallbacks]
    return {
        "mode": routing.mode,
        "capacity": routing.capacity,
        "team_id": routing.team_id,
        "fallbacks": fallbacks,
    }


def _to_routing(document: Mapping[str, Any] | None) -> SiteRouting:
    """Convert the settings; sites that earlier versions stored have none."""
    if document is None:
        return SiteRouting()
    fallbacks = (Fallback(row["team_id"], timedelta(seconds=row["after_seconds"])) for row in document["fallbacks"])
    return SiteRouting(document["mode"], document["capacity"], document["team_id"], tuple(fallbacks))


def _chatbot_document(bot: ChatbotSettings) -> Document:
    document = asdict(bot)
    document["ai"] = _ai_document(bot.ai)
    document["fallbacks"] = [_with_stored_key(asdict(fallback)) for fallback in bot.fallbacks]
    if bot.hours is not None:
        # BSON has no type for a date without a time.
        document["hours"]["closed"] = [day.isoformat() for day in bot.hours.closed]
    return document


def _ai_document(ai: AiSettings) -> Document:
    return _with_stored_key(asdict(ai))


def _with_stored_key(document: Document) -> Document:
    document[_STORED_KEY] = document.pop("encrypted_key")
    return document


def _to_chatbot(document: Mapping[str, Any]) -> ChatbotSettings:
    fields = known_fields(ChatbotSettings, document)
    hours = fields.get("hours")
    converted = {
        "colours": Colours(**known_fields(Colours, fields["colours"])),
        "hours": hours and _to_hours(hours),
        "translation": _to_translation(fields.get("translation", {})),
        "ai": _to_ai_settings(fields.get("ai", {})),
        "fallbacks": tuple(map(_to_fallback, fields.get("fallbacks", ()))),
        "caps": AiCaps(**known_fields(AiCaps, fields.get("caps", {}))),
        "prices": AiPrices(**known_fields(AiPrices, fields.get("prices", {}))),
        "files": _to_files_settings(fields.get("files", {})),
    }
    return ChatbotSettings(**{**fields, **converted})


def _to_ai_settings(document: Mapping[str, Any]) -> AiSettings:
    return AiSettings(**known_fields(AiSettings, {**document, "encrypted_key": document.get(_STORED_KEY)}))


def _to_fallback(document: Mapping[str, Any]) -> FallbackEngine:
    return FallbackEngine(**known_fields(FallbackEngine, {**document, "encrypted_key": document.get(_STORED_KEY)}))


def _to_files_settings(document: Mapping[str, Any]) -> FilesSettings:
    fields = known_fields(FilesSettings, document)
    return FilesSettings(**fields | ({"kinds": tuple(fields["kinds"])} if "kinds" in fields else {}))


def _to_hours(document: Mapping[str, Any]) -> BusinessHours:
    weekly = tuple(TimeRange(row["day"], row["start"], row["end"]) for row in document["weekly"])
    return BusinessHours(document["time_zone"], weekly, tuple(date.fromisoformat(day) for day in document["closed"]))


def _to_translation(document: Mapping[str, Any]) -> TranslationSettings:
    engines, glossary = tuple(document.get("engines", ())), tuple(document.get("glossary", ()))
    return TranslationSettings(engines, glossary, document.get("daily_characters"))
