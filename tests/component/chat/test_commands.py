"""`parley` as administrators run it: a process with chat's environment, on the real MongoDB and RabbitMQ."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from parley.common.events import Event, new_event
from parley.common.events.team import SiteChanged
from parley.common.messaging import Bus, Consumer, Undeliverable
from support.wait import until

PASSWORD = "correct-horse-battery"


@dataclass(frozen=True, slots=True)
class Ran:
    status: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        assert self.status == 0, self.err
        return json.loads(self.out)


@dataclass(slots=True)
class Shell:
    """Runs `parley` with an environment."""

    env: dict[str, str]
    ran: list[Ran] = field(default_factory=list)

    async def __call__(self, *arguments: str, stdin: str = "", **instead: str | None) -> Ran:
        env = {**os.environ, **self.env, **{name: value for name, value in instead.items() if value is not None}}
        for name, value in instead.items():
            if value is None:
                env.pop(name, None)
        process = await asyncio.create_subprocess_exec(
            str(Path(sys.executable).with_name("parley")),
            *arguments,
            env=env,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await asyncio.wait_for(process.communicate(stdin.encode()), 60)
        ran = Ran(process.returncode or 0, out.decode(), err.decode())
        self.ran.append(ran)
        return ran

    async def owner(self) -> str:
        """A new tenant's owner, by their address."""
        email = f"owner-{secrets.token_hex(4)}@shop.test"
        who = ("--email", email, "--name", "Olivia", "--tenant", "Shop")
        assert (await self("owner", "create", *who, stdin=f"{PASSWORD}\n")).status == 0
        return email


@pytest.fixture
async def parley(servers: tuple[str, str], database_prefix: str, tmp_path: Path) -> AsyncIterator[Shell]:
    mongodb_uri, amqp_url = servers
    secret = secrets.token_hex(32)
    yield Shell(
        {
            "MONGODB_URI": mongodb_uri,
            "AMQP_URL": amqp_url,
            "PARLEY_DATABASE_PREFIX": database_prefix,
            "PARLEY_IDENTITY_SECRET": secret,
            "PARLEY_STORAGE_DIR": str(tmp_path / "uploads"),
            "PARLEY_JWT_SECRET": secrets.token_hex(32),
            **{f"PARLEY_{name}_URLS": "http://127.0.0.1:9" for name in ("CHAT", "PRESENCE", "NOTIFY", "TRANSLATE")},
        }
    )
    async with AsyncMongoClient[dict[str, Any]](mongodb_uri) as client:
        await client.drop_database(f"{database_prefix}_chat")


async def test_an_owner_is_made_once_and_their_password_stands_nowhere(
    parley: Shell, mongodb_uri: str, database_prefix: str
) -> None:
    who = ("--email", "Olivia@Shop.test", "--name", "Olivia", "--tenant", "Shop")
    made = (await parley("owner", "create", *who, "--json", stdin=f"{PASSWORD}\n")).data
    assert made["email"] == "olivia@shop.test"
    again = await parley("owner", "create", *who, stdin=f"{PASSWORD}\n")
    assert (again.status, again.err) == (
        1,
        "parley: there is an account with the e-mail address olivia@shop.test already\n",
    )
    short = await parley("owner", "create", *who, stdin="short\n")
    assert (short.status, short.err) == (1, "parley: the password must have 10 to 256 characters\n")
    assert not any(PASSWORD in ran.out + ran.err for ran in parley.ran)
    async with AsyncMongoClient[dict[str, Any]](mongodb_uri) as client:
        operator = await client[f"{database_prefix}_chat"]["operators"].find_one({"_id": made["operator_id"]})
    assert operator is not None
    assert PASSWORD not in repr(operator)


async def test_a_site_is_made_for_an_owner_and_listed(parley: Shell) -> None:
    email = await parley.owner()
    make = ("site", "create", "--owner", email, "--name", "Shop")
    site = (await parley(*make, "--domain", "https://Shop.test/", "--json")).data
    assert site["domains"] == ["shop.test"]
    assert site["site_key"].startswith("pk_")
    assert [one["id"] for one in (await parley("site", "list", "--json")).data] == [site["id"]]
    assert site["site_key"] in (await parley("site", "list")).out
    assert (await parley(*make, "--domain", "not a host")).err == "parley: not as it has to be: domains\n"
    nobody = await parley("site", "create", "--owner", "nobody@shop.test", "--name", "Shop")
    assert nobody.err == "parley: there is no active operator with the e-mail address nobody@shop.test\n"


