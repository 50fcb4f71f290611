"""Wire push notifications together: repositories, services, workers, endpoints."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING

from parley.common.http.ssrf_guard import SsrfGuard
from parley.common.messaging import BrokerConnection, RpcClient
from parley.common.mongodb import Mongo
from parley.common.observability.logging import get_logger
from parley.common.runtime.clock import utc_now
from parley.common.runtime.service import Component
from parley.common.runtime.tasks import PeriodicTask
from parley.notify.clients.chat import CachedChatSites, ChatLogins
from parley.notify.clients.web_push import WebPushClient
from parley.notify.push.consumers import access_consumer
from parley.notify.push.cursor_repository import MongoCursorRepository
from parley.notify.push.delivery_repository import MongoDeliveryRepository
from parley.notify.push.delivery_service import PushDeliveryService
from parley.notify.push.devices import OperatorDevices
from parley.notify.push.handlers import PushDeviceHandlers, PushSubscriptionHandlers, PushTokenHandlers
from parley.notify.push.partitioned_planner import PartitionedPlanner
from parley.notify.push.planner import PushPlanner
from parley.notify.push.privacy_service import PushPrivacyService
from parley.notify.push.provider_selection import PushProviders
from parley.notify.push.routes import push_routes
from parley.notify.push.seen_repository import MongoSeenRepository
from parley.notify.push.seen_tracker import SeenTracker
from parley.notify.push.self_test import PushSelfTest
from parley.notify.push.subscription_service import PushSubscriptionService
from parley.notify.push.token_repository import MongoPushTokenRepository
from parley.notify.push.token_service import PushTokenService
from parley.notify.push.workers import PushSender
from parley.notify.settings import NotifySettings
from parley.notify.streaming.event_log import EventLog
from parley.notify.streaming.module import StreamingModule
from parley.notify.timeouts import PUSH_BACKLOG_INTERVAL_SECONDS, SEEN_FLUSH_INTERVAL_SECONDS

if TYPE_CHECKING:
    from parley.notify.clients.fcm import FcmClient

log = get_logger(__name__)


class PushModule:
    """Push notifications. Without a provider only the endpoints, erasure and export of personal data work.

    Raises ValueError for a service account key that cannot be used.
    """

    def __init__(
        self,
        settings: NotifySettings,
        mongo: Mongo,
        broker: BrokerConnection,
        streaming: StreamingModule,
        chat: RpcClient,
    ) -> None:
        self._settings = settings
        fcm = _create_fcm(settings)
        guard = SsrfGuard(settings.push_private_hosts)
        vapid = settings.vapid_key
        web_push = WebPushClient(vapid, guard) if vapid is not None else None
        providers = PushProviders(fcm, web_push)
        self._tokens = MongoPushTokenRepository(mongo, providers.kinds)
        self._deliveries = MongoDeliveryRepository(mongo, utc_now)
        self._rpc = chat
        self._devices = OperatorDevices(self._tokens, ChatLogins(self._rpc))
        self.components: tuple[Component, ...] = ()
        if providers.kinds:
            self._enable(providers, mongo, broker, streaming)
            self.components += tuple(client for client in (fcm, web_push) if client is not None)
        else:
            log.info("push_is_off", reason="neither PARLEY_FCM_CREDENTIALS nor PARLEY_VAPID_PRIVATE_KEY is set")
        subscriptions = PushSubscriptionService(
            self._tokens,
            guard.find_rejection,
            utc_now,
            public_key=vapid.public_key if vapid is not None else None,
        )
        self.routes = push_routes(
            PushTokenHandlers(PushTokenService(self._tokens, utc_now)),
            PushSubscriptionHandlers(subscriptions),
            PushDeviceHandlers(PushSelfTest(self._tokens, self._devices, providers, utc_now)),
        )
        self.privacy = PushPrivacyService(self._deliveries)
        broker.add(access_consumer(self._devices), start_condition=mongo.schema_ready)
        # Without any provider no operator can get a push, whatever devices they registered.
        self.reachable = self._tokens.filter_with_tokens if providers.kinds else _nobody

    def _enable(
        self, providers: PushProviders, mongo: Mongo, broker: BrokerConnection, streaming: StreamingModule
    ) -> None:
        event_log = streaming.log
        sites = self._add_sites(broker, event_log)
        seen = MongoSeenRepository(mongo, utc_now)
        seen_tracker = SeenTracker(seen, self._tokens)
        max_age = timedelta(seconds=self._settings.push_give_up_seconds)
        holder = secrets.token_hex(8)
        cursors = MongoCursorRepository(mongo, utc_now, event_log.partitions)

        def create_planner(partition: int) -> PushPlanner:
            return PushPlanner(
                partition,
                holder,
                cursors,
                self._deliveries,
                self._tokens,
                sites.operators,
                sites.options,
                utc_now,
                read_to=lambda: event_log.read_to(partition),
                delay=timedelta(seconds=self._settings.push_delay_seconds),
                max_age=max_age,
            )

        planner = PartitionedPlanner(holder, cursors, event_log, create_planner)
        deliveries = PushDeliveryService(
            self._deliveries,
            seen,
            self._tokens,
            self._devices,
            sites.operators,
            sites.options,
            providers,
            utc_now,
            preview=self._settings.push_preview,
            max_age=max_age,
        )
        streaming.hub.on_delivered = seen_tracker.record
        event_log.create_subscribers = lambda partition: (sites, planner.planner_for(partition))
        event_log.on_closed = planner.remove_partition
        self.components = (
            sites,
            PeriodicTask(SEEN_FLUSH_INTERVAL_SECONDS, seen_tracker.flush, "seen-tracker"),
            planner,
            PushSender(deliveries),
            PeriodicTask(PUSH_BACKLOG_INTERVAL_SECONDS, deliveries.report_backlog, "push-backlog"),
        )

    def _add_sites(self, broker: BrokerConnection, event_log: EventLog) -> CachedChatSites:
        sites = CachedChatSites(self._rpc, is_connected=lambda: event_log.running and site_changes.running)
        site_changes = sites.subscriber()
        broker.add(site_changes)
        return sites


async def _nobody(_: Iterable[int]) -> set[int]:
    return set()


def _create_fcm(settings: NotifySettings) -> FcmClient | None:
    service_account = settings.fcm_service_account
    if service_account is None:
        return None
    from parley.notify.clients.fcm import FcmClient  # noqa: PLC0415 - its libraries are slow to import

    return FcmClient(service_account, settings.fcm_url)
