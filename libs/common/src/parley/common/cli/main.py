"""The `parley` program, the administrators' command line: builds its commands from the installed plugins.

A distribution declares a plugin in its pyproject.toml and defines it in its `cli` module:

    [project.entry-points."parley.commands"]
    chat = "parley.chat.cli:PLUGIN"

    @async_command("owner create", "create a tenant and its first owner")
    @click.option("--email", required=True)
    async def create(email: str) -> CommandResult:
        password = prompt_secret("Password")        # never an option
        settings = read_settings(ChatSettings)      # raises CommandError with every error
        ...
        return CommandResult({"email": owner.email}, f"Created {owner.email}.")

    PLUGIN = CommandPlugin(service="chat", settings=ChatSettings, commands=(create,))

A command prints its text to standard output, or its data with `--json`. A failure is one line on standard error; with
PARLEY_LOG_LEVEL=debug a traceback comes first. Exit status: 0 success; 1 a CommandError, any other failure, or a result
with `failed`; 2 wrong usage.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence

import click
import structlog

from parley.common.cli.plugins import CommandPlugin, load_plugins


class _RootGroup(click.Group):
    """Lists every command in its help page, not only the groups."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        commands: list[click.Command] = []
        for member in self.commands.values():
            commands += member.commands.values() if isinstance(member, click.Group) else [member]
        with formatter.section("Commands"):
            formatter.write_dl([(command.name or "", command.get_short_help_str(200)) for command in commands])


def build_cli(plugins: Sequence[CommandPlugin]) -> click.Group:
    """Build the command tree. Raises ValueError if two plugins define the same command."""
    root = _RootGroup("parley", help="Administer a Parley installation. Reads the same environment as the services.")
    commands = [command for plugin in plugins for command in plugin.commands]
    for command in sorted(commands, key=lambda command: command.name or ""):
        word, _, verb = (command.name or "").partition(" ")
        parent: click.Group = root
        if verb:
            group = root.commands.get(word) or click.Group(word)
            assert isinstance(group, click.Group), f"{word} is a command and a group"
            root.add_command(group)
            parent = group
        if (verb or word) in parent.commands:
            raise ValueError(f"two plugins define the command {command.name}")
        parent.add_command(command, verb or word)
    return root


def main() -> None:
    """Run the command that the command line names, and exit with its status."""
    cli = build_cli(load_plugins())
    disable_logging()
    cli.main(prog_name="parley")


def disable_logging() -> None:
    """Logs are for services; in a command they would mix with its result."""
    logging.disable(logging.CRITICAL)
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
