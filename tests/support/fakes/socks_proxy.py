"""A SOCKS5 proxy on loopback that leads every name to one server: https://www.rfc-editor.org/rfc/rfc1928 and 1929."""

import asyncio
from typing import Self

NO_LOGIN, LOGIN = 0, 2


class SocksProxy:
    """The fake.

    Attributes:
        requested: The names and ports that were requested.
        logins: The names and passwords that were given.
    """

    def __init__(self, leads_to: int) -> None:
        self.requested: list[tuple[str, int]] = []
        self.logins: list[tuple[str, str]] = []
        self._leads_to = leads_to
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, count = await reader.readexactly(2)
        method = LOGIN if LOGIN in await reader.readexactly(count) else NO_LOGIN
        writer.write(bytes([5, method]))
        if method == LOGIN:
            await reader.readexactly(1)
            self.logins.append((await self._text(reader), await self._text(reader)))
            writer.write(b"\x01\x00")
        *_, kind = await reader.readexactly(4)
        assert kind == 3, "the name is left to the proxy"
        name = await self._text(reader)
        self.requested.append((name, int.from_bytes(await reader.readexactly(2))))
        there, back = await asyncio.open_connection("127.0.0.1", self._leads_to)
        writer.write(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x00")
        try:
            await asyncio.gather(self._pass(reader, back), self._pass(there, writer))
        finally:
            writer.close()
            back.close()

    async def _text(self, reader: asyncio.StreamReader) -> str:
        (length,) = await reader.readexactly(1)
        return (await reader.readexactly(length)).decode()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while content := await reader.read(65536):
            writer.write(content)
            await writer.drain()
        writer.close()
