"""Request bodies and responses of the forms that visitors answer."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StringConstraints

from parley.chat.forms.model import MAX_FIELDS, MAX_TEXT_LENGTH
from parley.chat.forms.service import AnsweredConsent, Submission
from parley.chat.messages.schemas import NonEmptyContent
from parley.chat.widget.schemas import Language, MessageId, WidgetBody
from parley.common.events.schemas import Mode
from parley.common.http import Id, RequestBody, SuccessResponse


class ConsentAnswerBody(RequestBody):
    given: bool
    version: Id = Field(description="That of the text which was shown.")


AnswerKey = Annotated[str, StringConstraints(max_length=40, pattern=r"^[a-z0-9_]+$")]


def _check_value(value: Any) -> Any:
    """Before pydantic's own checks, which name a field of a union by its types too."""
    if not isinstance(value, (str, bool)):
        raise ValueError("must be a text or a boolean")
    if isinstance(value, str) and len(value) > MAX_TEXT_LENGTH:
        raise ValueError(f"must have at most {MAX_TEXT_LENGTH} characters")
    return value


AnswerValue = Annotated[str | bool, BeforeValidator(_check_value)]


class FormAnswersBody(WidgetBody):
    """Answers to a form. Keys that the form does not have are ignored."""

    answers: Annotated[dict[AnswerKey, AnswerValue], Field(max_length=2 * MAX_FIELDS)] = Field(
        default_factory=dict, description="By the fields' keys: a text, or a boolean for a checkbox."
    )
    consent: ConsentAnswerBody | None = None
    team_id: Id | None = Field(None, description="The chosen department's team.")
    lang: Language | None = None

    def to_submission(self) -> Submission:
        consent = AnsweredConsent(self.consent.given, self.consent.version) if self.consent else None
        return Submission(self.answers, consent, self.team_id, self.lang)


class OfflineMessageBody(FormAnswersBody):
    message: NonEmptyContent
    message_id: MessageId | None = None


class OfflineMessageResponse(SuccessResponse):
    conversation_id: int
    mode: Mode
    confirmation: str = Field(description="The site's text to show; empty if it has none.")
