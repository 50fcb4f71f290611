"""Invitations: made anew for somebody who has not come in yet."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

from parley.chat.team.service import Team
from parley.common.auth.identity import OperatorCaller
from parley.common.events.schemas import Timestamp
from parley.common.http import Answer, Call


class InvitationView(BaseModel):
    """Shown this once; the link carries the token."""

    token: str
    link: str
    expires_at: Timestamp


class InvitationAnswer(Answer):
    invitation: InvitationView


@dataclass(frozen=True, slots=True)
class InvitationHandlers:
    team: Team

    async def invite_again(self, call: Call[OperatorCaller, None, None]) -> InvitationAnswer:
        invited = await self.team.invite_again(call.caller, call.path["id"])
        return InvitationAnswer(invitation=InvitationView.model_validate(invited, from_attributes=True))
