"""Wiring of triggers: what their managers and their visitors share."""

from __future__ import annotations

from parley.chat.mongo_ids import BlockIdGenerator
from parley.chat.sites.service import SiteService
from parley.chat.triggers.previews import PreviewTokens
from parley.chat.triggers.repository import MongoShownTriggers
from parley.chat.triggers.service import TriggerService
from parley.common.mongodb import Mongo
from parley.common.runtime.clock import Clock


class TriggerModule:
    def __init__(self, mongo: Mongo, sites: SiteService, secret: str, clock: Clock) -> None:
        """`secret`: of the installation."""
        self.shown = MongoShownTriggers(mongo)
        self.previews = PreviewTokens(secret)
        self.service = TriggerService(sites, self.shown, self.previews, BlockIdGenerator(mongo, "trigger").next, clock)
