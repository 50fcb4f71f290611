"""Update pipelines of visitor records."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from pymongo import UpdateOne

from parley.common.events.presence import VisitorOffline, VisitorOnline, VisitorPage
from parley.common.mongodb import Document
from parley.presence.outbox_pipeline import (
    REMOVE,
    Expression,
    append_event,
    append_event_if,
    change_time,
    cond,
    event_expr,
    field_or,
    iso_timestamp,
    literal,
    max_of,
)
from parley.presence.visitors.model import ConversationSnapshot, Heartbeat

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_RETENTION_WITH_CONVERSATION = timedelta(days=30)
"""Longer, so that a visitor who returns after days is shown with their conversation, which is still open."""
_RETENTION_AFTER_ERASURE = timedelta(minutes=1)
_PAGE_FIELDS = ("page", "title", "referrer")
_PERSONAL_FIELDS = ("page", "title", "referrer", "language", "seen", "conversation", "conversation_id")


def touch_update(heartbeat: Heartbeat, fingerprint: str) -> UpdateOne:
    """Extend the record of a visitor who is online and on the same page. Matches nothing otherwise."""
    return UpdateOne(
        {"_id": heartbeat.visitor_key, "online": True, "seen": fingerprint},
        {"$max": {"expires_at": heartbeat.expires_at}},
        hint="_id_",
    )


def online_update(heartbeat: Heartbeat, fingerprint: str, write_id: str) -> UpdateOne:
    """Bring a visitor online or move them to another page, with an event for either.

    A heartbeat that arrives after a newer one changes neither the page nor the expiry. A visitor whose conversation is
    closed stays online, and is not followed: their record has no page.
    """
    has_conversation = {"$ne": [field_or("conversation"), None]}
    is_closed = {"$eq": [field_or("conversation_id"), None]}
    is_followed = {"$not": [{"$and": [has_conversation, is_closed]}]}
    is_newer = {"$gt": [heartbeat.expires_at, field_or("expires_at", EPOCH)]}
    is_transition = {"$or": [{"$not": ["$was_online"]}, "$page_changed"]}
    event_type = cond("$was_online", VisitorPage.type, VisitorOnline.type)
    entry = event_expr(write_id, event_type, {"visitor": _visitor_expr()}, session="$session")
    page_fields = {
        "page": heartbeat.page.url,
        "title": heartbeat.page.title,
        "referrer": heartbeat.page.referrer,
        "language": heartbeat.page.language,
        "seen": fingerprint,
    }
    pipeline: list[Document] = [
        {
            "$set": {
                "was_online": field_or("online", default=False),
                "is_newer": is_newer,
                "event_time": change_time(heartbeat.received_at),
                "is_followed": is_followed,
                "page_changed": {
                    "$and": [is_newer, is_followed, {"$ne": [field_or("page"), literal(heartbeat.page.url)]}]
                },
                "tenant_id": literal(heartbeat.tenant_id),
                "site_id": literal(heartbeat.site_id),
                "session": literal(heartbeat.session),
            }
        },
        {
            "$set": {
                **{name: cond("$is_newer", literal(value), f"${name}") for name, value in page_fields.items()},
                **{name: _page_field(name, page_fields[name]) for name in _PAGE_FIELDS},
                "online": literal(True),
                "expires_at": max_of("$expires_at", heartbeat.expires_at),
                "since": cond("$was_online", "$since", heartbeat.received_at),
                "remove_at": REMOVE,
            }
        },
        {"$set": append_event_if(is_transition, write_id, entry, _outbox_without_pages())},
        {"$unset": ["was_online", "is_newer", "is_followed", "page_changed", "event_time"]},
    ]
    return UpdateOne({"_id": heartbeat.visitor_key}, pipeline, upsert=True)


def offline_update(write_id: str, now: datetime, retention: timedelta) -> list[Document]:
    """Take an online record offline, with an event, and schedule its removal."""
    changed_at = change_time(now)
    data = {"visitor": _visitor_expr()}
    entry = event_expr(write_id, VisitorOffline.type, data, session="$session", at=changed_at)
    fields = {"online": literal(False), "remove_at": _removal_time(now, retention)}
    return [{"$set": {**fields, **append_event(write_id, entry, changed_at)}}]


def erase_update(write_id: str, now: datetime) -> list[Document]:
    """Remove all personal data from a record, with an offline event if the visitor was online.

    The database removes the record itself a little later, after the event has been published. Page events that still
    wait in the outbox because the broker is away contain personal data and are removed too.
    """
    without_personal_data = {
        "$filter": {
            "input": field_or("outbox", []),
            "as": "entry",
            "cond": {"$eq": ["$$entry.event.data.visitor.page", None]},
        }
    }
    entry = event_expr(write_id, VisitorOffline.type, {"visitor": _visitor_expr()}, session="$session")
    return [
        {"$set": {"event_time": change_time(now), **dict.fromkeys(_PERSONAL_FIELDS, REMOVE)}},
        {
            "$set": {
                **append_event_if("$online", write_id, entry),
                "outbox": cond("$online", [entry], without_personal_data),
            }
        },
        {"$set": {"online": literal(False), "remove_at": now + _RETENTION_AFTER_ERASURE}},
        {"$unset": ["event_time", "since"]},
    ]


def conversation_update(conversation: ConversationSnapshot, now: datetime, retention: timedelta) -> list[Document]:
    """Store a conversation unless a newer version of it, or a newer conversation, is stored."""
    is_same = {"$eq": ["$conversation.id", literal(conversation.conversation_id)]}
    is_newer_version = {"$lt": [{"$ifNull": ["$conversation.version", -1]}, literal(conversation.version)]}
    is_newer_conversation = {"$lt": [{"$ifNull": ["$conversation.started", EPOCH]}, conversation.started_at]}
    stored = {
        "id": conversation.conversation_id,
        "version": conversation.version,
        "started": conversation.started_at,
    }
    open_conversation_id = None if conversation.closed else conversation.conversation_id
    return [
        {
            "$set": {
                "tenant_id": literal(conversation.tenant_id),
                "site_id": literal(conversation.site_id),
                "session": literal(conversation.session),
                "online": field_or("online", default=False),
                "expires_at": field_or("expires_at", EPOCH),
                "is_newer": cond(is_same, is_newer_version, is_newer_conversation),
            }
        },
        {
            "$set": {
                "conversation": cond("$is_newer", literal(stored), "$conversation"),
                "conversation_id": cond("$is_newer", literal(open_conversation_id), field_or("conversation_id")),
                # Whether events of the page are written has changed, so the next heartbeat writes the whole record.
                "seen": cond("$is_newer", REMOVE, "$seen"),
                **(
                    {name: cond("$is_newer", REMOVE, f"${name}") for name in _PAGE_FIELDS}
                    if conversation.closed
                    else {}
                ),
            }
        },
        {"$set": {"remove_at": cond("$online", REMOVE, _removal_time(now, retention))}},
        {"$unset": "is_newer"},
    ]


def _page_field(name: str, value: str | None) -> Expression:
    return cond("$is_followed", cond("$is_newer", literal(value), f"${name}"), REMOVE)


def _outbox_without_pages() -> Expression:
    """The outbox without page events: only the newest page matters, and the outbox must not grow without a broker."""
    return {
        "$filter": {
            "input": field_or("outbox", []),
            "as": "entry",
            "cond": {"$ne": ["$$entry.event.type", VisitorPage.type]},
        }
    }


def _removal_time(now: datetime, retention: timedelta) -> Expression:
    has_no_conversation = {"$eq": [field_or("conversation_id"), None]}
    return cond(has_no_conversation, now + retention, now + max(retention, _RETENTION_WITH_CONVERSATION))


def _visitor_expr() -> Document:
    """The record as an `OnlineVisitor`."""
    return {
        "site_id": "$site_id",
        "session_id": "$session",
        "page": field_or("page"),
        "title": field_or("title"),
        "referrer": field_or("referrer"),
        "language": field_or("language"),
        "since": iso_timestamp("$since"),
        "conversation_id": field_or("conversation_id"),
    }
