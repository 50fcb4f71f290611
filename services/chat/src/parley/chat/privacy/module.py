"""Wiring of export and erasure, for the service and for the command line."""

from __future__ import annotations

from collections.abc import Mapping

from parley.chat.admin_module import AdminModule
from parley.chat.answer_tests.personal_data import AnswerTestData
from parley.chat.corrections.personal_data import CorrectionData
from parley.chat.corrections.repository import MongoCorrectionRepository
from parley.chat.knowledge_gaps.personal_data import GapData
from parley.chat.knowledge_gaps.repository import MongoGapRepository
from parley.chat.messages.repository import MongoMessageRepository
from parley.chat.mongo_ids import BlockIdGenerator
from parley.chat.privacy.ports import StoredContent
from parley.chat.privacy.remote_data_sources import RpcDataSources
from parley.chat.privacy.repository import MongoPersonalDataRepository
from parley.chat.privacy.service import PersonalDataService
from parley.chat.settings import ChatSettings
from parley.chat.transcripts.personal_data import TranscriptRequestData
from parley.chat.visitors.repository import MongoVisitorRepository
from parley.common.messaging import RpcClient
from parley.common.mongodb import Mongo, Outbox
from parley.common.runtime.clock import utc_now

DATA_SERVICES = ("presence", "translate", "notify")
"""The other services that store data of visitors."""


def build_personal_data_service(
    settings: ChatSettings,
    mongo: Mongo,
    outbox: Outbox,
    admin: AdminModule,
    content: StoredContent,
    rpc_clients: Mapping[str, RpcClient],
) -> PersonalDataService:
    """`rpc_clients` has a client for each of DATA_SERVICES."""
    derived = (
        AnswerTestData(mongo),
        TranscriptRequestData(mongo),
        GapData(MongoGapRepository(mongo)),
        CorrectionData(MongoCorrectionRepository(mongo)),
    )
    messages, visitors = MongoMessageRepository(mongo), MongoVisitorRepository(mongo)
    return PersonalDataService(
        MongoPersonalDataRepository(mongo, outbox, messages, visitors, settings.image_base, derived),
        content,
        RpcDataSources({name: rpc_clients[name] for name in DATA_SERVICES}),
        admin.site_directory,
        admin.audit,
        utc_now,
        BlockIdGenerator(mongo, "erasure").next,
    )
