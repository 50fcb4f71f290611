"""The event registry: every event declares its audience, and visitors see only allowed fields."""

from __future__ import annotations

import importlib
import json
import pkgutil
from itertools import count
from typing import Any

import pytest

from parley.common import events
from parley.common.events import (
    REGISTRY,
    Actor,
    Audience,
    Event,
    EventData,
    UnknownEvent,
    envelope,
    is_visible_to_visitor,
    new_event,
    parse_event,
    redact_for_visitor,
    routing_key,
)

ALL = sorted(REGISTRY)


@pytest.mark.parametrize("name", [module.name for module in pkgutil.iter_modules(events.__path__)])
def test_every_module_that_defines_events_fills_the_registry(name: str) -> None:
    """A service that imports the envelope knows all events, also those of modules that it does not use itself."""
    module = importlib.import_module(f"{events.__name__}.{name}")
    if any(definition.__module__ == module.__name__ for definition in REGISTRY.values()):
        assert vars(envelope).get(name) is module, f"envelope.py must import {name}"


VISITOR_EVENTS = {
    "message.created",
    "message.translated",
    "message.read",
    "conversation.created",
    "conversation.pending",
    "conversation.accepted",
    "conversation.transferred",
    "conversation.released",
    "conversation.closed",
    "conversation.reopened",
    "conversation.joined",
    "queue.changed",
    "typing",
}
"""Events that visitors receive. An addition here discloses something new to visitors."""

VISITOR_SCHEMAS = {
    "ConfirmationSchema",
    "FileSchema",
    "MessageSource",
    "OperatorRef",
    "MessageTranslation",
    "QuickReply",
}
"""Schemas that visitors may see: names of operators, and translated text."""

FORBIDDEN_FIELDS = {
    "note",
    "notes",
    "conversation",
    "visitor",
    "email",
    "phone",
    "info",
    "history",
    "comment",
    "by_address",
}


def sample_data(kind: type[EventData]) -> EventData:
    """Build data with a value in every field; each text is unique."""
    schema = kind.model_json_schema()
    numbers = count(1)
    return kind.model_validate(_value(schema, schema.get("$defs", {}), numbers))


def _value(schema: dict[str, Any], shapes: dict[str, Any], numbers: count[int]) -> Any:
    if "$ref" in schema:
        return _value(shapes[schema["$ref"].rsplit("/", 1)[1]], shapes, numbers)
    for combinator in ("anyOf", "oneOf", "allOf"):
        if combinator in schema:
            return _value(schema[combinator][0], shapes, numbers)
    if "const" in schema or "enum" in schema:
        return schema.get("const", schema.get("enum", [None])[-1])
    match schema.get("type"):
        case "object" if "properties" in schema:
            return {name: _value(part, shapes, numbers) for name, part in schema["properties"].items()}
        case "object":
            return {"key": f"canary-{next(numbers)}-"}
        case "array":
            return [_value(schema["items"], shapes, numbers)]
        case "integer" | "number":
            return next(numbers)
        case "boolean":
            return True
        case _:
            moment = schema.get("format") == "date-time"
            return "2026-01-02T03:04:05.678Z" if moment else f"canary-{next(numbers)}-"


def sample_event(kind: str) -> Event:
    return new_event(
        sample_data(REGISTRY[kind]),
        tenant_id=3,
        site_id=7,
        conversation_id=50,
        session="sess_" + "0" * 32,
        actor=Actor(kind="operator", id=2, name="Alex"),
        routing_tag="some.hint",
    )


@pytest.mark.parametrize("kind", ALL)
def test_every_event_declares_its_audience(kind: str) -> None:
    definition = REGISTRY[kind]
    assert definition.type == kind
    assert definition.audience in Audience
    assert (definition.audience is Audience.OPERATORS_AND_VISITOR) == (kind in VISITOR_EVENTS)
    assert definition.__doc__, "and is documented"
    assert definition.ephemeral == (kind in ("typing", "queue.changed", "conversation.viewers"))


@pytest.mark.parametrize("kind", ALL)
def test_an_event_survives_serialization(kind: str) -> None:
    event = sample_event(kind)
    serialized = json.loads(json.dumps(event.to_document()))
    # The event log stores milliseconds.
    sent = event.model_copy(
        update={"occurred_at": event.occurred_at.replace(microsecond=event.occurred_at.microsecond // 1000 * 1000)}
    )
    received = parse_event(serialized)
    assert received == sent
    assert received.parse_data(REGISTRY[kind]) == sample_data(REGISTRY[kind])
    assert routing_key(received) == f"site.7.{kind}.some.hint"


@pytest.mark.parametrize("kind", ALL)
def test_unknown_fields_of_newer_versions_are_ignored(kind: str) -> None:
    document = sample_event(kind).to_document()
    document["data"]["from_the_future"] = 1
    assert parse_event({**document, "from_the_future": 1}).type == kind


@pytest.mark.parametrize("kind", ALL)
def test_visitors_see_only_the_declared_fields(kind: str) -> None:
    """A18: what a visitor receives of an event contains only the declared fields, and no forbidden one."""
    definition, event = REGISTRY[kind], sample_event(kind)
    if definition.audience is not Audience.OPERATORS_AND_VISITOR:
        assert not is_visible_to_visitor(event)
        with pytest.raises(UnknownEvent):
            redact_for_visitor(kind, event.data)
        return
    assert is_visible_to_visitor(event)
    view = redact_for_visitor(kind, event.data)
    shown = definition.visitor_fields
    assert shown is not None
    assert set(view) == shown <= set(definition.model_fields)
    assert not shown & FORBIDDEN_FIELDS
    hidden = {name: value for name, value in event.data.items() if name not in shown}
    canaries = {word for word in json.dumps(hidden).split('"') if word.startswith("canary-")}
    assert not [canary for canary in canaries if canary in json.dumps(view)]
    schema = definition.model_json_schema()
    for name in shown:
        references = {word for word in json.dumps(schema["properties"][name]).split('"') if word.startswith("#/$defs/")}
        assert {reference.rsplit("/", 1)[1] for reference in references} <= VISITOR_SCHEMAS, name


def test_unknown_events_cannot_be_read() -> None:
    document = sample_event("message.created").to_document()
    with pytest.raises(UnknownEvent):
        parse_event({**document, "type": "message.invented"})
    with pytest.raises(UnknownEvent):
        parse_event({**document, "data": {"content": 1}})
    with pytest.raises(UnknownEvent):
        parse_event({name: value for name, value in document.items() if name != "tenant_id"})


def test_an_event_for_visitors_must_declare_their_fields() -> None:
    with pytest.raises(TypeError):

        class Careless(EventData, type="careless.created", audience=Audience.OPERATORS_AND_VISITOR):
            secret: str

    assert "careless.created" not in REGISTRY
    with pytest.raises(TypeError):

        class Twice(EventData, type="message.created", audience=Audience.OPERATORS):
            pass


def test_a_tenants_event_is_routed_by_tenant() -> None:
    data = sample_data(REGISTRY["operator.access_changed"])
    assert routing_key(new_event(data, tenant_id=3, site_id=0)) == "tenant.3.operator.access_changed"
