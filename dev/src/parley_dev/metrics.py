"""Updates the reference of metrics in the documentation.

`python -m parley_dev.metrics --write docs/operations.md` writes it between that page's markers.
"""

import argparse
import importlib
import sys
from pathlib import Path

from prometheus_client.metrics import MetricWrapperBase

from parley_dev.stack import SERVICES

BEGIN_MARKER = "<!-- metrics: made by `python -m parley_dev.metrics --write docs/operations.md` -->"
END_MARKER = "<!-- metrics: end -->"


def list_metrics(module: str) -> list[MetricWrapperBase]:
    """Return the metrics that a module defines, in their order."""
    members = vars(importlib.import_module(module)).values()
    return [member for member in members if isinstance(member, MetricWrapperBase)]


def reference() -> str:
    """Format the metrics of all services, in the order of the documentation."""
    parts = [_table("every service", "parley.common.observability.metrics")]
    parts += [_table(service, f"parley.{service}.metrics") for service in SERVICES]
    return "\n".join(parts)


def with_reference(page: str) -> str:
    """Return the page with the reference between its markers. Raises ValueError when it has no markers."""
    before, begin, rest = page.partition(BEGIN_MARKER)
    _, end, after = rest.partition(END_MARKER)
    if not begin or not end:
        raise ValueError("the page has no markers for the reference")
    return f"{before}{BEGIN_MARKER}\n\n{reference()}\n{END_MARKER}{after}"


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m parley_dev.metrics", description="Updates the reference of metrics in a page."
    )
    parser.add_argument(
        "--write", type=Path, metavar="PAGE", required=True, help="write it between this page's markers"
    )
    page: Path = parser.parse_args(arguments).write
    page.write_text(with_reference(page.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


def _table(title: str, module: str) -> str:
    rows = [f"### Metrics of {title}", "", "| metric | type | labels | meaning |", "|---|---|---|---|"]
    for metric in list_metrics(module):
        (described,) = metric.describe()
        name = f"{described.name}_total" if described.type == "counter" else described.name
        labels = ", ".join(f"`{label}`" for label in metric._labelnames)
        rows.append(f"| `{name}` | {described.type} | {labels} | {described.documentation} |")
    return "\n".join([*rows, ""])


if __name__ == "__main__":
    sys.exit(main())
