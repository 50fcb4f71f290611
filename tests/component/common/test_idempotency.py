"""Requests with an Idempotency-Key while the database that stores their responses fails."""

from __future__ import annotations

import secrets
from typing import Any

from aiohttp.test_utils import TestClient, TestServer
from pydantic import BaseModel

from parley.common.auth.identity import IDENTITY_HEADER, IdentitySigner, VisitorCaller
from parley.common.http import CallerType, Route, build_app
from parley.common.http.idempotency import StoredResponse


class Done(BaseModel):
    success: bool = True


class FailingStore:
    """Claims keys; its database is gone when a response is to be stored."""

    async def begin(self, _scope: str, _fingerprint: str) -> StoredResponse | None:
        return None

    async def renew(self, scope: str) -> None: ...

    async def finish(self, _scope: str, _response: StoredResponse) -> None:
        raise OSError("the database is gone")

    async def abandon(self, scope: str) -> None: ...


async def test_a_request_that_was_carried_out_succeeds_though_its_response_is_not_stored() -> None:
    """T8: an error would make the client send it again, with a second effect."""

    async def do(_context: Any) -> BaseModel:
        return Done()

    signer = IdentitySigner(secrets.token_hex(32))
    route = Route("POST", "/note", do, CallerType.VISITOR, Done, "Does something")
    app = build_app([route], signer=signer, idempotency=FailingStore())
    headers = {IDENTITY_HEADER: signer.sign(VisitorCaller(1, 1, "sess_1")), "Idempotency-Key": "k"}
    async with TestClient(TestServer(app)) as client, client.post("/note", headers=headers) as response:
        assert (response.status, await response.json()) == (200, {"success": True})
