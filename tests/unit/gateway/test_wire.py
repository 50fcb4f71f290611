"""Answers are read the same however the network cuts them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from parley.gateway.proxy.http1_connection import Wire, WireBroken


class Transport:
    """Takes what is written."""

    def __init__(self) -> None:
        self.written = b""
        self.paused = False
        self.aborted = False

    def write(self, data: bytes) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.aborted

    def abort(self) -> None:
        self.aborted = True

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False


def begun() -> tuple[Wire, Transport]:
    wire, transport = Wire(), Transport()
    made: Any = transport
    wire.connection_made(made)
    wire.begin(b"GET / HTTP/1.1\r\n\r\n")
    return wire, transport


async def whole(wire: Wire) -> bytes:
    body = b""
    while part := await wire.read():
        body += part
    return body


ANSWERS = {
    "length": (b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 11\r\n\r\nhello world", b"hello world"),
    "nothing": (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b""),
    "chunks": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1;x=y\r\n \r\n5\r\nworld\r\n0\r\n\r\n",
        b"hello world",
    ),
    "no chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b""),
    "continue": (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok", b"ok"),
    "204": (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    "304": (b'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n', b""),
}


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 10_000])
async def test_answer_is_read_however_it_is_cut(name: str, size: int) -> None:
    raw, body = ANSWERS[name]
    wire, _ = begun()
    for start in range(0, len(raw), size):
        wire.data_received(raw[start : start + size])
    head = await wire.head()
    assert head.status in (200, 201, 204, 304)
    assert await whole(wire) == body
    assert wire.ended
    assert wire.reusable


async def test_answer_to_the_end_of_the_connection_is_whole_when_it_closes() -> None:
    wire, _ = begun()
    wire.data_received(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: x\n\n")
    assert (await wire.head()).media == "text/event-stream"
    wire.connection_lost(None)
    assert await whole(wire) == b"data: x\n\n"
    assert not wire.reusable


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhell",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    ],
)
async def test_answer_that_breaks_off_is_told(raw: bytes) -> None:
    wire, _ = begun()
    wire.data_received(raw)
    await wire.head()
    wire.connection_lost(None)
    with pytest.raises(WireBroken) as broken:
        await whole(wire)
    assert broken.value.answered
    assert not wire.usable


async def test_connection_lost_before_any_answer_is_told_apart() -> None:
    wire, _ = begun()
    waiting = asyncio.create_task(wire.head())
    await asyncio.sleep(0)
    wire.connection_lost(ConnectionResetError())
    with pytest.raises(WireBroken) as broken:
        await waiting
    assert not broken.value.answered


@pytest.mark.parametrize(
    "raw",
    [
        b"SPDY nonsense here\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokMORE",
        b"X" * 70_000,
    ],
)
async def test_what_cannot_be_read_closes_the_connection(raw: bytes) -> None:
    wire, transport = begun()
    wire.data_received(raw)
    assert transport.aborted
    assert not wire.reusable


async def test_reading_pauses_while_nobody_takes_it() -> None:
    wire, transport = begun()
    wire.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n")
    for _ in range(10):
        wire.data_received(b"x" * 65_536)
    assert transport.paused
    assert len(await wire.read()) == 655_360
    assert not transport.paused


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", True),
    ],
)
async def test_connection_is_kept_only_where_the_service_keeps_it(raw: bytes, kept: bool) -> None:
    wire, _ = begun()
    wire.data_received(raw)
    assert wire.reusable is kept


async def test_second_request_sees_nothing_of_the_first() -> None:
    wire, _ = begun()
    wire.data_received(b"HTTP/1.1 404 Not Found\r\nX-First: 1\r\nContent-Length: 5\r\n\r\nfirst")
    assert await whole(wire) == b"first"
    wire.begin(b"GET /2 HTTP/1.1\r\n\r\n")
    wire.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond")
    head = await wire.head()
    assert (head.status, head.headers) == (200, [])
    assert await whole(wire) == b"second"


async def test_cut_stream_ends_and_its_connection_is_not_used_again() -> None:
    wire, _ = begun()
    wire.data_received(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
    wire.cut()
    assert await whole(wire) == b"hello"
    assert not wire.reusable
