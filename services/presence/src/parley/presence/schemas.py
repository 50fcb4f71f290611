"""What the endpoints take and give."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from parley.common.events.presence import OnlineVisitor
from parley.common.events.schemas import Timestamp, View
from parley.common.http import Answer, Id, Page, Query, RequestBody

PAGE_CHARACTERS = 2048
TITLE_CHARACTERS = 300
_SENT_CHARACTERS = 16_384
"""Browsers send what the page has; longer than we keep is cut, not refused."""

_URL = re.compile(r"https?://[^\s/?#\\]+[^\s\x00-\x1f\x7f]*", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


def _page(text: str) -> str:
    if not _URL.fullmatch(text):
        raise ValueError("must be an http or https address")
    return text[:PAGE_CHARACTERS]


def _referrer(text: str | None) -> str | None:
    # An app's name or a script in place of an address is no use to an operator, and no reason to be offline.
    return text[:PAGE_CHARACTERS] if text and _URL.fullmatch(text) else None


def _title(text: str | None) -> str | None:
    return _CONTROL.sub(" ", text).strip()[:TITLE_CHARACTERS] or None if text else None


Sent = Annotated[str, Field(max_length=_SENT_CHARACTERS)]


class OperatorHeartbeatBody(RequestBody):
    """The sites on which the operator is there."""

    site_ids: list[Id] = Field(min_length=1, max_length=100)


class SetStatusBody(RequestBody):
    """Online or offline by hand, on one site."""

    site_id: Id
    online: bool


class VisitorHeartbeatBody(RequestBody):
    """Where the visitor is. `site_key` and `session_id` beside it are for the gateway."""

    page: Annotated[Sent, AfterValidator(_page)] = Field(description="The page's http or https address.")
    title: Annotated[Sent | None, AfterValidator(_title)] = None
    referrer: Annotated[Sent | None, AfterValidator(_referrer)] = None
    lang: str | None = Field(
        None, max_length=35, pattern=r"^([A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*)?$", description="A BCP 47 tag."
    )


class StatusQuery(Query):
    """One site, or all of the caller's."""

    site_id: Id | None = None


class PageQuery(Query):
    """A page of a list."""

    limit: Page = 50
    cursor: str | None = Field(None, max_length=512)


class SiteVisitorsQuery(PageQuery):
    """A page of one site's visitors; the site may be left out by who has only one."""

    site_id: Id | None = None


class HeartbeatAnswer(Answer):
    """For how many seconds the heartbeat holds."""

    expires_in: int


class SiteStatus(View):
    """An operator on one site."""

    site_id: int
    online: bool
    until: Timestamp | None = Field(None, description="When they go offline if no heartbeat comes.")


class StatusAnswer(Answer):
    """Online anywhere, and where."""

    online: bool
    sites: list[SiteStatus]


class SetStatusAnswer(Answer):
    """The standing after the change."""

    online: bool
    until: Timestamp | None = None


class VisitorsAnswer(Answer):
    """Online visitors, newest first."""

    visitors: list[OnlineVisitor]
    next_cursor: str | None = None
