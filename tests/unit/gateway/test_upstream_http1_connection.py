"""Responses of services are parsed the same in whatever pieces they arrive."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from parley.gateway.upstream.http1_connection import Http1Connection, UpstreamDisconnected


class RecordingTransport:
    """Records what the connection does with its transport."""

    def __init__(self) -> None:
        self.written = b""
        self.is_paused = False
        self.is_aborted = False
        self.unsent_bytes = 0

    def get_write_buffer_size(self) -> int:
        return self.unsent_bytes

    def write(self, data: bytes) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.is_aborted

    def abort(self) -> None:
        self.is_aborted = True

    def pause_reading(self) -> None:
        self.is_paused = True

    def resume_reading(self) -> None:
        self.is_paused = False


def start_request() -> tuple[Http1Connection, RecordingTransport]:
    connection, transport = Http1Connection(), RecordingTransport()
    as_transport: Any = transport
    connection.connection_made(as_transport)
    connection.send_request(b"GET / HTTP/1.1\r\n\r\n")
    return connection, transport


async def read_body(connection: Http1Connection) -> bytes:
    body = b""
    while part := await connection.read():
        body += part
    return body


RESPONSES = {
    "length": (b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 11\r\n\r\nhello world", b"hello world"),
    "empty": (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b""),
    "chunked": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1;x=y\r\n \r\n5\r\nworld\r\n0\r\n\r\n",
        b"hello world",
    ),
    "chunked and empty": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b""),
    "interim": (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok", b"ok"),
    "204": (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    "304": (b'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n', b""),
}


@pytest.mark.parametrize("name", RESPONSES)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 10_000])
async def test_response_is_parsed_in_pieces_of_any_size(name: str, size: int) -> None:
    raw, body = RESPONSES[name]
    connection, _ = start_request()
    for start in range(0, len(raw), size):
        connection.data_received(raw[start : start + size])
    head = await connection.read_head()
    assert head.status in (200, 201, 204, 304)
    assert await read_body(connection) == body
    assert connection.is_complete
    assert connection.is_reusable


async def test_only_forwarded_headers_are_returned() -> None:
    connection, _ = start_request()
    connection.data_received(
        b"HTTP/1.1 200 OK\r\ncontent-type: text/HTML; charset=utf-8\r\nETag: x\r\nSet-Cookie: a=b\r\nServer: y\r\n"
        b"X-Parley-Identity: z\r\nAccess-Control-Allow-Origin: *\r\nX-Request-Id: 1\r\nContent-Length: 2\r\n\r\nok"
    )
    head = await connection.read_head()
    assert head.headers == [("Content-Type", "text/HTML; charset=utf-8"), ("Etag", "x")]
    assert (head.media_type, head.length) == ("text/html", 2)


async def test_body_without_a_length_is_complete_when_the_connection_closes() -> None:
    connection, _ = start_request()
    connection.data_received(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: x\n\n")
    assert (await connection.read_head()).media_type == "text/event-stream"
    connection.connection_lost(None)
    assert await read_body(connection) == b"data: x\n\n"
    assert not connection.is_reusable


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhell",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    ],
)
async def test_truncated_response_raises(raw: bytes) -> None:
    connection, _ = start_request()
    connection.data_received(raw)
    await connection.read_head()
    connection.connection_lost(None)
    with pytest.raises(UpstreamDisconnected) as raised:
        await read_body(connection)
    assert raised.value.response_started
    assert not connection.is_usable


async def test_body_without_a_length_is_truncated_by_a_reset() -> None:
    connection, _ = start_request()
    connection.data_received(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: x\n\n")
    connection.connection_lost(ConnectionResetError())
    assert await connection.read() == b"data: x\n\n"
    with pytest.raises(UpstreamDisconnected):
        await connection.read()


async def test_connection_lost_before_the_response_is_distinguished() -> None:
    connection, _ = start_request()
    reading = asyncio.create_task(connection.read_head())
    await asyncio.sleep(0)
    connection.connection_lost(ConnectionResetError())
    with pytest.raises(UpstreamDisconnected) as raised:
        await reading
    assert not raised.value.response_started


@pytest.mark.parametrize(
    "raw",
    [
        b"SPDY nonsense here\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokMORE",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nx",
        b"X" * 70_000,
        b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 70_000,
    ],
)
async def test_malformed_response_closes_the_connection(raw: bytes) -> None:
    connection, transport = start_request()
    connection.data_received(raw)
    assert transport.is_aborted
    assert not connection.is_reusable


async def test_data_between_requests_closes_the_connection() -> None:
    connection, transport = start_request()
    connection.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    connection.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno")
    assert transport.is_aborted
    assert not connection.is_reusable


async def test_reading_pauses_while_the_body_is_not_consumed() -> None:
    connection, transport = start_request()
    connection.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n")
    for _ in range(10):
        connection.data_received(b"x" * 65_536)
    assert transport.is_paused
    assert len(await connection.read()) == 655_360
    assert not transport.is_paused


@pytest.mark.parametrize(
    ("raw", "is_reusable"),
    [
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", True),
    ],
)
async def test_connection_is_reusable_only_if_the_service_keeps_it_open(raw: bytes, is_reusable: bool) -> None:
    connection, _ = start_request()
    connection.data_received(raw)
    assert await read_body(connection) == b"ok"
    assert connection.is_reusable is is_reusable


@pytest.mark.parametrize("size", [1, 300_000])
async def test_connection_whose_response_was_not_read_is_not_reused(size: int) -> None:
    """A17: a connection whose response was not read to its end is not reused."""
    connection, transport = start_request()
    connection.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size)
    await connection.read_head()
    assert connection.is_complete
    before = connection.is_reusable
    assert len(await connection.read()) == size
    assert (before, connection.is_reusable) == (False, True)
    assert not transport.is_paused


async def test_connection_whose_request_has_not_left_is_not_reused() -> None:
    """A17: a connection whose request was not sent completely is not reused."""
    connection, transport = start_request()
    transport.unsent_bytes = 1
    connection.data_received(b"HTTP/1.1 415 Unsupported Media Type\r\nContent-Length: 0\r\n\r\n")
    before = connection.is_reusable
    transport.unsent_bytes = 0
    assert (before, connection.is_reusable) == (False, True)


async def test_second_response_contains_nothing_of_the_first() -> None:
    connection, _ = start_request()
    connection.data_received(b"HTTP/1.1 404 Not Found\r\nX-First: 1\r\nContent-Length: 5\r\n\r\nfirst")
    assert await read_body(connection) == b"first"
    connection.send_request(b"GET /2 HTTP/1.1\r\n\r\n")
    connection.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond")
    head = await connection.read_head()
    assert (head.status, head.headers) == (200, [])
    assert await read_body(connection) == b"second"


async def test_truncated_stream_ends_and_its_connection_is_not_reused() -> None:
    connection, _ = start_request()
    connection.data_received(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
    connection.truncate()
    assert await read_body(connection) == b"hello"
    assert not connection.is_reusable


async def test_head_is_overdue_also_if_a_part_of_it_arrives_at_that_moment() -> None:
    connection, _ = start_request()
    reading = asyncio.create_task(connection.read_head(0.02))
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_later(0.01, connection.data_received, b"HTTP/1.1 200 OK\r\n")
    # Both callbacks are due when the loop goes on: the part first, then the timeout, then the task that reads.
    time.sleep(0.05)
    done, _ = await asyncio.wait({reading}, timeout=1)
    assert done
    with pytest.raises(TimeoutError):
        await reading
