"""Frames: one event as bytes, which no user content can forge."""

from __future__ import annotations

import json
import re

import pytest

from parley.common.events import Event, UnknownEvent
from parley.common.runtime.clock import utc_now
from parley.notify.streaming.frames import (
    COMMENT,
    control_frame,
    operator_frame,
    retry_frame,
    strip_chunk,
    visitor_frame,
)


def make_event(content: str = "Hello") -> Event:
    return Event(
        id="e1",
        type="message.created",
        tenant_id=1,
        site_id=2,
        conversation_id=3,
        session="sess_1",
        occurred_at=utc_now(),
        request_id="r",
        traceparent="t",
        data={"content": content, "conversation": {"id": 3}},
    )


def is_complete_chunk(frame: bytes) -> bool:
    size, _, rest = frame.partition(b"\r\n")
    return len(rest) == int(size, 16) + 2 and rest.endswith(b"\r\n")


def test_a_frame_is_one_chunk_with_id_type_and_one_line_of_data() -> None:
    frame = operator_frame(make_event(), 7)
    assert is_complete_chunk(frame)
    lines = strip_chunk(frame).decode().split("\n")
    assert lines[0] == "id: 7"
    assert lines[1] == "event: message.created"
    assert lines[3:] == ["", ""]
    data = json.loads(lines[2].removeprefix("data: "))
    assert data["type"] == "message.created"
    assert data["site_id"] == 2
    assert data["conversation_id"] == 3
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", data["at"])
    assert data["data"]["content"] == "Hello"


def test_an_ephemeral_event_has_no_id_line() -> None:
    assert strip_chunk(operator_frame(make_event(), None)).startswith(b"event: ")


@pytest.mark.parametrize("position", [7, None])
@pytest.mark.parametrize("content", ["Hello", "a\nb", "data: x\n\n", "\\n\n", "é\u2028"])
def test_a_visitors_frame_is_the_operators_frame_with_redacted_data(content: str, position: int | None) -> None:
    frame_for_operators = operator_frame(make_event(content), position)
    frame_for_visitor = visitor_frame(frame_for_operators)
    assert is_complete_chunk(frame_for_visitor)
    *operator_lines, operator_data, _, _ = strip_chunk(frame_for_operators).decode().split("\n")
    *visitor_lines, visitor_data, _, _ = strip_chunk(frame_for_visitor).decode().split("\n")
    assert visitor_lines == operator_lines
    expected = json.loads(operator_data.removeprefix("data: ")) | {"data": {"content": content}}
    assert json.loads(visitor_data.removeprefix("data: ")) == expected


def test_an_event_that_visitors_may_not_see_has_no_visitor_frame() -> None:
    note = make_event().model_copy(update={"type": "note.created"})
    with pytest.raises(UnknownEvent):
        visitor_frame(operator_frame(note, 7))


@pytest.mark.parametrize("content", ["a\nb", "a\r\nevent: x\r\n\r\n", "a\rb", "\u2028", "\u2029", "\x85", "\x00"])
def test_content_cannot_end_a_line(content: str) -> None:
    body = strip_chunk(operator_frame(make_event(content), 7)).decode()
    assert len(re.split(r"\r\n|\r|\n", body)) == 5
    assert json.loads(body.split("data: ", 1)[1])["data"]["content"] == content


@pytest.mark.parametrize("frame", [COMMENT, retry_frame(1234), control_frame("ready", -1, {})])
def test_control_frames_are_complete_chunks(frame: bytes) -> None:
    assert is_complete_chunk(frame)
    assert strip_chunk(frame).endswith(b"\n\n")
