"""Logging in and out: chat checks the password, the token is made here."""

from __future__ import annotations

from typing import Annotated, Any, Protocol

import orjson
from aiohttp import web
from pydantic import BaseModel, Field, StringConstraints

from parley.common.auth.identity import Permission
from parley.common.errors import Failed, Forbidden
from parley.common.http import Answer, Id, Rate, RequestBody, Route, Who
from parley.common.observability.logging import current_trace
from parley.gateway.auth.operators import Operators, read_access
from parley.gateway.auth.tokens import CredentialRefused, TokenIssuer
from parley.gateway.middleware.client_address import client_address
from parley.gateway.middleware.client_ip import Addresses, bucket_of
from parley.gateway.proxy.bodies import BodyT, parsed, refuse_encoded, small
from parley.gateway.proxy.operator_routes import bearer
from parley.gateway.rate_limit.limiter import Limits, Scope

Password = Annotated[str, StringConstraints(min_length=1, max_length=1024)]
Secret = Annotated[str, StringConstraints(min_length=1, max_length=512)]


class LoginElsewhere(Forbidden):
    code = "login_elsewhere"
    sentence = "Accounts of this installation log in at its identity provider."


class LoginBody(RequestBody):
    """A person's account."""

    email: Annotated[str, StringConstraints(min_length=3, max_length=254)]
    password: Password


class RefreshBody(RequestBody):
    """What came with the last token."""

    refresh_token: Secret


class LogoutBody(RequestBody):
    """Where there is no bearer token any more, the refresh token says which login ends."""

    refresh_token: Secret | None = None


class InvitationBody(RequestBody):
    """The secret of an invitation, and what the invited person chooses."""

    token: Secret
    password: Password
    name: Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]


class User(BaseModel):
    """Who has logged in, and what they may do on which site."""

    id: Id
    name: str
    email: str
    language: str
    owner: bool
    sites: dict[str, list[Permission]] = Field(description="Permissions, by the site's id.")


class LoginAnswer(Answer):
    """A token for `Authorization: Bearer`, and what gets the next one."""

    token: str
    expires_in: int = Field(description="Seconds until the token ends.")
    refresh_token: str
    user: User


class Asker(Protocol):
    """Runs errands to chat (`clients.errands`)."""

    async def account(self, errand: str, body: dict[str, Any], address: str) -> Any: ...


class Accounts:
    """The gateway's own account routes."""

    def __init__(
        self, errands: Asker, operators: Operators, issuer: TokenIssuer | None, addresses: Addresses, limits: Limits
    ) -> None:
        self._errands = errands
        self._operators = operators
        self._issuer = issuer
        self._addresses = addresses
        self._limits = limits

    async def login(self, request: web.Request) -> web.StreamResponse:
        body = await self._body(LoginBody, request, Rate.LOGIN)
        return await self._logged_in(request, "login", body)

    async def refresh(self, request: web.Request) -> web.StreamResponse:
        # Not counted as a login: every open panel does it once an hour, and a guess at 256 bits is no attack.
        body = await self._body(RefreshBody, request, Rate.WRITE)
        return await self._logged_in(request, "refresh", body)

    async def accept_invitation(self, request: web.Request) -> web.StreamResponse:
        body = await self._body(InvitationBody, request, Rate.LOGIN)
        return await self._logged_in(request, "accept-invitation", body)

    async def logout(self, request: web.Request) -> web.StreamResponse:
        body = await self._body(LogoutBody, request, Rate.WRITE)
        session_id = None
        if "Authorization" in request.headers:
            try:
                session_id = (await self._operators.claims(bearer(request))).session_id
            except CredentialRefused:
                if body.refresh_token is None:
                    raise
        if session_id is None and body.refresh_token is None:
            raise CredentialRefused("missing")
        errand = {"session_id": session_id, "refresh_token": body.refresh_token}
        reply = await self._errands.account("logout", errand, client_address(self._addresses, request))
        return _passed_on(reply) if reply.status >= 400 else _json(200, Answer())

    async def _body(self, kind: type[BodyT], request: web.Request, rate: Rate) -> BodyT:
        self._limits.take(Scope.ADDRESS, rate, bucket_of(client_address(self._addresses, request)))
        refuse_encoded(request)
        raw = await small(request)
        return kind() if kind is LogoutBody and not raw else parsed(kind, request, raw)

    async def _logged_in(self, request: web.Request, errand: str, body: RequestBody) -> web.StreamResponse:
        issuer = self._issuer
        if issuer is None:
            raise LoginElsewhere
        address = client_address(self._addresses, request)
        reply = await self._errands.account(errand, body.model_dump(), address)
        if reply.status >= 400:
            return _passed_on(reply)
        try:
            access = read_access(reply.document["access"])
            session_id, refresh_token = str(reply.document["session_id"]), str(reply.document["refresh_token"])
        except (KeyError, ValueError, TypeError, AttributeError) as exc:
            raise Failed from exc
        user = User(
            id=access.operator_id,
            name=access.name,
            email=access.email,
            language=access.language,
            owner=access.owner,
            sites={str(site): sorted(granted) for site, granted in access.sites.items()},
        )
        token = issuer.issue(access.operator_id, access.name, session_id)
        return _json(200, LoginAnswer(token=token, expires_in=issuer.seconds, refresh_token=refresh_token, user=user))


def _json(status: int, answer: Answer) -> web.Response:
    return web.Response(status=status, body=answer.model_dump_json().encode(), content_type="application/json")


def _passed_on(reply: Any) -> web.Response:
    """Chat's refusal, word for word."""
    if reply.status >= 500:
        raise Failed
    document = {**reply.document, "request_id": current_trace().request_id}
    headers = {"Retry-After": reply.retry_after} if reply.retry_after else {}
    return web.Response(
        status=reply.status, body=orjson.dumps(document), content_type="application/json", headers=headers
    )


def described() -> list[Route]:
    """The account routes for the OpenAPI document. VISITOR stands for: no bearer token."""
    secret = "0f3c…"  # noqa: S105 - an example
    return [
        _route("auth/login", "Log in", LoginBody, {"email": "alex@example.com", "password": secret}, Rate.LOGIN),
        _route("auth/refresh", "Get the next token", RefreshBody, {"refresh_token": secret}, Rate.WRITE),
        _route("auth/logout", "Log out", LogoutBody, {"refresh_token": secret}, Rate.WRITE, Answer),
        _route(
            "invitations/accept",
            "Join a team",
            InvitationBody,
            {"token": secret, "password": secret, "name": "Alex"},
            Rate.LOGIN,
        ),
    ]


def _route(
    path: str,
    summary: str,
    body: type[RequestBody],
    example: dict[str, str],
    rate: Rate,
    answer: type[Answer] = LoginAnswer,
) -> Route:
    return Route(
        "POST", f"/api/v1/{path}", _nowhere, Who.VISITOR, answer, summary, body=body, rate=rate, example=example
    )


async def _nowhere(_call: Any) -> web.StreamResponse:
    raise web.HTTPNotFound  # Described, not served, from that table.
