"""The administration of chat with a door of its own: real HTTP, MongoDB and RabbitMQ, and a clock one can turn.

Its callers are made as the gateway makes them: from the access that chat itself answers.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import aiohttp
from aiohttp.test_utils import TestServer

from parley.chat.admin_module import AdminModule
from parley.chat.mongo_schema import OUTBOX_COLLECTIONS, SCHEMA
from parley.chat.settings import ChatSettings
from parley.common.auth.identity import (
    IDENTITY_HEADER,
    Caller,
    GatewayCaller,
    IdentitySigner,
    OperatorCaller,
    Permission,
)
from parley.common.events import Event
from parley.common.http import build_app
from parley.common.messaging import BrokerConnection, StreamConsumer
from parley.common.messaging.stream_consumer import StreamRecord
from parley.common.mongodb import TRANSIENT_ERRORS, Mongo, MongoIdempotencyStore, Outbox
from parley.common.runtime.clock import utc_now
from support.api import ApiResponse
from support.wait import wait_until

PASSWORD = "a long enough password"
KINDS = ("tenant", "operator", "site", "audit", "api_key", "knowledge")


@dataclass(slots=True)
class Clock:
    """Real time, moved on by hand."""

    ahead: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        return utc_now() + self.ahead

    def pass_by(self, **span: float) -> None:
        self.ahead += timedelta(**span)


@dataclass(frozen=True, slots=True)
class Login:
    """Somebody who is logged in, as the gateway answered them."""

    operator_id: int
    tenant_id: int
    email: str
    session_id: str
    refresh_token: str


@dataclass(slots=True)
class Office:
    """Calls routes as somebody, and hears every event of its own tenants."""

    mongo: Mongo
    bus: BrokerConnection
    outbox: Outbox
    administration: AdminModule
    server: TestServer
    http: aiohttp.ClientSession
    clock: Clock
    signer: IdentitySigner
    events: list[Event]
    base: int
    called: set[tuple[str, str]] = field(default_factory=set)
    """Method and path of every request so far."""
    address: str = field(default_factory=lambda: f"198.51.100.{secrets.randbelow(250) + 1}")

    @classmethod
    async def open(cls, mongodb_uri: str, amqp_url: str, **settings: Any) -> Self:
        chosen = ChatSettings(
            env="development",
            identity_secret=secrets.token_hex(32),
            amqp_url=amqp_url,
            mongodb_uri=mongodb_uri,
            database_prefix=f"t{secrets.token_hex(4)}",
            public_url="https://chat.test",
            **settings,
        )
        mongo = Mongo(mongodb_uri, f"{chosen.database_prefix}_chat", SCHEMA)
        # Ids begin at a place of their own, so that tests that share a broker know their events from others'.
        base = secrets.randbelow(2**40)
        await mongo.database["counters"].insert_many([{"_id": kind, "reserved": base} for kind in KINDS])
        bus, clock, events = BrokerConnection(amqp_url), Clock(), list[Event]()
        bus.add(StreamConsumer("office", lambda: datetime.now(UTC) - timedelta(seconds=5), _into(events, base)))
        outbox = Outbox(mongo, bus, OUTBOX_COLLECTIONS)
        administration = AdminModule(mongo, outbox, chosen, clock)
        signer = IdentitySigner(chosen.identity_secret)
        app = build_app(
            administration.routes(),
            signer=signer,
            transient_errors=TRANSIENT_ERRORS,
            idempotency=MongoIdempotencyStore(mongo),
        )
        server, http = TestServer(app), aiohttp.ClientSession()
        await server.start_server()
        office = cls(mongo, bus, outbox, administration, server, http, clock, signer, events, base)
        for part in (mongo, bus, outbox, administration):
            await part.start()
        await wait_until(
            lambda: not any(part.unready_reason() for part in (mongo, bus, administration)),
            description="the office is open",
        )
        return office

    async def close(self) -> None:
        await self.http.close()
        await self.server.close()
        await self.mongo.client.drop_database(self.mongo.database.name)
        for part in (self.administration, self.outbox, self.bus, self.mongo):
            await part.stop()

    async def call(
        self,
        method: str,
        path: str,
        caller: Caller | None,
        body: Any = None,
        headers: dict[str, str] | None = None,
        **query: Any,
    ) -> ApiResponse:
        """One request as a caller; `query` names its parameters, `from_` standing for `from`."""
        sent = dict(headers or {})
        if caller is not None:
            sent[IDENTITY_HEADER] = self.signer.sign(caller)
        self.called.add((method, path))
        params = {name.rstrip("_"): str(value) for name, value in query.items()}
        async with self.http.request(
            method, self.server.make_url(path), json=body, params=params, headers=sent
        ) as response:
            return ApiResponse(response.status, dict(response.headers), await response.read())

    async def errand(self, method: str, path: str, body: Any = None, *, address: str = "", **query: Any) -> ApiResponse:
        """One request as the gateway itself, for somebody at an address."""
        caller = GatewayCaller(address or self.address)
        return await self.call(method, f"/internal/{path}", caller, body, None, **query)

    async def log_in(self, email: str, password: str = PASSWORD) -> Login:
        found = (await self.errand("POST", "login", {"email": email, "password": password})).ok()
        access = found["access"]
        return Login(
            access["operator_id"], access["tenant_id"], access["email"], found["session_id"], found["refresh_token"]
        )

    async def caller(self, who: int | Login) -> OperatorCaller:
        """Who an operator is at this moment."""
        operator_id, session_id = (who, None) if isinstance(who, int) else (who.operator_id, who.session_id)
        query = {"session_id": session_id} if session_id else {}
        found = (await self.errand("GET", f"access/{operator_id}", **query)).ok()
        return OperatorCaller(
            operator_id=found["operator_id"],
            tenant_id=found["tenant_id"],
            name=found["name"],
            sites={int(site): frozenset(map(Permission, granted)) for site, granted in found["sites"].items()},
            owner=found["owner"],
            session_id=session_id,
            access_version=found["version"],
            language=found["language"],
            client_ip=self.address,
        )

    async def new_tenant(self) -> OperatorCaller:
        """A tenant of a test's own: its owner."""
        owner = await self.administration.create_tenant("Tenant", new_email("owner"), PASSWORD, "Olivia Owner")
        return await self.caller(owner.id)

    async def new_site(self, owner: OperatorCaller, name: str = "Shop", **fields: Any) -> dict[str, Any]:
        body = {"name": name, **fields}
        site: dict[str, Any] = (await self.call("POST", "/api/v1/sites", owner, body)).ok(201)["site"]
        return site

    async def new_member(self, owner: OperatorCaller, *site_ids: int, **granted: bool) -> OperatorCaller:
        """An operator with a password, on some sites, allowed what is named and nothing else."""
        body = {
            "email": new_email("member"),
            "name": "Max Member",
            "password": PASSWORD,
            "site_ids": list(site_ids),
            "permissions": granted,
        }
        made = (await self.call("POST", "/api/v1/team", owner, body)).ok(201)["member"]
        return await self.caller(made["id"])

    async def heard(self, kind: str, **data: Any) -> Event:
        """The first event of a type whose data has these values; waited for."""

        def found() -> Event | None:
            fits = (event for event in list(self.events) if event.type == kind)
            return next(
                (event for event in fits if data.items() <= {**event.data, "site": event.site_id}.items()), None
            )

        event: Event = await wait_until(found, description=f"{kind} {data}")
        return event

    async def audited(self, owner: OperatorCaller, action: str, **query: Any) -> dict[str, Any]:
        """The newest audit entry of an action; waited for."""

        async def found() -> list[dict[str, Any]]:
            reply = await self.call("GET", "/api/v1/audit", owner, action=action, **query)
            entries: list[dict[str, Any]] = reply.ok()["entries"]
            return entries

        entries: list[dict[str, Any]] = await wait_until(found, description=f"an audit entry {action}")
        return entries[0]


def new_email(name: str) -> str:
    """An address nobody else uses."""
    return f"{name}-{secrets.token_hex(6)}@parley.test"


def without(caller: OperatorCaller, **changes: Any) -> OperatorCaller:
    """The caller, changed."""
    return replace(caller, **changes)


def _into(events: list[Event], base: int) -> Callable[[StreamRecord], Any]:
    async def take(record: StreamRecord) -> None:
        events.extend(event for event in record.events if event and base < event.tenant_id <= base + 10_000)

    return take
