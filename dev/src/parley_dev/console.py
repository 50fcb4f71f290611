"""Tells the person at the terminal what is happening."""

from collections.abc import Callable

Output = Callable[[str], None]


def print_line(text: str) -> None:
    """Print a line at once, even into a pipe."""
    print(text, flush=True)


def discard(_text: str) -> None:
    """For tests: nobody is watching."""
