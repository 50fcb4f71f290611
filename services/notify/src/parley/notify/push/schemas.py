"""Request and response bodies of the push endpoints."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from parley.common.http import Query, RequestBody, SuccessResponse
from parley.common.http.schemas import Text
from parley.notify.push.model import DeviceKind, Platform, PushOutcome, SubscriptionKeys
from parley.notify.push.web_push_encryption import AUTH_SECRET_LENGTH, decode_base64url, load_public_key

_TOKEN_PATTERN = r"^[A-Za-z0-9_:.\-]+$"  # noqa: S105 - a pattern

_DEVICE_ID_PATTERN = r"^[0-9a-f]{64}$"

DeviceId = Annotated[str, StringConstraints(pattern=_DEVICE_ID_PATTERN)]


def _check_public_key(value: str) -> str:
    try:
        load_public_key(decode_base64url(value))
    except ValueError:
        raise ValueError("must be an uncompressed point on P-256, in base64url") from None
    return value


def _check_auth_secret(value: str) -> str:
    if len(decode_base64url(value)) != AUTH_SECRET_LENGTH:
        raise ValueError("must be 16 bytes in base64url")
    return value


class RegisterTokenBody(RequestBody):
    token: str = Field(min_length=8, max_length=4096, pattern=_TOKEN_PATTERN)
    platform: Platform = "unknown"


class RemoveTokenBody(RequestBody):
    """Without a token, here or in the query, all of the caller's tokens are removed."""

    token: str | None = Field(None, min_length=1, max_length=4096)


class RemoveTokenQuery(Query):
    token: str | None = Field(None, min_length=1, max_length=4096)


class SubscriptionKeysBody(RequestBody):
    """What `PushSubscription.toJSON()` of a browser returns as `keys`."""

    p256dh: Annotated[str, AfterValidator(_check_public_key)] = Field(
        max_length=100, description="The browser's public key: an uncompressed point on P-256, in base64url."
    )
    auth: Annotated[str, AfterValidator(_check_auth_secret)] = Field(
        max_length=32, description="The authentication secret: 16 bytes, in base64url."
    )

    def to_keys(self) -> SubscriptionKeys:
        return SubscriptionKeys(decode_base64url(self.p256dh), decode_base64url(self.auth))


class RegisterSubscriptionBody(RequestBody):
    """What `PushSubscription.toJSON()` of a browser returns, with a name."""

    endpoint: str = Field(min_length=9, max_length=2048, pattern=r"^https?://[^\s@\\]+$")
    keys: SubscriptionKeysBody
    name: Text = Field("", max_length=100, description='What the operator recognizes the device by: "Chrome, Android".')


class RegisterSubscriptionResponse(SuccessResponse):
    device_id: str = Field(description="Identifies the device in the list of the caller's devices.")


class RemoveSubscriptionBody(RequestBody):
    endpoint: str = Field(min_length=1, max_length=2048)


class SubscriptionKeyResponse(SuccessResponse):
    public_key: str | None = Field(description="The `applicationServerKey` to subscribe with; null if Web Push is off.")


class DeviceBody(RequestBody):
    device_id: DeviceId


class DeviceQuery(Query):
    device_id: DeviceId


class DeviceResultSchema(BaseModel):
    """What became of the last push to a device."""

    at: str
    outcome: PushOutcome
    status: int = Field(description="The push service's HTTP status; 0 if it did not answer.")
    code: str
    message: str


class DeviceSchema(BaseModel):
    """A device of the caller."""

    id: str
    kind: DeviceKind
    platform: Platform
    name: str
    registered_at: str
    last_result: DeviceResultSchema | None


class DevicesResponse(SuccessResponse):
    devices: tuple[DeviceSchema, ...]


class DeviceTestResponse(SuccessResponse):
    result: DeviceResultSchema


class DeviceReceipt(BaseModel):
    """One device and the provider's answer for it."""

    platform: Platform
    outcome: PushOutcome
    status: int = Field(description="The provider's HTTP status; 0 if it did not answer.")
    code: str
    message: str


class SelfTestResponse(SuccessResponse):
    """The result of a test push."""

    push: Literal["sent", "failed", "off"] = Field(description="`sent` if the provider accepted at least one.")
    devices: tuple[DeviceReceipt, ...] = ()
