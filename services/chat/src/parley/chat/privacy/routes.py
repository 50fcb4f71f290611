"""The route table of what is kept of a visitor: shown whole, or erased, by the owner of the tenant alone."""

from __future__ import annotations

from parley.chat.privacy import handlers as pd
from parley.chat.privacy.handlers import PersonalDataHandlers
from parley.common.http import Rate, Route, Who

_OP = "/api/v1/operator"


def personal_data_routes(one: PersonalDataHandlers) -> list[Route]:
    """What a tenant's owner does when a visitor asks what is kept of them, or to be forgotten."""
    named = {"site_id": 1, "session_id": "sess_" + "0" * 32}
    return [
        Route(
            "GET",
            f"{_OP}/visitor/export",
            one.export,
            Who.OPERATOR,
            pd.ExportAnswer,
            "Everything that is kept of a visitor",
            owner_only=True,
            query=pd.ExportQuery,
            example=named,
        ),
        Route(
            "POST",
            f"{_OP}/visitor/erase",
            one.erase,
            Who.OPERATOR,
            pd.EraseAnswer,
            "Erase everything that is kept of a visitor, for good",
            owner_only=True,
            body=pd.EraseBody,
            rate=Rate.WRITE,
            example=named,
        ),
    ]
