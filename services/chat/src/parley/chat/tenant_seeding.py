"""Creates a tenant with its first owner directly in the database, for demos, tests and benchmarks.

Administrators use `parley owner create`.
"""

from __future__ import annotations

from parley.chat.accounts.model import Operator
from parley.chat.cli.context import open_context
from parley.chat.settings import ChatSettings


async def create_owner(
    mongodb_uri: str, database_prefix: str, *, tenant: str, email: str, password: str, name: str
) -> Operator:
    """Create a tenant and its owner, who is returned. A running chat publishes the events. Raises EmailTaken."""
    settings = ChatSettings.model_construct(
        mongodb_uri=mongodb_uri, database_prefix=database_prefix, amqp_url="", identity_secret=""
    )
    async with open_context(settings) as context:
        return await context.admin.accounts.create_tenant(tenant, email, password, name)
