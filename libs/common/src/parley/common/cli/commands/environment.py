"""`parley environment`: the reference of environment variables, generated from the settings classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from annotated_types import Ge, Gt, Le, Lt
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from parley.common.cli.command import CommandResult, async_command
from parley.common.cli.plugins import load_plugins
from parley.common.runtime.settings import DatabaseSettings, ServiceSettings, env_var_name

_BOUNDS = {Ge: ("≥", "ge"), Gt: (">", "gt"), Le: ("≤", "le"), Lt: ("<", "lt")}


def variables(settings_type: type[ServiceSettings]) -> dict[str, FieldInfo]:
    """Return the fields of a settings class, by the environment variable's name."""
    return {env_var_name(settings_type, (name,)): field for name, field in settings_type.model_fields.items()}


def reference(settings_types: Mapping[str, type[ServiceSettings]]) -> str:
    """Format all variables of some services as Markdown: the common ones first, then each service's own."""
    return "\n".join(
        "\n".join([f"### {title}", "", "| variable | default | meaning |", "|---|---|---|", *map(_row, fields), ""])
        for title, fields in _sections(settings_types)
        if fields
    )


@async_command("environment", "print every environment variable of the services installed here")
async def environment() -> CommandResult:
    settings_types = {plugin.service: plugin.settings for plugin in load_plugins() if plugin.settings is not None}
    data = [
        {"section": title, "variable": name, "default": _default(field), "meaning": _meaning(field)}
        for title, fields in _sections(settings_types)
        for name, field in fields
    ]
    return CommandResult(data, reference(settings_types))


COMMANDS = (environment,)


def _sections(
    settings_types: Mapping[str, type[ServiceSettings]],
) -> list[tuple[str, list[tuple[str, FieldInfo]]]]:
    common, with_database = variables(ServiceSettings), variables(DatabaseSettings)
    sections = [("Every service", list(common.items()))]
    if any(issubclass(settings_type, DatabaseSettings) for settings_type in settings_types.values()):
        own = [(name, field) for name, field in with_database.items() if name not in common]
        sections.append(("Every service with a database", own))
    for service, settings_type in settings_types.items():
        own = [(name, field) for name, field in variables(settings_type).items() if name not in with_database]
        sections.append((service, own))
    return sections


def _row(variable: tuple[str, FieldInfo]) -> str:
    name, field = variable
    default = _default(field)
    if field.is_required():
        default = "**required**"
    elif default and not _is_secret(field):
        default = f"`{default}`"
    return f"| `{name}` | {default} | {_meaning(field).replace('|', chr(92) + '|').replace('<', chr(92) + '<')} |"


def _is_secret(field: FieldInfo) -> bool:
    return isinstance(field.get_default(call_default_factory=True), SecretStr)


def _default(field: FieldInfo) -> str:
    """Format the value of a variable that is not set; empty if there is none."""
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
        f"{sign} {getattr(bound, attribute)}"
        for bound in field.metadata
        for bound_type, (sign, attribute) in _BOUNDS.items()
        if isinstance(bound, bound_type)
    ]
    if bounds:
        parts.append(f"({', '.join(bounds)})")
    return " ".join(part for part in parts if part)
