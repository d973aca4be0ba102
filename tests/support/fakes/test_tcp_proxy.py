"""The network that breaks."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from tests.support.fakes.tcp_proxy import TcpProxy

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connect = Callable[[TcpProxy], Awaitable[Connection]]


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1000):
        writer.write(data)
    writer.close()


@pytest.fixture
async def proxy() -> AsyncIterator[TcpProxy]:
    """A proxy before a server that returns what it receives."""
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with TcpProxy(server.sockets[0].getsockname()[1]) as proxy:
        yield proxy
    server.close()


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Connects to a proxy, until the end of the test."""
    opened: list[Connection] = []

    async def connect(proxy: TcpProxy) -> Connection:
        opened.append(await asyncio.open_connection("127.0.0.1", proxy.port))
        return opened[-1]

    yield connect
    for _, writer in opened:
        writer.close()


async def exchange(connection: Connection, data: bytes, answer: int | None = None) -> bytes:
    reader, writer = connection
    writer.write(data)
    return await reader.readexactly(len(data) if answer is None else answer)


async def is_silent(connection: Connection) -> bool:
    try:
        async with asyncio.timeout(0.05):
            await connection[0].read(1)
    except TimeoutError:
        return True
    return False


async def test_it_passes_both_ways_and_ends_with_either_side(proxy: TcpProxy, connect: Connect) -> None:
    connection = await connect(proxy)
    assert await exchange(connection, b"hello") == b"hello"
    connection[1].write_eof()
    assert await connection[0].read() == b""


async def test_what_stalls_arrives_once_it_passes_again(proxy: TcpProxy, connect: Connect) -> None:
    old = await connect(proxy)
    assert await exchange(old, b"1") == b"1"
    proxy.stalls()
    new = await connect(proxy)
    for each in (old, new):
        each[1].write(b"2")
        assert await is_silent(each)
    await proxy.passes()
    for each in (old, new):
        assert await each[0].readexactly(1) == b"2"


async def test_it_can_stall_in_the_middle_of_an_answer(proxy: TcpProxy, connect: Connect) -> None:
    connection = await connect(proxy)
    proxy.stalls(after=3)
    assert await exchange(connection, b"hello", answer=3) == b"hel"
    assert await is_silent(connection)
    await proxy.passes()
    assert await connection[0].readexactly(2) == b"lo"


async def test_a_cut_resets_what_is_open_and_lets_new_connections_pass(proxy: TcpProxy, connect: Connect) -> None:
    connection = await connect(proxy)
    assert await exchange(connection, b"1") == b"1"
    await proxy.cuts()
    assert await connection[0].read() == b""
    assert proxy.connections == 0
    assert await exchange(await connect(proxy), b"2") == b"2"


async def test_it_refuses_connections_until_it_passes_again(proxy: TcpProxy, connect: Connect) -> None:
    connection = await connect(proxy)
    await exchange(connection, b"1")
    await proxy.refuses()
    assert await connection[0].read() == b""
    with pytest.raises(ConnectionRefusedError):
        await connect(proxy)
    await proxy.passes()
    assert await exchange(await connect(proxy), b"2") == b"2"


async def test_the_connection_to_a_server_that_is_gone_ends(connect: Connect, unused_tcp_port: int) -> None:
    async with TcpProxy(unused_tcp_port) as alone:
        assert await (await connect(alone))[0].read() == b""
