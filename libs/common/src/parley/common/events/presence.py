"""Events about presence: transitions only, each published by exactly one replica."""

from __future__ import annotations

from parley.common.events.registry import Audience, EventData
from parley.common.events.schemas import Schema, Timestamp


class OnlineVisitor(Schema):
    """A visitor who has the site open."""

    site_id: int
    session_id: str
    page: str | None = None
    title: str | None = None
    referrer: str | None = None
    language: str | None = None
    since: Timestamp
    conversation_id: int | None = None


class OperatorOnline(EventData, type="operator.online", audience=Audience.OPERATORS):
    """An operator came online on a site."""

    operator_id: int


class OperatorOffline(EventData, type="operator.offline", audience=Audience.OPERATORS):
    """An operator's last device stopped sending heartbeats, or they set themselves offline."""

    operator_id: int


class VisitorOnline(EventData, type="visitor.online", audience=Audience.OPERATORS, stream_only=True):
    """A visitor opened the site."""

    visitor: OnlineVisitor


class VisitorOffline(EventData, type="visitor.offline", audience=Audience.OPERATORS, stream_only=True):
    """A visitor's heartbeats stopped."""

    visitor: OnlineVisitor


class VisitorPage(EventData, type="visitor.page", audience=Audience.OPERATORS, stream_only=True):
    """A visitor opened another page."""

    visitor: OnlineVisitor
