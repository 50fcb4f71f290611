"""Updates the reference of environment variables in the documentation, with the formatter of `parley environment`.

`python -m parley_dev.environment --write docs/operations.md` writes it between that page's markers.
"""

import argparse
import importlib
import sys
from pathlib import Path

from parley.common.cli.commands.environment import reference, variables
from parley.common.runtime.settings import ServiceSettings
from parley_dev.stack import SERVICES

__all__ = ["BEGIN_MARKER", "full_reference", "settings_class", "variables", "with_reference"]

BEGIN_MARKER = "<!-- environment: made by `python -m parley_dev.environment --write docs/operations.md` -->"
END_MARKER = "<!-- environment: end -->"


def settings_class(service: str) -> type[ServiceSettings]:
    """Return the settings class of a service."""
    module = importlib.import_module(f"parley.{service}.settings")
    (settings,) = (
        member
        for member in vars(module).values()
        if isinstance(member, type) and issubclass(member, ServiceSettings) and member.__module__ == module.__name__
    )
    return settings


def full_reference() -> str:
    """Format the variables of all services, in the order of the documentation."""
    return reference({service: settings_class(service) for service in SERVICES})


def with_reference(page: str) -> str:
    """Return the page with the reference between its markers. Raises ValueError when it has no markers."""
    before, begin, rest = page.partition(BEGIN_MARKER)
    _, end, after = rest.partition(END_MARKER)
    if not begin or not end:
        raise ValueError("the page has no markers for the reference")
    return f"{before}{BEGIN_MARKER}\n\n{full_reference()}\n{END_MARKER}{after}"


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m parley_dev.environment", description="Updates the reference of environment variables in a page."
    )
    parser.add_argument(
        "--write", type=Path, metavar="PAGE", required=True, help="write it between this page's markers"
    )
    page: Path = parser.parse_args(arguments).write
    page.write_text(with_reference(page.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