async def test_an_api_key_is_shown_once_listed_and_revoked(parley: Shell) -> None:
    email = await parley.owner()
    whose = ("--operator", email)
    made = (await parley("api-key", "create", *whose, "--name", "Export", "--json")).data
    listed = await parley("api-key", "list", *whose, "--json")
    assert [key["id"] for key in listed.data] == [made["id"]]
    assert made["key"] not in listed.out
    assert (await parley("api-key", "revoke", *whose, "--key", str(made["id"]))).status == 0
    assert not (await parley("api-key", "list", *whose, "--json")).data
    again = await parley("api-key", "revoke", *whose, "--key", str(made["id"]))
    assert (again.status, again.err) == (1, f"parley: {email} has no API key {made['id']}\n")


async def test_dead_letters_are_counted_and_replayed(parley: Shell, amqp_url: str) -> None:
    noun = f"dead{secrets.token_hex(4)}"
    name = f"parley.tests.{noun}"
    mended, handled = False, list[str]()

    async def handle(event: Event) -> None:
        if event.tenant_id != tenant:
            return
        if not mended:
            raise Undeliverable
        handled.append(event.id)

    tenant = secrets.randbelow(2**40)
    bus = Bus(amqp_url)
    bus.add(Consumer("tests", noun, {"site.changed": handle}))
    await bus.start()
    try:
        await until(lambda: bus.fault() is None, within=30)
        event = new_event(SiteChanged(), tenant_id=tenant, site_id=5)
        await bus.publish([event.to_document()])

        async def dead() -> bool:
            counted: int = (await parley("dead-letters", "list", name, "--json")).data[0]["dead_letters"]
            return counted == 1

        await until(dead, within=30)
        mended = True
        moved = (await parley("dead-letters", "replay", name, "--json")).data
        assert moved == {"queue": name, "replayed": 1}
        await until(lambda: handled == [event.id])
        assert (await parley("dead-letters", "list", name)).out.split() == ["queue", "dead", "letters", name, "0"]
        missing = await parley("dead-letters", "replay", "parley.no.such")
        assert missing.status == 1
        assert missing.err.startswith("parley: There is no queue parley.no.such.dead")
    finally:
        await bus.stop()


async def test_the_check_of_the_configuration_tells_every_fault_at_once_and_no_secret(parley: Shell) -> None:
    checked = await parley(
        "config",
        "check",
        AMQP_URL="amqp://guest:zq-hush@127.0.0.1:9/",
        PARLEY_IDENTITY_SECRET="zq-short",
        PARLEY_LOG_LEVEL="loud",
    )
    assert checked.status == 1
    for name in ("PARLEY_IDENTITY_SECRET", "PARLEY_LOG_LEVEL"):
        assert name in checked.out
    assert "zq-" not in checked.out + checked.err


async def test_the_check_reaches_for_what_the_settings_name(parley: Shell) -> None:
    checked = await parley("config", "check")
    assert checked.status == 1, "nothing answers where the services should"
    for line in ("ok     mongodb: MongoDB", "ok     rabbitmq: RabbitMQ", "ok     storage: folder", "ok     push: off"):
        assert line in checked.out
    assert "PARLEY_CHAT_URLS: nothing answers at http://127.0.0.1:9" in checked.out
    wrong = await parley(
        "config", "check", MONGODB_URI="mongodb://me:zq-hush@127.0.0.1:9/", AMQP_URL="amqp://me:zq-hush@127.0.0.1:9/"
    )
    assert "no server answers at MONGODB_URI" in wrong.out
    assert "nothing answers at AMQP_URL" in wrong.out
    assert "zq-hush" not in wrong.out + wrong.err
    offline = await parley("config", "check", "--offline", "--json")
    assert offline.data["ok"] is True


async def test_a_wrong_password_is_told_from_a_server_that_is_away(parley: Shell, amqp_url: str) -> None:
    wrong = amqp_url.replace("amqp://", "amqp://nobody:zq-hush@").replace("guest:guest@", "")
    checked = await parley("config", "check", AMQP_URL=wrong)
    assert "refuses the user or the password in AMQP_URL" in checked.out
    assert "zq-hush" not in checked.out


async def test_the_reference_of_variables_is_printed_without_any_environment(parley: Shell) -> None:
    printed = await parley("environment", MONGODB_URI=None, AMQP_URL=None, PARLEY_IDENTITY_SECRET=None)
    assert printed.status == 0
    assert "| `PARLEY_TRANSLATE_ENGINES` |" in printed.out
    rows = (await parley("environment", "--json")).data
    assert {"section", "variable", "default", "meaning"} == set(rows[0])
