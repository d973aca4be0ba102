"""A line that goes dead."""

import asyncio

import pytest

from tests.support.takeovers import network
from tests.support.takeovers.network import Network

TRY = "echo >/dev/tcp/$0/$1 && echo open"


@pytest.mark.skipif(not network.is_possible(), reason="`make soak` runs it in a network of its own")
async def test_packets_vanish_on_one_line_alone_and_arrive_again_once_it_is_mended() -> None:
    with Network(1) as there:
        hosts = (there.host, there.database_host)
        servers = [await asyncio.start_server(lambda _, writer: writer.close(), host, 0) for host in hosts]

        async def reaches() -> list[bool]:
            return [await _reaches(there, host, server) for host, server in zip(hosts, servers, strict=True)]

        assert await reaches() == [True, True]
        there.cut()
        assert await reaches() == [True, False]
        there.mend()
        assert await reaches() == [True, True]
        for server in servers:
            server.close()


async def _reaches(there: Network, host: str, server: asyncio.Server) -> bool:
    port = str(server.sockets[0].getsockname()[1])
    command = [*there.prefix, "timeout", "2", "bash", "-c", TRY, host, port]
    process = await asyncio.create_subprocess_exec(*command, stdout=-1)
    return (await process.communicate())[0] == b"open\n"
