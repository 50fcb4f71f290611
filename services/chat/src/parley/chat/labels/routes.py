"""The routes of labels."""

from __future__ import annotations

from typing import Any

from parley.chat.labels.handlers import LabelHandlers
from parley.chat.labels.schemas import LabelBody, LabelChangeBody, LabelResponse, LabelsQuery, LabelsResponse
from parley.chat.schemas import OkResponse
from parley.common.auth.identity import Permission
from parley.common.http import CallerType, RateLimitClass, Route

_LABELS = "/api/v1/labels"
_LABEL = f"{_LABELS}/{{id}}"
_WRITE: Any = {
    "rate_limit": RateLimitClass.WRITE,
    "key_scopes": frozenset({Permission.MANAGE}),
}


def routes(handlers: LabelHandlers) -> list[Route]:
    return [
        Route(
            "GET",
            _LABELS,
            handlers.list_page,
            CallerType.OPERATOR,
            LabelsResponse,
            "The labels of your sites and of the team",
            query=LabelsQuery,
        ),
        Route(
            "POST",
            _LABELS,
            handlers.add,
            CallerType.OPERATOR,
            LabelResponse,
            "Add a label",
            body=LabelBody,
            status=201,
            example={"name": "Billing", "colour": "#2563eb", "scope": "site", "site_id": 1},
            **_WRITE,
        ),
        Route(
            "PUT",
            _LABEL,
            handlers.replace,
            CallerType.OPERATOR,
            LabelResponse,
            "Change a label's name and colour",
            body=LabelChangeBody,
            example={"name": "Invoices", "colour": "#16a34a"},
            **_WRITE,
        ),
        Route(
            "DELETE",
            _LABEL,
            handlers.delete,
            CallerType.OPERATOR,
            OkResponse,
            "Delete a label, and take it off all conversations",
            **_WRITE,
        ),
    ]
