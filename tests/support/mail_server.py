"""A local mail server that speaks SMTP (aiosmtpd): it keeps what it accepts, and fails as a test wants."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import ssl
from collections import defaultdict, deque
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DROP = "drop"
"""In place of a reply: the mail is taken, and the connection ends before the server has said so."""
HOLD = "hold"
"""In place of a reply: the server does not answer, until the client ends the connection."""
USERNAME, PASSWORD = "parley", "mail-secret"


@dataclass(frozen=True, slots=True)
class ReceivedMail:
    """A mail that the server has taken."""

    sender: str
    recipient: str
    message: EmailMessage
    encrypted: bool
    username: str | None

    @property
    def text(self) -> str:
        return self._part("plain")

    @property
    def html(self) -> str:
        return self._part("html")

    def _part(self, subtype: str) -> str:
        part = self.message.get_body((subtype,))
        assert part is not None
        return str(part.get_content())


class MailServer:
    """Start it with `async with`. `rcpt_replies` and `data_replies` hold what it answers next, by recipient.

    With `tls_directory` it offers STARTTLS, and takes mail only after a login; `ca_file` is its certificate. With
    `directory` it also writes each mail to a file there.
    """

    def __init__(
        self, *, port: int = 0, tls_directory: Path | None = None, directory: Path | None = None, starttls: bool = True
    ) -> None:
        self.port = port
        self.mails: list[ReceivedMail] = []
        self.rcpt_replies: defaultdict[str, deque[str]] = defaultdict(deque)
        self.data_replies: defaultdict[str, deque[str]] = defaultdict(deque)
        self.held = asyncio.Event()
        """Set when a mail is held."""
        self.ca_file = tls_directory / "mail.pem" if tls_directory is not None else None
        self._tls = _tls_context(self.ca_file) if self.ca_file is not None and starttls else None
        self._needs_login = tls_directory is not None and starttls
        self._directory = directory
        self._server: asyncio.Server | None = None

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of a service that sends by this server, without `PARLEY_`."""
        return {"smtp_host": "127.0.0.1", "smtp_port": self.port, "smtp_tls": "none", "smtp_from": "chat@parley.test"}

    async def __aenter__(self) -> Self:
        if self._directory is not None:
            self._directory.mkdir(parents=True, exist_ok=True)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._protocol, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()

    def to(self, recipient: str) -> list[ReceivedMail]:
        """Return the mails that were taken for an address."""
        return [mail for mail in self.mails if mail.recipient == recipient]

    def _protocol(self) -> SMTP:
        return SMTP(
            self,
            hostname="mail.test",
            tls_context=self._tls,
            require_starttls=self._tls is not None,
            authenticator=_authenticate if self._needs_login else None,
            auth_required=self._needs_login,
            loop=asyncio.get_running_loop(),
        )

    # What aiosmtpd calls.

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        replies = self.rcpt_replies[address]
        reply = replies.popleft() if replies else "250 OK"
        if reply.startswith("2"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        recipient = envelope.rcpt_tos[0]
        replies = self.data_replies[recipient]
        reply = replies.popleft() if replies else "250 OK"
        if reply == HOLD:
            self.held.set()
            await asyncio.Event().wait()
        if reply.startswith("2") or reply == DROP:
            content = envelope.original_content or b""
            message = message_from_bytes(content, policy=default)
            assert isinstance(message, EmailMessage)
            encrypted = session.ssl is not None
            user: object = session.auth_data  # Its type says bytes; it is what the mechanism has read.
            username = user.login.decode() if isinstance(user, LoginPassword) else None
            self.mails.append(ReceivedMail(envelope.mail_from or "", recipient, message, encrypted, username))
            if self._directory is not None:
                (self._directory / f"{recipient}.{len(self.mails)}.eml").write_bytes(content)
        if reply == DROP:
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        return reply


def read_mails(directory: Path, recipient: str) -> list[ReceivedMail]:
    """Return the mails for an address that a server has written to a directory, oldest first."""
    mails = []
    for file in sorted(directory.glob(f"{recipient}.*.eml"), key=lambda file: int(file.name.split(".")[-2])):
        message = message_from_bytes(file.read_bytes(), policy=default)
        assert isinstance(message, EmailMessage)
        mails.append(ReceivedMail(str(message["From"]), recipient, message, encrypted=False, username=None))
    return mails


def _authenticate(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
    is_known = isinstance(data, LoginPassword) and (data.login, data.password) == (
        USERNAME.encode(),
        PASSWORD.encode(),
    )
    return AuthResult(success=is_known, handled=False, auth_data=data)


def _tls_context(file: Path) -> ssl.SSLContext:
    """Write a new certificate for 127.0.0.1, which vouches for itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.test")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    encoded_key = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + encoded_key)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    return context
