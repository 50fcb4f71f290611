"""Request and response bodies of the checks of AI endpoints, and of what the AI has used."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from parley.chat.sites.chatbot import EmbeddingChoice
from parley.chat.sites.engine_check_schemas import EngineCheckSchema
from parley.chat.sites.settings_schemas import ApiKeyText, BaseUrl, FallbackId, ModelName
from parley.common.http import RequestBody, SuccessResponse


class CheckBody(RequestBody):
    """Settings to try that are not stored. Those that are absent are the site's.

    The stored API key is sent only to the stored endpoint.
    """

    engine: FallbackId | None = Field(None, description="The id of a fallback; null for the site's first engine.")
    base_url: BaseUrl | None = Field(None, description="The endpoint; null or empty for the installation's.")
    api_key: ApiKeyText | None = Field(None, description="API key of the endpoint.", repr=False)
    model: ModelName | None = Field(None, description="The endpoint's name of a model; null or empty for the default.")
    embeddings: EmbeddingChoice | None = None
    embedding_model: Annotated[str, StringConstraints(max_length=100, pattern=r"^[A-Za-z0-9._:/-]*$")] | None = None

    def to_changes(self) -> dict[str, Any]:
        return {name: getattr(self, name) or None for name in self.model_fields_set - {"engine"}}


class SpentTodayResponse(SuccessResponse):
    """What the AI has used today (UTC), with what is reserved for replies in progress; limits are null for none."""

    day: date
    replies: int = Field(description="Replies to visitors, of engines with costs.")
    reply_limit: int | None
    tokens: int
    token_limit: int | None


class EngineCheckResponse(SuccessResponse):
    check: EngineCheckSchema
