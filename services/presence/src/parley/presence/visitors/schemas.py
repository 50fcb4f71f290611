"""Request and response schemas of the visitor endpoints."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field

from parley.common.events.presence import OnlineVisitor
from parley.common.http import Id, PageSize, Query, RequestBody, SuccessResponse
from parley.common.texts import without_directions
from parley.presence.schemas import HeartbeatResponse

_MAX_URL_LENGTH = 2048
_MAX_TITLE_LENGTH = 300
_MAX_INPUT_LENGTH = 16_384
"""Longer than what is stored: browsers send what the page has, so long values are truncated, not refused."""

# One repetition only: two that may match the same characters take quadratic time on a long text that does not match.
_HTTP_URL = re.compile(r"https?://[^\s\x00-\x1f\x7f/?#\\][^\s\x00-\x1f\x7f]*", re.IGNORECASE)
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f]+")


def _validate_page_url(text: str) -> str:
    if not _HTTP_URL.fullmatch(text):
        raise ValueError("must be an http or https URL")
    return text[:_MAX_URL_LENGTH]


def _clean_referrer(text: str | None) -> str | None:
    # A referrer that is not a web address is useless to operators, but no reason to refuse the heartbeat.
    return text[:_MAX_URL_LENGTH] if text and _HTTP_URL.fullmatch(text) else None


def _clean_title(text: str | None) -> str | None:
    if not text:
        return None
    return without_directions(_CONTROL_CHARACTERS.sub(" ", text)).strip()[:_MAX_TITLE_LENGTH] or None


LongText = Annotated[str, Field(max_length=_MAX_INPUT_LENGTH)]


class VisitorHeartbeatBody(RequestBody):
    """The page the visitor is on. The fields `site_key` and `session_id` are read by the gateway."""

    page: Annotated[LongText, AfterValidator(_validate_page_url)] = Field(description="The page's http or https URL.")
    title: Annotated[LongText | None, AfterValidator(_clean_title)] = None
    referrer: Annotated[LongText | None, AfterValidator(_clean_referrer)] = None
    lang: str | None = Field(
        None, max_length=35, pattern=r"^([A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*)?$", description="A BCP 47 tag."
    )


class ButtonTextsSchema(BaseModel):
    """What the widget's button says before the chat is loaded."""

    language: str = Field(description="The language of the texts, a BCP 47 tag.")
    open_chat: str = Field(description="The button's name.")
    load_failed: str = Field(description="Shown while the chat cannot be loaded.")


class VisitorHeartbeatResponse(HeartbeatResponse):
    """What the widget has to know of the site before the visitor opens it; so it needs no other request."""

    colour: str = Field(description="The colour of the widget's button; empty when it is not known.")
    page_tracking: bool = Field(description="Whether the widget reports the visitor's page.")
    page_parameters: list[str] = Field(description="The query parameters it reports with it.")
    triggers: str = Field("", description="The version of the site's live triggers; empty without any.")
    texts: ButtonTextsSchema = Field(description="In the visitor's language.")


class VisitorListQuery(Query):
    """Paging of a visitor list."""

    limit: PageSize = 50
    cursor: str | None = Field(None, max_length=512)


class SiteVisitorListQuery(VisitorListQuery):
    """Paging of one site's visitors. The site is optional for callers who have only one."""

    site_id: Id | None = None


class WidgetSightingSchema(BaseModel):
    """Where a site's widget was last seen, apart from the demo page."""

    seen_at: AwareDatetime = Field(description="To the minute.")
    origin: str = Field(description="Scheme and host of the page.", examples=["https://shop.example.com"])


class VisitorListResponse(SuccessResponse):
    """Online visitors, newest first."""

    visitors: list[OnlineVisitor]
    next_cursor: str | None = None
    widget: WidgetSightingSchema | None = Field(
        None, description="In the list of one site; null when its widget was not seen on any page."
    )
