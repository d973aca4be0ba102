"""A TCP proxy on loopback, on the way from one process to one server: a network that can break, in each of its ways."""

import asyncio
from asyncio import StreamReader, StreamWriter
from contextlib import suppress
from typing import Self

CHUNK = 65536  # bytes


class TcpProxy:
    """The fake. What stalls is held back, not lost: it arrives after `passes`, as what a network sends again does.

    Args:
        leads_to: The port of the server.
        host: Where it listens: loopback, or the end of a line to a network namespace of the test's own.
    """

    def __init__(self, leads_to: int, host: str = "127.0.0.1") -> None:
        self.host = host
        self.port = 0  # chosen by the system at the first opening, kept after it
        self._leads_to = leads_to
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], StreamWriter] = {}
        self._flows = asyncio.Event()
        self._flows.set()
        self._left: int | None = None  # bytes of answers that still arrive before everything stalls

    async def __aenter__(self) -> Self:
        await self._open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.refuses()

    @property
    def address(self) -> str:
        """Its host and port."""
        return f"{self.host}:{self.port}"

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._connections)

    async def passes(self) -> None:
        """Work again, and pass on what was held back."""
        self._left = None
        self._flows.set()
        if self._server is None:
            await self._open()

    def stalls(self, after: int = 0) -> None:
        """Accept connections, and pass nothing on; open ones stay so. `after` so many bytes more of answers."""
        self._left = after
        if after == 0:
            self._flows.clear()

    async def cuts(self) -> None:
        """Reset what is open, with what was held back; new connections are accepted."""
        for task, client in self._connections.items():
            client.transport.abort()
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def refuses(self) -> None:
        """Refuse connections, and reset what is open."""
        if self._server is not None:
            self._server.close()
            self._server = None
        await self.cuts()

    async def _open(self) -> None:
        self._server = await asyncio.start_server(self._accept, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def _accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.create_task(self._connect(reader, writer))
        self._connections[task] = writer
        task.add_done_callback(lambda done: self._connections.pop(done, None))

    async def _connect(self, reader: StreamReader, writer: StreamWriter) -> None:
        await self._flows.wait()
        try:
            answers, questions = await asyncio.open_connection("127.0.0.1", self._leads_to)
        except OSError:
            writer.transport.abort()
            return
        try:
            # Whichever side ends, the other one ends too.
            both = (self._questions(reader, questions), self._answers(answers, writer))
            async with asyncio.TaskGroup() as group:
                for each in both:
                    group.create_task(each)
        except* ConnectionError:
            pass  # one side is gone, which closing shows to the other one
        finally:
            writer.close()
            questions.close()

    async def _questions(self, reader: StreamReader, writer: StreamWriter) -> None:
        while data := await reader.read(CHUNK):
            await self._flows.wait()
            writer.write(data)
            await writer.drain()
        await self._flows.wait()
        with suppress(OSError):
            writer.write_eof()

    async def _answers(self, reader: StreamReader, writer: StreamWriter) -> None:
        while data := await reader.read(CHUNK):
            while data:
                await self._flows.wait()
                piece = data[: self._left]
                writer.write(piece)
                await writer.drain()
                data = data[len(piece) :]
                if self._left is not None:
                    self._left -= len(piece)
                    if self._left == 0:
                        self._flows.clear()
        await self._flows.wait()
        writer.close()
