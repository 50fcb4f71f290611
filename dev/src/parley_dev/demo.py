"""The demo's accounts: seeded by chat's own command, shown to the person who started it all."""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parley_dev.errors import StartFailed
from parley_dev.process import Process
from parley_dev.stack import Stack, module_command

_TIMEOUT = 120.0


@dataclass(frozen=True, slots=True)
class Demo:
    """What the seeding left behind, as it wrote it."""

    content: dict[str, Any]

    def lines(self) -> list[str]:
        """The accounts, for a person."""
        lines = ["  Operators of the demo site:"]
        lines += [f"    {operator['email']}   {operator['password']}" for operator in self.content["operators"]]
        second = self.content.get("second_tenant")
        if second:
            lines += ["  An operator of another site, who sees nothing of the first:"]
            lines += [f"    {second['email']}   {second['password']}"]
        lines += [f"  Site key for the widget:  {self.content['site_key']}"]
        return lines


async def seed(stack: Stack, out: Path) -> Demo:
    """Make the demo's sites and accounts unless they exist."""
    command = [*module_command("chat.demo"), "--gateway", stack.gateway_url, "--out", str(out)]
    run = Process("demo", command, log=stack.logs / "demo.log", env=stack.environment("chat"))
    await run.start()
    try:
        code = await asyncio.wait_for(run.wait(), _TIMEOUT)
    except TimeoutError as error:
        raise StartFailed(f"The demo took longer than {_TIMEOUT:.0f} s.\n{run.tail_log()}") from error
    finally:
        await run.kill()
    if code != 0:
        raise StartFailed(f"The demo could not be seeded (code {code}).\n{run.tail_log()}")
    return _read(out)


def _read(out: Path) -> Demo:
    return Demo(json.loads(out.read_text()))
