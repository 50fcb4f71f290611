"""Canned replies, who may use them, and the variables of their texts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from parley.chat.audiences import Scope, audience
from parley.common.events.schemas import FileSchema, QuickReply

VARIABLES: Final = ("visitor.name", "visitor.email", "operator.name", "site.name")
"""What `{{name}}` in a text may name. `{{name|fallback}}` is the replacement for an unknown value."""

_PLACEHOLDER = re.compile(r"\{\{([^{}|]*)(?:\|[^{}|]*)?\}\}")


@dataclass(frozen=True, slots=True)
class CannedReply:
    """A reply. `site_id` is set for the scope `site` only; `operator_id` is who made it."""

    id: int
    tenant_id: int
    operator_id: int
    scope: Scope
    site_id: int | None
    shortcut: str
    text: str
    image_url: str | None
    file: FileSchema | None
    created_at: datetime
    updated_at: datetime
    use_count: int = 0
    quick_replies: tuple[QuickReply, ...] = ()

    @property
    def audience(self) -> str:
        """Who may use the reply. A shortcut is unique within an audience."""
        return audience(self.scope, self.operator_id, self.site_id)


@dataclass(frozen=True, slots=True)
class CannedReplyDraft:
    """What an operator writes of a reply."""

    scope: Scope
    site_id: int | None
    shortcut: str
    text: str
    image_url: str | None
    file: FileSchema | None = None
    quick_replies: tuple[QuickReply, ...] = ()


def find_unknown_variable(text: str) -> str | None:
    """The first placeholder of a text that names no variable; None if there is none."""
    for name in _PLACEHOLDER.findall(text):
        if name.strip() not in VARIABLES:
            return str(name.strip())
    return None
