"""HTTP handlers of an operator's own account."""

from __future__ import annotations

from dataclasses import dataclass

from parley.chat.accounts.model import Operator
from parley.chat.accounts.schemas import AccountResponse, EndSessionsBody, PasswordBody, ProfileBody, serialize_account
from parley.chat.accounts.service import AccountService
from parley.chat.schemas import OkResponse
from parley.common.auth.identity import OperatorCaller
from parley.common.http import RequestContext


@dataclass(frozen=True, slots=True)
class AccountHandlers:
    accounts: AccountService

    async def show(self, context: RequestContext[OperatorCaller, None, None]) -> AccountResponse:
        return await self._serialize(context.caller, await self.accounts.get_account(context.caller))

    async def update(self, context: RequestContext[OperatorCaller, ProfileBody, None]) -> AccountResponse:
        body = context.body
        operator = await self.accounts.update_profile(context.caller, body.name, body.language)
        return await self._serialize(context.caller, operator)

    async def change_password(self, context: RequestContext[OperatorCaller, PasswordBody, None]) -> OkResponse:
        body = context.body
        await self.accounts.change_password(
            context.caller, body.current_password, body.new_password, revoke_api_keys=body.revoke_api_keys
        )
        return OkResponse()

    async def end_all_sessions(self, context: RequestContext[OperatorCaller, EndSessionsBody, None]) -> OkResponse:
        await self.accounts.end_all_sessions(context.caller, revoke_api_keys=context.body.revoke_api_keys)
        return OkResponse()

    async def _serialize(self, caller: OperatorCaller, operator: Operator) -> AccountResponse:
        tenant = await self.accounts.get_tenant(caller)
        return serialize_account(await self.accounts.get_access(caller, operator), tenant)
