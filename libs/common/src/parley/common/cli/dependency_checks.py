"""What every service needs behind it, and in which form: a MongoDB replica set, a RabbitMQ with streams."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass

import aio_pika
from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import AMQPError, AuthenticationError, ProbableAuthenticationError
from pymongo import AsyncMongoClient
from pymongo.errors import ConfigurationError, InvalidURI, OperationFailure, PyMongoError, ServerSelectionTimeoutError

from parley.common.cli.main import Check, Refused
from parley.common.messaging import topology
from parley.common.runtime.settings import DatabaseSettings, ServiceSettings

_SECONDS = 5
_OLDEST_MONGODB = (5, 0)
_OLDEST_RABBITMQ = (3, 10)


@dataclass(frozen=True, slots=True)
class Backend:
    """Something that services share. `address` tells two apart; None where a service has no use for it."""

    name: str
    address: Callable[[ServiceSettings], str | None]
    check: Check


async def check_mongodb(settings: DatabaseSettings) -> str:
    """A primary of a replica set that takes writes to this service's database. Raises Refused."""
    try:
        client: AsyncMongoClient[dict[str, object]] = AsyncMongoClient(
            settings.mongodb_uri, serverSelectionTimeoutMS=_SECONDS * 1000, connectTimeoutMS=_SECONDS * 1000
        )
    except (InvalidURI, ConfigurationError, ValueError):
        raise Refused("MONGODB_URI cannot be read as an address") from None
    async with client:
        try:
            hello = await client.admin.command("hello")
            version = (await client.server_info())["version"]
        except ServerSelectionTimeoutError:
            raise Refused(
                f"no server answers at MONGODB_URI within {_SECONDS} s: wrong host or port, TLS, a network policy,"
                " or a replica set without a primary"
            ) from None
        except OperationFailure as exc:
            raise Refused(_of_operation(exc)) from None
        except PyMongoError as exc:
            raise Refused(f"does not answer: {type(exc).__name__}") from None
        name = hello.get("setName")
        if name is None and hello.get("msg") != "isdbgrid":
            raise Refused("is a single server, and Parley needs a replica set (one member is enough): rs.initiate()")
        if tuple(int(part) for part in version.split(".")[:2]) < _OLDEST_MONGODB:
            raise Refused(f"is MongoDB {version}; Parley needs 5.0 or newer")
        try:
            await client[f"{settings.database_prefix}_check"]["check"].find_one({})
        except OperationFailure as exc:
            raise Refused(_of_operation(exc)) from None
        members = len(hello.get("hosts", ()))
        return f"MongoDB {version}, " + (f"replica set {name} of {members}" if name else "sharded cluster")


def _of_operation(problem: OperationFailure) -> str:
    if problem.code == 18:
        return "refuses the user or the password in MONGODB_URI (or its authSource)"
    if problem.code == 13:
        return "the user in MONGODB_URI lacks rights: it needs readWrite on the databases of PARLEY_DATABASE_PREFIX"
    return f"refuses a command: {problem.details.get('codeName') if problem.details else problem.code}"


async def check_rabbitmq(settings: ServiceSettings) -> str:
    """A broker that has quorum queues and streams, and that lets us use Parley's names. Raises Refused."""
    try:
        connection = await aio_pika.connect(settings.amqp_url, timeout=_SECONDS)
    except (AMQPError, OSError, TimeoutError) as exc:
        raise Refused(_of_connecting(exc)) from None
    async with connection:
        version = _version(connection)
        if tuple(int(part) for part in version.split(".")[:2]) < _OLDEST_RABBITMQ:
            raise Refused(f"is RabbitMQ {version}; Parley needs 3.10 or newer (streams, quorum queues)")
        channel = await connection.channel()
        try:
            await topology.declare_exchanges(channel)
        except AMQPError as exc:
            raise Refused(
                f"Parley's exchanges and its stream {topology.LOG_STREAM} cannot be declared: {exc}"
            ) from None
        return f"RabbitMQ {version}, with the stream {topology.LOG_STREAM}"


def _of_connecting(problem: Exception) -> str:
    """In words, and never the driver's own: they hold the address, and the password in it."""
    if isinstance(problem, (AuthenticationError, ProbableAuthenticationError)):
        return "refuses the user or the password in AMQP_URL"
    if isinstance(problem.__cause__, ssl.SSLError):
        return "the TLS connection to AMQP_URL failed: a port without TLS, or a certificate that is not trusted"
    if isinstance(problem, (OSError, TimeoutError)):
        return f"nothing answers at AMQP_URL within {_SECONDS} s: wrong host, port or network policy"
    # The broker closes while the virtual host is opened.
    return "does not let us in: the virtual host in AMQP_URL is not there, or not for this user"


def _version(connection: AbstractConnection) -> str:
    """The broker's version, as it introduced itself."""
    transport = connection.transport
    properties = getattr(transport.connection, "server_properties", None) if transport is not None else None
    return str((properties or {}).get("version", "0.0"))


BACKENDS = (
    Backend(
        "mongodb",
        lambda settings: settings.mongodb_uri if isinstance(settings, DatabaseSettings) else None,
        Check("mongodb", check_mongodb),
    ),
    Backend("rabbitmq", lambda settings: settings.amqp_url, Check("rabbitmq", check_rabbitmq)),
)
