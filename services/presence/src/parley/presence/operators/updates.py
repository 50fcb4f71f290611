"""Update pipelines of operator records."""

from __future__ import annotations

from datetime import datetime

from parley.common.auth.identity import OperatorCaller
from parley.common.events import Actor
from parley.common.events.envelope import SYSTEM
from parley.common.events.presence import OperatorOffline, OperatorOnline
from parley.common.mongodb import Document
from parley.presence.outbox_pipeline import (
    Expression,
    append_event_if,
    change_time,
    cond,
    event_expr,
    field_or,
    literal,
    max_of,
)

_EVENT_DATA = {"operator_id": "$operator_id"}


def heartbeat_update(
    caller: OperatorCaller, site_id: int, now: datetime, expires_at: datetime, write_id: str
) -> list[Document]:
    """Bring a record online, unless it was set offline manually or the caller's access is outdated."""
    not_set_offline = {"$ne": [field_or("by_hand", default=False), True]}
    allowed = {"$and": [_access_is_current(caller), not_set_offline]}
    return _online_update(caller, site_id, now, expires_at, write_id, allowed)


def set_online_update(
    caller: OperatorCaller, site_id: int, now: datetime, expires_at: datetime, write_id: str
) -> list[Document]:
    """Bring a record online, unless the caller's access is outdated."""
    return _online_update(caller, site_id, now, expires_at, write_id, _access_is_current(caller))


def set_offline_update(caller: OperatorCaller, site_id: int, now: datetime, write_id: str) -> list[Document]:
    """Take a record offline until it is set online again."""
    return [
        _identity_stage(caller, site_id),
        {"$set": {"by_hand": True}},
        *offline_update(write_id, now, _actor(caller)),
    ]


def offline_update(write_id: str, now: datetime, actor: Actor = SYSTEM) -> list[Document]:
    """Take a record offline, with an event if it was online."""
    was_online = field_or("online", default=False)
    entry = event_expr(write_id, OperatorOffline.type, _EVENT_DATA, actor=actor)
    return [
        {"$set": {"event_time": change_time(now)}},
        {"$set": append_event_if(was_online, write_id, entry)},
        {"$set": {"online": literal(False), "expires_at": {"$min": [field_or("expires_at", now), now]}}},
        {"$unset": "event_time"},
    ]


def _online_update(
    caller: OperatorCaller, site_id: int, now: datetime, expires_at: datetime, write_id: str, allowed: Expression
) -> list[Document]:
    """Bring a record online where `allowed` holds, with an event if it was offline."""
    comes_online = {"$and": ["$allowed", {"$not": ["$was_online"]}]}
    entry = event_expr(write_id, OperatorOnline.type, _EVENT_DATA, actor=_actor(caller))
    return [
        _identity_stage(caller, site_id),
        {
            "$set": {
                "allowed": allowed,
                "was_online": field_or("online", default=False),
                "event_time": change_time(now),
            }
        },
        {
            "$set": {
                "online": {"$or": ["$was_online", "$allowed"]},
                "by_hand": cond("$allowed", literal(False), "$by_hand"),
                "expires_at": cond("$allowed", max_of("$expires_at", expires_at), field_or("expires_at", now)),
                **append_event_if(comes_online, write_id, entry),
            }
        },
        {"$unset": ["allowed", "was_online", "event_time"]},
    ]


def _access_is_current(caller: OperatorCaller) -> Expression:
    """Whether the caller's access is at least as new as the newest access change that was received."""
    return {"$lte": [field_or("access_version", 0), caller.access_version]}


def _identity_stage(caller: OperatorCaller, site_id: int) -> Document:
    return {
        "$set": {
            "tenant_id": literal(caller.tenant_id),
            "site_id": literal(site_id),
            "operator_id": literal(caller.operator_id),
        }
    }


def _actor(caller: OperatorCaller) -> Actor:
    return Actor(kind="operator", id=caller.operator_id, name=caller.name)
