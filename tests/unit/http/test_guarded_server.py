"""The door of both servers: who comes in, and how who does not is answered."""

import asyncio
import socket
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress

import aiohttp
import pytest
from aiohttp import web

from wine_slo.http.guarded_server import Door, Patience, Runner

Request = Callable[..., Awaitable[tuple[int, str]]]
Serve = Callable[[Door], Awaitable[Request]]


async def hello(_: web.Request) -> web.Response:
    return web.Response(text="hello")


async def breaks(_: web.Request) -> web.Response:
    raise ValueError("ours")


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Serve a small application behind a door, and return what sends requests to it."""
    async with AsyncExitStack() as stack:

        async def start(door: Door) -> Request:
            app = web.Application()
            app.add_routes([web.get("/", hello), web.get("/health", hello), web.get("/breaks", breaks)])
            runner = Runner(app, door, Patience())
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            session = await stack.enter_async_context(aiohttp.ClientSession(url))

            async def request(path: str = "/", method: str = "GET", **headers: str) -> tuple[int, str]:
                sent = {name.replace("_", "-"): value for name, value in headers.items()}
                async with session.request(method, path, headers=sent) as response:
                    return response.status, response.content_type

            return request

        yield start


FLOODERS = 300  # connections
LOOPBACK = Door.at("127.0.0.1", [])
PROBLEM = "application/problem+json"
OURS = ("localhost", "LOCALHOST:8001", "127.0.0.1", "127.1.2.3:80", "[::1]:8001", "a.localhost", "localhost.")
OTHERS = ("evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1", "[::2]")


@pytest.mark.parametrize("host", OURS)
async def test_on_loopback_a_name_of_loopback_is_answered(serve: Serve, host: str) -> None:
    assert await (await serve(LOOPBACK))(Host=host) == (200, "text/plain")


@pytest.mark.parametrize("host", OTHERS)
async def test_on_loopback_another_name_is_refused_as_it_leads_here_from_a_website(serve: Serve, host: str) -> None:
    assert await (await serve(LOOPBACK))(Host=host) == (421, PROBLEM)


async def test_names_that_are_set_are_answered_and_all_others_refused(serve: Serve) -> None:
    for address in ("127.0.0.1", "0.0.0.0"):
        request = await serve(Door.at(address, ["Wine.Example.org"], own="watchdog"))
        assert (await request(Host="wine.example.org:443"))[0] == 200
        assert (await request(Host="watchdog:8001"))[0] == 200
        assert (await request(Host="localhost"))[0] == 200
        assert (await request(Host="evil.example"))[0] == 421


async def test_where_others_reach_it_any_name_is_answered_unless_some_are_set(serve: Serve) -> None:
    assert (await (await serve(Door.at("0.0.0.0", [], own="watchdog")))(Host="wine.example.org"))[0] == 200


@pytest.mark.parametrize(
    ("site", "mode", "status"),
    [
        ("cross-site", "no-cors", 403),
        ("same-site", "cors", 403),
        ("cross-site", "navigate", 200),
        ("same-origin", "cors", 200),
        ("none", "navigate", 200),
    ],
)
async def test_a_picture_or_a_script_of_another_site_is_refused_and_a_link_is_not(
    serve: Serve, site: str, mode: str, status: int
) -> None:
    request = await serve(LOOPBACK)
    assert (await request(Sec_Fetch_Site=site, Sec_Fetch_Mode=mode))[0] == status


def basic(text: str) -> str:
    return f"Basic {b64encode(text.encode()).decode()}"


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (basic("anybody:pässword"), 200),
        (basic(":pässword"), 200),
        ("bearer pässword", 200),
        (basic("anybody:other"), 401),
        (basic("pässword"), 401),
        ("Bearer ", 401),
        ("Basic !", 401),
        ("Basic é", 401),
        ("Digest pässword", 401),
        ("", 401),
    ],
)
async def test_with_a_password_everything_but_an_open_path_wants_it(
    serve: Serve, authorization: str, status: int
) -> None:
    request = await serve(Door(password="pässword", open_paths=["/health"]))
    assert (await request(Authorization=authorization))[0] == status
    assert (await request("/nowhere", Authorization=authorization))[0] == (404 if status == 200 else 401)
    assert (await request("/health", Authorization=authorization))[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/nowhere", 404), ("POST", "/", 405), ("GET", "/breaks", 500)]
)
async def test_whatever_aiohttp_would_answer_by_itself_is_a_problem_document(
    serve: Serve, method: str, path: str, status: int
) -> None:
    assert await (await serve(LOOPBACK))(path, method) == (status, PROBLEM)


async def test_a_server_that_cannot_listen_says_so_and_stops_all_the_same() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        runner = Runner(web.Application(), LOOPBACK, Patience())
        await runner.setup()
        with pytest.raises(OSError, match="in use"):
            await web.TCPSite(runner, *taken.getsockname()).start()
        await runner.cleanup()


@pytest.mark.parametrize("turns", range(6))
async def test_who_connects_while_the_server_stops_is_disconnected_and_nothing_breaks(turns: int) -> None:
    faults: list[dict[str, object]] = []
    loop = asyncio.get_running_loop()
    runner = Runner(web.Application(), LOOPBACK, Patience())
    await runner.setup()
    loop.set_exception_handler(lambda _, fault: faults.append(fault))
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    with socket.create_connection(runner.addresses[0]) as client:  # the kernel's doing; the loop has not seen it yet
        for _ in range(turns):
            await asyncio.sleep(0)
        await runner.cleanup()
        client.settimeout(10)
        with suppress(ConnectionResetError):
            assert client.recv(1) == b""
    assert faults == []


@pytest.mark.parametrize(("version", "status"), [("0.9", 400), ("1.0", 200), ("1.1", 200), ("1.2", 400), ("2.0", 400)])
async def test_only_http_1_is_spoken(version: str, status: int) -> None:
    app = web.Application()
    app.add_routes([web.get("/", hello)])
    runner = Runner(app, LOOPBACK, Patience())
    async with AsyncExitStack() as stack:
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        reader, writer = await asyncio.open_connection(*runner.addresses[0][:2])
        stack.callback(cut, writer)
        line = b"GET /\r\n\r\n" if version == "0.9" else f"GET / HTTP/{version}\r\nHost: localhost\r\n\r\n".encode()
        writer.write(line)
        async with asyncio.timeout(30):
            assert int((await reader.readline()).split()[1]) == status


def cut(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


@pytest.mark.parametrize(
    ("path", "ahead", "begun"),
    [
        pytest.param("/", 50, 2 * FLOODERS, id="many go on sending"),
        pytest.param("/health", 1, 1, id="many have just come, and a machine requests its page"),
    ],
)
async def test_occasional_requests_go_before_endless_ones(path: str, ahead: int, begun: int) -> None:
    answered, all_at_work = 0, asyncio.Event()

    async def count(_: web.Request) -> web.Response:
        nonlocal answered
        answered += 1
        if answered == begun:
            all_at_work.set()
        return web.Response(text="hello")

    app = web.Application()
    app.add_routes([web.get("/", count), web.get("/health", hello)])
    runner = Runner(app, LOOPBACK, Patience())
    async with AsyncExitStack() as stack:
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        streams = [await asyncio.open_connection(*runner.addresses[0][:2]) for _ in range(FLOODERS + 1)]
        for _, writer in streams:
            stack.callback(cut, writer)
        for _, writer in streams[1:]:
            writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * ahead)
        async with asyncio.timeout(60):
            await all_at_work.wait()
            before = answered
            streams[0][1].write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            await streams[0][0].readline()
        assert answered - before < FLOODERS / 2
        assert answered < FLOODERS * ahead, "they were done before"
