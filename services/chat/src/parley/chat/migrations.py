"""Migrations of chat's database, in order. A migration that was released is never changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from pymongo import UpdateOne
from pymongo.errors import OperationFailure

from parley.chat.accounts.login_throttling import account_key
from parley.chat.conversations.mappers import to_conversation
from parley.chat.conversations.visitor_search import build_terms
from parley.chat.reports.facts import build_fact
from parley.chat.reports.repository import MongoReportRepository
from parley.chat.search.feed import FIELDS, remove_deleted_sites, to_documents
from parley.chat.search.index import PAGES, SearchIndex, to_page
from parley.common.mongodb import Document, Migration, MigrationContext, Phase
from parley.common.runtime.clock import utc_now

_ASSIGNED = ("accepted", "transferred")


async def _fill_handled_by(context: MigrationContext) -> None:
    """Set `handled_by`, the operators who have or had a conversation, where older code did not write it."""
    await context.update_in_batches(
        "conversations", _to_update, projection={"operator": 1, "history": 1, "handled_by": 1}
    )


def _to_update(conversation: Document) -> UpdateOne | None:
    assigned = [entry["to"] or entry["by"] for entry in conversation["history"] if entry["action"] in _ASSIGNED]
    operator_ids = {person["id"] for person in (*assigned, conversation["operator"]) if person}
    if operator_ids == set(conversation.get("handled_by", ())) and "handled_by" in conversation:
        return None
    return UpdateOne({"_id": conversation["_id"]}, [{"$set": {"handled_by": _OPERATOR_IDS}}])


# Computed by the server from the document as it is then, so a concurrent change is included. The version is not
# incremented, so no concurrent writer has a conflict.
_OPERATOR_IDS: Document = {
    "$setDifference": [
        {
            "$setUnion": [
                {
                    "$map": {
                        "input": {
                            "$filter": {
                                "input": "$history",
                                "as": "entry",
                                "cond": {"$in": ["$$entry.action", list(_ASSIGNED)]},
                            }
                        },
                        "as": "entry",
                        "in": {"$ifNull": ["$$entry.to.id", "$$entry.by.id"]},
                    }
                },
                ["$operator.id"],
            ]
        },
        [None],
    ]
}


async def _renew_words(context: MigrationContext) -> None:
    """Set `words`, what lists find a conversation's visitor by: without accents, and with parts of names."""
    await context.update_in_batches(
        "conversations",
        _to_words_update,
        projection=dict.fromkeys(
            (f"visitor.{name}" for name in ("name", "email", "phone", "session", "external_id")), 1
        )
        | {"words": 1, "version": 1},
    )


def _to_words_update(conversation: Document) -> UpdateOne | None:
    visitor = conversation["visitor"]
    words = build_terms(
        visitor.get("name"), visitor.get("email"), visitor.get("phone"), visitor["session"], visitor.get("external_id")
    )
    if words == conversation.get("words"):
        return None
    # A concurrent change of the conversation sets its words as well. The version is not incremented, so that a
    # concurrent writer has no conflict.
    return UpdateOne({"_id": conversation["_id"], "version": conversation["version"]}, {"$set": {"words": words}})


async def _name_images(context: MigrationContext) -> None:
    """Set `image_name`, by which an image is found whatever the installation's address was when it was sent."""
    for collection in ("messages", "canned_replies"):
        # Only documents with an image, which the index on `image_url` finds: few among all messages.
        await context.database[collection].update_many(
            {"image_url": {"$type": "string"}, "image_name": None}, [{"$set": {"image_name": _LAST_PART_OF_URL}}]
        )


_LAST_PART_OF_URL: Document = {"$last": {"$split": ["$image_url", "/"]}}


async def _name_origins_by_operator(context: MigrationContext) -> None:
    """Copy the devices and addresses from which accounts were logged in to: they were kept by e-mail address.

    The old entries stay, for code of the version before, and expire.
    """
    origins = context.database["login_origins"]
    async for operator in context.database["operators"].find({"email": {"$exists": True}}, {"email": 1}):
        old, new = account_key(operator["email"]), account_key(f"operator:{operator['_id']}")
        copies = [
            UpdateOne(
                {"_id": origin["_id"].replace(old, new)},
                {"$setOnInsert": {"account": new, "expires_at": origin["expires_at"]}},
                upsert=True,
            )
            async for origin in origins.find({"account": old})
        ]
        if copies:
            await origins.bulk_write(copies, ordered=False)


_INDEX_NOT_FOUND = 27
_NAMESPACE_NOT_FOUND = 26


async def _let_tenants_share_addresses(context: MigrationContext) -> None:
    """Drop the index by which an e-mail address was unique in the installation."""
    await _drop_index(context, "operators", "email")


async def _drop_knowledge_words(context: MigrationContext) -> None:
    """Drop the text index of entries. A backfill: code of the version before creates it again when it starts."""
    await _drop_index(context, "knowledge", "words")


async def _drop_index(context: MigrationContext, collection: str, name: str) -> None:
    try:
        await context.database[collection].drop_index(name)
    except OperationFailure as exc:
        if exc.code not in (_INDEX_NOT_FOUND, _NAMESPACE_NOT_FOUND):
            raise


async def _fill_search_index(context: MigrationContext) -> None:
    """Index the messages, notes and visitors that older code has written."""
    index = SearchIndex(context.database)
    for collection, fields in FIELDS.items():

        async def process(batch: Sequence[Document], collection: str = collection) -> None:
            await index.put(to_documents(collection, batch))

        await context.process_in_batches(collection, process, projection=fields)
    await remove_deleted_sites(context.database, index)


