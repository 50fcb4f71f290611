"""A site's assistant: its settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from parley.chat.domain.chatbot import Chatbot, Engine, OnTimeout, Routing
from parley.chat.domain.sites import Sites
from parley.chat.handlers.fields import Name
from parley.common.identity import OperatorCaller
from parley.common.web import Answer, Call, RequestBody

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
    routing: Routing | None = None
    offline_message: Sentence | None = None
    private_push: bool | None = None


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


class ChatbotAnswer(Answer):
    chatbot: ChatbotView


@dataclass(frozen=True, slots=True)
class ChatbotHandlers:
    sites: Sites

    async def show(self, call: Call[OperatorCaller, None, None]) -> ChatbotAnswer:
        return _answer((await self.sites.get(call.caller, call.path["site_id"])).chatbot)

    async def update(self, call: Call[OperatorCaller, ChatbotBody, None]) -> ChatbotAnswer:
        fields = call.body.model_dump(exclude_none=True)
        site = await self.sites.configure(call.caller, call.path["site_id"], fields)
        return _answer(site.chatbot)


def _answer(bot: Chatbot) -> ChatbotAnswer:
    return ChatbotAnswer(chatbot=ChatbotView.model_validate(bot, from_attributes=True))
