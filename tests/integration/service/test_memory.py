"""What clients hold in the server's memory is bounded, however many they are; measured on the real process."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest

from tests.integration.service.conftest import IS_UP
from tests.integration.service.wines import ROW, WINE
from tests.support.real.processes import Process, Processes

BODIES = 200  # unfinished, of nearly a MiB each
ANSWERS = 100  # of 200 kB, kept by connections that then say nothing more
LARGEST_GROWTH = 90.0  # MB; the container has 256, and the process starts with 44


@pytest.fixture
async def server(processes: Processes, settings: dict[str, str]) -> Process:
    server = await processes.server(settings)
    await server.until_line(IS_UP)
    return server


@pytest.fixture
async def connections(port: int) -> AsyncIterator["Connections"]:
    async with AsyncExitStack() as stack:
        yield Connections(port, stack)


class Connections:
    """Raw connections to the server, all cut at the end."""

    def __init__(self, port: int, stack: AsyncExitStack) -> None:
        self._port, self._stack = port, stack

    async def post(self, body: bytes, length: int) -> asyncio.StreamReader:
        """Send a JSON body, all of it or the beginning of a longer one."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._stack.callback(cut, writer)
        lines = (
            "POST /predict HTTP/1.1",
            "Host: localhost",
            "Content-Type: application/json",
            f"Content-Length: {length}",
        )
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        await writer.drain()
        return reader


def cut(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


def resident(process: Process, which: str = "VmRSS") -> float:
    """Return the process's memory in MB."""
    (line,) = (each for each in Path(f"/proc/{process.pid}/status").read_text().splitlines() if each.startswith(which))
    return int(line.split()[1]) / 1024


async def is_served(port: int) -> None:
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        assert (await session.post("/predict", data={"request": ROW})).status == 200


async def test_unfinished_bodies_of_many_are_refused_by_503_and_leave_room_for_usual_ones(
    server: Process, connections: Connections, port: int
) -> None:
    before = resident(server)
    sent = b"x" * (2**20 - 1)
    readers = await asyncio.gather(*(connections.post(sent, 2**20) for _ in range(BODIES)))
    answers = [asyncio.create_task(reader.readuntil(b"\r\n\r\n")) for reader in readers]
    done, waiting = await asyncio.wait(answers, timeout=5)
    await is_served(port)
    assert len(done) > BODIES / 2
    for answer in done:
        head = await answer
        assert head.startswith(b"HTTP/1.1 503")
        assert b"Retry-After: 1" in head
    for answer in waiting:
        answer.cancel()
    assert resident(server, "VmHWM") - before < LARGEST_GROWTH


async def test_an_answer_does_not_stay_in_memory_once_it_is_sent(
    server: Process, connections: Connections, port: int
) -> None:
    body = json.dumps([WINE] * 1000).encode()
    await connections.post(body, len(body))
    before = resident(server)
    for _ in range(ANSWERS):
        reader = await connections.post(body, len(body))
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    assert resident(server) - before < ANSWERS * 0.2 / 2
    await is_served(port)
