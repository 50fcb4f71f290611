"""Request and response bodies of identification."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from parley.chat.common_fields import Name
from parley.chat.identification.model import IdentitySecret
from parley.chat.identification.service import Identification
from parley.chat.widget.schemas import OwnDetails, WidgetBody, to_own_details
from parley.common.events.schemas import Mode, Timestamp
from parley.common.http import RequestBody, SuccessResponse
from parley.common.texts import VERBATIM


class IdentifyBody(WidgetBody):
    token: Annotated[str, StringConstraints(min_length=1, max_length=4096), VERBATIM] = Field(
        description="A JSON Web Token that the site's server has signed (HS256) with an identity secret."
    )


class IdentifyResponse(SuccessResponse):
    """The session as it is now."""

    session_id: str | None = Field(
        description="The secret session id to use from now on, valid for 30 days; null if yours stays."
    )
    joined: bool = Field(
        description="Whether what your session has written belongs to this person now. False if it was another"
        " person's: forget what you have stored of it."
    )
    visitor: OwnDetails
    conversation_id: int | None
    mode: Mode | None


class CreateIdentitySecretBody(RequestBody):
    name: Name


class IdentitySecretSchema(BaseModel):
    """A secret without its text. The id is the `kid` that a token may name."""

    id: int
    name: str
    created_at: Timestamp
    last_used_at: Timestamp | None = Field(description="Precise to the hour.")


class IdentitySecretListResponse(SuccessResponse):
    identity_secrets: list[IdentitySecretSchema]


class CreatedIdentitySecretResponse(SuccessResponse):
    """`secret` is the secret's text, which cannot be read again."""

    identity_secret: IdentitySecretSchema
    secret: str


def serialize_identification(identification: Identification) -> IdentifyResponse:
    conversation = identification.conversation
    return IdentifyResponse(
        session_id=identification.session_id,
        joined=identification.joined,
        visitor=to_own_details(identification.person),
        conversation_id=conversation.id if conversation else None,
        mode=conversation.mode if conversation else None,
    )


def serialize_secret(secret: IdentitySecret) -> IdentitySecretSchema:
    return IdentitySecretSchema.model_validate(secret, from_attributes=True)
