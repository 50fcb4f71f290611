"""Fields that the request bodies of several features share."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, StringConstraints, model_validator

from parley.chat.accounts.password_policy import MAX_LENGTH, MIN_LENGTH
from parley.chat.visitors.emails import normalize_email
from parley.common.auth.identity import Permission
from parley.common.http import RequestBody
from parley.common.texts import VERBATIM, without_directions


def _to_utc(value: datetime) -> datetime:
    """Return the moment in UTC, as the database stores it. Raises ValueError before year 1 and after year 9999."""
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("is out of range") from None


Moment = Annotated[AwareDatetime, AfterValidator(_to_utc)]


def single_direction(value: Any) -> Any:
    """Names are shown within sentences, so they change no direction."""
    return without_directions(value) if isinstance(value, str) else value


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def _validate_time_zone(name: str) -> str:
    if name not in _time_zones():
        raise ValueError("is not a time zone of the IANA database, for example Europe/Berlin")
    return name


TimeZoneName = Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(_validate_time_zone)]

_EMAIL_FORMAT = Field(json_schema_extra={"format": "email"})
Email = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=254), AfterValidator(normalize_email), _EMAIL_FORMAT
]
AccountEmail = Annotated[
    str, StringConstraints(max_length=254), AfterValidator(normalize_email), AfterValidator(str.lower), _EMAIL_FORMAT
]
"""The e-mail address of an account, which is unique regardless of case."""

Name = Annotated[
    str,
    BeforeValidator(single_direction),
    # One line of text that is not blank.
    StringConstraints(
        strip_whitespace=True, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$"
    ),
]
NewPassword = Annotated[str, StringConstraints(min_length=MIN_LENGTH, max_length=MAX_LENGTH), VERBATIM]
Language = Annotated[str, StringConstraints(max_length=35, pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
"""A BCP 47 language tag."""
Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9a-fA-F]{6}$")]
Token = Annotated[str, StringConstraints(min_length=1, max_length=256)]


_PERMISSION_NAMES = frozenset(permission.value for permission in Permission)
_NO_PERMISSION_NAMED = f"must name at least one of {', '.join(Permission)}"


class PermissionsBody(RequestBody):
    """Permissions on a site; one that is not named is not granted."""

    can_chat: bool = False
    can_view_conversations: bool = False
    can_manage: bool = False

    @model_validator(mode="before")
    @classmethod
    def _refuse_only_unknown_names(cls, value: object) -> object:
        if isinstance(value, dict) and value and not value.keys() & _PERMISSION_NAMES:
            raise ValueError(_NO_PERMISSION_NAMED)
        return value

    @property
    def names_any(self) -> bool:
        """Whether the body says something about any permission, be it that it is not granted."""
        return bool(self.model_fields_set)

    @property
    def permissions(self) -> frozenset[Permission]:
        return frozenset(permission for permission in Permission if getattr(self, permission.value))
