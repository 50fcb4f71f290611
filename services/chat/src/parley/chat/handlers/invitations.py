"""Invitations: made anew for somebody who has not come in yet."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

from parley.chat.domain.team import Team
from parley.common.events.views import Timestamp
from parley.common.identity import OperatorCaller
from parley.common.web import Answer, Call


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
