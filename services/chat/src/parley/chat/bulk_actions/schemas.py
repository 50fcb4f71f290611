"""Request bodies and responses of the endpoints of bulk actions."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from parley.chat.bulk_actions.model import (
    MAX_CONVERSATIONS,
    Action,
    BulkOutcome,
    BulkRequest,
    ConversationResult,
)
from parley.chat.common_fields import Moment
from parley.chat.conversations.model import MAX_LABELS
from parley.common.http import Id, RequestBody, SuccessResponse


class BulkBody(RequestBody):
    """What to do to which conversations."""

    action: Action
    conversation_ids: Annotated[list[Id], Field(min_length=1, max_length=MAX_CONVERSATIONS)]
    operator_id: Id | None = Field(None, description="Who gets the conversations; for `assign`.")
    team_id: Id | None = Field(None, description="In place of `operator_id`: the team into whose queue they are put.")
    label_ids: Annotated[list[Id], Field(max_length=MAX_LABELS)] = Field(
        default_factory=list, description="For `label` and `unlabel`."
    )
    until: Moment | None = Field(None, strict=False, description="For `snooze`.")

    def to_request(self) -> BulkRequest:
        return BulkRequest(
            self.action, self.conversation_ids, self.operator_id, self.team_id, self.label_ids, self.until
        )


class ConversationResultSchema(BaseModel):
    """What came of it for one conversation; `error`, `code` and `errors` are those of the error envelope."""

    conversation_id: int
    success: bool
    error: str | None = None
    code: str | None = None
    errors: dict[str, str] | None = None


class BulkResponse(SuccessResponse):
    action_id: int | None = Field(description="By which it can be undone for a minute; null if nothing was changed.")
    results: list[ConversationResultSchema]


class UndoResponse(SuccessResponse):
    results: list[ConversationResultSchema]


def to_results(outcome: BulkOutcome) -> list[ConversationResultSchema]:
    return [_to_result(result) for result in outcome.results]


def _to_result(result: ConversationResult) -> ConversationResultSchema:
    error = result.error
    if error is None:
        return ConversationResultSchema(conversation_id=result.conversation_id, success=True)
    return ConversationResultSchema(
        conversation_id=result.conversation_id,
        success=False,
        error=error.message,
        code=error.code,
        errors=error.details.get("errors"),
    )
