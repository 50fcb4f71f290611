"""An HTTP server with chat's features for accounts and administration, on real MongoDB and RabbitMQ.

Callers are built as the gateway builds them: from the access that chat's internal API returns.
"""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Self, cast

import aiohttp
from aiohttp.test_utils import TestServer

from parley.chat.admin_module import AdminModule
from parley.chat.ai.module import AiModule
from parley.chat.answer_tests import routes as answer_test_routes
from parley.chat.answer_tests.module import AnswerTestModule
from parley.chat.backends import Backends
from parley.chat.conversations.module import ConversationModule
from parley.chat.corrections import routes as correction_routes
from parley.chat.corrections.module import CorrectionModule
from parley.chat.knowledge_gaps import routes as gap_routes
from parley.chat.knowledge_gaps.module import KnowledgeGapModule
from parley.chat.knowledge_sources import routes as knowledge_source_routes
from parley.chat.knowledge_sources.handlers import SourceHandlers
from parley.chat.knowledge_sources.module import KnowledgeSourceModule
from parley.chat.mcp_servers import routes as mcp_server_routes
from parley.chat.mongo_schema import OUTBOX_COLLECTIONS
from parley.chat.search import routes as search_routes
from parley.chat.search.feed import SearchFeed
from parley.chat.search.handlers import SearchHandlers
from parley.chat.search.index import SearchIndex
from parley.chat.search.module import SearchModule
from parley.chat.settings import ChatSettings
from parley.chat.site_texts import routes as site_text_routes
from parley.chat.site_texts.handlers import SiteTextHandlers
from parley.chat.site_texts.service import SiteTextService
from parley.chat.tools import routes as tool_routes
from parley.chat.tools.module import ToolModule
from parley.chat.uploads.image_sanitizer import WorkerImageSanitizer
from parley.chat.uploads.repository import MongoUploadRepository
from parley.chat.uploads.service import UploadService
from parley.chat.uploads.storage import FolderStorage
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
from parley.common.messaging import BrokerConnection, RpcClient
from parley.common.mongodb import TRANSIENT_ERRORS, Mongo, MongoIdempotencyStore, Outbox
from parley.common.runtime.clock import utc_now
from parley.notify.streaming.log_consumer import LogRecord
from support.api import ApiResponse
from support.event_log import whole_log_consumers
from support.password_hashing import cheap_password_hashes
from support.wait import wait_until

if TYPE_CHECKING:
    from parley.common.runtime.service import Service

PASSWORD = "a long enough password"
_IDS_OF_AN_APP = 10_000
ID_COUNTERS = ("tenant", "operator", "site", "audit", "api_key", "knowledge")


@dataclass(slots=True)
class AdjustableClock:
    """The real time plus an offset."""

    offset: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        return utc_now() + self.offset

    def advance(self, **duration: float) -> None:
        self.offset += timedelta(**duration)


@dataclass(frozen=True, slots=True)
class LoginSession:
    """An operator's session, as chat returned it to the gateway."""

    operator_id: int
    tenant_id: int
    email: str
    session_id: str
    refresh_token: str


class RecordedBroker:
    """A connection to RabbitMQ that apps share, and the record of the events of each app's tenants."""

    def __init__(self, url: str) -> None:
        self.connection = BrokerConnection(url)
        self._events: dict[int, list[Event]] = {}
        start = datetime.now(UTC) - timedelta(seconds=5)
        for consumer in whole_log_consumers("admin-tests", start, self._on_record):
            self.connection.add(consumer)

    async def __aenter__(self) -> Self:
        await self.connection.start()
        await wait_until(lambda: self.connection.unready_reason() is None, description="the broker is ready")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.connection.stop()

    def record(self, base_id: int) -> list[Event]:
        """Return a list that gets the events of an app's tenants from now on."""
        return self._events.setdefault(base_id, [])

    def end_record(self, base_id: int) -> None:
        self._events.pop(base_id, None)

    async def _on_record(self, record: LogRecord) -> None:
        for event in record.events:
            if event is None:
                continue
            for base_id, events in self._events.items():
                if base_id < event.tenant_id <= base_id + _IDS_OF_AN_APP:
                    events.append(event)


async def no_engine(site_id: int, text: str, target: str, source: str) -> str | None:
    """A TextTranslator of an installation without an engine."""
    return None


