"""Request and response bodies of an operator's own account."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from parley.chat.accounts.access import OperatorAccess
from parley.chat.accounts.model import Tenant, serialize_permissions
from parley.chat.common_fields import Language, Name, NewPassword
from parley.common.auth.identity import Permission
from parley.common.http import RequestBody, SuccessResponse
from parley.common.texts import VERBATIM


class ProfileBody(RequestBody):
    """Fields that are absent stay unchanged."""

    name: Name | None = None
    language: Language | None = None


class PasswordBody(RequestBody):
    current_password: Annotated[str, StringConstraints(min_length=1, max_length=256), VERBATIM]
    new_password: NewPassword
    revoke_api_keys: bool = Field(False, description="Also revoke all your API keys.")


class EndSessionsBody(RequestBody):
    revoke_api_keys: bool = Field(False, description="Also revoke all your API keys.")


class TenantSchema(BaseModel):
    id: int
    name: str


class AccountSchema(BaseModel):
    """An operator, as shown to themselves."""

    id: int
    email: str
    name: str
    language: str
    owner: bool
    tenant: TenantSchema
    sites: dict[str, list[Permission]]


class AccountResponse(SuccessResponse):
    user: AccountSchema


def serialize_account(access: OperatorAccess, tenant: Tenant) -> AccountResponse:
    operator = access.operator
    return AccountResponse(
        user=AccountSchema(
            id=operator.id,
            email=operator.email or "",
            name=operator.name,
            language=operator.language,
            owner=operator.owner,
            tenant=TenantSchema(id=tenant.id, name=tenant.name),
            sites=serialize_permissions(access.sites),
        )
    )
