"""Schemathesis calls every operation of the OpenAPI document with valid and invalid input, and finds no failure.

It is imported where it is used: every worker imports this file, and one runs the test.
"""

from __future__ import annotations

import asyncio
import base64
import os
import random
from typing import TYPE_CHECKING, Any

import pytest
import requests

from support.api import ApiClient
from support.authorization_matrix import TenantResources
from support.openapi_document import OpenApiDocument
from support.tenants import TenantFixture

if TYPE_CHECKING:
    from schemathesis.schemas import APIOperation

SECONDS = 30.0
"""After which every operation left is called only a little: a bounded run."""

EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "4"))
"""Calls of each operation in each of two modes: valid and invalid input."""

STREAMS = {("GET", "/api/v1/operator/stream"), ("GET", "/api/v1/chat/events")}
"""Streams, which do not end by themselves."""

DESTRUCTIVE = {
    ("DELETE", "/api/v1/sites/{site_id}"),
    ("POST", "/api/v1/sites/{site_id}/rotate-key"),
    ("POST", "/api/v1/auth/change-password"),
    ("POST", "/api/v1/auth/logout-all"),
}
"""Operations that would break the tenant for the others: called with unknown ids only."""


CURSORS = [
    base64.urlsafe_b64encode(position.encode()).decode().rstrip("=")
    for position in ("[]", f"[{2**63}]", f"[0, {2**64 - 1}]", f'[{10**60}, "a"]', '[0, "\\u0000"]', "[1e308, 1e308]")
]
"""Cursors of no list, which a generator of text does not find."""


class Caller:
    """Adds valid credentials to generated calls, and ids of existing resources to half of them."""

    def __init__(self, tenant: TenantFixture, target: TenantResources) -> None:
        visitor = tenant.new_visitor()
        self._headers = {"Authorization": f"Bearer {tenant.owner.token}"}
        self._visitor = visitor.credentials
        self._target = target
        self._http = requests.Session()
        self._base = tenant.api.base_url
        self._random = random.Random(7)

    def call(self, case: Any, operation: tuple[str, str]) -> None:
        if "/chat/" in operation[1]:
            self._as_visitor(case)
        elif operation not in DESTRUCTIVE and self._random.random() < 0.5:
            self._use_existing_resources(case)
        if isinstance(case.query, dict) and "cursor" in case.query:
            case.query["cursor"] = self._random.choice(CURSORS)
        headers = self._headers if "/chat/" not in operation[1] else {}
        from schemathesis.checks import not_a_server_error
        from schemathesis.specs.openapi.checks import (
            content_type_conformance,
            response_schema_conformance,
            status_code_conformance,
        )

        checks = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
        response = case.call(base_url=self._base, headers=headers, session=self._http, timeout=20)
        case.validate_response(response, checks=checks)

    def _as_visitor(self, case: Any) -> None:
        if case.method == "GET":
            case.query = {**dict(case.query or {}), **self._visitor}
        elif isinstance(case.body, dict):
            case.body = {**case.body, **self._visitor}

    def _use_existing_resources(self, case: Any) -> None:
        names = {
            "id": self._target.operator_id if "/team/" in case.path else self._target.conversation_id,
            "site_id": self._target.site_id,
            "entry_id": self._target.entry_id,
            "secret_id": self._target.secret_id,
            "test_id": self._target.test_id,
            "run_id": self._target.run_id,
            "gap_id": self._target.gap_id,
            "correction_id": self._target.correction_id,
            "trigger_id": self._target.trigger_id,
            "action_id": self._target.action_id,
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


# Database drivers use the same generator in the event loop's thread while a case is generated in this one.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module:hypothesis.errors.HypothesisDeprecationWarning")
@pytest.mark.timeout(SECONDS * EXAMPLES)
async def test_schemathesis_finds_no_failure(api: ApiClient, caller: Caller) -> None:
    import schemathesis

    document = await OpenApiDocument.fetch(api)
    schema = schemathesis.openapi.from_dict(document.content)
    failures: dict[str, str] = {}
    called: set[tuple[str, str]] = set()
    started = asyncio.get_running_loop().time()
    for one in schema.get_all_operations():
        operation = one.ok()  # type: ignore[union-attr]  # It raises errors of the document.
        name = (operation.method.upper(), operation.path)
        if name in STREAMS:
            continue
        in_time = asyncio.get_running_loop().time() - started < SECONDS * EXAMPLES / 4
        failure = await asyncio.to_thread(_run, operation, name, caller, EXAMPLES if in_time else 1)
        called.add(name)
        if failure:
            failures[" ".join(name)] = failure
    assert not failures, "\n\n".join(f"{name}: {failure}" for name, failure in failures.items())
    assert called == set(document.operations) - STREAMS


def _run(operation: APIOperation[Any, Any, Any, Any], name: tuple[str, str], caller: Caller, examples: int) -> str:
    import hypothesis
    import schemathesis
    from hypothesis import HealthCheck, Phase
    from schemathesis.core.failures import FailureGroup

    failures = []
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
            continue  # There is no input that its schema forbids.
        except FailureGroup as exc:
            failures.append("\n".join(str(one) for one in exc.exceptions))
    return "\n".join(failures)
