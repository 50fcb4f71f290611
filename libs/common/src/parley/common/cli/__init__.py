"""The framework of the `parley` command line: commands, plugins, and what both share. See `main` for how to add one."""

from parley.common.cli.command import AsyncCommand, CommandError, CommandResult, async_command
from parley.common.cli.plugins import CommandPlugin, HealthCheck, load_plugins
from parley.common.cli.settings import read_settings, require_env_var
from parley.common.cli.terminal import confirm, format_table, prompt_secret

__all__ = [
    "AsyncCommand",
    "CommandError",
    "CommandPlugin",
    "CommandResult",
    "HealthCheck",
    "async_command",
    "confirm",
    "format_table",
    "load_plugins",
    "prompt_secret",
    "read_settings",
    "require_env_var",
]
