"""Errands of the gateway: passwords and tokens checked, and who may do what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, StringConstraints

from parley.chat.accounts.access import OperatorAccess
from parley.chat.api_keys.service import ApiKeys
from parley.chat.common_fields import Name, NewPassword, Token, shown
from parley.chat.invitations.service import Invitations
from parley.chat.schemas import Done
from parley.chat.sessions.service import Login, Sessions
from parley.chat.sites.service import SiteDirectory
from parley.common.auth.identity import GatewayCaller, Permission
from parley.common.http import Answer, Call, Query, RequestBody


class LoginBody(RequestBody):
    email: Annotated[str, StringConstraints(min_length=1, max_length=254)]
    password: Annotated[str, StringConstraints(min_length=1, max_length=256)]


class RefreshBody(RequestBody):
    refresh_token: Token


class LogoutBody(RequestBody):
    session_id: Token | None = None
    refresh_token: Token | None = None


class KeyBody(RequestBody):
    key: Token


class AcceptBody(RequestBody):
    token: Token
    password: NewPassword
    name: Name | None = None


class AccessQuery(Query):
    session_id: Token | None = None


class SiteKeyQuery(Query):
    site_key: Token


class OriginQuery(Query):
    origin: Annotated[str, StringConstraints(min_length=1, max_length=300)]


class AccessView(BaseModel):
    operator_id: int
    tenant_id: int
    name: str
    email: str
    language: str
    owner: bool
    suspended: bool
    version: int
    sites: dict[str, list[Permission]]


class LoginAnswer(Answer):
    session_id: str
    refresh_token: str
    refresh_expires_in: int
    access: AccessView


class AccessAnswer(AccessView, Answer):
    """An access, its fields beside `success`."""


class SiteFacts(BaseModel):
    id: int
    tenant_id: int
    domains: list[str]
    any_origin: bool


class SiteFactsAnswer(Answer):
    site: SiteFacts


class OriginAnswer(Answer):
    known: bool


@dataclass(frozen=True, slots=True)
class ErrandHandlers:
    sessions: Sessions
    keys: ApiKeys
    invitations: Invitations
    directory: SiteDirectory

    async def login(self, call: Call[GatewayCaller, LoginBody, None]) -> LoginAnswer:
        body = call.body
        return _login(await self.sessions.login(body.email, body.password, call.caller.address))

    async def refresh(self, call: Call[GatewayCaller, RefreshBody, None]) -> LoginAnswer:
        return _login(await self.sessions.refresh(call.body.refresh_token, call.caller.address))

    async def logout(self, call: Call[GatewayCaller, LogoutBody, None]) -> Done:
        body = call.body
        await self.sessions.logout(body.session_id, body.refresh_token, call.caller.address)
        return Done()

    async def access(self, call: Call[GatewayCaller, None, AccessQuery]) -> AccessAnswer:
        return _access(await self.sessions.access(call.path["operator_id"], call.query.session_id))

    async def access_by_key(self, call: Call[GatewayCaller, KeyBody, None]) -> AccessAnswer:
        return _access(await self.keys.access(call.body.key))

    async def accept_invitation(self, call: Call[GatewayCaller, AcceptBody, None]) -> LoginAnswer:
        body = call.body
        return _login(await self.invitations.accept(body.token, body.password, body.name, call.caller.address))

    async def site(self, call: Call[GatewayCaller, None, SiteKeyQuery]) -> SiteFactsAnswer:
        site = await self.directory.by_key(call.query.site_key)
        return SiteFactsAnswer(
            site=SiteFacts(id=site.id, tenant_id=site.tenant_id, domains=list(site.domains), any_origin=site.any_origin)
        )

    async def origin(self, call: Call[GatewayCaller, None, OriginQuery]) -> OriginAnswer:
        return OriginAnswer(known=await self.directory.knows_origin(call.query.origin))


def _login(login: Login) -> LoginAnswer:
    return LoginAnswer(
        session_id=login.session_id,
        refresh_token=login.refresh_token,
        refresh_expires_in=login.refresh_expires_in,
        access=AccessView.model_validate(_access(login.access), from_attributes=True),
    )


def _access(access: OperatorAccess) -> AccessAnswer:
    operator = access.operator
    return AccessAnswer(
        operator_id=operator.id,
        tenant_id=operator.tenant_id,
        name=operator.name,
        email=operator.email or "",
        language=operator.language,
        owner=operator.owner,
        suspended=operator.suspended,
        version=operator.version,
        sites=shown(access.sites),
    )
