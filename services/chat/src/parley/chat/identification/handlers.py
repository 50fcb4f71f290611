"""HTTP handlers of identification and of a site's identity secrets."""

from __future__ import annotations

from dataclasses import dataclass

from parley.chat.identification.schemas import (
    CreatedIdentitySecretResponse,
    CreateIdentitySecretBody,
    IdentifyBody,
    IdentifyResponse,
    IdentitySecretListResponse,
    serialize_identification,
    serialize_secret,
)
from parley.chat.identification.secrets_service import IdentitySecretService
from parley.chat.identification.service import IdentificationService
from parley.chat.identification.session_ends import SessionEnds
from parley.chat.schemas import OkResponse
from parley.chat.widget.schemas import WidgetBody
from parley.common.auth.identity import OperatorCaller, VisitorCaller
from parley.common.http import RequestContext


@dataclass(frozen=True, slots=True)
class IdentificationHandlers:
    identification: IdentificationService
    session_ends: SessionEnds

    async def identify(self, context: RequestContext[VisitorCaller, IdentifyBody, None]) -> IdentifyResponse:
        return serialize_identification(await self.identification.identify(context.caller, context.body.token))

    async def end_session(self, context: RequestContext[VisitorCaller, WidgetBody, None]) -> OkResponse:
        await self.session_ends.end(context.caller)
        return OkResponse()


@dataclass(frozen=True, slots=True)
class IdentitySecretHandlers:
    secrets: IdentitySecretService

    async def list_secrets(self, context: RequestContext[OperatorCaller, None, None]) -> IdentitySecretListResponse:
        secrets = await self.secrets.list_secrets(context.caller, context.path["site_id"])
        return IdentitySecretListResponse(identity_secrets=[serialize_secret(secret) for secret in secrets])

    async def create(
        self, context: RequestContext[OperatorCaller, CreateIdentitySecretBody, None]
    ) -> CreatedIdentitySecretResponse:
        secret, text = await self.secrets.create(context.caller, context.path["site_id"], context.body.name)
        return CreatedIdentitySecretResponse(identity_secret=serialize_secret(secret), secret=text)

    async def revoke(self, context: RequestContext[OperatorCaller, None, None]) -> OkResponse:
        await self.secrets.revoke(context.caller, context.path["site_id"], context.path["secret_id"])
        return OkResponse()
