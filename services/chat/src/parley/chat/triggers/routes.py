"""Routes of triggers, for a site's managers and for its visitors."""

from __future__ import annotations

from typing import Any

from parley.chat.schemas import OkResponse
from parley.chat.triggers import schemas
from parley.chat.triggers.handlers import TriggerDeliveryHandlers, TriggerHandlers
from parley.common.auth.identity import Permission
from parley.common.http import CallerType, RateLimitClass, Route

_SITE = "/api/v1/sites/{site_id}"
_TRIGGERS = f"{_SITE}/triggers"
_TRIGGER = f"{_TRIGGERS}/{{trigger_id}}"
_EXAMPLE = {
    "name": "Pricing",
    "message": "Questions about our plans? Just ask.",
    "enabled": True,
    "include_pages": ["/pricing*"],
    "seconds": 20,
}
_VISITOR = {"site_key": "pk_0123456789abcdef01234567", "session_id": "0123456789abcdef0123456789abcdef"}
_MANAGE: Any = {"required_permission": Permission.MANAGE}
_WRITE: Any = {**_MANAGE, "rate_limit": RateLimitClass.WRITE}


def site_routes(handlers: TriggerHandlers) -> list[Route]:
    return [
        Route(
            "GET",
            _TRIGGERS,
            handlers.list_triggers,
            CallerType.OPERATOR,
            schemas.TriggerListResponse,
            "List a site's triggers",
            **_MANAGE,
        ),
        Route(
            "GET",
            f"{_SITE}/trigger-counts",
            handlers.list_counts,
            CallerType.OPERATOR,
            schemas.TriggerCountsResponse,
            "How many visitors were shown a site's triggers, opened the chat and answered, by day",
            query=schemas.CountsQuery,
            **_MANAGE,
        ),
        Route(
            "POST",
            _TRIGGERS,
            handlers.add,
            CallerType.OPERATOR,
            schemas.TriggerResponse,
            "Add a trigger",
            body=schemas.TriggerBody,
            status=201,
            example=_EXAMPLE,
            **_WRITE,
        ),
        Route(
            "PUT",
            f"{_SITE}/trigger-order",
            handlers.reorder,
            CallerType.OPERATOR,
            schemas.TriggerListResponse,
            "Change the order of a site's triggers",
            body=schemas.OrderBody,
            example={"trigger_ids": [2, 1]},
            **_WRITE,
        ),
        Route(
            "PUT",
            _TRIGGER,
            handlers.replace,
            CallerType.OPERATOR,
            schemas.TriggerResponse,
            "Replace a trigger",
            body=schemas.TriggerBody,
            example=_EXAMPLE,
            **_WRITE,
        ),
        Route("DELETE", _TRIGGER, handlers.delete, CallerType.OPERATOR, OkResponse, "Delete a trigger", **_WRITE),
        Route(
            "POST",
            f"{_TRIGGER}/preview",
            handlers.preview,
            CallerType.OPERATOR,
            schemas.PreviewResponse,
            "Create a token that shows a trigger on the site's pages in one browser, also one that is off",
            **_WRITE,
        ),
    ]


def visitor_routes(handlers: TriggerDeliveryHandlers) -> list[Route]:
    return [
        Route(
            "GET",
            "/api/v1/chat/triggers",
            handlers.list_live,
            CallerType.VISITOR,
            schemas.WidgetTriggersResponse,
            "The conditions of the site's triggers that the widget checks",
            query=schemas.WidgetTriggersQuery,
        ),
        Route(
            "POST",
            "/api/v1/chat/triggers/show",
            handlers.show,
            CallerType.VISITOR,
            schemas.ShowTriggerResponse,
            "Ask for the message of a trigger whose conditions are met",
            body=schemas.ShowTriggerBody,
            example={**_VISITOR, "trigger_ids": [1]},
            rate_limit=RateLimitClass.WRITE,
        ),
        Route(
            "POST",
            "/api/v1/chat/triggers/opened",
            handlers.record_opened,
            CallerType.VISITOR,
            OkResponse,
            "Count that you have opened the chat at a trigger",
            body=schemas.TriggerOpenedBody,
            example={**_VISITOR, "trigger_id": 1},
            rate_limit=RateLimitClass.WRITE,
        ),
    ]
