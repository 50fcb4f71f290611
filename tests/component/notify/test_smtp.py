"""Mail is sent by SMTP with TLS and a login, and each answer of the server ends or repeats it rightly."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from email.headerregistry import Address
from pathlib import Path

import pytest
from pydantic import SecretStr

from parley.common.observability.logging import TraceContext
from parley.common.runtime.clock import utc_now
from parley.notify.cli import check_mail
from parley.notify.clients import smtp
from parley.notify.clients.smtp import SmtpClient
from parley.notify.mail.model import MailContent, MailDelivery, SmtpAccount
from parley.notify.settings import NotifySettings
from support.mail_server import DROP, HOLD, PASSWORD, USERNAME, MailServer

DELIVERY = MailDelivery(secrets.token_hex(16), 1, 2, 3, utc_now(), TraceContext("r", ""))
CONTENT = MailContent("jane@example.com", "Ваш чат", "Привет\n.\nBye", "<p>Привет</p>", "ru")


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MailServer]:
    async with MailServer(tls_directory=tmp_path_factory.mktemp("tls")) as server:
        yield server


@pytest.fixture
def account(server: MailServer, monkeypatch: pytest.MonkeyPatch) -> SmtpAccount:
    monkeypatch.setenv("SSL_CERT_FILE", str(server.ca_file))
    sender = Address("Parley", addr_spec="chat@parley.test")
    return SmtpAccount("127.0.0.1", server.port, "starttls", sender, USERNAME, PASSWORD)


async def test_a_mail_is_sent_with_tls_and_login_and_again_with_the_same_id(
    server: MailServer, account: SmtpAccount
) -> None:
    client = SmtpClient(account)
    assert (await client.send(DELIVERY, CONTENT)).outcome == "sent"
    server.data_replies[CONTENT.to].append(DROP)
    lost = await client.send(DELIVERY, CONTENT)
    assert (lost.outcome, lost.status) == ("later", 0), "the answer did not arrive"
    first, second = server.to(CONTENT.to)[-2:]
    assert (first.encrypted, first.username, first.sender) == (True, USERNAME, "chat@parley.test")
    assert (first.text.replace("\r\n", "\n").strip(), first.html.strip()) == (CONTENT.text, CONTENT.html)
    assert first.message["Subject"] == CONTENT.subject
    assert first.message["From"] == "Parley <chat@parley.test>"
    assert first.message["Auto-Submitted"] == "auto-generated"
    assert first.message["Message-ID"] == second.message["Message-ID"] == f"<{DELIVERY.id}@parley.test>"
    assert first.message["Date"] == second.message["Date"]


@pytest.mark.parametrize(
    ("command", "reply", "outcome", "status"),
    [
        ("rcpt", "550 5.1.1 <jane@example.com> is unknown", "refused", 550),
        ("rcpt", "450 4.2.0 Greylisted", "later", 450),
        ("data", "554 5.7.1 Spam", "refused", 554),
        ("data", "452 4.3.1 Full", "later", 452),
        ("data", HOLD, "later", 0),
    ],
)
async def test_what_the_server_says_about_a_mail_is_final_if_it_is_permanent(
    server: MailServer,
    account: SmtpAccount,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    reply: str,
    outcome: str,
    status: int,
) -> None:
    monkeypatch.setattr(smtp, "SMTP_SEND_TIMEOUT_SECONDS", 2.0)
    replies = server.rcpt_replies if command == "rcpt" else server.data_replies
    replies[CONTENT.to].append(reply)
    receipt = await SmtpClient(account).send(DELIVERY, CONTENT)
    assert (receipt.outcome, receipt.status) == (outcome, status)
    assert "jane" not in receipt.message, "the log names no address"


async def test_a_wrong_password_or_missing_tls_is_tried_again_and_nothing_is_sent_in_the_clear(
    server: MailServer, account: SmtpAccount, tmp_path: Path
) -> None:
    sent = len(server.mails)
    wrong = await SmtpClient(replace(account, password="wrong")).send(DELIVERY, CONTENT)
    assert (wrong.outcome, wrong.status) == ("later", 535)
    async with MailServer(tls_directory=tmp_path, starttls=False) as plain:
        refused = await SmtpClient(replace(account, port=plain.port)).send(DELIVERY, CONTENT)
        assert (refused.outcome, plain.mails) == ("later", [])
    away = await SmtpClient(replace(account, port=plain.port)).send(DELIVERY, CONTENT)
    assert away.outcome == "later"
    assert len(server.mails) == sent


async def test_the_configuration_check_logs_in(server: MailServer, account: SmtpAccount) -> None:
    settings = NotifySettings(
        identity_secret="x" * 40,
        env="development",
        amqp_url="amqp://unused",
        mongodb_uri="mongodb://unused",
        smtp_host="127.0.0.1",
        smtp_port=server.port,
        smtp_username=USERNAME,
        smtp_password=PASSWORD,
        smtp_from="Parley <chat@parley.test>",
    )
    assert "mail is sent from chat@parley.test" in await check_mail(settings)
    with pytest.raises(Exception, match="535") as refused:
        await check_mail(settings.model_copy(update={"smtp_password": SecretStr("wrong")}))
    assert "wrong" not in str(refused.value)
