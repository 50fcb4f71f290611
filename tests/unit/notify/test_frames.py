"""Frames: one event as bytes, and nothing that somebody wrote can look like another."""

from __future__ import annotations

import json
import re

import pytest

from parley.common.events import Event, Undefined
from parley.common.runtime.clock import utc_now
from parley.notify.streaming.frames import COMMENT, operator_frame, own_frame, retry_frame, unchunked, visitor_frame


def event(content: str = "Hello") -> Event:
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


def chunk_is_whole(frame: bytes) -> bool:
    size, _, rest = frame.partition(b"\r\n")
    return len(rest) == int(size, 16) + 2 and rest.endswith(b"\r\n")


def test_a_frame_is_one_whole_chunk_with_id_type_and_one_line_of_data() -> None:
    frame = operator_frame(event(), 7)
    assert chunk_is_whole(frame)
    lines = unchunked(frame).decode().split("\n")
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
    assert unchunked(operator_frame(event(), None)).startswith(b"event: ")


@pytest.mark.parametrize("position", [7, None])
@pytest.mark.parametrize("content", ["Hello", "a\nb", "data: x\n\n", "\\n\n", "é\u2028"])
def test_a_visitors_frame_is_the_operators_with_their_part_of_the_data_alone(
    content: str, position: int | None
) -> None:
    operators = operator_frame(event(content), position)
    frame = visitor_frame(operators)
    assert chunk_is_whole(frame)
    *before, data, _, _ = unchunked(operators).decode().split("\n")
    *same, seen, _, _ = unchunked(frame).decode().split("\n")
    assert same == before
    shown = json.loads(seen.removeprefix("data: "))
    assert shown == json.loads(data.removeprefix("data: ")) | {"data": {"content": content}}


def test_what_is_not_for_visitors_has_no_frame_for_them() -> None:
    private = event().model_copy(update={"type": "note.created"})
    with pytest.raises(Undefined):
        visitor_frame(operator_frame(private, 7))


@pytest.mark.parametrize("content", ["a\nb", "a\r\nevent: x\r\n\r\n", "a\rb", "\u2028", "\u2029", "\x85", "\x00"])
def test_content_cannot_end_a_line(content: str) -> None:
    body = unchunked(operator_frame(event(content), 7)).decode()
    assert len(re.split(r"\r\n|\r|\n", body)) == 5
    assert json.loads(body.split("data: ", 1)[1])["data"]["content"] == content


@pytest.mark.parametrize("frame", [COMMENT, retry_frame(1234), own_frame("ready", -1, {})])
def test_our_own_frames_are_whole_chunks(frame: bytes) -> None:
    assert chunk_is_whole(frame)
    assert unchunked(frame).endswith(b"\n\n")
