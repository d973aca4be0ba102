"""No mistake of a client is a 5xx, a traceback or a frozen server, wherever in the request it is."""

import asyncio
import logging
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from email.parser import BytesParser
from time import perf_counter

import msgspec
import pytest
from pytest_aiohttp.plugin import AiohttpClient

from tests.integration.service.conftest import SHIPPED, Client, metrics
from tests.integration.service.wines import ROW
from wine_slo.http.guarded_server import Patience
from wine_slo.service.app import create_app
from wine_slo.service.settings import ServerSettings

FORM = "application/x-www-form-urlencoded"
REFUSALS = {400, 403, 404, 405, 408, 413, 415, 417, 421, 422}
CHUNKED = "Transfer-Encoding: chunked"
BOUNDARY = "----WebKitFormBoundary7MA4YWxkTrZu0gW"


@dataclass(frozen=True)
class Said:
    """An answer as it came over the wire."""

    status: int
    headers: dict[str, str]
    body: bytes


def post(body: bytes, *headers: str, kind: str = "application/json", path: str = "/predict") -> bytes:
    """Return a request with a body; its length is said unless the headers say that it is chunked."""
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Type: {kind}", *headers]
    if CHUNKED not in headers:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def part(*headers: str, content: bytes = b"1") -> bytes:
    """Return a multipart form of one part."""
    head = "\r\n".join(('Content-Disposition: form-data; name="request"', *headers))
    return f"--{BOUNDARY}\r\n{head}\r\n\r\n".encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()


def multipart(body: bytes) -> bytes:
    return post(body, kind=f"multipart/form-data; boundary={BOUNDARY}")


async def answer(client: Client, sent: bytes) -> Said:
    """Send bytes and return the first answer."""
    reader, writer = await asyncio.open_connection(client.host, client.port)
    try:
        writer.write(sent)
        async with asyncio.timeout(30):
            head = await reader.readuntil(b"\r\n\r\n")
            first, _, rest = head.partition(b"\r\n")
            headers = {name.lower(): value for name, value in BytesParser().parsebytes(rest).items()}
            return Said(int(first.split()[1]), headers, await reader.readexactly(int(headers["content-length"])))
    finally:
        writer.transport.abort()


BAD_BODIES = {
    "gzip that is none": post(b"{}", "Content-Encoding: gzip"),
    "deflate that is none, of a form": post(b"request=1", "Content-Encoding: deflate", kind=FORM),
    "an unknown coding": post(b"{}", "Content-Encoding: klingon"),
    "two codings": post(b"{}", "Content-Encoding: identity", "Content-Encoding: gzip"),
    "a packed chunked body": post(b"2\r\n{}\r\n0\r\n\r\n", CHUNKED, "Content-Encoding: gzip"),
    "an unknown transfer encoding of a part": multipart(part("Content-Transfer-Encoding: x-zip")),
    "a part in punycode": multipart(part("Content-Type: text/plain; charset=punycode")),
    "a header of a part of 20 kB": multipart(part("X: " + "y" * 20_000)),
    "3,000 headers of a part": multipart(part(*["X: y"] * 3000)),
    "a header of a part without a colon": multipart(part("none")),
    "a body of one line of half a MiB": multipart(b"x" * 2**19),
    "the field _charset_ that names none": multipart(
        b"--" + BOUNDARY.encode() + b'\r\nContent-Disposition: form-data; name="_charset_"\r\n\r\nklingon\r\n' + part()
    ),
    "a form in punycode": post(b"a-" + b"b" * 200_000, kind=f"{FORM}; charset=punycode"),
    "a form in idna": post(b"request=1", kind=f"{FORM}; charset=idna"),
    "JSON in utf-7": post(b"{}", kind="application/json; charset=utf-7"),
    "a lone surrogate in a form": post(b"\xed\xa0\x80=1", kind=FORM),
    "an escaped lone surrogate in a form": post(b"%ED%A0%80=1", kind=FORM),
    "a lone surrogate in JSON": post(b'{"\\ud800": "\\udfff"}'),
    "a boundary that is not utf-8": post(b"--x--", kind="multipart/form-data; boundary=\udcff".encode(
        "utf-8", "surrogateescape").decode("latin-1")),
    "a bad chunk after the headers": post(b"2\r\n{}\r\nxyz\r\n", CHUNKED),
    "a chunk with something behind it": post(b"2\r\n{}junk\r\n0\r\n\r\n", CHUNKED),
    "a trailer that is none": post(b"2\r\n{}\r\n0\r\n\x00\r\n\r\n", CHUNKED),
    "80,000 fields": post(b'{"a":1' + b"".join(b',"%d":1' % place for place in range(80_000)) + b"}"),
}  # fmt: skip


