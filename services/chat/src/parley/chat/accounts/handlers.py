"""People and their own accounts: who I am, my name and language, my password."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, StringConstraints

from parley.chat.accounts.access import AccessBook
from parley.chat.accounts.service import Accounts, Operator
from parley.chat.common_fields import Language, Name, NewPassword, shown
from parley.chat.schemas import Done
from parley.common.auth.identity import OperatorCaller, Permission
from parley.common.http import Answer, Call, RequestBody


class ProfileBody(RequestBody):
    """What is left out stays as it is."""

    name: Name | None = None
    language: Language | None = None


class PasswordBody(RequestBody):
    current_password: Annotated[str, StringConstraints(min_length=1, max_length=256)]
    new_password: NewPassword


class TenantView(BaseModel):
    id: int
    name: str


class AccountView(BaseModel):
    """An operator, as they see themselves."""

    id: int
    email: str
    name: str
    language: str
    owner: bool
    tenant: TenantView
    sites: dict[str, list[Permission]]


class AccountAnswer(Answer):
    user: AccountView


@dataclass(frozen=True, slots=True)
class AuthHandlers:
    accounts: Accounts
    access_book: AccessBook

    async def me(self, call: Call[OperatorCaller, None, None]) -> AccountAnswer:
        return await self._answer(call.caller, await self.accounts.me(call.caller))

    async def update(self, call: Call[OperatorCaller, ProfileBody, None]) -> AccountAnswer:
        body = call.body
        return await self._answer(
            call.caller, await self.accounts.change_profile(call.caller, body.name, body.language)
        )

    async def change_password(self, call: Call[OperatorCaller, PasswordBody, None]) -> Done:
        await self.accounts.change_password(call.caller, call.body.current_password, call.body.new_password)
        return Done()

    async def _answer(self, caller: OperatorCaller, operator: Operator) -> AccountAnswer:
        tenant = await self.accounts.tenant(caller)
        access = await self.access_book.of(operator)
        return AccountAnswer(
            user=AccountView(
                id=operator.id,
                email=operator.email or "",
                name=operator.name,
                language=operator.language,
                owner=operator.owner,
                tenant=TenantView(id=tenant.id, name=tenant.name),
                sites=shown(access.sites),
            )
        )
