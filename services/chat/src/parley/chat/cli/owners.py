"""`parley owner`: create a tenant with its first owner, before anyone can log in."""

from __future__ import annotations

from typing import Any

import click
from pydantic import TypeAdapter, ValidationError

from parley.chat.accounts.errors import EmailTaken
from parley.chat.cli.context import open_context
from parley.chat.common_fields import AccountEmail, Name, NewPassword
from parley.chat.settings import ChatSettings
from parley.common.cli import CommandError, CommandResult, async_command, prompt_secret, read_settings
from parley.common.errors import ValidationFailed
from parley.common.texts import clean_text


@async_command(
    "owner create",
    "create a tenant and its first owner",
    details="Prompts for the password, or reads it from the first line of standard input. Chat need not be running.",
)
@click.option("--email", required=True, help="The address with which the owner logs in.")
@click.option("--name", required=True, help="The owner's own name.")
@click.option("--tenant", required=True, help="The organisation's name.")
async def create(email: str, name: str, tenant: str) -> CommandResult:
    email = _validate(AccountEmail, email, "the e-mail address is not valid")
    name = _validate(Name, clean_text(name), "the owner's name must be a line of at most 100 characters")
    tenant = _validate(Name, clean_text(tenant), "the tenant's name must be a line of at most 100 characters")
    settings = read_settings(ChatSettings)
    password = _validate(NewPassword, prompt_secret("Password"), "the password must have 10 to 256 characters")
    async with open_context(settings) as context:
        try:
            owner = await context.admin.accounts.create_tenant(tenant, email, password, name)
        except EmailTaken:
            raise CommandError(f"there is an account with the e-mail address {email} already") from None
        except ValidationFailed as exc:
            raise CommandError(f"the password {exc.fields['password']}") from None
    data = {"operator_id": owner.id, "tenant_id": owner.tenant_id, "email": owner.email}
    return CommandResult(data, f"Created {owner.email}, owner of {tenant}.")


def _validate(field_type: Any, value: str, message: str) -> str:
    """Return the value as the API's field type normalizes it. Raises CommandError with `message`."""
    try:
        return str(TypeAdapter(field_type).validate_python(value))
    except ValidationError:
        raise CommandError(message) from None


COMMANDS = (create,)
