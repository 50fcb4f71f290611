"""Request and response bodies of the settings of a site's assistant."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field, StringConstraints, WithJsonSchema

from parley.chat.ai.engines.registry import ENGINES
from parley.chat.common_fields import Colour, Name
from parley.chat.sites.chatbot import AiCaps, AiPrices, FilesSettings, OnTimeout, Routing, TranslationSettings
from parley.chat.sites.engine_check_schemas import EngineCheckSchema, serialize_check
from parley.chat.sites.model import Site
from parley.chat.sites.settings_schemas import (
    MAX_FALLBACKS,
    AiCapsBody,
    AiCapsSchema,
    AiErrorSchema,
    AiPricesBody,
    AiPricesSchema,
    AiSettingsBody,
    AiSettingsSchema,
    BusinessHoursBody,
    BusinessHoursSchema,
    EngineName,
    EngineStateSchema,
    FallbackBody,
    FallbackSchema,
    FilesSettingsBody,
    FilesSettingsSchema,
    ModelName,
    TranslationSettingsBody,
    TranslationSettingsSchema,
    serialize_ai_settings,
    serialize_business_hours,
    serialize_failing_engines,
    serialize_fallbacks,
)
from parley.common.http import RequestBody, SuccessResponse

MAX_AUTO_CLOSE_MINUTES = 30 * 24 * 60
ShortText = Annotated[str, StringConstraints(max_length=1000)]


class ColoursBody(RequestBody):
    primary: Colour | None = None
    background: Colour | None = None


class ChatbotBody(RequestBody):
    """Fields that are absent stay unchanged."""

    name: Name | None = None
    welcome: ShortText | None = None
    colours: ColoursBody | None = None
    engine: EngineName | None = None
    model: ModelName | None = Field(None, description="The engine's name of a model; empty for the default.")
    instructions: Annotated[str, StringConstraints(max_length=8000)] | None = None
    operator_timeout: Annotated[int, Field(ge=30, le=86_400)] | None = Field(
        None, description="Seconds without a reply after which an operator loses the conversation."
    )
    on_timeout: OnTimeout | None = None
    routing: Routing | None = Field(
        None,
        description="Who is notified of a waiting visitor, by push and by the panel's sound: all operators of the "
        "site, or (manual) nobody, so that visitors wait until an operator looks at the queue.",
    )
    auto_close_minutes: Annotated[int, Field(ge=0, le=MAX_AUTO_CLOSE_MINUTES)] | None = Field(
        None,
        description="Minutes without a message of the visitor, after the operator's last one, after which the "
        "conversation is closed; 0 for never.",
    )
    auto_close_notice_minutes: Annotated[int, Field(ge=0, le=MAX_AUTO_CLOSE_MINUTES)] | None = Field(
        None,
        description="Minutes before that at which the visitor gets a notice; 0 for none. Counts as one less than "
        "`auto_close_minutes` if it is not less.",
    )
    offline_message: ShortText | None = Field(
        None, description="Sent to visitors who ask for a person while nobody is available; empty for the default text."
    )
    private_push: bool | None = Field(
        None, description="Whether push notifications leave out the text and the sender of a message."
    )
    hours: BusinessHoursBody | None = Field(
        None, description="Business hours, replaced as a whole; null for always open."
    )
    translation: TranslationSettingsBody | None = Field(
        None, description="Replaced as a whole; null for the installation's settings."
    )
    ai: AiSettingsBody | None = None
    fallbacks: Annotated[list[FallbackBody], Field(max_length=MAX_FALLBACKS)] | None = Field(
        None,
        description="The engines after the first one, in order, replaced as a whole. They answer when those before"
        " them fail before the first word. The built-in engine never fails: it can only be the last one.",
    )
    caps: AiCapsBody | None = Field(None, description="Replaced as a whole; null for the defaults.")
    prices: AiPricesBody | None = Field(None, description="Replaced as a whole; null for none.")
    files: FilesSettingsBody | None = Field(None, description="Replaced as a whole; null for the defaults.")
    require_answer_tests: bool | None = Field(
        None,
        description="Whether a change of engine, fallbacks, model, instructions or what else decides the AI's answers "
        "is refused until a run of the site's answer tests with the changed settings has passed, in the last 24 hours.",
    )

    def to_fields(self) -> dict[str, Any]:
        """Return the fields of ChatbotSettings to change; `colours` and `ai` hold only what was given."""
        fields = self.model_dump(
            exclude_none=True, exclude={"hours", "translation", "ai", "caps", "prices", "files", "fallbacks"}
        )
        if "hours" in self.model_fields_set:
            fields["hours"] = self.hours and self.hours.to_business_hours()
        if "translation" in self.model_fields_set:
            fields["translation"] = self.translation.to_settings() if self.translation else TranslationSettings()
        if "caps" in self.model_fields_set:
            fields["caps"] = self.caps.to_caps() if self.caps else AiCaps()
        if "prices" in self.model_fields_set:
            fields["prices"] = self.prices.to_prices() if self.prices else AiPrices()
        if "files" in self.model_fields_set:
            fields["files"] = self.files.to_settings() if self.files else FilesSettings()
        if self.fallbacks is not None:
            fields["fallbacks"] = [fallback.model_dump(exclude_unset=True) for fallback in self.fallbacks]
        if self.ai is not None:
            fields["ai"] = self.ai.to_fields()
        return fields


class ColoursSchema(BaseModel):
    primary: str
    background: str


class ChatbotSchema(BaseModel):
    name: str
    welcome: str
    colours: ColoursSchema
    engine: Annotated[str, WithJsonSchema({"type": "string", "enum": list(ENGINES)})]
    model: str | None
    instructions: str
    operator_timeout: int
    on_timeout: OnTimeout
    routing: Routing
    auto_close_minutes: int
    auto_close_notice_minutes: int
    offline_message: str
    private_push: bool
    hours: BusinessHoursSchema | None
    translation: TranslationSettingsSchema
    ai: AiSettingsSchema
    fallbacks: list[FallbackSchema]
    failing_engines: list[EngineStateSchema] = Field(
        description="Engines that are left alone as they kept failing; those after them answer."
    )
    caps: AiCapsSchema
    prices: AiPricesSchema
    files: FilesSettingsSchema
    require_answer_tests: bool
    last_error: AiErrorSchema | None = Field(
        description="Why the last call of the AI with the present settings gave no answer; null if it succeeded."
    )
    check: EngineCheckSchema | None = Field(
        description="What the last check of the AI endpoint has found; null if it was of other settings."
    )


class ChatbotResponse(SuccessResponse):
    chatbot: ChatbotSchema


def serialize_chatbot(site: Site) -> ChatbotResponse:
    bot = site.chatbot
    settings, computed = site.settings, ("last_error", "check", "fallbacks", "failing_engines")
    fields = {name: getattr(bot, name) for name in ChatbotSchema.model_fields if name not in computed}
    fields |= {
        "last_error": site.last_ai_error,
        "check": settings.ai_check and serialize_check(settings.ai_check),
        "fallbacks": serialize_fallbacks(settings),
        "failing_engines": serialize_failing_engines(settings),
        "hours": serialize_business_hours(bot.hours),
        "ai": serialize_ai_settings(bot.ai),
    }
    return ChatbotResponse(chatbot=ChatbotSchema.model_validate(fields, from_attributes=True))
