"""The OpenAPI document as the gateway serves it, and answers held against it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from jsonschema import Draft202012Validator

from support.api import Api, Reply

Operation = tuple[str, str]
"""Method and path template."""


@dataclass(slots=True)
class Document:
    """The document; `seen` are the statuses that were met, by operation."""

    content: dict[str, Any]
    seen: dict[Operation, set[int]] = field(default_factory=dict)

    @classmethod
    async def of(cls, api: Api) -> Document:
        return cls((await api.call("GET", "/api/v1/openapi.json")).ok())

    @property
    def operations(self) -> list[Operation]:
        return [
            (method.upper(), path)
            for path, item in self.content["paths"].items()
            for method in item
            if method in ("get", "post", "put", "patch", "delete")
        ]

    def operation(self, method: str, path: str) -> dict[str, Any]:
        found: dict[str, Any] = self.content["paths"][path][method.lower()]
        return found

    def template(self, path: str) -> str:
        """The path in the document that a real path is an instance of."""
        for known in self.content["paths"]:
            if re.fullmatch(re.sub(r"{\w+}", "[0-9]+", known), path):
                return str(known)
        raise AssertionError(f"the document has no path for {path}")

    def check(self, method: str, path: str, reply: Reply) -> None:
        """An answer is one that the document describes: its status, its media type, its body."""
        template = self.template(path.partition("?")[0])
        answers = self.operation(method, template)["responses"]
        where = f"{method} {template} → {reply.status}"
        assert str(reply.status) in answers, f"{where} is not described"
        media = reply.headers["Content-Type"].partition(";")[0]
        described = answers[str(reply.status)]["content"]
        assert media in described, f"{where} came as {media}, described is {list(described)}"
        if media == "application/json":
            self.validate(described[media]["schema"], json.loads(reply.raw), where)
        assert any(name.lower() == "x-request-id" for name in reply.headers), where
        self.seen.setdefault((method, template), set()).add(reply.status)

    def validate(self, schema: dict[str, Any], value: Any, where: str) -> None:
        validator = Draft202012Validator({**schema, "components": self.content["components"]})
        faults = [f"{fault.json_path}: {fault.message}" for fault in validator.iter_errors(value)]
        assert not faults, f"{where}: {faults}"
