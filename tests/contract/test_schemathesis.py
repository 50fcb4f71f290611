"""Schemathesis calls the API by its own document, with sense and with nonsense, and finds nothing."""

from __future__ import annotations

import asyncio
import os
import random
from typing import Any

import hypothesis
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from support.api import ApiClient
from support.authorization_matrix import TenantResources
from support.openapi_document import OpenApiDocument
from support.tenants import TenantFixture

SECONDS = 30.0
"""After which every operation left is called only a little: a bounded run."""

EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "4"))
"""Calls of each operation, in each of two ways: as the document asks for, and against it."""

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]

ENDLESS = {("GET", "/api/v1/operator/stream"), ("GET", "/api/v1/chat/events")}
"""Streams, which end only with their reader."""

KEEP = {
    ("DELETE", "/api/v1/sites/{site_id}"),
    ("POST", "/api/v1/sites/{site_id}/rotate-key"),
    ("POST", "/api/v1/auth/change-password"),
}
"""What would end the tenant that the others are called in: called, but with ids of nothing."""


class Caller:
    """Gives generated calls a good credential, and half of them the names of real things."""

    def __init__(self, tenant: TenantFixture, target: TenantResources) -> None:
        visitor = tenant.new_visitor()
        self._headers = {"Authorization": f"Bearer {tenant.owner.token}"}
        self._mark = visitor.credentials
        self._target = target
        self._http = requests.Session()
        self._base = tenant.api.base_url
        self._random = random.Random(7)

    def call(self, case: Any, operation: tuple[str, str]) -> None:
        if "/chat/" in operation[1]:
            self._as_visitor(case)
        elif operation not in KEEP and self._random.random() < 0.5:
            self._name_real_things(case)
        headers = self._headers if "/chat/" not in operation[1] else {}
        response = case.call(base_url=self._base, headers=headers, session=self._http, timeout=20)
        case.validate_response(response, checks=CHECKS)

    def _as_visitor(self, case: Any) -> None:
        if case.method == "GET":
            case.query = {**dict(case.query or {}), **self._mark}
        elif isinstance(case.body, dict):
            case.body = {**case.body, **self._mark}

    def _name_real_things(self, case: Any) -> None:
        names = {
            "id": self._target.operator_id if "/team/" in case.path else self._target.conversation_id,
            "site_id": self._target.site_id,
            "entry_id": self._target.entry_id,
            "operator_id": self._target.operator_id,
            "conversation_id": self._target.conversation_id,
            "session_id": self._target.session_id,
        }
        for part in (case.path_parameters, case.query, case.body):
            if isinstance(part, dict):
                part.update({name: value for name, value in names.items() if name in part})


@pytest.fixture(scope="module")
async def caller(stack: Any, api: ApiClient, mongodb_uri: str) -> Caller:
    tenant = await TenantFixture.create(api, stack, mongodb_uri)
    return Caller(tenant, await TenantResources.create(tenant))


# Drivers of other fixtures draw from the same generator on the loop's thread while a case is drawn on this one's.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module:hypothesis.errors.HypothesisDeprecationWarning")
@pytest.mark.timeout(SECONDS * EXAMPLES)
async def test_schemathesis_finds_nothing(api: ApiClient, caller: Caller) -> None:
    document = await OpenApiDocument.fetch(api)
    schema = schemathesis.openapi.from_dict(document.content)
    found: dict[str, str] = {}
    called: set[tuple[str, str]] = set()
    started = asyncio.get_running_loop().time()
    for one in schema.get_all_operations():
        operation = one.ok()  # type: ignore[union-attr]  # It raises what is wrong with the document.
        name = (operation.method.upper(), operation.path)
        if name in ENDLESS:
            continue
        in_time = asyncio.get_running_loop().time() - started < SECONDS * EXAMPLES / 4
        problem = await asyncio.to_thread(_run, operation, name, caller, EXAMPLES if in_time else 1)
        called.add(name)
        if problem:
            found[" ".join(name)] = problem
    assert not found, "\n\n".join(f"{name}: {problem}" for name, problem in found.items())
    assert called == set(document.operations) - ENDLESS


def _run(operation: APIOperation[Any, Any, Any, Any], name: tuple[str, str], caller: Caller, examples: int) -> str:
    problems = []
    for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE):

        @hypothesis.seed(20)
        @hypothesis.settings(
            max_examples=examples,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
        def attempt(case: Any) -> None:
            caller.call(case, name)

        try:
            attempt()
        except hypothesis.errors.Unsatisfiable:
            continue  # Nothing can be sent there that its schema forbids.
        except FailureGroup as exc:
            problems.append("\n".join(str(one) for one in exc.exceptions))
    return "\n".join(problems)
