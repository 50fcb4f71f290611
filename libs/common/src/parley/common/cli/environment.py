"""`parley environment`: the reference of environment variables, made from the settings classes; it cannot be wrong."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any, get_args

from annotated_types import Ge, Gt, Le, Lt
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from parley.common.cli.main import Answer, Command, offers
from parley.common.runtime.settings import DatabaseSettings, ServiceSettings, env_var_name

_BOUNDS = {Ge: ("≥", "ge"), Gt: (">", "gt"), Le: ("≤", "le"), Lt: ("<", "lt")}


def variables(kind: type[ServiceSettings]) -> dict[str, FieldInfo]:
    """What a class reads, by the variable's name."""
    return {env_var_name(kind, (name,)): field for name, field in kind.model_fields.items()}


def reference(kinds: Mapping[str, type[ServiceSettings]]) -> str:
    """All variables of some services as Markdown: the common ones first, then each service's own."""
    return "\n".join(
        "\n".join([f"### {title}", "", "| variable | default | meaning |", "|---|---|---|", *map(_row, fields), ""])
        for title, fields in _sections(kinds)
        if fields
    )


async def show(_: argparse.Namespace) -> Answer:
    kinds = {offer.service: offer.settings for offer in offers() if offer.settings is not None}
    data = [
        {"section": title, "variable": name, "default": _default(field), "meaning": _meaning(field)}
        for title, fields in _sections(kinds)
        for name, field in fields
    ]
    return Answer(data, reference(kinds))


COMMANDS = (Command("environment", "print every environment variable of the services installed here", show),)


def _sections(kinds: Mapping[str, type[ServiceSettings]]) -> list[tuple[str, list[tuple[str, FieldInfo]]]]:
    common, store = variables(ServiceSettings), variables(DatabaseSettings)
    sections = [("Every service", list(common.items()))]
    if any(issubclass(kind, DatabaseSettings) for kind in kinds.values()):
        own = [(name, field) for name, field in store.items() if name not in common]
        sections.append(("Every service with a database", own))
    for service, kind in kinds.items():
        sections.append((service, [(name, field) for name, field in variables(kind).items() if name not in store]))
    return sections


def _row(named: tuple[str, FieldInfo]) -> str:
    name, field = named
    shown = _default(field)
    marked = "**required**" if field.is_required() else f"`{shown}`" if shown and not _secret(field) else shown
    return f"| `{name}` | {marked} | {_meaning(field).replace('|', chr(92) + '|').replace('<', chr(92) + '<')} |"


def _secret(field: FieldInfo) -> bool:
    return isinstance(field.get_default(call_default_factory=True), SecretStr)


def _default(field: FieldInfo) -> str:
    """The value where a variable is not set; empty where there is none."""
    if field.is_required():
        return "required"
    value: Any = field.get_default(call_default_factory=True)
    match value:
        case None | () | "":
            return ""
        case bool():
            return str(value).lower()
        case SecretStr():
            return "set"
        case dict():
            return ",".join(f"{name}={limit.per_second:.5g}/{limit.burst}" for name, limit in value.items())
        case tuple():
            return ",".join(str(item) for item in value)
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return str(value)


def _meaning(field: FieldInfo) -> str:
    parts = [field.description or ""]
    choices = [str(choice) for choice in get_args(field.annotation) if isinstance(choice, str)]
    if choices:
        parts.append(f"One of {', '.join(f'`{choice}`' for choice in choices)}.")
    bounds = [
        f"{sign} {getattr(bound, name)}"
        for bound in field.metadata
        for kind, (sign, name) in _BOUNDS.items()
        if isinstance(bound, kind)
    ]
    if bounds:
        parts.append(f"({', '.join(bounds)})")
    return " ".join(part for part in parts if part)
