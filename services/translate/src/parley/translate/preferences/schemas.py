"""Request and response schemas of the translation endpoints."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from parley.common.events.schemas import MessageTranslation
from parley.common.http import Id, RequestBody, SuccessResponse
from parley.translate.languages.tags import MAX_TAG_LENGTH

LanguageTag = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_TAG_LENGTH)]


class ToggleBody(RequestBody):
    """A conversation, and whether to translate it."""

    conversation_id: Id
    enabled: bool


class SetLangBody(RequestBody):
    """The languages of a conversation."""

    conversation_id: Id
    lang: LanguageTag = Field(description="The visitor's language, BCP 47.")
    operator_lang: LanguageTag | None = Field(
        None, description="The operators' language. By default, the caller's own, unless one was set before."
    )


class PreviewBody(RequestBody):
    """A reply that is not sent yet."""

    conversation_id: Id
    content: Annotated[str, StringConstraints(min_length=1, max_length=8000, pattern=r"\S")]


class PreviewResponse(SuccessResponse):
    """What the visitor will read; null if the reply would be sent as written."""

    translation: MessageTranslation | None


class TranslationSettings(BaseModel):
    """The translation settings of a conversation."""

    model_config = ConfigDict(frozen=True)

    conversation_id: int
    enabled: bool
    lang: str | None = Field(description="The visitor's language; null until it is set or detected.")
    operator_lang: str | None
    detected: bool = Field(description="Whether `lang` was detected from the visitor's messages.")
    supported: bool = Field(description="Whether an engine can translate both ways between the two languages.")


class TranslationResponse(SuccessResponse):
    """The translation settings after the change."""

    translation: TranslationSettings
