"""Response bodies with an issued invitation."""

from __future__ import annotations

from pydantic import BaseModel

from parley.chat.invitations.model import IssuedInvitation
from parley.common.events.schemas import Timestamp
from parley.common.http import SuccessResponse


class InvitationSchema(BaseModel):
    """Cannot be read again. The link contains the token."""

    token: str
    link: str
    expires_at: Timestamp


class InvitationResponse(SuccessResponse):
    invitation: InvitationSchema


def serialize_invitation(invitation: IssuedInvitation) -> InvitationSchema:
    return InvitationSchema.model_validate(invitation, from_attributes=True)