@dataclass(slots=True)
class AdminTestApp:
    """Calls routes as a given caller, and records the events of its own tenants."""

    mongo: Mongo
    recorded: RecordedBroker
    broker: BrokerConnection
    outbox: Outbox
    admin: AdminModule
    search: SearchModule
    knowledge_sources: KnowledgeSourceModule
    tools: ToolModule
    conversations: ConversationModule
    answer_tests: AnswerTestModule
    gaps: KnowledgeGapModule
    corrections: CorrectionModule
    uploads: UploadService
    images: WorkerImageSanitizer
    ai_components: list[Any]
    """What the AI has to stop."""
    site_texts: SiteTextHandlers
    server: TestServer
    http: aiohttp.ClientSession
    clock: AdjustableClock
    signer: IdentitySigner
    events: list[Event]
    folder: tempfile.TemporaryDirectory[str]
    """Of stored objects."""
    base_id: int
    """All ids of this app are greater."""
    requests: set[tuple[str, str]] = field(default_factory=set)
    """Method and path of every request."""
    client_ip: str = field(default_factory=lambda: f"198.51.100.{secrets.randbelow(250) + 1}")

    @classmethod
    async def start(cls, mongo: Mongo, recorded: RecordedBroker, **overrides: Any) -> Self:
        """Start an app on a database without documents; `overrides` are settings."""
        settings = ChatSettings(
            env="development",
            identity_secret=secrets.token_hex(32),
            amqp_url="amqp://unused",
            mongodb_uri="mongodb://unused",
            public_url="https://chat.test",
            knowledge_private_hosts=("127.0.0.1",),
            tool_private_hosts=("127.0.0.1",),
            **overrides,
        )
        # Apps that share a broker have different ranges of ids, so that each recognizes its own events.
        base_id = secrets.randbelow(2**40)
        await mongo.database["counters"].insert_many([{"_id": name, "reserved": base_id} for name in ID_COUNTERS])
        broker, clock, events = recorded.connection, AdjustableClock(), recorded.record(base_id)
        feed = SearchFeed(mongo, SearchIndex(mongo), clock)
        outbox = Outbox(mongo, broker, OUTBOX_COLLECTIONS, processor=feed)
        with cheap_password_hashes():
            admin = AdminModule(mongo, outbox, settings, clock)
        search = SearchModule(mongo, admin.cached_sites, clock)
        folder = tempfile.TemporaryDirectory()
        sources = KnowledgeSourceModule(
            mongo,
            settings,
            FolderStorage(Path(folder.name)),
            admin.site_service,
            admin.site_repository,
            admin.audit,
            admin.answer_test_gate.check_approval,
            admin.passage_vectors.increment_version,
            clock,
            timedelta(0),
        )
        tools = ToolModule(mongo, settings, admin.site_service, admin.audit, clock)
        rpc = {name: RpcClient(name) for name in ("presence", "translate", "notify")}
        backends = Backends(mongo, broker, outbox, rpc)
        conversations = ConversationModule(backends, admin, settings, clock)
        images = WorkerImageSanitizer()
        uploads = UploadService(
            images,
            FolderStorage(Path(folder.name)),
            MongoUploadRepository(mongo, clock),
            settings.image_base,
        )
        passages = (admin.knowledge, sources.passages)
        ai = AiModule(backends, admin, conversations, settings, passages, tools.sessions, uploads, clock)
        answer_tests = AnswerTestModule(mongo, admin, conversations, sources, ai, clock)
        gaps = KnowledgeGapModule(mongo, admin, conversations, ai, clock)
        corrections = CorrectionModule(mongo, admin, conversations, sources, clock)
        ai_components: list[Any] = []
        ai.add_to(cast("Service", SimpleNamespace(add=ai_components.append)))
        texts = SiteTextHandlers(SiteTextService(admin.site_service, no_engine, clock))
        signer = IdentitySigner(settings.identity_secret)
        app = build_app(
            [
                *admin.routes(),
                *search_routes.routes(SearchHandlers(search.searches)),
                *site_text_routes.routes(texts),
                *knowledge_source_routes.routes(SourceHandlers(sources.service)),
                *tool_routes.routes(tools.handlers),
                *mcp_server_routes.routes(tools.servers.handlers),
                *answer_test_routes.routes(answer_tests.handlers),
                *gap_routes.routes(gaps.handlers),
                *correction_routes.routes(corrections.handlers),
            ],
            signer=signer,
            transient_errors=TRANSIENT_ERRORS,
            idempotency=MongoIdempotencyStore(mongo),
        )
        server, http = TestServer(app), aiohttp.ClientSession()
        await server.start_server()
        for component in (outbox, admin):
            await component.start()
        await wait_until(lambda: not admin.unready_reason(), description="the app is ready")
        return cls(
            mongo,
            recorded,
            broker,
            outbox,
            admin,
            search,
            sources,
            tools,
            conversations,
            answer_tests,
            gaps,
            corrections,
            uploads,
            images,
            ai_components,
            texts,
            server,
            http,
            clock,
            signer,
            events,
            folder,
            base_id,
        )

    async def stop(self) -> None:
        """Stop; the database and the broker stay connected."""
        await self.http.close()
        await self.server.close()
        self.folder.cleanup()
        await self.images.close()
        for component in (
            *self.ai_components,
            self.knowledge_sources.web,
            self.knowledge_sources.extractor,
            self.tools.caller,
            self.admin,
            self.outbox,
        ):
            await component.stop()
        self.recorded.end_record(self.base_id)

    def stored_objects(self) -> Iterator[Path]:
        """The uploaded files that are stored."""
        return (path for path in Path(self.folder.name).rglob("*") if path.is_file())

    async def call(
        self,
        method: str,
        path: str,
        caller: Caller | None,
        body: Any = None,
        headers: dict[str, str] | None = None,
        **query: Any,
    ) -> ApiResponse:
        """Send a request as a caller. `query` holds its parameters, with `from_` for `from`."""
        headers = dict(headers or {})
        if caller is not None:
            headers[IDENTITY_HEADER] = self.signer.sign(caller)
        self.requests.add((method, path))
        params = {name.rstrip("_"): str(value) for name, value in query.items()}
        async with self.http.request(
            method, self.server.make_url(path), json=body, params=params, headers=headers
        ) as response:
            return ApiResponse(response.status, dict(response.headers), await response.read())

    async def call_internal(
        self, method: str, path: str, body: Any = None, *, client_ip: str = "", **query: Any
    ) -> ApiResponse:
        """Send a request to the internal API as the gateway, for a client with an IP address."""
        caller = GatewayCaller(client_ip or self.client_ip)
        return await self.call(method, f"/internal/{path}", caller, body, None, **query)

    async def log_in(self, email: str, password: str = PASSWORD) -> LoginSession:
        login = (await self.call_internal("POST", "login", {"email": email, "password": password})).ok()
        access = login["access"]
        return LoginSession(
            access["operator_id"], access["tenant_id"], access["email"], login["session_id"], login["refresh_token"]
        )

    async def get_caller(self, operator: int | LoginSession) -> OperatorCaller:
        """Build the caller for an operator, or for their session, with the current access."""
        operator_id, session_id = (
            (operator, None) if isinstance(operator, int) else (operator.operator_id, operator.session_id)
        )
        query = {"session_id": session_id} if session_id else {}
        access = (await self.call_internal("GET", f"access/{operator_id}", **query)).ok()
        return OperatorCaller(
            operator_id=access["operator_id"],
            tenant_id=access["tenant_id"],
            name=access["name"],
            sites={int(site): frozenset(map(Permission, names)) for site, names in access["sites"].items()},
            owner=access["owner"],
            login_session_id=session_id,
            access_version=access["version"],
            language=access["language"],
            client_ip=self.client_ip,
        )

    async def create_tenant(self) -> OperatorCaller:
        """Create a tenant; returns its owner."""
        owner = await self.admin.accounts.create_tenant("Tenant", unique_email("owner"), PASSWORD, "Olivia Owner")
        return await self.get_caller(owner.id)

    async def create_site(self, owner: OperatorCaller, name: str = "Shop", **fields: Any) -> dict[str, Any]:
        body = {"name": name, **fields}
        site: dict[str, Any] = (await self.call("POST", "/api/v1/sites", owner, body)).ok(201)["site"]
        return site

    async def create_member(self, owner: OperatorCaller, *site_ids: int, **permissions: bool) -> OperatorCaller:
        """Create an operator with a password on some sites, with only the given permissions."""
        body = {
            "email": unique_email("member"),
            "name": "Max Member",
            "password": PASSWORD,
            "site_ids": list(site_ids),
            "permissions": permissions,
        }
        member = (await self.call("POST", "/api/v1/team", owner, body)).ok(201)["member"]
        return await self.get_caller(member["id"])

    async def wait_for_event(self, event_type: str, **data: Any) -> Event:
        """Wait for the first event of a type whose data has these values; `site` matches its site id."""

        def find() -> Event | None:
            events = (event for event in list(self.events) if event.type == event_type)
            return next(
                (event for event in events if data.items() <= {**event.data, "site": event.site_id}.items()), None
            )

        event: Event = await wait_until(find, description=f"{event_type} {data}")
        return event

    async def wait_for_audit_entry(self, owner: OperatorCaller, action: str, **query: Any) -> dict[str, Any]:
        """Wait for an audit entry with an action; returns the newest."""

        async def find() -> list[dict[str, Any]]:
            response = await self.call("GET", "/api/v1/audit", owner, action=action, **query)
            entries: list[dict[str, Any]] = response.ok()["entries"]
            return entries

        entries: list[dict[str, Any]] = await wait_until(find, description=f"an audit entry {action}")
        return entries[0]


StartApp = Callable[..., AbstractAsyncContextManager[AdminTestApp]]
"""Runs an app with a database of its own; keyword arguments are its settings."""


def unique_email(name: str) -> str:
    return f"{name}-{secrets.token_hex(6)}@parley.test"
