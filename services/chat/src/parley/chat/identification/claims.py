"""The claims of a site's token: their names, types and limits."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, StrictBool, StrictFloat, StrictInt, StringConstraints

from parley.chat.common_fields import Email
from parley.chat.visitors.schemas import InfoKey, Name, Phone
from parley.common.events.schemas import AttributeValue
from parley.common.http import RequestBody
from parley.common.texts import VERBATIM, clean_text

_MAX_NUMBER = 2**53
"""The range in which all readers of JSON agree on an integer."""


def _require_clean(value: str) -> str:
    """Refuse what texts are cleaned of: two ids of a site must not become the same one."""
    if clean_text(value) != value or value != value.strip():
        raise ValueError("must be plain text in its composed form, without spaces around it")
    return value


ExternalId = Annotated[
    str,
    StringConstraints(strict=True, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$"),
    AfterValidator(_require_clean),
    VERBATIM,
]
_Text = Annotated[str, StringConstraints(strict=True, max_length=200)]
_IN_RANGE = Field(ge=-_MAX_NUMBER, le=_MAX_NUMBER)
_Integer = Annotated[StrictInt, _IN_RANGE]
_Number = Annotated[StrictFloat, _IN_RANGE]
Attributes = Annotated[dict[InfoKey, _Text | StrictBool | _Integer | _Number], Field(max_length=20)]


class IdentityClaims(RequestBody):
    """Claims that are absent, null or empty leave what is stored unchanged."""

    sub: ExternalId
    name: Name | None = None
    email: Email | None = None
    phone: Phone | None = None
    attributes: Attributes | None = None

    @property
    def contact(self) -> dict[str, str]:
        return {name: value for name in ("name", "email", "phone") if (value := getattr(self, name))}

    @property
    def facts(self) -> dict[str, AttributeValue] | None:
        return None if self.attributes is None else dict(self.attributes)
