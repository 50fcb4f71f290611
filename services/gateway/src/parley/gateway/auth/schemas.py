"""Request and response bodies of the login endpoints."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from parley.common.auth.identity import Permission
from parley.common.http import Id, RequestBody, SuccessResponse
from parley.common.texts import VERBATIM

Password = Annotated[str, StringConstraints(min_length=1, max_length=1024), VERBATIM]
Secret = Annotated[str, StringConstraints(min_length=1, max_length=512)]


class LoginBody(RequestBody):
    """The e-mail address and password of an operator."""

    email: Annotated[str, StringConstraints(min_length=3, max_length=254)]
    password: Password
    device_token: Annotated[str, StringConstraints(min_length=1, max_length=256)] | None = Field(
        None, description="What an earlier login on this device returned: wrong passwords elsewhere do not block it."
    )
    tenant_id: Id | None = Field(
        None,
        description="Which team to log in to. Needed where the address and the password fit accounts of several: the"
        " login then answers 409 `choose_team`, with `teams`, a list of `id` and `name`.",
    )


class RefreshBody(RequestBody):
    """The refresh token of the last login or refresh."""

    refresh_token: Secret


class LogoutBody(RequestBody):
    """The refresh token names the login session if the request has no valid bearer token."""

    refresh_token: Secret | None = None


class InvitationBody(RequestBody):
    """The secret of an invitation, and the password and name that the invited person chooses."""

    token: Secret
    password: Password
    name: Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]


class UserSchema(BaseModel):
    """The operator who has logged in, and their permissions."""

    id: Id
    name: str
    email: str
    language: str
    owner: bool
    sites: dict[str, list[Permission]] = Field(description="Permissions by site id.")


class LoginResponse(SuccessResponse):
    """A token for `Authorization: Bearer`, and the refresh token for the next one."""

    token: str
    expires_in: int = Field(description="Seconds until the token expires.")
    refresh_token: str
    device_token: str | None = Field(None, description="To keep on this device, for later logins; null for a refresh.")
    failed_attempts: int = Field(
        0, description="Attempts to log in that failed on unknown devices since you last logged in."
    )
    user: UserSchema
