"""Endpoints of knowledge sources and their documents."""

from __future__ import annotations

from dataclasses import dataclass

from parley.chat.files.multipart import open_file
from parley.chat.knowledge_sources.schemas import (
    ApprovedResponse,
    DocumentBody,
    DocumentChangesResponse,
    DocumentsQuery,
    KnowledgeDocumentResponse,
    KnowledgeDocumentsResponse,
    KnowledgeSourceResponse,
    KnowledgeSourcesResponse,
    SourceBody,
    SourceChangeBody,
    to_change_schema,
    to_document_schema,
    to_source_schema,
)
from parley.chat.knowledge_sources.service import SourceService
from parley.chat.paging.schemas import PageQuery, decode_id, encode_id
from parley.chat.schemas import OkResponse
from parley.common.auth.identity import OperatorCaller
from parley.common.http import RequestContext

Context = RequestContext[OperatorCaller, None, None]


@dataclass(frozen=True, slots=True)
class SourceHandlers:
    service: SourceService

    async def list_page(self, context: RequestContext[OperatorCaller, None, PageQuery]) -> KnowledgeSourcesResponse:
        limit, after = context.query.limit, decode_id(context.query.cursor)
        sources = await self.service.list_page(context.caller, context.path["site_id"], after, limit)
        return KnowledgeSourcesResponse(
            sources=[to_source_schema(*one) for one in sources[:limit]],
            next_cursor=encode_id([source.id for source, _ in sources], limit),
        )

    async def create(self, context: RequestContext[OperatorCaller, SourceBody, None]) -> KnowledgeSourceResponse:
        body = context.body
        created = await self.service.create(context.caller, context.path["site_id"], body.kind, body.to_options())
        return KnowledgeSourceResponse(source=to_source_schema(*created))

    async def get(self, context: Context) -> KnowledgeSourceResponse:
        return KnowledgeSourceResponse(source=to_source_schema(*await self.service.get(context.caller, *_ids(context))))

    async def update(self, context: RequestContext[OperatorCaller, SourceChangeBody, None]) -> KnowledgeSourceResponse:
        path = context.path
        updated = await self.service.update(
            context.caller, path["site_id"], path["source_id"], context.body.to_fields()
        )
        return KnowledgeSourceResponse(source=to_source_schema(*updated))

    async def delete(self, context: Context) -> OkResponse:
        await self.service.delete(context.caller, *_ids(context))
        return OkResponse()

    async def sync(self, context: Context) -> KnowledgeSourceResponse:
        synced = await self.service.sync(context.caller, *_ids(context))
        return KnowledgeSourceResponse(source=to_source_schema(*synced))

    async def approve_all(self, context: Context) -> ApprovedResponse:
        return ApprovedResponse(approved=await self.service.approve(context.caller, *_ids(context)))

    async def upload(self, context: Context) -> KnowledgeDocumentResponse:
        incoming = await open_file(context.request)
        document = await self.service.upload(context.caller, *_ids(context), incoming.name, incoming.read_chunks())
        return KnowledgeDocumentResponse(document=to_document_schema(document))

    async def list_documents(
        self, context: RequestContext[OperatorCaller, None, DocumentsQuery]
    ) -> KnowledgeDocumentsResponse:
        path, query = context.path, context.query
        documents = await self.service.list_documents(
            context.caller,
            path["site_id"],
            path["source_id"],
            query.status,
            query.pending,
            decode_id(query.cursor),
            query.limit,
        )
        return KnowledgeDocumentsResponse(
            documents=[to_document_schema(document) for document in documents[: query.limit]],
            next_cursor=encode_id([document.id for document in documents], query.limit),
        )

    async def update_document(
        self, context: RequestContext[OperatorCaller, DocumentBody, None]
    ) -> KnowledgeDocumentResponse:
        path = context.path
        document = await self.service.set_enabled(
            context.caller, path["site_id"], path["source_id"], path["document_id"], context.body.enabled
        )
        return KnowledgeDocumentResponse(document=to_document_schema(document))

    async def delete_document(self, context: Context) -> OkResponse:
        await self.service.delete_document(context.caller, *_ids(context), context.path["document_id"])
        return OkResponse()

    async def get_changes(self, context: Context) -> DocumentChangesResponse:
        changes = await self.service.get_changes(context.caller, *_ids(context), context.path["document_id"])
        return DocumentChangesResponse(changes=[to_change_schema(change) for change in changes])

    async def approve(self, context: Context) -> ApprovedResponse:
        document_id = context.path["document_id"]
        return ApprovedResponse(approved=await self.service.approve(context.caller, *_ids(context), document_id))

    async def reject(self, context: Context) -> KnowledgeDocumentResponse:
        document = await self.service.reject(context.caller, *_ids(context), context.path["document_id"])
        return KnowledgeDocumentResponse(document=to_document_schema(document))


def _ids(context: Context) -> tuple[int, int]:
    return context.path["site_id"], context.path["source_id"]
