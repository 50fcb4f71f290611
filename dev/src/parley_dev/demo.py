"""Seeds the demo accounts with chat's own command and prints them."""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parley_dev.errors import StartFailed
from parley_dev.process import Process
from parley_dev.stack import Stack, module_command

_TIMEOUT_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Demo:
    """The accounts, as the seeding command wrote them."""

    content: dict[str, Any]

    def lines(self) -> list[str]:
        """Format the accounts for the terminal."""
        operators = sorted(self.content["operators"], key=lambda operator: not operator.get("owner"))
        lines = ["  Logins of the demo site; the owner may change everything:"]
        lines += [_login_line(operator) for operator in operators]
        second = self.content.get("second_tenant")
        if second:
            lines += ["  An operator of another tenant, who sees nothing of the first:"]
            lines += [f"    {second['email']}   {second['password']}"]
        site_key, secret = self.content["site_key"], self.content["identity_secret"]
        lines += [f"  Site key for the widget:  {site_key}"]
        demo = f"{self.content['gateway']}/demo?site_key={site_key}"
        form_site_key = self.content["form_site_key"]
        lines += ["  The demo shop, where you say who you are:"]
        lines += [f"    {demo}&form_site_key={form_site_key}#identity_secret={secret}"]
        lines += ["  The same shop with a form before the chat:"]
        lines += [f"    {self.content['gateway']}/demo?site_key={form_site_key}"]
        return lines


async def seed(stack: Stack, out: Path) -> Demo:
    """Create the demo's sites and accounts unless they exist. Raises StartFailed."""
    command = [*module_command("chat.demo"), "--gateway", stack.gateway_url, "--out", str(out)]
    run = Process("demo", command, log=stack.logs / "demo.log", env=stack.environment("chat"))
    await run.start()
    try:
        code = await asyncio.wait_for(run.wait(), _TIMEOUT_SECONDS)
    except TimeoutError as exc:
        raise StartFailed(f"Seeding the demo took longer than {_TIMEOUT_SECONDS:.0f} s.\n{run.tail_log()}") from exc
    finally:
        await run.kill()
    if code != 0:
        raise StartFailed(f"The demo could not be seeded (code {code}).\n{run.tail_log()}")
    return Demo(await asyncio.to_thread(_read, out))


def _login_line(operator: dict[str, Any]) -> str:
    line = f"    {operator['email']}   {operator['password']}"
    return f"{line}   (owner)" if operator.get("owner") else line


def _read(out: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(out.read_text())
    return content
