"""Request and response bodies of triggers."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, Field, StringConstraints

from parley.chat.common_fields import Name
from parley.chat.messages.schemas import QuickReplies, to_quick_replies
from parley.chat.triggers.model import (
    MAX_TRIGGERS_PER_SITE,
    Frequency,
    Hours,
    Operators,
    ShownTrigger,
    Trigger,
    TriggerCounts,
    TriggerDraft,
    Visitors,
)
from parley.chat.widget.schemas import Language, WidgetBody, WidgetQuery
from parley.common.events.schemas import QuickReply, Timestamp
from parley.common.http import Id, Query, RequestBody, SuccessResponse

Pattern = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^\S+$")]
Patterns = Annotated[list[Pattern], Field(max_length=20)]
PrimaryLanguage = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]
TriggerIds = Annotated[list[Id], Field(max_length=MAX_TRIGGERS_PER_SITE)]


class _TriggerFields(RequestBody):
    name: Name
    message: Annotated[str, StringConstraints(max_length=1000, pattern=r"\S")] = Field(description="Markdown.")
    enabled: bool = Field(False, description="Whether visitors are shown it.")
    include_pages: Patterns = Field(
        default_factory=list,
        description="Patterns of addresses, of which a page has to match one; none: every page. `*` stands for any"
        " characters. `/pricing*` is for the path, `shop.example.com/*` for host and path; with `?` or `#` in it, a"
        " pattern is for the query or the fragment as well.",
    )
    exclude_pages: Patterns = Field(
        default_factory=list, description="Patterns of addresses, of which a page must match none."
    )
    seconds: Annotated[int, Field(ge=0, le=3600)] = Field(0, description="Time on the page.")
    scroll_percent: Annotated[int, Field(ge=0, le=100)] = Field(0, description="How far the page was scrolled.")
    exit_intent: bool = Field(False, description="The pointer leaves the page at its top; never on touch screens.")
    visitors: Visitors = "all"
    hours: Hours = Field("any", description="Within the site's business hours, or outside of them.")
    operators: Operators = Field("any", description="Whether an operator is online.")
    languages: Annotated[list[PrimaryLanguage], Field(max_length=30)] = Field(
        default_factory=list, description="The visitor's languages, such as `pt`; none: every language."
    )
    frequency: Frequency = Field("visit", description="`interval`: not again within `interval_hours`.")
    interval_hours: Annotated[int, Field(ge=1, le=8760)] = 24


class TriggerBody(_TriggerFields):
    """A rule and its message. All conditions have to be met; each default asks for nothing."""

    quick_replies: QuickReplies = Field([], description="Buttons for the visitor.")

    def to_draft(self) -> TriggerDraft:
        fields: dict[str, Any] = {name: getattr(self, name) for name in TriggerDraft.__dataclass_fields__}
        fields |= {name: tuple(value) for name, value in fields.items() if isinstance(value, list)}
        return TriggerDraft(**{**fields, "quick_replies": to_quick_replies(self.quick_replies)})


class OrderBody(RequestBody):
    trigger_ids: TriggerIds = Field(description="All triggers of the site, in their new order.")


class CountsQuery(Query):
    days: Annotated[int, Field(ge=1, le=400)] = Field(30, description="The last days (UTC), today included.")


class TriggerSchema(_TriggerFields):
    id: int
    quick_replies: tuple[QuickReply, ...]
    created_at: Timestamp
    updated_at: Timestamp


class TriggerResponse(SuccessResponse):
    trigger: TriggerSchema


class TriggerListResponse(SuccessResponse):
    """In their order: of triggers whose conditions are met at the same time, the first is shown."""

    triggers: list[TriggerSchema]


class PreviewResponse(SuccessResponse):
    """Open a page of the site with the query parameter `parley_preview` and this token. Nothing is counted."""

    token: str
    expires_at: Timestamp


class TriggerCountsSchema(BaseModel):
    """Visitors of a day who were shown a trigger; of them, those who opened the chat, and who answered."""

    trigger_id: int
    day: date
    shown: int
    opened: int
    answered: int


class TriggerCountsResponse(SuccessResponse):
    counts: list[TriggerCountsSchema]


class WidgetTriggersQuery(WidgetQuery):
    preview: Annotated[str, StringConstraints(max_length=200)] | None = Field(
        None, description="A preview's token: the answer has that trigger alone, with its message."
    )


class WidgetTrigger(BaseModel):
    """What the widget checks of a trigger. The message comes with `POST /chat/triggers/show`."""

    id: int
    include_pages: list[str]
    exclude_pages: list[str]
    seconds: int
    scroll_percent: int
    exit_intent: bool
    visitors: Visitors
    languages: list[str]
    frequency: Frequency
    interval_hours: int
    message: str | None = Field(None, description="Of a preview.")
    quick_replies: tuple[QuickReply, ...] = Field((), description="Of a preview.")


class WidgetTriggersResponse(SuccessResponse):
    triggers: list[WidgetTrigger]


class ShowTriggerBody(WidgetBody):
    trigger_ids: TriggerIds = Field(description="Those whose conditions are met on the page.")
    lang: Language | None = None


class TriggerOpenedBody(WidgetBody):
    trigger_id: Id


class ShownTriggerSchema(BaseModel):
    id: int
    message: str = Field(description="Markdown.")
    quick_replies: tuple[QuickReply, ...] = Field(description="Buttons for the visitor, at most ten.")


class ShowTriggerResponse(SuccessResponse):
    trigger: ShownTriggerSchema | None = Field(description="Null if none may be shown now.")


def serialize_trigger(trigger: Trigger) -> TriggerSchema:
    fields: dict[str, Any] = {name: getattr(trigger.draft, name) for name in TriggerDraft.__dataclass_fields__}
    fields |= {name: list(value) for name, value in fields.items() if isinstance(value, tuple)}
    fields["quick_replies"] = trigger.draft.quick_replies
    return TriggerSchema(id=trigger.id, created_at=trigger.created_at, updated_at=trigger.updated_at, **fields)


def serialize_counts(counts: TriggerCounts) -> TriggerCountsSchema:
    return TriggerCountsSchema.model_validate(counts, from_attributes=True)


def serialize_for_widget(trigger: Trigger, *, preview: bool = False) -> WidgetTrigger:
    draft = trigger.draft
    content = {"message": draft.message, "quick_replies": draft.quick_replies} if preview else {}
    return WidgetTrigger(id=trigger.id, **content, **draft.visible_conditions)


def serialize_shown(shown: ShownTrigger | None) -> ShowTriggerResponse:
    if shown is None:
        return ShowTriggerResponse(trigger=None)
    schema = ShownTriggerSchema(id=shown.trigger_id, message=shown.message, quick_replies=shown.quick_replies)
    return ShowTriggerResponse(trigger=schema)
