"""A limit on learning who has an account: a tenant may run into few addresses that other tenants' accounts have.

An address is the login of one account of the installation, so adding a member with an address of another tenant has to
be refused. That tells the caller that the account exists. Nobody adds many such people by mistake.
"""

from __future__ import annotations

from dataclasses import dataclass

from parley.chat.accounts.login_throttling import LoginFailureRepository, ThrottlePolicy
from parley.chat.accounts.ports import OperatorRepository
from parley.chat.team.errors import TooManyTakenAddresses
from parley.common.runtime.clock import Clock

_POLICY = ThrottlePolicy(delay_after=5, block_after=10)


@dataclass(frozen=True, slots=True)
class AddressProbes:
    operators: OperatorRepository
    counts: LoginFailureRepository
    clock: Clock

    async def check(self, tenant_id: int) -> None:
        """Call before a member is added. Raises TooManyTakenAddresses."""
        now = self.clock()
        count = await self.counts.find(_key(tenant_id), now)
        if count is not None and count.blocked_until > now:
            raise TooManyTakenAddresses(int((count.blocked_until - now).total_seconds()) + 1)

    async def record_taken(self, tenant_id: int, email: str) -> bool:
        """Count an address that was refused. Returns whether it is one of another tenant, which alone counts."""
        operator = await self.operators.find_by_email(email)
        if operator is None or operator.tenant_id == tenant_id:
            return False
        await self.counts.increment(_key(tenant_id), self.clock(), _POLICY)
        return True


def _key(tenant_id: int) -> str:
    return f"taken-addresses:{tenant_id}"
