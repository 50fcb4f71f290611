"""The `parley` command line with chat's environment, MongoDB and RabbitMQ.

Commands run in this process: starting one takes a second of processor time. The e2e tests run the installed program.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from parley.common.events import Event, new_event
from parley.common.events.team import SiteChanged
from parley.common.messaging import BrokerConnection, Consumer, PoisonMessage
from parley.common.mongodb import Mongo
from parley.common.runtime.tasks import PeriodicTask
from support.admin_app import AdminTestApp, RecordedBroker
from support.parley_cli import PASSWORD, ParleyCli
from support.wait import wait_until


@pytest.fixture
def parley(mongodb_uri: str, amqp_url: str, chat_database: Mongo, tmp_path: Path) -> ParleyCli:
    return ParleyCli(
        {
            "MONGODB_URI": mongodb_uri,
            "AMQP_URL": amqp_url,
            "PARLEY_DATABASE_PREFIX": chat_database.database.name.removesuffix("_chat"),
            "PARLEY_IDENTITY_SECRET": secrets.token_hex(32),
            "PARLEY_STORAGE_DIR": str(tmp_path / "uploads"),
            "PARLEY_JWT_SECRET": secrets.token_hex(32),
            **{f"PARLEY_{name}_URLS": "http://127.0.0.1:9" for name in ("CHAT", "PRESENCE", "NOTIFY", "TRANSLATE")},
        }
    )


async def test_owner_is_created_once_and_the_password_is_never_shown(parley: ParleyCli, chat_database: Mongo) -> None:
    options = ("--email", "Olivia@Shop.test", "--name", "Olivia", "--tenant", "Shop")
    created = (await parley("owner", "create", *options, "--json", stdin=f"{PASSWORD}\n")).data
    assert created["email"] == "olivia@shop.test"
    second = await parley("owner", "create", *options, stdin=f"{PASSWORD}\n")
    assert (second.status, second.err) == (
        1,
        "parley: there is an account with the e-mail address olivia@shop.test already\n",
    )
    short = await parley("owner", "create", *options, stdin="short\n")
    assert (short.status, short.err) == (1, "parley: the password must have 10 to 256 characters\n")
    assert not any(PASSWORD in result.out + result.err for result in parley.completed)
    operator = await chat_database["operators"].find_one({"_id": created["operator_id"]})
    assert operator is not None
    assert PASSWORD not in repr(operator)


async def test_answer_tests_are_run_by_a_running_chat(
    parley: ParleyCli, chat_database: Mongo, recorded_broker: RecordedBroker, tmp_path: Path
) -> None:
    app = await AdminTestApp.start(chat_database, recorded_broker)
    email = await parley.create_owner()
    site = (await parley("site", "create", "--owner", email, "--name", "Shop", "--json")).data["id"]
    command = ("answers", "test", "--site", str(site), "--operator", email)
    assert (await parley(*command)).err.startswith("parley: This site has no answer tests")
    runs = PeriodicTask(0.05, app.answer_tests.runner.run_due, "answer-test-runs")
    await runs.start()
    try:
        owner = await app.admin.accounts.impersonate(email, "test")
        path = f"/api/v1/sites/{site}/chatbot/tests"
        test = {"question": "How far is the moon?", "expected": "decline"}
        added = (await app.call("POST", path, owner, test)).ok(201)["test"]["id"]
        passed = (await parley(*command, "--json")).data
        assert (passed["run"]["passed"], passed["results"][0]["candidate"]["verdict"]) == (True, "right")
        (await app.call("PUT", f"{path}/{added}", owner, {**test, "expected": "answer"})).ok()
        settings = tmp_path / "candidate.json"
        settings.write_text('{"instructions": "Be brief."}')
        failed = await parley(*command, "--settings", str(settings))
        assert (failed.status, "0 right, 0 wrong, 1 unknown" in failed.out) == (1, True)
        settings.write_text('{"engine": "parrot"}')
        refused = await parley(*command, "--settings", str(settings))
        assert refused.err == f"parley: {settings}: not valid: engine\n"
    finally:
        await runs.stop()
        await app.stop()


async def test_site_is_created_for_an_owner_and_listed(parley: ParleyCli) -> None:
    email = await parley.create_owner()
    create = ("site", "create", "--owner", email, "--name", "Shop")
    site = (await parley(*create, "--domain", "https://Shop.test/", "--json")).data
    assert site["domains"] == ["shop.test"]
    assert site["site_key"].startswith("pk_")
    assert [one["id"] for one in (await parley("site", "list", "--json")).data] == [site["id"]]
    assert site["site_key"] in (await parley("site", "list")).out
    assert (await parley(*create, "--domain", "not a host")).err == "parley: not valid: domains\n"
    unknown = await parley("site", "create", "--owner", "nobody@shop.test", "--name", "Shop")
    assert unknown.err == "parley: there is no active operator with the e-mail address nobody@shop.test\n"


async def test_api_key_secret_is_shown_once_and_key_is_listed_and_revoked(parley: ParleyCli) -> None:
    email = await parley.create_owner()
    operator = ("--operator", email)
    created = (await parley("api-key", "create", *operator, "--name", "Export", "--json")).data
    listed = await parley("api-key", "list", *operator, "--json")
    assert [key["id"] for key in listed.data] == [created["id"]]
    assert created["key"] not in listed.out
    assert (await parley("api-key", "revoke", *operator, "--key", str(created["id"]))).status == 0
    assert not (await parley("api-key", "list", *operator, "--json")).data
    second = await parley("api-key", "revoke", *operator, "--key", str(created["id"]))
    assert (second.status, second.err) == (1, f"parley: {email} has no API key {created['id']}\n")


async def test_api_key_has_the_scopes_and_the_expiry_that_are_named(parley: ParleyCli) -> None:
    operator = ("--operator", await parley.create_owner())
    create = ("api-key", "create", *operator, "--name", "Export")
    unlimited = (await parley(*create, "--json")).data
    assert (unlimited["scopes"], unlimited["expires_at"]) == (None, None)
    options = ("--scope", "can_view_conversations", "--scope", "can_chat", "--expires-days", "30")
    limited = (await parley(*create, *options, "--json")).data
    assert limited["scopes"] == ["can_chat", "can_view_conversations"]
    lifetime = datetime.fromisoformat(limited["expires_at"]) - datetime.fromisoformat(limited["created_at"])
    assert timedelta(days=29, hours=23) < lifetime <= timedelta(days=30)
    table = (await parley("api-key", "list", *operator)).out
    assert "can_chat can_view_conversations" in table
    assert limited["expires_at"] in table
    for wrong in (("--scope", "everything"), ("--expires-days", "0")):
        assert (await parley(*create, *wrong)).status == 2


async def test_dead_letters_are_counted_and_replayed(parley: ParleyCli, amqp_url: str) -> None:
    queue_name = f"dead{secrets.token_hex(4)}"
    name = f"parley.tests.{queue_name}"
    fixed, handled = False, list[str]()

    async def handle(event: Event) -> None:
        if event.tenant_id != tenant:
            return
        if not fixed:
            raise PoisonMessage
        handled.append(event.id)

    tenant = secrets.randbelow(2**40)
    broker = BrokerConnection(amqp_url)
    broker.add(Consumer("tests", queue_name, {"site.changed": handle}))
    await broker.start()
    try:
        await wait_until(lambda: broker.unready_reason() is None, timeout=30)
        event = new_event(SiteChanged(), tenant_id=tenant, site_id=5)
        await broker.publish([event.to_document()])

        async def is_dead() -> bool:
            dead_letters: int = (await parley("dead-letters", "list", name, "--json")).data[0]["dead_letters"]
            return dead_letters == 1

        await wait_until(is_dead, timeout=30)
        fixed = True
        replayed = (await parley("dead-letters", "replay", name, "--json")).data
        assert replayed == {"queue": name, "replayed": 1}
        await wait_until(lambda: handled == [event.id])
        assert (await parley("dead-letters", "list", name)).out.split() == ["queue", "dead", "letters", name, "0"]
        missing = await parley("dead-letters", "replay", "parley.no.such")
        assert missing.status == 1
        assert missing.err.startswith("parley: There is no queue parley.no.such.dead")
    finally:
        await broker.stop()


async def test_config_check_lists_every_error_and_no_secret(parley: ParleyCli) -> None:
    result = await parley(
        "config",
        "check",
        AMQP_URL="amqp://guest:zq-hush@127.0.0.1:9/",
        PARLEY_IDENTITY_SECRET="zq-short",
        PARLEY_LOG_LEVEL="loud",
    )
    assert result.status == 1
    for name in ("PARLEY_IDENTITY_SECRET", "PARLEY_LOG_LEVEL"):
        assert name in result.out
    assert "zq-" not in result.out + result.err


async def test_config_check_connects_to_what_the_settings_name(parley: ParleyCli) -> None:
    result = await parley("config", "check")
    assert result.status == 1, "no service runs"
    for line in (
        "ok     mongodb: MongoDB",
        "ok     rabbitmq: RabbitMQ",
        "ok     storage: folder",
        "ok     push: no Web Push",
    ):
        assert line in result.out
    assert "PARLEY_CHAT_URLS: nothing answers at 127.0.0.1:9" in result.out
    wrong = await parley(
        "config", "check", MONGODB_URI="mongodb://me:zq-hush@127.0.0.1:9/", AMQP_URL="amqp://me:zq-hush@127.0.0.1:9/"
    )
    assert "no server answers at MONGODB_URI" in wrong.out
    assert "nothing answers at AMQP_URL" in wrong.out
    assert "zq-hush" not in wrong.out + wrong.err
    offline = await parley("config", "check", "--offline", "--json")
    assert offline.data["ok"] is True


async def test_config_check_distinguishes_wrong_password_from_unreachable_server(
    parley: ParleyCli, amqp_url: str
) -> None:
    wrong = amqp_url.replace("amqp://", "amqp://nobody:zq-hush@").replace("guest:guest@", "")
    result = await parley("config", "check", AMQP_URL=wrong)
    assert "refuses the user or the password in AMQP_URL" in result.out
    assert "zq-hush" not in result.out


async def test_reference_of_variables_needs_no_environment(parley: ParleyCli) -> None:
    result = await parley("environment", MONGODB_URI=None, AMQP_URL=None, PARLEY_IDENTITY_SECRET=None)
    assert result.status == 0
    assert "| `PARLEY_TRANSLATE_ENGINES` |" in result.out
    rows = (await parley("environment", "--json")).data
    assert {"section", "variable", "default", "meaning"} == set(rows[0])
