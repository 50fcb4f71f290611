"""Tells the person at the terminal what is happening."""

from collections.abc import Callable

Say = Callable[[str], None]


def say(text: str) -> None:
    """Print a line at once, even into a pipe."""
    print(text, flush=True)


def quiet(_text: str) -> None:
    """For tests: nobody is watching."""
