"""Whatever an answer of the Bot API is made of, reading it holds nobody up: alerts have to go out meanwhile."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from tests.support.fakes.bot_api import TOKEN
from tests.support.held_loop import held_loop
from tests.support.scene import CHAT
from wine_slo.integrations.telegram.answers import MAX_BYTES, MAX_UPDATES_BYTES
from wine_slo.integrations.telegram.channel import TelegramChannel
from wine_slo.integrations.telegram.connection import Connection, connect
from wine_slo.integrations.telegram.updates import TelegramUpdates
from wine_slo.slo.chat.channel import ChannelError
from wine_slo.slo.chat.gate import Gate
from wine_slo.slo.chat.listener import Listener
from wine_slo.slo.chat.messages import Answer, Press, Question

LONGEST = 0.1  # seconds of processor time of the loop's own thread, in which the fake does nothing
ME = {"id": 1, "is_bot": True, "first_name": "bot", "username": "bot"}
RECEIVED = {
    "message_id": 1,
    "date": 2_000_000_000,
    "chat": {"id": 7, "type": "private"},
    "from": ME | {"is_bot": False},
}


def filled(before: bytes, piece: bytes, after: bytes, most: int) -> bytes:
    """Return as many of a piece as there is room for in an answer."""
    return before + piece * ((most - len(before) - len(after)) // len(piece)) + after


def shapes(most: int, message: dict[str, Any]) -> dict[str, bytes]:
    """Return results as long as they may be with something in a message."""
    begun = json.dumps(message)[:-1].encode()
    nested = b"[" * 300 + b"]" * 300
    in_it = {
        "lists": (b',"x":[', b"[],", b"1]}"),
        "objects": (b',"x":[', b"{},", b"1]}"),
        "numbers": (b',"x":[', b"1,", b"1]}"),
        "lists in lists": (b',"x":[', nested + b",", b"1]}"),
        "members": (b",", b'"x":1,', b'"x":1}'),
        "a string": (b',"x":"', b"x", b'"}'),
        "a string of escapes": (b',"x":"', b"\\u0441", b'"}'),
        "a string of half characters": (b',"x":"', b"\\ud800", b'"}'),
        "a number": (b',"x":', b"9", b"}"),
        "entities": (b',"entities":[', b'{"type":"bold","offset":0,"length":1},', b'{"type":"bold"}]}'),
        "photos": (b',"photo":[', b'{"file_id":"1","file_unique_id":"1","width":1,"height":1},', b"{}]}"),
    }
    return {name: filled(begun + before, piece, after, most) for name, (before, piece, after) in in_it.items()}


def in_message(before: bytes, piece: bytes, after: bytes) -> bytes:
    """Return a list of one update whose message has something long in it."""
    message = json.dumps(RECEIVED)[:-1].encode()
    return filled(b'[{"update_id":1,"message":' + message + before, piece, after + b"}]", MAX_UPDATES_BYTES - 100)


def of_updates(*pieces: str) -> bytes:
    """Return a list of as many updates as it can hold; or of something else."""
    return filled(b"[", ",".join(pieces).encode() + b",", b"1]", MAX_UPDATES_BYTES - 100)


FIFTIETH = MAX_UPDATES_BYTES // 50 - 100
UPDATES = {
    **{
        f"a message with {name}": b'[{"update_id":1,"message":%s}]' % each
        for name, each in shapes(MAX_UPDATES_BYTES - 100, RECEIVED).items()
    },
    **{
        f"fifty messages with {name}": b"[%s]" % b",".join([b'{"update_id":1,"message":%s}' % each] * 50)
        for name, each in shapes(FIFTIETH, RECEIVED | {"text": "/hello"}).items()
    },
    "a text of words": in_message(b',"text":"', b"a ", b'"'),
    "a command of words": in_message(b',"text":"/hello ', b"a ", b'"'),
    "a text of line ends": in_message(b',"text":"', b"\\n", b'"'),
    "an origin of lists": in_message(b',"forward_origin":[', b"[],", b"1]"),
    "numbers": of_updates("1"),
    "lists": of_updates("[]"),
    "objects": of_updates("{}"),
    "updates with numbers only": of_updates('{"update_id":1}'),
    "small messages": of_updates(json.dumps({"update_id": 1, "message": RECEIVED | {"text": "/hello"}})),
    "an object": filled(b'{"y":1', b',"x":1', b"}", MAX_UPDATES_BYTES - 100),
    "text": filled(b'"', b"x", b'"', MAX_UPDATES_BYTES - 100),
    "lists that never end": b"[" * (MAX_UPDATES_BYTES - 100),
}


class Canned(ThreadingHTTPServer):
    """A Bot API that answers a method with what it was given, in threads of its own."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.results: dict[str, bytes] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Canned

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        result = self.server.results.get(self.path.rpartition("/")[2], b"true")
        self.send_response(200)
        self.send_header("Content-Length", str(len(result) + len(b'{"ok":true,"result":}')))
        self.end_headers()
        with suppress(ConnectionError):  # who finds it too long reads no further
            self.wfile.write(b'{"ok":true,"result":' + result + b"}")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def canned() -> Iterator[Canned]:
    with Canned() as server:
        server.results["getMe"] = json.dumps(ME).encode()
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


async def listen(bot: Connection) -> bool:
    """Fetch updates once; return whether they could be read."""
    polled: asyncio.Queue[bool] = asyncio.Queue()

    async def answer(_: Question) -> Answer | None:
        return None

    async def press(_: Press) -> Answer:
        return Answer("")

    async def ignore(*_: object) -> None:
        pass

    listener = Listener(
        answer=answer,
        press=press,
        refuse=lambda _: Answer(""),
        listening=polled.put_nowait,
        conflict=ignore,
        contacted=ignore,
        moved=ignore,
        menus={},
        clock=lambda: datetime.now(UTC),
        listened_at=None,
    )
    task = asyncio.create_task(TelegramUpdates(bot, TelegramChannel(bot), listener, Gate()).run())
    try:
        async with asyncio.timeout(60):
            return await polled.get()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("result", [pytest.param(each, id=name) for name, each in UPDATES.items()])
async def test_no_answer_to_a_request_for_updates_holds_the_loop(canned: Canned, result: bytes) -> None:
    assert len(result) <= MAX_UPDATES_BYTES
    canned.results["getUpdates"] = result
    async with held_loop() as held:
        await listen(connect(TOKEN, canned.url))
    assert held.longest < LONGEST


MESSAGES = shapes(MAX_BYTES - 100, {"message_id": 5, "date": 1, "chat": {"id": 7, "type": "private"}})


@pytest.mark.parametrize("result", [pytest.param(each, id=name) for name, each in MESSAGES.items()])
async def test_no_answer_to_who_sends_holds_the_loop(canned: Canned, result: bytes) -> None:
    canned.results["sendMessage"] = result
    async with connect(TOKEN, canned.url) as bot, held_loop() as held:
        assert await TelegramChannel(bot).send(CHAT, "text") == 5
    assert held.longest < LONGEST


@pytest.mark.parametrize("result", [UPDATES["a message with lists in lists"], UPDATES["small messages"]])
async def test_an_answer_that_is_longer_than_such_answers_are_is_none(canned: Canned, result: bytes) -> None:
    canned.results["sendMessage"] = result
    async with connect(TOKEN, canned.url) as bot, held_loop() as held:
        with pytest.raises(ChannelError) as refused:
            await TelegramChannel(bot).send(CHAT, "text")
    assert not refused.value.surely_not_sent
    assert held.longest < LONGEST
