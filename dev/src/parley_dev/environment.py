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

__all__ = ["BEGIN", "complete_reference", "settings_of", "variables", "written"]

BEGIN = "<!-- environment: made by `python -m parley_dev.environment --write docs/operations.md` -->"
END = "<!-- environment: end -->"


def settings_of(service: str) -> type[ServiceSettings]:
    """The class that reads a service's environment."""
    module = importlib.import_module(f"parley.{service}.settings")
    (found,) = (
        kind
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, ServiceSettings) and kind.__module__ == module.__name__
    )
    return found


def complete_reference() -> str:
    """The variables of all services, in the order in which the documentation has them."""
    return reference({service: settings_of(service) for service in SERVICES})


def written(page: str) -> str:
    """The page with the reference between its markers. Raises ValueError when it has none."""
    before, found, rest = page.partition(BEGIN)
    _, closed, after = rest.partition(END)
    if not found or not closed:
        raise ValueError("the page has no markers for the reference")
    return f"{before}{BEGIN}\n\n{complete_reference()}\n{END}{after}"


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m parley_dev.environment", description=written.__doc__)
    parser.add_argument("--write", type=Path, metavar="PAGE", required=True, help="put it between this page's markers")
    page: Path = parser.parse_args(arguments).write
    page.write_text(written(page.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
