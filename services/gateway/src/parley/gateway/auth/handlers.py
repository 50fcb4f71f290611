"""Handlers of login, refresh, logout and invitations: chat checks the secrets, the gateway issues the token."""

from __future__ import annotations

import orjson
from aiohttp import web

from parley.common.errors import Forbidden
from parley.common.http import RateLimitClass, RequestBody, SuccessResponse
from parley.common.observability.logging import current_trace
from parley.gateway.auth.bearer import read_bearer_token
from parley.gateway.auth.model import LoginSession
from parley.gateway.auth.operators import OperatorAuthenticator
from parley.gateway.auth.schemas import InvitationBody, LoginBody, LoginResponse, LogoutBody, RefreshBody, UserSchema
from parley.gateway.auth.tokens import CredentialRejected, TokenIssuer
from parley.gateway.rate_limit.limiter import RateLimiter
from parley.gateway.rate_limit.limits import RateLimitScope
from parley.gateway.server.client_ip import rate_limit_key
from parley.gateway.server.request_body import BodyT, parse_json, read_json_body, reject_content_encoding
from parley.gateway.server.request_keys import CLIENT_IP
from parley.gateway.upstream.internal_api import AccountRequestRejected, InternalApiClient


class ExternalLoginRequired(Forbidden):
    code = "login_elsewhere"
    default_message = "Accounts of this installation log in at its identity provider."


class AuthHandlers:
    """The endpoints of `parley.gateway.auth.routes`."""

    def __init__(
        self,
        internal_api: InternalApiClient,
        operators: OperatorAuthenticator,
        issuer: TokenIssuer | None,
        limiter: RateLimiter,
    ) -> None:
        """`issuer` is None if an identity provider issues the tokens."""
        self._internal_api = internal_api
        self._operators = operators
        self._issuer = issuer
        self._limiter = limiter

    async def login(self, request: web.Request) -> web.StreamResponse:
        body = await self._read_body(LoginBody, request, RateLimitClass.LOGIN)
        return await self._start_session(request, "login", body)

    async def refresh(self, request: web.Request) -> web.StreamResponse:
        # Not limited like a login: every open panel refreshes once an hour, and 256 bits cannot be guessed.
        body = await self._read_body(RefreshBody, request, RateLimitClass.WRITE)
        return await self._start_session(request, "refresh", body)

    async def accept_invitation(self, request: web.Request) -> web.StreamResponse:
        body = await self._read_body(InvitationBody, request, RateLimitClass.LOGIN)
        return await self._start_session(request, "accept-invitation", body)

    async def logout(self, request: web.Request) -> web.StreamResponse:
        body = await self._read_body(LogoutBody, request, RateLimitClass.WRITE, may_be_empty=True)
        session_id = None
        if "Authorization" in request.headers:
            try:
                session_id = (await self._operators.verify_token(read_bearer_token(request))).session_id
            except CredentialRejected:
                if body.refresh_token is None:
                    raise
        if session_id is None and body.refresh_token is None:
            raise CredentialRejected("missing")
        try:
            await self._internal_api.end_session(session_id, body.refresh_token, request[CLIENT_IP])
        except AccountRequestRejected as exc:
            return _rejection_response(exc)
        return _json_response(SuccessResponse())

    async def _read_body(
        self, schema: type[BodyT], request: web.Request, rate: RateLimitClass, *, may_be_empty: bool = False
    ) -> BodyT:
        self._limiter.acquire(RateLimitScope.ADDRESS, rate, rate_limit_key(request[CLIENT_IP]))
        reject_content_encoding(request)
        body = await read_json_body(request)
        return schema() if may_be_empty and not body else parse_json(schema, request, body)

    async def _start_session(self, request: web.Request, action: str, body: RequestBody) -> web.StreamResponse:
        issuer = self._issuer
        if issuer is None:
            raise ExternalLoginRequired
        try:
            session = await self._internal_api.start_session(
                action, body.model_dump(exclude_none=True), request[CLIENT_IP]
            )
        except AccountRequestRejected as exc:
            return _rejection_response(exc)
        token = issuer.issue(session.access.operator_id, session.access.name, session.session_id)
        response = LoginResponse(
            token=token,
            expires_in=issuer.lifetime_seconds,
            refresh_token=session.refresh_token,
            device_token=session.device_token,
            failed_attempts=session.failed_attempts,
            user=_to_user_schema(session),
        )
        return _json_response(response)


def _to_user_schema(session: LoginSession) -> UserSchema:
    access = session.access
    return UserSchema(
        id=access.operator_id,
        name=access.name,
        email=access.email,
        language=access.language,
        owner=access.owner,
        sites={str(site_id): sorted(permissions) for site_id, permissions in access.sites.items()},
    )


def _json_response(body: SuccessResponse) -> web.Response:
    return web.Response(body=body.model_dump_json().encode(), content_type="application/json")


def _rejection_response(rejection: AccountRequestRejected) -> web.Response:
    """Return chat's error response unchanged, except for the request id."""
    document = {**rejection.document, "request_id": current_trace().request_id}
    headers = {"Retry-After": rejection.retry_after} if rejection.retry_after else {}
    return web.Response(
        status=rejection.status, body=orjson.dumps(document), content_type="application/json", headers=headers
    )
