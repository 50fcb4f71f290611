"""Password hashes that cost next to nothing, for the accounts of tests: a real one takes 25 ms of processor time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from parley.chat.accounts import argon2_hasher

MEMORY_KIB = 64


@contextmanager
def cheap_password_hashes() -> Iterator[None]:
    """Let the hashers that are created meanwhile use little memory. A hash contains its parameters."""
    real = argon2_hasher.MEMORY_KIB
    argon2_hasher.MEMORY_KIB = MEMORY_KIB
    try:
        yield
    finally:
        argon2_hasher.MEMORY_KIB = real
