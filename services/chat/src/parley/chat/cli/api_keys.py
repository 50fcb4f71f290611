"""`parley api-key`: keys that act as the operator whose they are."""

from __future__ import annotations

import argparse

from parley.chat.api_keys.service import ApiKey, KeyNotFound
from parley.chat.cli.context import opened
from parley.chat.settings import ChatSettings
from parley.common.cli.main import Answer, Command, Refused, read_settings, table
from parley.common.runtime.clock import rfc3339


def _operator(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--operator", required=True, metavar="EMAIL", help="whose keys they are")


def _create_arguments(parser: argparse.ArgumentParser) -> None:
    _operator(parser)
    parser.add_argument("--name", required=True, help="what it is for")


async def create(wanted: argparse.Namespace) -> Answer:
    name = wanted.name.strip()
    if not 0 < len(name) <= 100 or not name.isprintable():
        raise Refused("the name must be a line of at most 100 characters")
    async with opened(read_settings(ChatSettings)) as office:
        caller = await office.acting_as(wanted.operator)
        key, text = await office.administration.api_keys.create(caller, name)
    return Answer({**_data(key), "key": text}, f"Made API key {key.id}. It is shown this once:\n{text}")


async def show(wanted: argparse.Namespace) -> Answer:
    async with opened(read_settings(ChatSettings)) as office:
        keys = await office.administration.api_keys.of(await office.acting_as(wanted.operator))
    rows = [(key.id, f"{key.prefix}…", key.name, _used(key)) for key in keys]
    return Answer([_data(key) for key in keys], table(("key", "begins with", "name", "last used"), rows))


def _revoke_arguments(parser: argparse.ArgumentParser) -> None:
    _operator(parser)
    parser.add_argument("--key", type=int, required=True, metavar="ID", help="as `parley api-key list` shows it")


async def revoke(wanted: argparse.Namespace) -> Answer:
    async with opened(read_settings(ChatSettings)) as office:
        caller = await office.acting_as(wanted.operator)
        try:
            await office.administration.api_keys.revoke(caller, wanted.key)
        except KeyNotFound:
            raise Refused(f"{wanted.operator} has no API key {wanted.key}") from None
    return Answer({"id": wanted.key, "revoked": True}, f"Revoked API key {wanted.key}.")


def _used(key: ApiKey) -> str:
    return rfc3339(key.last_used_at) if key.last_used_at else "never"


def _data(key: ApiKey) -> dict[str, object]:
    return {
        "id": key.id,
        "name": key.name,
        "prefix": key.prefix,
        "created_at": rfc3339(key.created_at),
        "last_used_at": rfc3339(key.last_used_at) if key.last_used_at else None,
    }


COMMANDS = (
    Command("api-key create", "make an API key; it is shown this once", create, _create_arguments),
    Command("api-key list", "list an operator's API keys", show, _operator),
    Command("api-key revoke", "end an API key at once", revoke, _revoke_arguments),
)
