"""`python -m parley.chat.demo`: fills a development stack with something to look at, and writes down the accounts.

Everything after the first owner is made through the gateway, as anybody would make it. Run again, it finds what is
there and makes only what is missing. Passwords are derived from the stack's own secret: the same in every run, and
different on every machine.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import hmac
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from parley.chat.accounts.service import EmailTaken
from parley.chat.owner import create_owner
from parley.chat.settings import ChatSettings
from parley.common.runtime.settings import load

KNOWLEDGE = {
    "What are your opening hours?": "We are open Monday to Friday, from 9 in the morning to 6 in the evening.",
    "How much is shipping?": "Shipping is free for orders over 50 euros; below that it is 4.90 euros.",
    "How do I return something?": "You can send anything back within 30 days. The label is in the parcel.",
    "Do you ship abroad?": "Yes, to all of Europe. Parcels take three to five working days.",
}


@dataclass(frozen=True, slots=True)
class Account:
    name: str
    email: str


OWNER = Account("Olivia Owner", "olivia@demo.example")
OPERATORS = (Account("Alex Moreau", "alex@demo.example"), Account("Sam Okafor", "sam@demo.example"))
SECOND = Account("Otto Other", "otto@other.example")


class Demo:
    """The demo's accounts and sites, over the API."""

    def __init__(self, gateway: str, settings: ChatSettings, http: aiohttp.ClientSession) -> None:
        self._gateway = gateway.rstrip("/")
        self._settings = settings
        self._http = http

    async def fill(self) -> dict[str, Any]:
        """Make what is missing. Returns what `.dev/demo.json` holds."""
        owner = await self._owner(OWNER, "Demo Company")
        site = await self._site(owner, "Demo Shop")
        await self._know(owner, site["id"])
        members = [await self._member(owner, account, site["id"]) for account in OPERATORS]
        other = await self._owner(SECOND, "Other Company")
        other_site = await self._site(other, "Other Shop")
        me = await self._call(owner, "GET", "/auth/me")
        return {
            "gateway": self._gateway,
            "site_id": site["id"],
            "site_key": site["site_key"],
            "operators": [
                *members,
                {"id": me["user"]["id"], "email": OWNER.email, "password": self._password(OWNER), "owner": True},
            ],
            "second_tenant": {
                "site_id": other_site["id"],
                "site_key": other_site["site_key"],
                "email": SECOND.email,
                "password": self._password(SECOND),
            },
        }

    def _password(self, account: Account) -> str:
        secret = self._settings.identity_secret.encode()
        return "demo-" + hmac.new(secret, account.email.encode(), hashlib.sha256).hexdigest()[:12]

    async def _owner(self, account: Account, tenant: str) -> str:
        """A token of a tenant's owner, made if there is none."""
        with contextlib.suppress(EmailTaken):
            await create_owner(
                self._settings.mongodb_uri,
                self._settings.database_prefix,
                tenant=tenant,
                email=account.email,
                password=self._password(account),
                name=account.name,
            )
        body = {"email": account.email, "password": self._password(account)}
        found = await self._call(None, "POST", "/auth/login", body)
        return str(found["token"])

    async def _site(self, token: str, name: str) -> dict[str, Any]:
        for site in (await self._call(token, "GET", "/sites"))["sites"]:
            if site["name"] == name:
                return dict(site)
        body = {"name": name, "domains": ["localhost", "127.0.0.1"], "any_origin": True}
        return dict((await self._call(token, "POST", "/sites", body))["site"])

    async def _know(self, token: str, site_id: int) -> None:
        path = f"/sites/{site_id}/chatbot/knowledge"
        known = {entry["question"] for entry in (await self._call(token, "GET", path))["knowledge"]}
        for question, answer in KNOWLEDGE.items():
            if question not in known:
                await self._call(token, "POST", path, {"question": question, "answer": answer})

    async def _member(self, token: str, account: Account, site_id: int) -> dict[str, Any]:
        found = next(
            (one for one in (await self._call(token, "GET", "/team"))["team"] if one["email"] == account.email),
            None,
        )
        if found is None:
            body = {
                "email": account.email,
                "name": account.name,
                "password": self._password(account),
                "site_ids": [site_id],
                "permissions": {"can_chat": True, "can_view_conversations": True, "can_manage": False},
            }
            found = (await self._call(token, "POST", "/team", body))["member"]
        return {"id": found["id"], "email": account.email, "password": self._password(account)}

    async def _call(self, token: str | None, method: str, path: str, body: Any = None) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with self._http.request(method, f"{self._gateway}/api/v1{path}", json=body, headers=headers) as response:
            found: dict[str, Any] = await response.json()
            if not found.get("success"):
                raise SystemExit(f"The demo could not be made: {method} {path}: {found.get('error')}")
            return found


async def _make(gateway: str) -> dict[str, Any]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as http:
        return await Demo(gateway, load(ChatSettings), http).fill()


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description="Fill a development stack with a demo.")
    parser.add_argument("--gateway", required=True, help="the gateway's address")
    parser.add_argument("--out", required=True, type=Path, help="where to write the accounts")
    wanted = parser.parse_args()
    found = asyncio.run(_make(wanted.gateway))
    wanted.out.write_text(json.dumps(found, indent=2) + "\n")
    wanted.out.chmod(0o600)


if __name__ == "__main__":
    main()