@pytest.mark.parametrize("sent", BAD_BODIES.values(), ids=BAD_BODIES)
async def test_a_body_that_cannot_be_read_is_a_4xx_in_words_and_no_fault_of_ours(
    client: Client, caplog: pytest.LogCaptureFixture, sent: bytes
) -> None:
    said = await answer(client, sent)
    assert said.status in {400, 413, 415, 422}, said
    assert said.headers["content-type"] == "application/problem+json"
    assert said.headers["x-content-type-options"] == "nosniff"
    assert msgspec.json.decode(said.body)["status"] == said.status
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_a_browsers_multipart_form_with_its_charset_field_is_read(client: Client) -> None:
    charset = b"--" + BOUNDARY.encode() + b'\r\nContent-Disposition: form-data; name="_charset_"\r\n\r\nutf-8\r\n'
    assert (await answer(client, multipart(charset + part(content=ROW.encode())))).status == 200
    sent = post(f"_charset_=utf-8&request={ROW}".encode(), kind=FORM)
    assert (await answer(client, sent)).status == 200


@pytest.mark.parametrize(
    "path",
    [
        f"/web/{'a' * 256}",
        f"/web/{'a' * 4000}.css",
        "/web/%00.css",
        f"/fail?status={'5' * 5000}",
        f"/sleep?seconds={'9' * 5000}",
        "/ui?example=%ED%A0%80&lang=%ff",
        "/%ff%fe",
        "/?a=%",
    ],
)
async def test_an_odd_address_is_no_fault_of_ours(client: Client, path: str) -> None:
    said = await answer(client, f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    assert said.status in REFUSALS | {200, 302}


BAD_REQUESTS = {
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
    "a line of 8 KB": b"\x1b[31mfake " + b"x" * 8000 + b"\r\n\r\n",
    "an unknown method": b"<script> / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a path that is none": b"GET nothing HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a path of 9 KB": b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a header of 9 KB": b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 9000 + b"\r\n\r\n",
    "3,000 headers": b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 3000 + b"\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two lengths": b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{",
    "a length and chunks": post(b"0\r\n\r\n", CHUNKED, "Content-Length: 5"),
    "another version": b"GET / HTTP/3.0\r\nHost: localhost\r\n\r\n",
    "options of everything": b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "connect": b"CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n",
    "an expectation that nobody can meet": post(b"{}", "Expect: banana"),
    "an expectation that is not utf-8": b"GET / HTTP/1.1\r\nHost: localhost\r\nExpect: \xff\r\n\r\n",
    "http/2": b"GET / HTTP/2.0\r\nHost: localhost\r\n\r\n",
    "the preface of http/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}


@pytest.mark.parametrize("sent", BAD_REQUESTS.values(), ids=BAD_REQUESTS)
async def test_a_request_that_the_parser_or_router_refuses_is_a_problem_and_is_counted_and_logged_in_a_line(
    client: Client, caplog: pytest.LogCaptureFixture, sent: bytes
) -> None:
    caplog.set_level(logging.INFO)
    said = await answer(client, sent)
    lines = [record for record in caplog.records if record.name.startswith("wine_slo")]
    assert said.status in REFUSALS, said
    assert said.headers["content-type"] == "application/problem+json"
    assert said.headers["x-content-type-options"] == "nosniff"
    assert said.headers["server"] == "wine-slo"
    assert b"x" * 20 not in said.body, "what was sent is not repeated"
    assert b"script" not in said.body
    assert len(lines) == 1
    assert lines[0].exc_info is None
    text = lines[0].getMessage()
    assert len(text) < 200
    assert text.isprintable()
    assert msgspec.json.decode(said.body)["request_id"] in text
    assert (await metrics(client))[f'responses_total{{endpoint="unmatched",status="{said.status}"}}'] == 1


def leave(writer: asyncio.StreamWriter) -> None:
    writer.close()


def reset(writer: asyncio.StreamWriter) -> None:
    linger = struct.pack("ii", 1, 0)  # at once: the other side gets an RST
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()


def half_close(writer: asyncio.StreamWriter) -> None:
    writer.write_eof()


@pytest.mark.parametrize("go_away", [leave, reset, half_close])
@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(post(b"x" * 100_000)[:60_000], id="in a JSON body"),
        pytest.param(post(b"5\r\nhello\r\n5\r\nhe", CHUNKED), id="in a chunk"),
        pytest.param(multipart(part())[:-20], id="in a form"),
    ],
)
async def test_a_client_that_goes_away_in_its_body_is_counted_without_a_status(
    client: Client, caplog: pytest.LogCaptureFixture, sent: bytes, go_away: Callable[[asyncio.StreamWriter], None]
) -> None:
    _, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(sent)
    await writer.drain()
    async with asyncio.timeout(30):
        while not (await metrics(client))['requests_in_flight{endpoint="/predict"}']:
            pass
        go_away(writer)
        while (seen := await metrics(client))['requests_in_flight{endpoint="/predict"}']:
            pass
    writer.transport.abort()
    assert seen['requests_total{endpoint="/predict"}'] == 1
    assert not [
        name for name, value in seen.items() if name.startswith('responses_total{endpoint="/predict"') and value
    ]
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize(
    ("sent_late", "status"),
    [pytest.param(True, 200, id="it comes late"), pytest.param(False, 408, id="it never comes")],
)
async def test_the_time_in_which_a_client_sends_its_body_is_not_ours(
    aiohttp_client: AiohttpClient, *, sent_late: bool, status: int
) -> None:
    client = await aiohttp_client(
        create_app(ServerSettings(model=SHIPPED), patience=Patience(body=60 if sent_late else 1))
    )
    whole = post(f"request={ROW}".encode(), kind=FORM)
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(whole[:-1])
    async with asyncio.timeout(30):
        while not (await metrics(client))['requests_in_flight{endpoint="/predict"}']:
            pass
        began = perf_counter()
        while perf_counter() - began < 0.5:
            assert (await metrics(client))["oldest_request_age_seconds"] == 0
        if sent_late:
            writer.write(whole[-1:])
        assert int((await reader.readline()).split()[1]) == status
    writer.transport.abort()
    seen = await metrics(client)
    assert seen['request_latency_seconds_count{endpoint="/predict"}'] == 1
    assert seen['request_latency_seconds_sum{endpoint="/predict"}'] < 0.5
    assert seen["oldest_request_age_seconds"] == 0


async def test_a_bad_chunk_after_the_answer_is_no_fault_of_ours(
    aiohttp_client: AiohttpClient, caplog: pytest.LogCaptureFixture
) -> None:
    client = await aiohttp_client(create_app(ServerSettings(model=SHIPPED), patience=Patience(body=0.2)))
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(b"GET /health HTTP/1.1\r\nHost: localhost\r\n" + CHUNKED.encode() + b"\r\n\r\n")
    assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    writer.write(b"xyz\r\n")
    async with asyncio.timeout(30):
        assert b"500" not in await reader.read()
    writer.transport.abort()
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
