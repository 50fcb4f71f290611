"""Checks of the servers that every service needs: a MongoDB replica set, and a RabbitMQ with streams."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass

import aio_pika
from aio_pika.exceptions import AMQPError, AuthenticationError, ProbableAuthenticationError
from pymongo import AsyncMongoClient
from pymongo.errors import ConfigurationError, InvalidURI, OperationFailure, PyMongoError, ServerSelectionTimeoutError

from parley.common.cli.command import CommandError
from parley.common.cli.plugins import HealthCheck
from parley.common.cli.timeouts import CONNECT_TIMEOUT_SECONDS
from parley.common.messaging import topology
from parley.common.messaging.broker import server_version
from parley.common.runtime.settings import DatabaseSettings, ServiceSettings
from parley.common.server_versions import mongodb_advice, rabbitmq_advice

_MIN_MONGODB_VERSION = (5, 0)
_MIN_RABBITMQ_VERSION = (3, 10)
_AUTHENTICATION_FAILED = 18
_UNAUTHORIZED = 13
"""MongoDB's error codes."""


@dataclass(frozen=True, slots=True)
class Dependency:
    """A server that services share. `address` identifies it, and is None for a service that does not use it."""

    name: str
    address: Callable[[ServiceSettings], str | None]
    check: HealthCheck


async def check_mongodb(settings: DatabaseSettings) -> str:
    """Check for a replica set's primary that takes commands on this service's database. Raises CommandError."""
    timeout_ms = CONNECT_TIMEOUT_SECONDS * 1000
    try:
        client: AsyncMongoClient[dict[str, object]] = AsyncMongoClient(
            settings.mongodb_uri, serverSelectionTimeoutMS=timeout_ms, connectTimeoutMS=timeout_ms
        )
    except (InvalidURI, ConfigurationError, ValueError):
        raise CommandError("MONGODB_URI cannot be read as an address") from None
    async with client:
        try:
            hello = await client.admin.command("hello")
            version = (await client.server_info())["version"]
        except ServerSelectionTimeoutError:
            raise CommandError(
                f"no server answers at MONGODB_URI within {CONNECT_TIMEOUT_SECONDS} s: wrong host or port, TLS,"
                " a network policy, or a replica set without a primary"
            ) from None
        except OperationFailure as exc:
            raise CommandError(_describe_operation_failure(exc)) from None
        except PyMongoError as exc:
            raise CommandError(f"does not answer: {type(exc).__name__}") from None
        name = hello.get("setName")
        if name is None and hello.get("msg") != "isdbgrid":
            raise CommandError(
                "is a single server, and Parley needs a replica set (one member is enough): rs.initiate()"
            )
        if tuple(int(part) for part in version.split(".")[:2]) < _MIN_MONGODB_VERSION:
            raise CommandError(f"is MongoDB {version}; Parley needs 5.0 or newer")
        try:
            await client[f"{settings.database_prefix}_check"]["check"].find_one({})
        except OperationFailure as exc:
            raise CommandError(_describe_operation_failure(exc)) from None
        members = len(hello.get("hosts", ()))
        reached = f"MongoDB {version}, " + (f"replica set {name} of {members}" if name else "sharded cluster")
        return _with_advice(reached, mongodb_advice(version))


def _describe_operation_failure(exc: OperationFailure) -> str:
    if exc.code == _AUTHENTICATION_FAILED:
        return "refuses the user or the password in MONGODB_URI (or its authSource)"
    if exc.code == _UNAUTHORIZED:
        return "the user in MONGODB_URI lacks rights: it needs readWrite on the databases of PARLEY_DATABASE_PREFIX"
    return f"refuses a command: {exc.details.get('codeName') if exc.details else exc.code}"


async def check_rabbitmq(settings: ServiceSettings) -> str:
    """Check for a broker with streams on which Parley's names can be declared. Raises CommandError."""
    try:
        connection = await aio_pika.connect(settings.amqp_url, timeout=CONNECT_TIMEOUT_SECONDS)
    except (AMQPError, OSError, TimeoutError) as exc:
        raise CommandError(_describe_connection_failure(exc)) from None
    async with connection:
        version = server_version(connection)
        if tuple(int(part) for part in version.split(".")[:2]) < _MIN_RABBITMQ_VERSION:
            raise CommandError(f"is RabbitMQ {version}; Parley needs 3.10 or newer (streams, quorum queues)")
        channel = await connection.channel()
        try:
            await topology.declare_exchanges(channel, settings.log_partitions)
        except AMQPError as exc:
            raise CommandError(f"Parley's exchanges and the streams of its log cannot be declared: {exc}") from None
        reached = f"RabbitMQ {version}, with a log of {settings.log_partitions} partitions"
        return _with_advice(reached, rabbitmq_advice(version))


def _with_advice(reached: str, advice: str | None) -> str:
    return reached if advice is None else f"{reached}. Warning: {advice}"


def _describe_connection_failure(exc: Exception) -> str:
    """Describe why connecting failed. Not the driver's own message: it contains the address with its password."""
    if isinstance(exc, (AuthenticationError, ProbableAuthenticationError)):
        return "refuses the user or the password in AMQP_URL"
    if isinstance(exc.__cause__, ssl.SSLError):
        return "the TLS connection to AMQP_URL failed: a port without TLS, or a certificate that is not trusted"
    if isinstance(exc, (OSError, TimeoutError)):
        return f"nothing answers at AMQP_URL within {CONNECT_TIMEOUT_SECONDS} s: wrong host, port or network policy"
    # The broker closes the connection while the virtual host is opened.
    return "closes the connection: the virtual host in AMQP_URL does not exist, or not for this user"


DEPENDENCIES = (
    Dependency(
        "mongodb",
        lambda settings: settings.mongodb_uri if isinstance(settings, DatabaseSettings) else None,
        HealthCheck("mongodb", check_mongodb),
    ),
    Dependency("rabbitmq", lambda settings: settings.amqp_url, HealthCheck("rabbitmq", check_rabbitmq)),
)
