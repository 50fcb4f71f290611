"""Keeps the reference of environment variables in the documentation; what makes it is `parley environment`'s.

`python -m parley_dev.environment --write docs/operations.md` puts it between that page's markers.
"""

import argparse
import importlib
import sys
from pathlib import Path

from parley.common.cli.environment import reference, variables
from parley.common.runtime.settings import ServiceSettings
from parley_dev.stack import SERVICES

__all__ = ["BEGIN_MARKER", "full_reference", "settings_class", "variables", "with_reference"]

BEGIN_MARKER = "<!-- environment: made by `python -m parley_dev.environment --write docs/operations.md` -->"
END_MARKER = "<!-- environment: end -->"


def settings_class(service: str) -> type[ServiceSettings]:
    """The class that reads a service's environment."""
    module = importlib.import_module(f"parley.{service}.settings")
    (found,) = (
        kind
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, ServiceSettings) and kind.__module__ == module.__name__
    )
    return found


def full_reference() -> str:
    """The variables of all services, in the order in which the documentation has them."""
    return reference({service: settings_class(service) for service in SERVICES})


def with_reference(page: str) -> str:
    """The page with the reference between its markers. Raises ValueError when it has none."""
    before, found, rest = page.partition(BEGIN_MARKER)
    _, closed, after = rest.partition(END_MARKER)
    if not found or not closed:
        raise ValueError("the page has no markers for the reference")
    return f"{before}{BEGIN_MARKER}\n\n{full_reference()}\n{END_MARKER}{after}"


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m parley_dev.environment", description=with_reference.__doc__)
    parser.add_argument("--write", type=Path, metavar="PAGE", required=True, help="put it between this page's markers")
    page: Path = parser.parse_args(arguments).write
    page.write_text(with_reference(page.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
