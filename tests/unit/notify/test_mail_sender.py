"""The sender of mails while its database is away."""

from __future__ import annotations

from typing import Any, cast

import pytest
from pymongo.errors import ServerSelectionTimeoutError

from parley.common.observability import metrics
from parley.common.runtime.clock import utc_now
from parley.notify.mail import sender
from parley.notify.mail.ports import MailContentReader, MailDeliveryRepository, MailServer
from parley.notify.mail.sender import MailSender
from parley.notify.mail.service import MailService
from support.wait import wait_until


class DeliveriesAway:
    """A repository whose database does not answer."""

    def __init__(self) -> None:
        self.claims = 0

    async def claim_due(self, _now: Any) -> None:
        self.claims += 1
        raise ServerSelectionTimeoutError("no primary")


async def test_a_database_that_is_away_is_asked_again_soon_and_is_no_failure_of_the_sender(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After an outage, mails are sent within seconds, however long it was."""
    monkeypatch.setattr(sender, "SENDER_INITIAL_RETRY_SECONDS", 0.001)
    monkeypatch.setattr(sender, "SENDER_MAX_RETRY_SECONDS", 0.002)
    away = DeliveriesAway()
    service = MailService(
        cast("MailDeliveryRepository", away), cast("MailContentReader", None), cast("MailServer", None), utc_now
    )
    mails = MailSender(service)
    await mails.start()
    await wait_until(lambda: away.claims >= 100)
    await mails.stop()
    assert 'task="mail-sender"' not in metrics.render()[0].decode()
