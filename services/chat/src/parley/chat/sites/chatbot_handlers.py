"""A site's assistant: its settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, Field, StringConstraints

from parley.chat.common_fields import Name
from parley.chat.sites.chatbot import Chatbot, Engine, OnTimeout, Routing, TranslationChoice
from parley.chat.sites.service import Sites
from parley.chat.sites.settings_schemas import (
    AiBody,
    AiView,
    HoursBody,
    HoursView,
    TranslationBody,
    TranslationChoiceView,
    ai_view,
    hours_view,
)
from parley.common.auth.identity import OperatorCaller
from parley.common.http import Answer, Call, RequestBody

Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9a-fA-F]{6}$")]
Sentence = Annotated[str, StringConstraints(max_length=1000)]
Model = Annotated[str, StringConstraints(max_length=100, pattern=r"^[A-Za-z0-9._:/-]*$")]


class ColoursBody(RequestBody):
    primary: Colour | None = None
    background: Colour | None = None


class ChatbotBody(RequestBody):
    """What is left out stays as it is."""

    name: Name | None = None
    welcome: Sentence | None = None
    colours: ColoursBody | None = None
    engine: Engine | None = None
    model: Model | None = Field(None, description="The engine's own model name; empty for its default.")
    instructions: Annotated[str, StringConstraints(max_length=8000)] | None = None
    operator_timeout: Annotated[int, Field(ge=30, le=86_400)] | None = Field(
        None, description="Seconds for which an operator who holds a conversation may be silent."
    )
    on_timeout: OnTimeout | None = None
    routing: Routing | None = Field(
        None,
        description="Who is called for a waiting visitor, by push and by the panel's sound: all operators of the site, "
        "or (manual) nobody: they wait in the queue until one looks.",
    )
    offline_message: Sentence | None = Field(
        None, description="Said to visitors who ask for a person while nobody can come; empty for Parley's own words."
    )
    private_push: bool | None = Field(
        None, description="Push notifications say that there is something new, and not what or from whom."
    )
    hours: HoursBody | None = Field(None, description="Working hours, set as a whole; null: always open.")
    translation: TranslationBody | None = Field(
        None, description="Set as a whole; null: all as the installation has it."
    )
    ai: AiBody | None = None

    @property
    def fields(self) -> dict[str, Any]:
        """What is to change, as the domain has it."""
        found = self.model_dump(exclude_none=True, exclude={"hours", "translation", "ai"})
        if "hours" in self.model_fields_set:
            found["hours"] = self.hours and self.hours.hours
        if "translation" in self.model_fields_set:
            found["translation"] = self.translation.choice if self.translation else TranslationChoice()
        if self.ai is not None:
            found["ai"] = self.ai.changes
        return found


class ColoursView(BaseModel):
    primary: str
    background: str


class ChatbotView(BaseModel):
    name: str
    welcome: str
    colours: ColoursView
    engine: Engine
    model: str | None
    instructions: str
    operator_timeout: int
    on_timeout: OnTimeout
    routing: Routing
    offline_message: str
    private_push: bool
    hours: HoursView | None
    translation: TranslationChoiceView
    ai: AiView


class ChatbotAnswer(Answer):
    chatbot: ChatbotView


@dataclass(frozen=True, slots=True)
class ChatbotHandlers:
    sites: Sites

    async def show(self, call: Call[OperatorCaller, None, None]) -> ChatbotAnswer:
        return _answer((await self.sites.get(call.caller, call.path["site_id"])).chatbot)

    async def update(self, call: Call[OperatorCaller, ChatbotBody, None]) -> ChatbotAnswer:
        site = await self.sites.configure(call.caller, call.path["site_id"], call.body.fields)
        return _answer(site.chatbot)


def _answer(bot: Chatbot) -> ChatbotAnswer:
    shown = {name: getattr(bot, name) for name in ChatbotView.model_fields if name not in ("hours", "ai")}
    view = ChatbotView.model_validate(
        {**shown, "hours": hours_view(bot.hours), "ai": ai_view(bot.ai)}, from_attributes=True
    )
    return ChatbotAnswer(chatbot=view)
