"""`parley api-key`: keys that authenticate as an operator."""

from __future__ import annotations

from datetime import datetime, timedelta

import click

from parley.chat.api_keys.errors import ApiKeyNotFound
from parley.chat.api_keys.model import ApiKey
from parley.chat.cli.context import open_context
from parley.chat.settings import ChatSettings
from parley.common.auth.identity import Permission
from parley.common.cli import CommandError, CommandResult, async_command, format_table, read_settings
from parley.common.runtime.clock import to_rfc3339, utc_now
from parley.common.texts import clean_text

_MAX_NAME_LENGTH = 100
_MAX_EXPIRES_DAYS = 3650

_operator_option = click.option("--operator", required=True, metavar="EMAIL|ID", help="The operator who owns the keys.")


@async_command("api-key create", "create an API key; it is shown only once")
@_operator_option
@click.option("--name", required=True, help="What the key is for.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice([permission.value for permission in Permission]),
    help="A permission of the key; may be repeated. Without: everything that the operator may do.",
)
@click.option(
    "--expires-days",
    type=click.IntRange(1, _MAX_EXPIRES_DAYS),
    metavar="DAYS",
    help="The key stops working after so many days. Without: never.",
)
async def create(operator: str, name: str, scopes: tuple[str, ...], expires_days: int | None) -> CommandResult:
    name = clean_text(name).strip()
    if not 0 < len(name) <= _MAX_NAME_LENGTH or not name.isprintable():
        raise CommandError(f"the name must be a line of at most {_MAX_NAME_LENGTH} characters")
    async with open_context(read_settings(ChatSettings)) as context:
        caller = await context.impersonate(operator)
        permissions = frozenset(Permission(scope) for scope in scopes) or None
        expires_at = None if expires_days is None else utc_now() + timedelta(days=expires_days)
        key, secret = await context.admin.api_keys.create(caller, name, permissions, expires_at)
    return CommandResult(
        {**_serialize_key(key), "key": secret}, f"Created API key {key.id}. It is shown only once:\n{secret}"
    )


@async_command("api-key list", "list an operator's API keys")
@_operator_option
async def list_keys(operator: str) -> CommandResult:
    async with open_context(read_settings(ChatSettings)) as context:
        keys = await context.admin.api_keys.list_keys(await context.impersonate(operator))
    rows = [
        (
            key.id,
            f"{key.prefix}…",
            key.name,
            "all" if key.scopes is None else " ".join(sorted(key.scopes)),
            _format_time(key.expires_at),
            _format_time(key.last_used_at),
        )
        for key in keys
    ]
    table = format_table(("key", "begins with", "name", "scopes", "expires", "last used"), rows)
    return CommandResult([_serialize_key(key) for key in keys], table)


@async_command("api-key revoke", "revoke an API key immediately")
@_operator_option
@click.option("--key", "key_id", type=int, required=True, metavar="ID", help="As `parley api-key list` shows it.")
async def revoke(operator: str, key_id: int) -> CommandResult:
    async with open_context(read_settings(ChatSettings)) as context:
        caller = await context.impersonate(operator)
        try:
            await context.admin.api_keys.revoke(caller, key_id)
        except ApiKeyNotFound:
            raise CommandError(f"{operator} has no API key {key_id}") from None
    return CommandResult({"id": key_id, "revoked": True}, f"Revoked API key {key_id}.")


def _format_time(time: datetime | None) -> str:
    return to_rfc3339(time) if time else "never"


def _serialize_key(key: ApiKey) -> dict[str, object]:
    return {
        "id": key.id,
        "name": key.name,
        "prefix": key.prefix,
        "created_at": to_rfc3339(key.created_at),
        "last_used_at": to_rfc3339(key.last_used_at) if key.last_used_at else None,
        "scopes": None if key.scopes is None else sorted(key.scopes),
        "expires_at": to_rfc3339(key.expires_at) if key.expires_at else None,
    }


COMMANDS = (create, list_keys, revoke)
