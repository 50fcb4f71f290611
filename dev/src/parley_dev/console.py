"""Output for the person at the terminal."""

from collections.abc import Callable

Output = Callable[[str], None]


def print_line(text: str) -> None:
    """Print a line and flush it, so that it appears immediately in a pipe too."""
    print(text, flush=True)


def discard(_text: str) -> None:
    """Drop the line: the output of callers that nobody watches, such as tests."""
