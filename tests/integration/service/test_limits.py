import asyncio
import itertools
import os
import resource
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from time import perf_counter

import aiohttp
import pytest
from aiohttp import web
from pytest_aiohttp.plugin import AiohttpClient

from tests.integration.service.conftest import IS_UP, SHIPPED, Client, metrics
from tests.support.real.processes import Process, Processes
from wine_slo.http.guarded_server import Patience
from wine_slo.service.app import create_app
from wine_slo.service.settings import ServerSettings
from wine_slo.service.workers import WORKER_PAUSE, runner_of

IDLE, DRIBBLING = 2000, 200  # connections


@pytest.fixture
async def server(processes: Processes, settings: dict[str, str]) -> Process:
    server = await processes.server(settings)
    await server.until_line(IS_UP)
    return server


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


async def test_idle_and_dribbling_connections_hold_nobody_up(server: Process, port: int, stack: AsyncExitStack) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
    dribbling = []
    for place in range(IDLE + DRIBBLING):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        stack.callback(writer.close)
        if place >= IDLE:
            writer.write(b"POST /predict HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
            dribbling.append(writer)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        for _ in range(10):
            for writer in dribbling:
                writer.write(b"x")
            started = perf_counter()
            assert (await session.get("/health")).status == 200
            assert perf_counter() - started < 10, "whom they hold up waits for more than a minute"
    assert server.is_running


async def serving(
    stack: AsyncExitStack, patience: Patience | None = None, *, most_connections: int | None = None
) -> web.AppRunner:
    """Serve in this process until the end of the test."""
    runner = runner_of(create_app(ServerSettings(model=SHIPPED), patience=patience), most_connections)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner


async def until_nobody_is_connected(runner: web.AppRunner) -> None:
    server = runner.server
    assert server is not None

    async def is_so() -> bool:
        await asyncio.sleep(0)
        return bool(server.requests_count) and not server.connections

    async with asyncio.timeout(30):
        while not await is_so():
            pass


async def until_the_end(reader: asyncio.StreamReader) -> bytes:
    """Return what comes until the other side closes; it may do so by a reset where we were still writing."""
    read = b""
    with suppress(ConnectionResetError):
        while piece := await reader.read(2**16):
            read += piece
    return read


def cut(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def test_a_body_that_does_not_come_is_408(aiohttp_client: AiohttpClient) -> None:
    client = await aiohttp_client(create_app(ServerSettings(model=SHIPPED), patience=Patience(body=0.2)))
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(
        b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
    )
    async with asyncio.timeout(30):
        assert (await reader.readline()).startswith(b"HTTP/1.1 408")
    writer.close()


@pytest.mark.parametrize(
    ("sent", "dribble"),
    [
        pytest.param(b"", b"", id="nothing was ever sent"),
        pytest.param(b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", b"x", id="headers come letter by letter"),
        pytest.param(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n", b"", id="idle after a request"),
        pytest.param(
            b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\nGET /health HTTP/1.1\r\nX-Slow: ",
            b"x",
            id="headers of a second request come letter by letter",
        ),
    ],
)
async def test_a_client_that_is_slow_to_send_is_disconnected(
    stack: AsyncExitStack, sent: bytes, dribble: bytes
) -> None:
    runner = await serving(stack, Patience(idle=0.4))
    reader, writer = await asyncio.open_connection(*runner.addresses[0][:2])
    stack.callback(writer.close)
    writer.write(sent)
    ended = asyncio.create_task(until_the_end(reader))
    started = perf_counter()
    while not ended.done() and perf_counter() - started < 30:
        if dribble:
            writer.write(dribble)
        await asyncio.wait([ended], timeout=0.05)
    assert 0.3 < perf_counter() - started < 20
    assert (await ended).count(b"HTTP/1.1 200") == sent.count(b"\r\n\r\n")


async def test_a_client_that_does_not_read_its_answers_is_hung_up_on(stack: AsyncExitStack) -> None:
    runner = await serving(stack, Patience(reading=0.2))
    _, writer = await asyncio.open_connection(*runner.addresses[0][:2], limit=1024)
    stack.callback(cut, writer)
    writer.transport.pause_reading()  # type: ignore[attr-defined]  # a socket's transport
    writer.write(b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2000)  # 20 MB of answers
    await until_nobody_is_connected(runner)


async def test_the_oldest_idle_connection_gives_way_where_there_are_too_many(stack: AsyncExitStack) -> None:
    runner = await serving(stack, most_connections=3)
    streams = [await asyncio.open_connection(*runner.addresses[0][:2]) for _ in range(3)]
    busy = streams[0][1]
    busy.write(b"GET /sleep?seconds=1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await busy.drain()
    for _ in range(3):
        streams.append(await asyncio.open_connection(*runner.addresses[0][:2]))
        streams[-1][1].write(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        async with asyncio.timeout(30):
            assert (await streams[-1][0].readline()).startswith(b"HTTP/1.1 200")
    for _, writer in streams:
        stack.callback(cut, writer)
    async with asyncio.timeout(30):
        assert await streams[1][0].read() == b""
        assert (await streams[0][0].readline()).startswith(b"HTTP/1.1 200"), "who is being answered is not disturbed"


async def test_a_newcomer_finds_a_place_however_many_requests_of_another_client_are_asleep(client: Client) -> None:
    other = aiohttp.TCPConnector(limit=0, local_addr=("127.0.0.2", 0))
    async with aiohttp.ClientSession(connector=other) as greedy:
        url = client.make_url("/sleep?seconds=5")
        asleep = [asyncio.create_task(greedy.get(url)) for _ in range(150)]
        refused = [await each for each in itertools.islice(asyncio.as_completed(asleep), 50)]
        assert {response.status for response in refused} == {429}
        assert (await client.get("/sleep?seconds=0")).status == 200
        for each in asleep:
            each.cancel()
    async with asyncio.timeout(30):
        while (await metrics(client))['requests_in_flight{endpoint="/sleep"}']:
            pass
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, local_addr=("127.0.0.2", 0))) as again:
        assert (await again.get(client.make_url("/sleep?seconds=0"))).status == 200, "who goes away gives places back"


async def test_a_client_fails_no_more_than_a_hundred_times_a_second(client: Client) -> None:
    statuses = Counter([(await client.get("/fail")).status for _ in range(102)])
    assert statuses[429] <= 102 - 100
    responses = await asyncio.gather(*(client.get("/fail") for _ in range(300)))
    assert 429 in {response.status for response in responses}


@pytest.mark.parametrize("path", ["/sleep?seconds=0", "/fail"])
@pytest.mark.parametrize("mode", ["navigate", "no-cors"])
async def test_another_site_can_neither_slow_the_service_down_nor_have_it_fail(
    client: Client, path: str, mode: str
) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": mode}
    assert (await client.get(path, headers=headers)).status == 403


async def test_a_website_whose_name_leads_here_is_refused(client: Client) -> None:
    response = await client.get("/metrics", headers={"Host": "evil.example"})
    assert (response.status, response.content_type) == (421, "application/problem+json")


async def test_no_more_than_a_hundred_of_one_client_sleep_at_once(client: Client) -> None:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        asleep = [asyncio.create_task(session.get(client.make_url("/sleep?seconds=1"))) for _ in range(101)]
        statuses = [(await each).status for each in asleep]
    assert sorted(statuses) == [200] * 100 + [429]


async def start_workers(processes: Processes, settings: dict[str, str]) -> tuple[Process, list[int]]:
    """Start two workers; return their parent and their process ids."""
    command = [sys.executable, "-m", "wine_slo.server", "--workers", "2"]
    parent = await processes.start("server", command, settings)
    for worker in range(2):
        await parent.until_line(f"{IS_UP}.* as worker {worker}")
    lines = [await parent.until_line(f"worker {worker} is process") for worker in range(2)]
    return parent, [int(line.split()[-1]) for line in lines]


async def predict_on_many_connections(port: int) -> None:
    for _ in range(40):  # so that each worker gets some
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
            assert (await session.post("/predict", data={"request": "1," * 12 + "1"})).status == 200


COUNTED = 'responses_total{endpoint="/predict",status="200"} 40.0'


async def every_worker_reports(port: int, line: str) -> None:
    async with asyncio.timeout(10):  # an answer is counted right after it has left
        while line not in await reported(port):
            pass
    for _ in range(10):
        assert line in await reported(port)


async def reported(port: int) -> str:
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        return await (await session.get("/metrics")).text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_any_worker_reports_the_numbers_of_all(
    processes: Processes, settings: dict[str, str], port: int, number: signal.Signals
) -> None:
    parent, _ = await start_workers(processes, settings)
    await predict_on_many_connections(port)
    await every_worker_reports(port, COUNTED)
    await every_worker_reports(port, 'request_latency_seconds_count{endpoint="/predict"} 40.0')
    parent.send(number)
    assert await parent.wait() == 0
    assert "Traceback" not in parent.output


async def test_a_worker_that_is_killed_is_replaced_and_its_counts_are_kept(
    processes: Processes, settings: dict[str, str], port: int
) -> None:
    parent, (_, second) = await start_workers(processes, settings)
    await predict_on_many_connections(port)
    await every_worker_reports(port, COUNTED)
    os.kill(second, signal.SIGKILL)
    await parent.until_line("worker 1 ended with -9; another takes its place")
    await parent.until_line(f"worker 1 is process (?!{second})")
    await every_worker_reports(port, COUNTED)
    assert await parent.terminate() == 0


def names_in(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir()]


async def test_no_worker_outlives_a_parent_that_is_killed_and_a_new_one_starts_at_once_and_removes_what_it_left(
    processes: Processes, settings: dict[str, str], port: int, tmp_path: Path
) -> None:
    settings["TMPDIR"] = str(tmp_path)
    parent, _ = await start_workers(processes, settings)
    assert await parent.kill() == -signal.SIGKILL  # said when its output ends, which the workers hold too
    (left,) = names_in(tmp_path)
    parent, _ = await start_workers(processes, settings)
    await predict_on_many_connections(port)
    (folder,) = names_in(tmp_path)
    assert left != folder
    assert await parent.terminate() == 0
    assert not names_in(tmp_path)


async def test_a_replaced_worker_does_not_outlive_its_parent_either(
    processes: Processes, settings: dict[str, str]
) -> None:
    parent, (_, second) = await start_workers(processes, settings)
    os.kill(second, signal.SIGKILL)
    await parent.until_line(f"worker 1 is process (?!{second})")
    assert await parent.kill() == -signal.SIGKILL


async def test_all_workers_that_are_killed_at_once_are_replaced_without_a_pause(
    processes: Processes, settings: dict[str, str], port: int
) -> None:
    parent, workers = await start_workers(processes, settings)
    await predict_on_many_connections(port)
    await asyncio.sleep(WORKER_PAUSE)  # who has run for less is thought to be unable to
    for worker in workers:
        os.kill(worker, signal.SIGKILL)
    killed_at = perf_counter()
    for worker in range(2):
        await parent.until_line(f"worker {worker} is process (?!{workers[worker]})")
    assert perf_counter() - killed_at < 2 * WORKER_PAUSE, "one after the other would wait for one pause each"
    await parent.terminate()


async def test_workers_detect_that_the_port_is_in_use(
    server: Process, processes: Processes, settings: dict[str, str]
) -> None:
    assert server.is_running
    workers = await processes.start("server", [sys.executable, "-m", "wine_slo.server", "--workers", "2"], settings)
    assert await workers.wait() == 1
    assert "Address already in use" in workers.lines[-1]
