"""Runs `parley` in the test process: starting one takes a second of processor time."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from click.testing import CliRunner

from parley.common.cli.main import build_cli, disable_logging
from parley.common.cli.plugins import load_plugins

PASSWORD = "correct-horse-battery"


@dataclass(frozen=True, slots=True)
class CompletedCommand:
    status: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        assert self.status == 0, self.err
        return json.loads(self.out)


@dataclass(slots=True)
class ParleyCli:
    """Runs `parley` with an environment; keyword arguments replace variables, None removes one."""

    env: dict[str, str]
    completed: list[CompletedCommand] = field(default_factory=list)

    async def __call__(self, *arguments: str, stdin: str = "", **env_changes: str | None) -> CompletedCommand:
        result = await asyncio.to_thread(_invoke, arguments, stdin, {**self.env, **env_changes})
        self.completed.append(result)
        return result

    async def create_owner(self) -> str:
        """Create a tenant and return its owner's e-mail address."""
        email = f"owner-{secrets.token_hex(4)}@shop.test"
        options = ("--email", email, "--name", "Olivia", "--tenant", "Shop")
        assert (await self("owner", "create", *options, stdin=f"{PASSWORD}\n")).status == 0
        return email


def _invoke(arguments: Sequence[str], stdin: str, env: Mapping[str, str | None]) -> CompletedCommand:
    config = structlog.get_config()
    disable_logging()
    try:
        result = CliRunner().invoke(build_cli(load_plugins()), arguments, input=stdin, env=env, prog_name="parley")
    finally:
        structlog.configure(**config)
        logging.disable(logging.NOTSET)
    return CompletedCommand(result.exit_code, result.stdout, result.stderr)
