"""Fills a development stack with demo data through the API: `python -m parley.chat.demo`.

Only the first owner of each tenant is created directly in the database. A second run creates what is missing. The
passwords are derived from the stack's secret: the same in every run, different on every machine.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from parley.chat.accounts.errors import EmailTaken
from parley.chat.settings import ChatSettings
from parley.chat.tenant_seeding import create_owner
from parley.chat.timeouts import DEMO_REQUEST_TIMEOUT_SECONDS
from parley.common.runtime.settings import load_settings

KNOWLEDGE = {
    "What are your opening hours?": "We are open Monday to Friday, from 9 in the morning to 6 in the evening.",
    "How much is shipping?": "Shipping is free for orders over 50 euros; below that it is 4.90 euros.",
    "How do I return something?": "You can send anything back within 30 days. The label is in the parcel.",
    "Do you ship abroad?": "Yes, to all of Europe. Parcels take three to five working days.",
}
TRIGGER = {
    "name": "Returns",
    "message": "Something did not fit? I can tell you how **returns** work.",
    "enabled": True,
    "include_pages": ["*#returns"],
    "seconds": 3,
    "quick_replies": [
        {"label": "How do returns work?", "value": "How do I return something?"},
        {"label": "Talk to a person", "value": "I want to talk to a person"},
    ],
}
CANNED_REPLY = {
    "shortcut": "tea",
    "text": "Which tea are you looking for, {{visitor.name|there}}?",
    "scope": "all",
    "quick_replies": [
        {"label": "Green", "value": "A green tea, please"},
        {"label": "Black", "value": "A black tea, please"},
        {"label": "I do not know yet"},
    ],
}
FORMS = {
    "consent": {"text": "You may keep my answers to serve me.", "required": True},
    "prechat": {
        "enabled": True,
        "title": "Before we begin",
        "intro": "So that the right person answers you.",
        "fields": [
            {"key": "name", "type": "name", "required": True},
            {"key": "email", "type": "email"},
            {
                "key": "topic",
                "type": "select",
                "label": "What is it about?",
                "options": ["An order", "Teas", "Something else"],
            },
        ],
    },
}
PERMISSIONS = {"can_chat": True, "can_view_conversations": True, "can_manage": False}
DEMO_PAGE = "Demo page"


@dataclass(frozen=True, slots=True)
class Account:
    name: str
    email: str


OWNER = Account("Olivia Owner", "olivia@demo.example")
OPERATORS = (Account("Alex Moreau", "alex@demo.example"), Account("Sam Okafor", "sam@demo.example"))
SECOND_OWNER = Account("Otto Other", "otto@other.example")


class Demo:
    """Creates the accounts and sites of the demo."""

    def __init__(
        self, gateway: str, settings: ChatSettings, http: aiohttp.ClientSession, known: Mapping[str, Any]
    ) -> None:
        """`known` is what the run before has created."""
        self._known = known
        self._gateway = gateway.rstrip("/")
        self._settings = settings
        self._http = http

    async def create(self) -> dict[str, Any]:
        """Create what is missing. Returns the accounts and sites, for the developer and for tests."""
        owner = await self._ensure_owner(OWNER, "Demo Company")
        site = await self._ensure_site(owner, "Demo Shop")
        await self._ensure_knowledge(owner, site["id"])
        await self._ensure_trigger(owner, site["id"])
        await self._ensure_canned_reply(owner)
        # A form in the shop itself would be in the way of a first visit.
        form_site = await self._ensure_site(owner, "Demo Shop with a form")
        await self._ensure_knowledge(owner, form_site["id"])
        await self._ensure_forms(owner, form_site["id"])
        site_ids = [site["id"], form_site["id"]]
        members = [await self._ensure_member(owner, account, site_ids) for account in OPERATORS]
        second_owner = await self._ensure_owner(SECOND_OWNER, "Other Company")
        second_site = await self._ensure_site(second_owner, "Other Shop")
        me = await self._call(owner, "GET", "/auth/me")
        return {
            "gateway": self._gateway,
            "site_id": site["id"],
            "site_key": site["site_key"],
            "form_site_key": form_site["site_key"],
            "identity_secret": await self._ensure_identity_secret(owner, site["id"]),
            "operators": [
                *members,
                {"id": me["user"]["id"], "email": OWNER.email, "password": self._password(OWNER), "owner": True},
            ],
            "second_tenant": {
                "site_id": second_site["id"],
                "site_key": second_site["site_key"],
                "email": SECOND_OWNER.email,
                "password": self._password(SECOND_OWNER),
            },
        }

    def _password(self, account: Account) -> str:
        secret = self._settings.identity_secret.encode()
        return "demo-" + hmac.new(secret, account.email.encode(), hashlib.sha256).hexdigest()[:12]

    async def _ensure_owner(self, account: Account, tenant: str) -> str:
        """Return an access token of a tenant's owner, who is created with the tenant if missing."""
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
        return str((await self._call(None, "POST", "/auth/login", body))["token"])

    async def _ensure_site(self, token: str, name: str) -> dict[str, Any]:
        for site in (await self._call(token, "GET", "/sites"))["sites"]:
            if site["name"] == name:
                return dict(site)
        body = {"name": name, "domains": ["localhost", "127.0.0.1"], "any_origin": True}
        return dict((await self._call(token, "POST", "/sites", body))["site"])

    async def _ensure_knowledge(self, token: str, site_id: int) -> None:
        path = f"/sites/{site_id}/chatbot/knowledge"
        existing = {entry["question"] for entry in (await self._call(token, "GET", path))["knowledge"]}
        for question, answer in KNOWLEDGE.items():
            if question not in existing:
                await self._call(token, "POST", path, {"question": question, "answer": answer})

    async def _ensure_trigger(self, token: str, site_id: int) -> None:
        path = f"/sites/{site_id}/triggers"
        triggers = (await self._call(token, "GET", path))["triggers"]
        if TRIGGER["name"] not in {trigger["name"] for trigger in triggers}:
            await self._call(token, "POST", path, TRIGGER)

    async def _ensure_canned_reply(self, token: str) -> None:
        replies = (await self._call(token, "GET", "/canned-replies"))["canned_replies"]
        if CANNED_REPLY["shortcut"] not in {reply["shortcut"] for reply in replies}:
            await self._call(token, "POST", "/canned-replies", CANNED_REPLY)

    async def _ensure_forms(self, token: str, site_id: int) -> None:
        path = f"/sites/{site_id}/forms"
        if not (await self._call(token, "GET", path))["forms"]["prechat"]["fields"]:
            await self._call(token, "PUT", path, FORMS)

    async def _ensure_identity_secret(self, token: str, site_id: int) -> str:
        """Return a secret with which the demo page identifies visitors. One that nobody knows any more is replaced."""
        path = f"/sites/{site_id}/identity-secrets"
        secrets = (await self._call(token, "GET", path))["identity_secrets"]
        own = [secret["id"] for secret in secrets if secret["name"] == DEMO_PAGE]
        known = self._known.get("identity_secret")
        if own and known and self._known.get("site_id") == site_id:
            return str(known)
        for secret_id in own:
            await self._call(token, "DELETE", f"{path}/{secret_id}")
        return str((await self._call(token, "POST", path, {"name": DEMO_PAGE}))["secret"])

    async def _ensure_member(self, token: str, account: Account, site_ids: Sequence[int]) -> dict[str, Any]:
        team = (await self._call(token, "GET", "/team"))["team"]
        member = next((member for member in team if member["email"] == account.email), None)
        if member is None:
            body = {
                "email": account.email,
                "name": account.name,
                "password": self._password(account),
                "site_ids": site_ids,
                "permissions": PERMISSIONS,
            }
            member = (await self._call(token, "POST", "/team", body))["member"]
        for site_id in site_ids:
            if str(site_id) not in member["sites"]:
                await self._call(token, "PUT", f"/sites/{site_id}/team/{member['id']}", PERMISSIONS)
        return {"id": member["id"], "email": account.email, "password": self._password(account)}

    async def _call(self, token: str | None, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Call the API and return the response's body. Raises SystemExit if the call fails."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with self._http.request(method, f"{self._gateway}/api/v1{path}", json=body, headers=headers) as response:
            result: dict[str, Any] = await response.json()
            if not result.get("success"):
                raise SystemExit(f"The demo could not be created: {method} {path}: {result.get('error')}")
            return result


async def _create(gateway: str, known: Mapping[str, Any]) -> dict[str, Any]:
    timeout = aiohttp.ClientTimeout(total=DEMO_REQUEST_TIMEOUT_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as http:
        return await Demo(gateway, load_settings(ChatSettings), http, known).create()


def main() -> None:
    parser = argparse.ArgumentParser(description="Fill a development stack with demo data.")
    parser.add_argument("--gateway", required=True, help="URL of the gateway")
    parser.add_argument("--out", required=True, type=Path, help="file to write the accounts to, as JSON")
    args = parser.parse_args()
    known = json.loads(args.out.read_text()) if args.out.exists() else {}
    result = asyncio.run(_create(args.gateway, known))
    args.out.write_text(json.dumps(result, indent=2) + "\n")
    args.out.chmod(0o600)


if __name__ == "__main__":
    main()
