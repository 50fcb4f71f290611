"""The settings of notify, read from the environment and validated before any socket opens."""

from __future__ import annotations

from email.errors import HeaderParseError
from email.headerregistry import Address
from email.utils import parseaddr
from pathlib import Path
from typing import Any, Self

import orjson
from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator

from parley.common.runtime.settings import SMTP_HOST_DESCRIPTION, CommaSeparated, DatabaseSettings, split_commas
from parley.notify.clients.vapid import VapidKey
from parley.notify.mail.model import SmtpAccount, SmtpTls

_SERVICE_ACCOUNT_FIELDS = ("project_id", "client_email", "private_key", "token_uri")


class NotifySettings(DatabaseSettings):
    """The settings of this service; those of every service are in `parley.common.runtime.settings`."""

    window_seconds: float = Field(
        600.0, ge=5, le=7200, description="How far back a stream can resume: the part of the event log kept in memory."
    )
    window_bytes: int = Field(
        134_217_728, ge=65_536, description="The largest size of that part in memory, in bytes of encoded events."
    )
    stream_buffer_bytes: int = Field(
        262_144, ge=16_384, le=16_777_216, description="Unread bytes at which a client's stream is ended."
    )
    stream_comment_seconds: int = Field(
        10,
        ge=1,
        le=15,
        description="Between the comments that keep a stream alive; also between checks for clients that do not read.",
    )
    operator_streams: int = Field(20, ge=1, description="Open streams per operator.")
    visitor_streams: int = Field(5, ge=1, description="Open streams per visitor session.")
    push_delay_seconds: float = Field(
        5.0, ge=0, le=300, description="How long an open stream may still show an event before a push is sent."
    )
    push_preview: bool = Field(True, description="False keeps names and texts off the lock screen.")
    push_give_up_seconds: float = Field(3600.0, ge=1, description="The age at which an unsent push is dropped.")
    fcm_credentials: str | None = Field(
        None, description="Service account key: a path, or the JSON itself. Without it apps get no push.", repr=False
    )
    fcm_url: str = Field(
        "https://fcm.googleapis.com/v1/projects", pattern=r"^https?://", description="Base URL of FCM's HTTP v1 API."
    )
    vapid_private_key: str | None = Field(
        None,
        description="Key for Web Push (VAPID), 32 bytes in base64url; `parley vapid-key create` makes one. Without it"
        " browsers get no push. Every browser has to subscribe again when it changes.",
        repr=False,
    )
    vapid_subject: str | None = Field(
        None,
        validate_default=True,
        pattern=r"^(mailto:[^@\s]+@[^@\s]+|https://\S+)$",
        max_length=320,
        description="How push services reach the administrator: a mailto: or https: address. Needed with the key.",
    )
    push_private_hosts: CommaSeparated = Field(
        (),
        description="Hosts that may be push services although they are not on the public internet or have no TLS: host"
        " or host:port, comma-separated.",
    )

    smtp_host: str | None = Field(None, description=SMTP_HOST_DESCRIPTION)
    smtp_port: int = Field(587, ge=1, le=65535, description="Usually 587 with STARTTLS, 465 with TLS.")
    smtp_tls: SmtpTls = Field(
        "starttls",
        description="`starttls`: TLS after the greeting, required; `tls`: from the first byte; `none`: no TLS, which is"
        " refused with a password.",
    )
    smtp_username: str | None = Field(None, description="User at the mail server, if it asks for one.")
    smtp_password: SecretStr | None = Field(None, description="That user's password.")
    smtp_from: str | None = Field(
        None, description="Sender of mails: an address, or `Name <address>`. Needed with the mail server."
    )

    _split = field_validator("push_private_hosts", mode="before")(split_commas)

    @field_validator(
        "vapid_private_key",
        "vapid_subject",
        "smtp_host",
        "smtp_username",
        "smtp_password",
        "smtp_from",
        mode="before",
    )
    @classmethod
    def _read_empty_as_unset(cls, value: object) -> object:
        return value or None  # Docker Compose sets the variable also where an older .env does not have it.

    @field_validator("vapid_private_key")
    @classmethod
    def _validate_vapid_key(cls, value: str | None) -> str | None:
        if value is not None:
            VapidKey(value, "")
        return value

    @field_validator("vapid_subject")
    @classmethod
    def _validate_vapid_subject(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None and info.data.get("vapid_private_key") is not None:
            raise ValueError("is not set; PARLEY_VAPID_PRIVATE_KEY needs it")
        return value

    @field_validator("fcm_credentials")
    @classmethod
    def _validate_fcm_credentials(cls, value: str | None) -> str | None:
        if value is None or not value.strip():
            return None
        parse_service_account(value)
        return value

    @field_validator("smtp_from")
    @classmethod
    def _validate_smtp_from(cls, value: str | None) -> str | None:
        if value is not None:
            parse_sender(value)
        return value

    @model_validator(mode="after")
    def _check_smtp(self) -> Self:
        if self.smtp_host is not None and self.smtp_from is None:
            raise ValueError("PARLEY_SMTP_HOST needs PARLEY_SMTP_FROM")
        if (self.smtp_username is None) != (self.smtp_password is None):
            raise ValueError("PARLEY_SMTP_USERNAME and PARLEY_SMTP_PASSWORD must be set together")
        if self.smtp_password is not None and self.smtp_tls == "none":
            raise ValueError("PARLEY_SMTP_PASSWORD would be sent in the clear: PARLEY_SMTP_TLS must not be none")
        return self

    @property
    def smtp_account(self) -> SmtpAccount | None:
        """How mail is sent; None if it is off."""
        if self.smtp_host is None or self.smtp_from is None:
            return None
        return SmtpAccount(
            self.smtp_host,
            self.smtp_port,
            self.smtp_tls,
            parse_sender(self.smtp_from),
            self.smtp_username,
            self.smtp_password.get_secret_value() if self.smtp_password is not None else None,
        )

    @property
    def fcm_service_account(self) -> dict[str, Any] | None:
        """The service account's key; None if push is off."""
        return parse_service_account(self.fcm_credentials) if self.fcm_credentials else None

    @property
    def vapid_key(self) -> VapidKey | None:
        """The key for Web Push; None if it is off."""
        if self.vapid_private_key is None or self.vapid_subject is None:
            return None
        return VapidKey(self.vapid_private_key, self.vapid_subject)


def parse_sender(value: str) -> Address:
    """Read `name@example.com` or `Name <name@example.com>`. Raises ValueError."""
    if not (value.isprintable() and value.strip()):
        raise ValueError("must be an address, or Name <address>")
    name, address = parseaddr(value)
    try:
        sender = Address(name, addr_spec=address)
    except (HeaderParseError, ValueError, IndexError):
        raise ValueError("must be an address, or Name <address>") from None
    if not (sender.username and sender.domain and address.isascii()):
        raise ValueError("must be an address in ASCII, or Name <address>")
    return sender


def parse_service_account(value: str) -> dict[str, Any]:
    """Read a service account's key from its JSON or from a file. Raises ValueError, which never quotes the content."""
    text = value.strip()
    if not text.startswith("{"):
        try:
            text = Path(text).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise ValueError("must be a service account's JSON, or the path of a readable file") from None
    try:
        key = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise ValueError("is not valid JSON") from None
    missing = [
        name for name in _SERVICE_ACCOUNT_FIELDS if not isinstance(key, dict) or not isinstance(key.get(name), str)
    ]
    if missing:
        raise ValueError(f"is not a service account key: {', '.join(missing)} missing")
    service_account: dict[str, Any] = key
    return service_account
