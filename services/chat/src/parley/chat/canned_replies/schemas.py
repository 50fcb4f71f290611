"""Request bodies and responses of the canned reply endpoints."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from parley.chat.audiences import Scope
from parley.chat.canned_replies.model import VARIABLES, CannedReply, CannedReplyDraft, find_unknown_variable
from parley.chat.messages.schemas import FileId, QuickReplies, to_quick_replies
from parley.chat.paging.schemas import PageQuery
from parley.common.errors import ValidationFailed
from parley.common.events.schemas import FileSchema, QuickReply, Timestamp
from parley.common.http import Id, RequestBody, SuccessResponse
from parley.common.http.schemas import Text


def _known_variables(text: str) -> str:
    unknown = find_unknown_variable(text)
    if unknown is not None:
        raise ValueError(f"has no variable {{{{{unknown}}}}}; there are {', '.join(VARIABLES)}")
    return text


Shortcut = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=30, pattern=r"^[^\s/{}]+$")]
ReplyText = Annotated[str, StringConstraints(max_length=4000, pattern=r"\S"), AfterValidator(_known_variables)]


class CannedReplyBody(RequestBody):
    """`site_id` is required with the scope `site`, and ignored otherwise."""

    shortcut: Shortcut
    text: ReplyText
    scope: Scope = "mine"
    site_id: Id | None = None
    image_url: Annotated[str, StringConstraints(max_length=500)] | None = None
    file_id: FileId | None = Field(None, description="A file that an operator uploaded without `site_id`.")
    quick_replies: QuickReplies = Field([], description="Buttons for the visitor.")

    def to_draft(self, image_url: str | None, file: FileSchema | None) -> CannedReplyDraft:
        """Raises ValidationFailed without the site of a site's reply."""
        if self.scope == "site" and self.site_id is None:
            raise ValidationFailed({"site_id": "is required with the scope site"})
        site_id = self.site_id if self.scope == "site" else None
        quick_replies = to_quick_replies(self.quick_replies)
        return CannedReplyDraft(self.scope, site_id, self.shortcut, self.text, image_url, file, quick_replies)


class CannedRepliesQuery(PageQuery):
    """`site_id` leaves out the replies of other sites; `q` searches shortcuts and texts."""

    site_id: Id | None = None
    q: Annotated[Text, StringConstraints(max_length=200)] | None = None


class CannedReplySchema(BaseModel):
    id: int
    shortcut: str
    text: str
    scope: Scope
    site_id: int | None
    operator_id: int
    image_url: str | None
    file: FileSchema | None
    quick_replies: tuple[QuickReply, ...]
    use_count: int
    created_at: Timestamp
    updated_at: Timestamp


class CannedReplyResponse(SuccessResponse):
    canned_reply: CannedReplySchema


class CannedRepliesResponse(SuccessResponse):
    canned_replies: list[CannedReplySchema]
    next_cursor: str | None


class UseCountResponse(SuccessResponse):
    use_count: int


def to_schema(reply: CannedReply) -> CannedReplySchema:
    return CannedReplySchema(
        id=reply.id,
        shortcut=reply.shortcut,
        text=reply.text,
        scope=reply.scope,
        site_id=reply.site_id,
        operator_id=reply.operator_id,
        image_url=reply.image_url,
        file=reply.file,
        quick_replies=reply.quick_replies,
        use_count=reply.use_count,
        created_at=reply.created_at,
        updated_at=reply.updated_at,
    )
