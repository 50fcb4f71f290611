"""Request and response bodies of the internal API."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from parley.chat.accounts.access import OperatorAccess
from parley.chat.accounts.model import serialize_permissions
from parley.chat.common_fields import Name, NewPassword, Token
from parley.chat.identification.model import EndedSession
from parley.chat.sessions.model import LoginResult
from parley.chat.sites.model import Site
from parley.chat.triggers.model import live_version
from parley.common.auth.identity import Permission
from parley.common.auth.visitor_session import SESSION_HANDLE_PATTERN
from parley.common.http import Id, Query, RequestBody, SuccessResponse
from parley.common.texts import VERBATIM


class LoginBody(RequestBody):
    email: Annotated[str, StringConstraints(min_length=1, max_length=254)]
    password: Annotated[str, StringConstraints(min_length=1, max_length=256), VERBATIM]
    device_token: Token | None = None
    tenant_id: Id | None = None


class RefreshBody(RequestBody):
    refresh_token: Token


class LogoutBody(RequestBody):
    session_id: Token | None = None
    refresh_token: Token | None = None


class ApiKeyBody(RequestBody):
    key: Token


class AcceptInvitationBody(RequestBody):
    token: Token
    password: NewPassword
    name: Name | None = None


class AccessQuery(Query):
    """Of the login session or the API key, where one is named."""

    session_id: Token | None = None
    api_key_hash: Token | None = None


class SiteKeyQuery(Query):
    site_key: Token


class OriginQuery(Query):
    origin: Annotated[str, StringConstraints(min_length=1, max_length=300)]


class VisitorSessionQuery(Query):
    site_id: Id
    fingerprint: Annotated[str, StringConstraints(pattern=SESSION_HANDLE_PATTERN)] = Field(
        description="Of a session id; for an unidentified visitor, the session handle."
    )


class AccessSchema(BaseModel):
    operator_id: int
    tenant_id: int
    name: str
    email: str
    language: str
    owner: bool
    suspended: bool
    version: int
    sites: dict[str, list[Permission]]
    api_key_id: int | None = None
    key_expires_at: int | None = Field(None, description="In seconds since 1970.")
    key_scopes: list[Permission] | None = Field(None, description="Null: all that the operator may do.")


class LoginResponse(SuccessResponse):
    """`refresh_expires_in` is in seconds."""

    session_id: str
    refresh_token: str
    refresh_expires_in: int
    access: AccessSchema
    device_token: str | None
    failed_attempts: int


class AccessResponse(AccessSchema, SuccessResponse):
    """The fields of an access stand next to `success`."""


class SiteInfo(BaseModel):
    id: int
    tenant_id: int
    domains: list[str]
    any_origin: bool
    page_tracking: bool
    page_parameters: list[str]
    colour: str = Field(description="The colour of the widget's button.")
    identity_secret_ids: list[int] = Field(
        default_factory=list, description="Sessions of people who were identified by another secret have ended."
    )
    triggers: str = Field("", description="The version of the site's live triggers; empty without any.")


class SiteInfoResponse(SuccessResponse):
    site: SiteInfo


class OriginResponse(SuccessResponse):
    """`known`: whether a site allows the origin."""

    known: bool


class VisitorSessionResponse(SuccessResponse):
    state: Literal["active", "ended", "joined"] = Field(
        description="Joined: what it wrote belongs to a person, whom a token of the site must prove."
    )


def serialize_session_state(ended: EndedSession | None) -> VisitorSessionResponse:
    if ended is None:
        return VisitorSessionResponse(state="active")
    return VisitorSessionResponse(state="ended" if ended.person is None else "joined")


def serialize_login(login: LoginResult) -> LoginResponse:
    return LoginResponse(
        session_id=login.session_id,
        refresh_token=login.refresh_token,
        refresh_expires_in=login.refresh_expires_in,
        device_token=login.device_token,
        failed_attempts=login.failed_attempts,
        access=AccessSchema.model_validate(serialize_access(login.access), from_attributes=True),
    )


def serialize_access(access: OperatorAccess) -> AccessResponse:
    operator = access.operator
    return AccessResponse(
        operator_id=operator.id,
        tenant_id=operator.tenant_id,
        name=operator.name,
        email=operator.email or "",
        language=operator.language,
        owner=operator.owner,
        suspended=operator.suspended,
        version=operator.version,
        sites=serialize_permissions(access.sites),
        api_key_id=access.api_key_id,
        key_expires_at=None if access.key_expires_at is None else int(access.key_expires_at.timestamp()),
        key_scopes=None if access.key_scopes is None else sorted(access.key_scopes),
    )


def serialize_site_info(site: Site) -> SiteInfoResponse:
    return SiteInfoResponse(
        site=SiteInfo(
            id=site.id,
            tenant_id=site.tenant_id,
            domains=list(site.domains),
            any_origin=site.any_origin,
            page_tracking=site.page_tracking,
            page_parameters=list(site.page_parameters),
            colour=site.chatbot.colours.primary,
            identity_secret_ids=[secret.id for secret in site.identity_secrets],
            triggers=live_version(site.triggers),
        )
    )
