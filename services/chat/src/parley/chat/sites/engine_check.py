"""What a check of an AI endpoint has found, as it is kept with the site's settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

PRIMARY_ENGINE = "primary"
"""The id of the engine that the fields `engine`, `model` and `ai` of a site's settings describe."""

CheckName = Literal[
    "endpoint", "key", "model", "reply", "parameters", "streaming", "usage", "tools", "json", "images", "embeddings"
]
CheckStatus = Literal["ok", "limited", "failed"]
"""`limited`: the AI answers without it."""


@dataclass(frozen=True, slots=True)
class CheckStep:
    """One property of an endpoint, with a sentence about it that contains nothing that the endpoint wrote."""

    name: CheckName
    status: CheckStatus
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class EngineCheck:
    """What an endpoint can do with a model."""

    at: datetime
    model: str
    steps: tuple[CheckStep, ...]
    first_word_seconds: float | None = None
    """From the request to the first word of a reply."""
    tokens: int = 0
    """What the check has cost."""
    known_models: tuple[str, ...] = ()
    """Some names of models that the endpoint lists, if it does not list the site's."""
    dialect: Mapping[str, Any] = field(default_factory=dict)
    """How requests must differ from the usual ones, in the engine's own terms."""

    @property
    def failure(self) -> CheckStep | None:
        """The first step that prevents answers."""
        return next((step for step in self.steps if step.status == "failed"), None)

    def supports(self, name: CheckName) -> bool | None:
        """None: not known."""
        status = next((step.status for step in self.steps if step.name == name), None)
        return None if status is None else status == "ok"
