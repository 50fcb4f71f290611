"""The installation's mail server, by SMTP (RFC 5321)."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY

import aiosmtplib

from parley.common.observability import tracing
from parley.common.observability.tracing import SpanKind
from parley.notify.clients.provider_responses import truncate
from parley.notify.mail.model import MailContent, MailDelivery, MailReceipt, SmtpAccount
from parley.notify.timeouts import SMTP_COMMAND_TIMEOUT_SECONDS, SMTP_SEND_TIMEOUT_SECONDS

_PERMANENT = 500


class SmtpClient:
    """The `MailServer`. One connection a mail: there are few, and idle connections are closed by servers."""

    name = "smtp"

    def __init__(self, account: SmtpAccount) -> None:
        self._account = account
        # Read once: the certificates of the system take milliseconds.
        self._tls_context = ssl.create_default_context() if account.tls != "none" else None

    async def send(self, delivery: MailDelivery, content: MailContent) -> MailReceipt:
        message = to_message(self._account.sender, delivery, content)
        with tracing.span("smtp send", SpanKind.CLIENT, {"peer.service": "smtp"}) as span:
            receipt = await self._send(content.to, message.as_bytes())
            span.set_attribute("parley.mail.outcome", receipt.outcome)
            if receipt.outcome != "sent":
                span.set_error(receipt.message)
            return MailReceipt(receipt.outcome, receipt.status, truncate(receipt.message.replace(content.to, "…")))

    async def check(self) -> None:
        """Connect and log in, and send nothing. Raises aiosmtplib.SMTPException, OSError, TimeoutError."""
        async with asyncio.timeout(SMTP_COMMAND_TIMEOUT_SECONDS), self._connect() as client:
            await client.quit()

    @asynccontextmanager
    async def _connect(self) -> AsyncIterator[aiosmtplib.SMTP]:
        """Connect and log in. The connection is closed without a goodbye, for which the library would wait again."""
        account = self._account
        client = aiosmtplib.SMTP(
            hostname=account.host,
            port=account.port,
            username=account.username,
            password=account.password,
            # Its default asks the DNS for this machine's name.
            local_hostname=account.sender.domain,
            timeout=SMTP_COMMAND_TIMEOUT_SECONDS,
            use_tls=account.tls == "tls",
            start_tls=account.tls == "starttls",
            tls_context=self._tls_context,
        )
        try:
            await client.connect()
            yield client
        finally:
            client.close()

    async def _send(self, recipient: str, message: bytes) -> MailReceipt:
        """What the server says about this mail is final if it is permanent; about the installation, it never is."""
        accepted = False
        try:
            async with asyncio.timeout(SMTP_SEND_TIMEOUT_SECONDS), self._connect() as client:
                await client.sendmail(self._account.sender.addr_spec, [recipient], message)
                accepted = True
                await client.quit()
        except aiosmtplib.SMTPRecipientsRefused as exc:
            refusal = exc.recipients[0]
            return _to_receipt(refusal.code, refusal.message)
        except aiosmtplib.SMTPDataError as exc:
            return _to_receipt(exc.code, exc.message)
        except aiosmtplib.SMTPResponseException as exc:
            if not accepted:
                return MailReceipt("later", exc.code, f"{type(exc).__name__}: {exc.message}")
        except (aiosmtplib.SMTPException, OSError, ValueError) as exc:
            # The connection may also be lost while it is closed, after the mail was accepted.
            if not accepted:
                return MailReceipt("later", message=f"{type(exc).__name__}: {exc}")
        return MailReceipt("sent", 250)


def to_message(sender: Address, delivery: MailDelivery, content: MailContent) -> EmailMessage:
    """Build the mail. Each try of a delivery has the same Message-ID and Date."""
    message = EmailMessage(policy=SMTP_POLICY)
    message["From"] = sender
    message["To"] = Address(addr_spec=content.to)
    message["Subject"] = content.subject
    message["Date"] = delivery.requested_at
    message["Message-ID"] = f"<{delivery.id}@{sender.domain}>"
    message["Content-Language"] = content.language
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(content.text, cte="quoted-printable")
    message.add_alternative(content.html, subtype="html", cte="quoted-printable")
    return message


def _to_receipt(status: int, message: str) -> MailReceipt:
    return MailReceipt("refused" if status >= _PERMANENT else "later", status, message)
