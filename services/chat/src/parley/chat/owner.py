"""`python -m parley.chat.owner`: makes a tenant and its first owner, without anybody being logged in yet.

The password is read from standard input, so that it stands in no process list and no shell history.
"""

from __future__ import annotations

import argparse
import asyncio
import getpass
import sys

from parley.chat.admin import Administration
from parley.chat.app import OUTBOX_COLLECTIONS
from parley.chat.domain.accounts import EmailTaken, Operator
from parley.chat.settings import ChatSettings
from parley.common.amqp import Bus
from parley.common.mongo import Mongo, Outbox
from parley.common.settings import load

SHORTEST_PASSWORD = 10


async def create_owner(
    mongodb_uri: str, database_prefix: str, *, tenant: str, email: str, password: str, name: str
) -> Operator:
    """Make a tenant with its first owner. Raises EmailTaken. Events wait in the outbox for a running chat."""
    mongo = Mongo(mongodb_uri, f"{database_prefix}_chat", [*Administration.indexes])
    settings = ChatSettings.model_construct(public_url="", owner_email=None, owner_password=None)
    administration = Administration(mongo, Outbox(mongo, Bus(""), OUTBOX_COLLECTIONS), settings)
    try:
        await mongo.prepare()
        return await administration.create_tenant(tenant, email, password, name)
    finally:
        await administration.stop()
        await mongo.stop()


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="parley-owner", description="Make a tenant and its first owner.")
    parser.add_argument("--email", required=True)
    parser.add_argument("--name", required=True, help="the owner's own name")
    parser.add_argument("--tenant", required=True, help="the organisation's name")
    wanted = parser.parse_args()
    password = getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    if len(password) < SHORTEST_PASSWORD:
        parser.error(f"the password must have at least {SHORTEST_PASSWORD} characters")
    settings = load(ChatSettings)
    try:
        owner = asyncio.run(
            create_owner(
                settings.mongodb_uri,
                settings.database_prefix,
                tenant=wanted.tenant,
                email=wanted.email,
                password=password,
                name=wanted.name,
            )
        )
    except EmailTaken:
        parser.error(f"there is an account with the e-mail address {wanted.email} already")
    print(f"Made {owner.email}, owner of {wanted.tenant}.")


if __name__ == "__main__":
    main()
