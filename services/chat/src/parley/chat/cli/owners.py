"""`parley owner`: a tenant and its first owner, made without anybody being logged in yet."""

from __future__ import annotations

import argparse
from typing import Any

from pydantic import TypeAdapter, ValidationError

from parley.chat.accounts.service import EmailTaken
from parley.chat.cli.context import opened
from parley.chat.common_fields import Email, Name, NewPassword
from parley.chat.settings import ChatSettings
from parley.common.cli.main import Answer, Command, Refused, ask_secret, read_settings


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--email", required=True, help="with which the owner logs in")
    parser.add_argument("--name", required=True, help="the owner's own name")
    parser.add_argument("--tenant", required=True, help="the organisation's name")


async def create(wanted: argparse.Namespace) -> Answer:
    email = _checked(Email, wanted.email, "the e-mail address is not one")
    name = _checked(Name, wanted.name, "the owner's name must be a line of at most 100 characters")
    tenant = _checked(Name, wanted.tenant, "the tenant's name must be a line of at most 100 characters")
    settings = read_settings(ChatSettings)
    password = _checked(NewPassword, ask_secret("Password"), "the password must have 10 to 256 characters")
    async with opened(settings) as office:
        try:
            owner = await office.administration.create_tenant(tenant, email, password, name)
        except EmailTaken:
            raise Refused(f"there is an account with the e-mail address {email} already") from None
    data = {"operator_id": owner.id, "tenant_id": owner.tenant_id, "email": owner.email}
    return Answer(data, f"Made {owner.email}, owner of {tenant}.")


def _checked(kind: Any, value: str, otherwise: str) -> str:
    try:
        return str(TypeAdapter(kind).validate_python(value))
    except ValidationError:
        raise Refused(otherwise) from None


COMMANDS = (
    Command(
        "owner create",
        "make a tenant and its first owner",
        create,
        _arguments,
        "Asks for the password, or reads it from the first line of standard input. Chat need not be running.",
    ),
)
