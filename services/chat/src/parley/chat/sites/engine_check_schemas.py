"""Response bodies of what a check of an AI endpoint has found."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from parley.chat.sites.engine_check import CheckName, CheckStatus, EngineCheck


class CheckStepSchema(BaseModel):
    name: CheckName
    status: CheckStatus = Field(description="`limited`: the AI answers without it.")
    code: str
    message: str = Field(description="A sentence for the site's owner.")


class EngineCheckSchema(BaseModel):
    at: datetime
    ok: bool = Field(description="Whether the AI can answer.")
    model: str
    steps: list[CheckStepSchema]
    first_word_seconds: float | None = Field(description="From a question to the first word of the answer.")
    tokens: int = Field(description="What the check has cost; counted to the site's tokens of the day.")
    known_models: list[str] = Field(description="Models that the endpoint lists, if it does not list the given one.")


def serialize_check(check: EngineCheck) -> EngineCheckSchema:
    return EngineCheckSchema(
        at=check.at,
        ok=check.failure is None,
        model=check.model,
        steps=[
            CheckStepSchema(name=step.name, status=step.status, code=step.code, message=step.message)
            for step in check.steps
        ],
        first_word_seconds=check.first_word_seconds,
        tokens=check.tokens,
        known_models=list(check.known_models),
    )
