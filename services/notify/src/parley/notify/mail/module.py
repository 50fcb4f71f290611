"""Wire mail together: the queue of requests, and the sender where mail is on."""

from __future__ import annotations

from parley.common.messaging import BrokerConnection, RpcClient
from parley.common.mongodb import Mongo
from parley.common.observability.logging import get_logger
from parley.common.runtime.clock import utc_now
from parley.common.runtime.service import Component
from parley.common.runtime.tasks import PeriodicTask
from parley.notify.clients.chat_mails import ChatMailContents
from parley.notify.mail.consumers import mail_consumer
from parley.notify.mail.delivery_repository import MongoMailDeliveryRepository
from parley.notify.mail.privacy_service import MailPrivacyService
from parley.notify.mail.sender import MailSender
from parley.notify.mail.service import MailService
from parley.notify.settings import NotifySettings
from parley.notify.timeouts import MAIL_WAITING_INTERVAL_SECONDS

log = get_logger(__name__)


class MailModule:
    """Mail. Without a mail server only erasure and export of personal data work, and requests wait."""

    def __init__(self, settings: NotifySettings, mongo: Mongo, broker: BrokerConnection, chat: RpcClient) -> None:
        deliveries = MongoMailDeliveryRepository(mongo)
        broker.add(mail_consumer(deliveries), start_condition=mongo.schema_ready)
        self.privacy = MailPrivacyService(deliveries)
        self.components: tuple[Component, ...] = ()
        account = settings.smtp_account
        if account is None:
            log.info("mail_is_off", reason="PARLEY_SMTP_HOST is not set")
            return
        from parley.notify.clients.smtp import SmtpClient  # noqa: PLC0415 - its library is not needed without mail

        mails = MailService(deliveries, ChatMailContents(chat), SmtpClient(account), utc_now)
        self.components = (
            MailSender(mails),
            PeriodicTask(MAIL_WAITING_INTERVAL_SECONDS, mails.report_waiting, "mail-waiting"),
        )
