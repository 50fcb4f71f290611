"""Facts about who is there: transitions only, each announced by exactly one replica."""

from __future__ import annotations

from parley.common.events.registry import Audience, EventData
from parley.common.events.schemas import Timestamp, View


class OnlineVisitor(View):
    """A visitor who has the site open now."""

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
    """An operator's last device fell silent, or they set themselves offline by hand."""

    operator_id: int


class VisitorOnline(EventData, type="visitor.online", audience=Audience.OPERATORS, log_alone=True):
    """A visitor opened the site."""

    visitor: OnlineVisitor


class VisitorOffline(EventData, type="visitor.offline", audience=Audience.OPERATORS, log_alone=True):
    """A visitor's heartbeats ended."""

    visitor: OnlineVisitor


class VisitorPage(EventData, type="visitor.page", audience=Audience.OPERATORS, log_alone=True):
    """A visitor went to another page."""

    visitor: OnlineVisitor
