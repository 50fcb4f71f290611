"""The reference of environment variables, made from the settings classes, so that it cannot be wrong.

`python -m parley_dev.environment` prints it; `--write docs/operations.md` puts it between that page's markers.
"""

import argparse
import importlib
import sys
from pathlib import Path
from typing import Any, get_args

from annotated_types import Ge, Gt, Le, Lt
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from parley.common.settings import ServiceSettings, StoreSettings, variable
from parley_dev.stack import SERVICES

BEGIN = "<!-- environment: made by `python -m parley_dev.environment --write docs/operations.md` -->"
END = "<!-- environment: end -->"

_BOUNDS = {Ge: ("≥", "ge"), Gt: (">", "gt"), Le: ("≤", "le"), Lt: ("<", "lt")}


def settings_of(service: str) -> type[ServiceSettings]:
    """The class that reads a service's environment."""
    module = importlib.import_module(f"parley.{service}.settings")
    (found,) = (
        kind
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, ServiceSettings) and kind.__module__ == module.__name__
    )
    return found


def variables(kind: type[ServiceSettings]) -> dict[str, FieldInfo]:
    """What a class reads, by the variable's name."""
    return {variable(kind, (name,)): field for name, field in kind.model_fields.items()}


def reference() -> str:
    """All variables as Markdown: the common ones first, then each service's own."""
    common = variables(ServiceSettings)
    store = variables(StoreSettings)
    parts = [
        _section("Every service", common),
        _section("Every service with a database", {name: field for name, field in store.items() if name not in common}),
    ]
    for service in SERVICES:
        own = variables(settings_of(service))
        parts.append(_section(service, {name: field for name, field in own.items() if name not in store}))
    return "\n".join(part for part in parts if part)


def written(page: str) -> str:
    """The page with the reference between its markers. Raises ValueError when it has none."""
    before, found, rest = page.partition(BEGIN)
    _, closed, after = rest.partition(END)
    if not found or not closed:
        raise ValueError("the page has no markers for the reference")
    return f"{before}{BEGIN}\n\n{reference()}\n{END}{after}"


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m parley_dev.environment", description=reference.__doc__)
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put it between this page's markers")
    page: Path | None = parser.parse_args(arguments).write
    if page is None:
        print(reference())
    else:
        page.write_text(written(page.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


def _section(title: str, fields: dict[str, FieldInfo]) -> str:
    if not fields:
        return ""
    rows = [f"| `{name}` | {_default(field)} | {_meaning(field)} |" for name, field in fields.items()]
    return "\n".join([f"### {title}", "", "| variable | default | meaning |", "|---|---|---|", *rows, ""])


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    value: Any = field.get_default(call_default_factory=True)
    match value:
        case None | () | "":
            return ""
        case bool():
            return f"`{str(value).lower()}`"
        case SecretStr():
            return "set"
        case dict():
            return f"`{','.join(f'{name}={limit.per_second:.5g}/{limit.burst}' for name, limit in value.items())}`"
        case tuple():
            return f"`{','.join(str(item) for item in value)}`"
        case float() if value.is_integer():
            return f"`{int(value)}`"
        case _:
            return f"`{value}`"


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
    return " ".join(part for part in parts if part).replace("|", "\\|").replace("<", "\\<")


if __name__ == "__main__":
    sys.exit(main())
