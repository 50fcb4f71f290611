"""What notify reads from the environment, checked before any socket opens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
from pydantic import Field, field_validator

from parley.common.runtime.settings import StoreSettings

_KEY_FIELDS = ("project_id", "client_email", "private_key", "token_uri")


class Settings(StoreSettings):
    """Every variable of the service; the common ones are in `parley.common.runtime.settings`."""

    window_seconds: float = Field(
        600.0, ge=5, le=7200, description="How far back a stream can resume: the part of the log kept in memory."
    )
    window_bytes: int = Field(
        134_217_728, ge=65_536, description="The most memory the kept part of the log may take, in bytes of frames."
    )
    stream_buffer_bytes: int = Field(
        262_144, ge=16_384, le=16_777_216, description="Unread bytes a client may owe before its stream is cut."
    )
    stream_comment_seconds: int = Field(
        10, ge=1, le=15, description="Between the comment lines that keep a stream alive; also between looks at stalls."
    )
    operator_streams: int = Field(20, ge=1, description="Open streams one operator may have.")
    visitor_streams: int = Field(5, ge=1, description="Open streams one visitor's session may have.")
    push_delay_seconds: float = Field(
        5.0, ge=0, le=300, description="For which an open stream may still show an event before a push is sent."
    )
    push_preview: bool = Field(True, description="False keeps names and texts off the lock screen.")
    push_give_up_seconds: float = Field(3600.0, ge=1, description="After which an unsent push is let go.")
    fcm_credentials: str | None = Field(
        None, description="Service account key: a path, or the JSON itself. Absent: push is off.", repr=False
    )
    fcm_url: str = Field(
        "https://fcm.googleapis.com/v1/projects", pattern=r"^https?://", description="Where FCM's HTTP v1 API is."
    )

    @field_validator("fcm_credentials")
    @classmethod
    def _is_a_key(cls, value: str | None) -> str | None:
        if value is None or not value.strip():
            return None
        key_of(value)
        return value

    @property
    def fcm_key(self) -> dict[str, Any] | None:
        """The service account's key; None where push is off."""
        return key_of(self.fcm_credentials) if self.fcm_credentials else None


def key_of(value: str) -> dict[str, Any]:
    """Read a service account key from its JSON or its path. Raises ValueError, and never quotes what it read."""
    text = value.strip()
    if not text.startswith("{"):
        try:
            text = Path(text).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise ValueError("must be a service account's JSON, or the path of a file that can be read") from None
    try:
        key = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise ValueError("is not valid JSON") from None
    missing = [name for name in _KEY_FIELDS if not isinstance(key, dict) or not isinstance(key.get(name), str)]
    if missing:
        raise ValueError(f"is no service account key: {', '.join(missing)} missing")
    found: dict[str, Any] = key
    return found