async def _pack_search_pages(context: MigrationContext) -> None:
    """Give pages of the search index the form in which a term is found without decoding all of them."""
    await context.update_in_batches(PAGES, _to_packed_page)


def _to_packed_page(page: Document) -> UpdateOne | None:
    if isinstance(page["terms"], str):
        return None
    # One that is changed at this moment is packed by the change.
    return UpdateOne({"_id": page["_id"], "version": page["version"]}, {"$set": to_page(page).to_fields()})


async def _fill_facets(context: MigrationContext) -> None:
    """Set `facets`, by which lists are filtered, where older code did not write them."""
    projection = {"labels": 1, "team_id": 1, "operator.id": 1, "visitor.language": 1, "rating": 1, "facets": 1}
    await context.update_in_batches("conversations", _to_facets_update, projection=projection)


def _to_facets_update(conversation: Document) -> UpdateOne | None:
    operator, language = conversation.get("operator") or {}, (conversation.get("visitor") or {}).get("language")
    rating = conversation.get("rating")
    facets = [f"label:{label_id}" for label_id in conversation.get("labels", ())]
    team_id = conversation.get("team_id")
    facets += [f"team:{team_id}"] if team_id is not None else []
    facets += [f"operator:{operator['id']}"] if operator else []
    facets += [f"language:{language.split('-')[0].lower()}"] if language else []
    facets += [f"rating:{rating}"] if rating is not None else []
    if facets == conversation.get("facets"):
        return None
    return UpdateOne({"_id": conversation["_id"]}, [{"$set": {"facets": _FACETS}}])


def _facet(kind: str, value: Document | str, present: str) -> Document:
    text: Document = {"$concat": [f"{kind}:", {"$toString": value}]}
    return {"$cond": [{"$in": [{"$type": present}, ["missing", "null"]]}, [], [text]]}


# Computed by the server, as `_OPERATOR_IDS` is.
_FACETS: Document = {
    "$concatArrays": [
        {
            "$map": {
                "input": {"$ifNull": ["$labels", []]},
                "as": "label",
                "in": {"$concat": ["label:", {"$toString": "$$label"}]},
            }
        },
        _facet("team", "$team_id", "$team_id"),
        _facet("operator", "$operator.id", "$operator.id"),
        _facet(
            "language",
            {"$toLower": {"$first": {"$split": [{"$ifNull": ["$visitor.language", ""]}, "-"]}}},
            "$visitor.language",
        ),
        _facet("rating", "$rating", "$rating"),
    ]
}


async def _build_report_facts(context: MigrationContext) -> None:
    """Build the facts for the reports of all conversations, with the times of first messages from the messages."""
    repository = MongoReportRepository(context.database)

    async def build(rows: Sequence[Document]) -> None:
        firsts = await _find_first_messages(context, [row["_id"] for row in rows])
        facts = [build_fact(to_conversation(row)) for row in rows]
        await repository.store_facts(
            [replace(fact, **firsts.get(fact.conversation_id, {})) for fact in facts], utc_now()
        )

    await context.process_in_batches("conversations", build, projection={"outbox": 0, "words": 0})


async def _count_offline_forms(context: MigrationContext) -> None:
    """Let reports count offline forms on a line of their own, also those of days that older code has built."""
    await MongoReportRepository(context.database).rebuild_days("offline_form", utc_now())


async def _find_first_messages(context: MigrationContext, conversation_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """When the AI and an operator first wrote in each conversation, as fields of its fact."""
    match = {"conversation_id": {"$in": list(conversation_ids)}, "role": {"$in": ["ai", "operator"]}}
    by_role = {"_id": {"conversation": "$conversation_id", "role": "$role"}, "at": {"$min": "$created_at"}}
    firsts: dict[int, dict[str, datetime]] = {}
    async for row in await context.database["messages"].aggregate([{"$match": match}, {"$group": by_role}]):
        firsts.setdefault(row["_id"]["conversation"], {})[f"first_{row['_id']['role']}_message_at"] = row["at"]
    return firsts


MIGRATIONS = (
    Migration(1, "fill_handled_by", _fill_handled_by, Phase.BACKFILL),
    Migration(2, "renew_search_words", _renew_words, Phase.BACKFILL),
    Migration(3, "add_spellings_to_search_words", _renew_words, Phase.BACKFILL),
    Migration(4, "name_images", _name_images, Phase.BACKFILL),
    Migration(5, "name_login_origins_by_operator", _name_origins_by_operator),
    # Code of version 4 finds one account by an address.
    Migration(6, "let_tenants_share_addresses", _let_tenants_share_addresses, Phase.CONTRACT, 5),
    Migration(7, "add_joined_names_to_search_words", _renew_words, Phase.BACKFILL),
    Migration(8, "fill_search_index", _fill_search_index, Phase.BACKFILL),
    Migration(9, "fill_facets", _fill_facets, Phase.BACKFILL),
    Migration(10, "build_report_facts", _build_report_facts, Phase.BACKFILL),
    Migration(11, "pack_search_pages", _pack_search_pages, Phase.BACKFILL),
    Migration(12, "drop_knowledge_words", _drop_knowledge_words, Phase.BACKFILL),
    Migration(13, "count_offline_forms", _count_offline_forms, Phase.BACKFILL),
    Migration(14, "remove_messages_from_search_words", _renew_words, Phase.BACKFILL),
)
