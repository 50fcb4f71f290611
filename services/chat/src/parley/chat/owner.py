"""A tenant and its first owner, made without anybody being logged in yet: for demonstrations, tests and measurements.

Administrators have `parley owner create`.
"""

from __future__ import annotations

from parley.chat.accounts.service import Operator
from parley.chat.cli.context import open_context
from parley.chat.settings import ChatSettings


async def create_owner(
    mongodb_uri: str, database_prefix: str, *, tenant: str, email: str, password: str, name: str
) -> Operator:
    """Make a tenant with its first owner. Raises EmailTaken. Events wait in the outbox for a running chat."""
    settings = ChatSettings.model_construct(
        mongodb_uri=mongodb_uri, database_prefix=database_prefix, amqp_url="", identity_secret=""
    )
    async with open_context(settings) as context:
        return await context.admin.create_tenant(tenant, email, password, name)
