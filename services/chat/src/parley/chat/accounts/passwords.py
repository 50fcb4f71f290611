"""Hashes the passwords of accounts."""

from __future__ import annotations

from parley.chat.accounts.ports import OperatorRepository, PasswordHasher


async def hash_password(operators: OperatorRepository, hasher: PasswordHasher, email: str | None, password: str) -> str:
    """Hash an account's password, with the salt of the accounts that have the same address. Raises Unavailable."""
    same_email = await operators.list_by_email(email) if email else ()
    hashes = [operator.password_hash for operator in same_email if operator.password_hash]
    return await hasher.hash(password, hashes[0] if hashes else None)
