"""The OpenAPI document that the gateway serves, and validation of responses against it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from jsonschema import Draft202012Validator

from support.api import ApiClient, ApiResponse

Operation = tuple[str, str]
"""Method and path template."""


@dataclass(slots=True)
class OpenApiDocument:
    """The document; `observed_statuses` are the statuses that were validated, by operation."""

    content: dict[str, Any]
    observed_statuses: dict[Operation, set[int]] = field(default_factory=dict)

    @classmethod
    async def fetch(cls, api: ApiClient) -> OpenApiDocument:
        return cls((await api.request("GET", "/api/v1/openapi.json")).ok())

    @property
    def operations(self) -> list[Operation]:
        return [
            (method.upper(), path)
            for path, item in self.content["paths"].items()
            for method in item
            if method in ("get", "post", "put", "patch", "delete")
        ]

    def operation(self, method: str, path: str) -> dict[str, Any]:
        operation: dict[str, Any] = self.content["paths"][path][method.lower()]
        return operation

    def template(self, path: str) -> str:
        """Return the path template that matches a path."""
        for known in self.content["paths"]:
            if re.fullmatch(re.sub(r"{\w+}", "[0-9]+", known), path):
                return str(known)
        raise AssertionError(f"the document has no path for {path}")

    def check(self, method: str, path: str, reply: ApiResponse) -> None:
        """Check that the document describes a response: its status, media type and body."""
        template = self.template(path.partition("?")[0])
        responses = self.operation(method, template)["responses"]
        where = f"{method} {template} → {reply.status}"
        assert str(reply.status) in responses, f"{where} is not described"
        media = reply.headers["Content-Type"].partition(";")[0]
        described = responses[str(reply.status)]["content"]
        assert media in described, f"{where} has media type {media}, described is {list(described)}"
        if media == "application/json":
            self.validate(described[media]["schema"], json.loads(reply.raw), where)
        assert any(name.lower() == "x-request-id" for name in reply.headers), where
        self.observed_statuses.setdefault((method, template), set()).add(reply.status)

    def validate(self, schema: dict[str, Any], value: Any, where: str) -> None:
        validator = Draft202012Validator({**schema, "components": self.content["components"]})
        errors = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]
        assert not errors, f"{where}: {errors}"
