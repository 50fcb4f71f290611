"""HTTP handlers of the internal API, which only the gateway may call."""

from __future__ import annotations

from dataclasses import dataclass

from parley.chat.accounts.login_throttling import LoginOrigin
from parley.chat.api_keys.service import ApiKeyService
from parley.chat.identification.ports import EndedSessions
from parley.chat.internal_api.schemas import (
    AcceptInvitationBody,
    AccessQuery,
    AccessResponse,
    ApiKeyBody,
    LoginBody,
    LoginResponse,
    LogoutBody,
    OriginQuery,
    OriginResponse,
    RefreshBody,
    SiteInfoResponse,
    SiteKeyQuery,
    VisitorSessionQuery,
    VisitorSessionResponse,
    serialize_access,
    serialize_login,
    serialize_session_state,
    serialize_site_info,
)
from parley.chat.invitations.service import InvitationService
from parley.chat.schemas import OkResponse
from parley.chat.sessions.service import SessionService
from parley.chat.sites.directory import SiteDirectory
from parley.common.auth.identity import GatewayCaller
from parley.common.http import RequestContext


@dataclass(frozen=True, slots=True)
class InternalApiHandlers:
    sessions: SessionService
    api_keys: ApiKeyService
    invitations: InvitationService
    sites: SiteDirectory
    ended_sessions: EndedSessions

    async def login(self, context: RequestContext[GatewayCaller, LoginBody, None]) -> LoginResponse:
        body = context.body
        origin = LoginOrigin(context.caller.client_ip, body.device_token)
        return serialize_login(await self.sessions.login(body.email, body.password, origin, body.tenant_id))

    async def refresh(self, context: RequestContext[GatewayCaller, RefreshBody, None]) -> LoginResponse:
        login = await self.sessions.refresh(context.body.refresh_token, context.caller.client_ip)
        return serialize_login(login)

    async def logout(self, context: RequestContext[GatewayCaller, LogoutBody, None]) -> OkResponse:
        body = context.body
        await self.sessions.logout(body.session_id, body.refresh_token, context.caller.client_ip)
        return OkResponse()

    async def operator_access(self, context: RequestContext[GatewayCaller, None, AccessQuery]) -> AccessResponse:
        query = context.query
        if query.api_key_hash is not None:
            return serialize_access(await self.api_keys.resolve_access_by_hash(query.api_key_hash))
        return serialize_access(await self.sessions.resolve_access(context.path["operator_id"], query.session_id))

    async def api_key_access(self, context: RequestContext[GatewayCaller, ApiKeyBody, None]) -> AccessResponse:
        return serialize_access(await self.api_keys.resolve_access(context.body.key))

    async def accept_invitation(
        self, context: RequestContext[GatewayCaller, AcceptInvitationBody, None]
    ) -> LoginResponse:
        body = context.body
        login = await self.invitations.accept(body.token, body.password, body.name, context.caller.client_ip)
        return serialize_login(login)

    async def site_by_key(self, context: RequestContext[GatewayCaller, None, SiteKeyQuery]) -> SiteInfoResponse:
        return serialize_site_info(await self.sites.get_by_key(context.query.site_key))

    async def origin(self, context: RequestContext[GatewayCaller, None, OriginQuery]) -> OriginResponse:
        return OriginResponse(known=await self.sites.is_origin_allowed(context.query.origin))

    async def visitor_session(
        self, context: RequestContext[GatewayCaller, None, VisitorSessionQuery]
    ) -> VisitorSessionResponse:
        query = context.query
        return serialize_session_state(await self.ended_sessions.find(query.site_id, query.fingerprint))
