"""Settings from the environment: one frozen class per service, all faults told at once, before any socket."""

from __future__ import annotations

import sys
from typing import Annotated, Any, Literal, NoReturn, Self, TypeVar

from pydantic import AliasChoices, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

KNOWN_WEAK = frozenset({"secret", "changeme", "change-me", "password", "parley", "development", "dev-secret"})
"""Secrets that everybody knows, in any repetition: refused outside development."""


def environment(name: str) -> Any:
    """The environment variable a field is read from."""
    return AliasChoices(name)


class ServiceSettings(BaseSettings):
    """What every service reads. Units stand in the names or in the descriptions."""

    model_config = SettingsConfigDict(env_prefix="PARLEY_", frozen=True, extra="ignore", populate_by_name=True)

    env: Literal["development", "production"] = Field("production", description="Relaxes the checks of secrets.")
    host: str = Field("0.0.0.0", description="Address that both ports listen on.")  # noqa: S104 - a container's door
    port: int = Field(8080, ge=1, le=65535, description="Public port.")
    internal_port: int = Field(9090, ge=1, le=65535, description="Health and metrics.")
    reuse_port: bool = Field(False, description="Share the public port with other processes (SO_REUSEPORT).")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    identity_secret: str = Field(description="Signs the caller's identity between gateway and services; 32+ bytes.")
    amqp_url: str = Field(
        validation_alias=environment("AMQP_URL"), description="amqp:// or amqps:// address of RabbitMQ."
    )
    drain_seconds: float = Field(
        0.0, ge=0, le=300, description="Between failing readiness and closing the door, so that balancers notice."
    )
    stop_seconds: float = Field(15.0, gt=0, le=300, description="For requests under way to end when stopping.")

    @field_validator("amqp_url")
    @classmethod
    def _is_amqp(cls, value: str) -> str:
        if not value.startswith(("amqp://", "amqps://")):
            raise ValueError("must start with amqp:// or amqps://")
        return value

    @model_validator(mode="after")
    def _secrets_are_strong(self) -> Self:
        for name in type(self).model_fields:
            if name.endswith("_secret"):
                check_secret(name, getattr(self, name), development=self.env == "development")
        return self


class StoreSettings(ServiceSettings):
    """What a service with collections of its own reads besides."""

    mongodb_uri: str = Field(
        validation_alias=environment("MONGODB_URI"), description="mongodb:// address of a replica set."
    )
    database_prefix: str = Field(
        "parley", pattern=r"^[a-z][a-z0-9_]{0,30}$", description="Each service's database is <prefix>_<service>."
    )

    @field_validator("mongodb_uri")
    @classmethod
    def _is_mongodb(cls, value: str) -> str:
        if not value.startswith(("mongodb://", "mongodb+srv://")):
            raise ValueError("must start with mongodb:// or mongodb+srv://")
        return value


S = TypeVar("S", bound="ServiceSettings")


def split_commas(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


CommaSeparated = Annotated[tuple[str, ...], NoDecode]
"""A list in one variable, comma-separated; read with `field_validator(..., mode="before")(split_commas)`."""


def check_secret(name: str, value: str | None, *, development: bool) -> None:
    """Refuse a secret that is short or known to everybody. Raises ValueError; `None` means not set."""
    if value is None:
        return
    if len(value.encode()) < 32:
        raise ValueError(f"{name} must be at least 32 bytes")
    lowered = value.lower()
    weak = len(set(lowered)) < 6 or any(lowered.replace(word, "").strip("-_ .0123456789") == "" for word in KNOWN_WEAK)
    if weak and not development:
        raise ValueError(f"{name} is a known or trivial value; make one with: openssl rand -hex 32")


def load(kind: type[S]) -> S:
    """Read and check the environment; on faults print every one of them and leave with status 78 (EX_CONFIG)."""
    try:
        return kind()
    except ValidationError as problem:
        refuse(kind, problem)


def refuse(kind: type[ServiceSettings], problem: ValidationError) -> NoReturn:
    """Say what is wrong with the configuration, one line a fault, and stop."""
    print(f"The configuration has {problem.error_count()} fault(s):", file=sys.stderr)
    for fault in problem.errors():
        print(f"  {variable(kind, fault['loc'])}: {fault['msg'].removeprefix('Value error, ')}", file=sys.stderr)
    raise SystemExit(78)


def variable(kind: type[ServiceSettings], location: tuple[int | str, ...]) -> str:
    """The environment variable behind a field, as an operator writes it."""
    if not location:
        return "settings"
    name = str(location[0])
    field = kind.model_fields.get(name)
    if field is None:
        return name
    alias = field.validation_alias
    return str(alias.choices[0]) if isinstance(alias, AliasChoices) else f"PARLEY_{name.upper()}"
