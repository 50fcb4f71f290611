"""Request bodies and responses of the label endpoints."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, StringConstraints

from parley.chat.common_fields import Colour, single_direction
from parley.chat.labels.model import Label, LabelDraft, LabelScope
from parley.chat.paging.schemas import PageQuery
from parley.common.errors import ValidationFailed
from parley.common.events.schemas import Timestamp
from parley.common.http import Id, RequestBody, SuccessResponse

LabelName = Annotated[
    str,
    BeforeValidator(single_direction),
    StringConstraints(
        strip_whitespace=True, max_length=40, pattern=r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$"
    ),
]


class LabelBody(RequestBody):
    """`site_id` is required with the scope `site`, and ignored otherwise."""

    name: LabelName
    colour: Colour = "#64748b"
    scope: LabelScope = "site"
    site_id: Id | None = None

    def to_draft(self) -> LabelDraft:
        """Raises ValidationFailed without the site of a site's label."""
        if self.scope == "site" and self.site_id is None:
            raise ValidationFailed({"site_id": "is required with the scope site"})
        return LabelDraft(self.scope, self.site_id if self.scope == "site" else None, self.name, self.colour.lower())


class LabelChangeBody(RequestBody):
    """The name and the colour; scope and site of a label stay."""

    name: LabelName
    colour: Colour


class LabelsQuery(PageQuery):
    """`site_id` leaves out the labels of other sites."""

    site_id: Id | None = None


class LabelSchema(BaseModel):
    id: int
    name: str
    colour: str
    scope: LabelScope
    site_id: int | None
    created_at: Timestamp
    updated_at: Timestamp


class LabelResponse(SuccessResponse):
    label: LabelSchema


class LabelsResponse(SuccessResponse):
    labels: list[LabelSchema]
    next_cursor: str | None


def to_schema(label: Label) -> LabelSchema:
    return LabelSchema(
        id=label.id,
        name=label.name,
        colour=label.colour,
        scope=label.scope,
        site_id=label.site_id,
        created_at=label.created_at,
        updated_at=label.updated_at,
    )
