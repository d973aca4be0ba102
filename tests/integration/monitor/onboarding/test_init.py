"""`wine-slo init` beside a real Prometheus, and beside what is none."""

import asyncio
import os
import pty
import signal
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from typer.testing import CliRunner, Result

from tests.support.fakes.exporters import Fleet, scraped
from tests.support.fakes.loopback import OnLoopback
from tests.support.real.processes import Processes
from tests.support.real.prometheus import Prometheus, free_port
from wine_slo.cli import app
from wine_slo.config import slo_file
from wine_slo.config.files import yaml_file

EVERY = {"fastapi": "1s", "express": "2s", "node": "3s", "blackbox": "1s", "prometheus": "1s"}
NUMBERS = ("objective", "threshold")
CTRL_C, CTRL_D = "\x03", "\x04"


@pytest.fixture
async def fleet(tmp_path: Path) -> AsyncIterator[Fleet]:
    async with scraped(tmp_path / "prometheus", EVERY) as fleet:
        yield fleet


async def test_objectives_are_written_for_whatever_is_scraped(fleet: Fleet, processes: Processes) -> None:
    await fleet.prometheus.until("count_over_time(up{job='node'}[1m]) > 2")
    await fleet.prometheus.until("sum(increase(http_requests_total{job='fastapi'}[1m])) > 110")
    init = await processes.wine_slo("init", "--prometheus", fleet.prometheus.url, "--yes", settings={})
    assert await init.wait() == 0, init.output
    assert init.lines[-4:] == ["Next:", "  wine-slo replay --since 1d", "  wine-slo watchdog", "  wine-slo doctor"]
    path = processes.folder / "slo.yml"
    entries = entries_of(path)
    assert list(entries) == [
        "blackbox-probes", "blackbox-availability", "express-latency", "express-errors", "express-availability",
        "fastapi-latency", "fastapi-errors", "fastapi-availability", "node-availability", "prometheus-latency",
        "prometheus-errors", "prometheus-availability",
    ]  # fmt: skip
    assert entries["blackbox-probes"]["good"] == 'probe_success{job="blackbox"} == 1'
    assert entries["express-errors"]["bad"].endswith('status_code=~"5.."}')
    assert [entries["fastapi-latency"][each] for each in NUMBERS] == [0.99, "500ms"]
    assert [entries["express-latency"][each] for each in NUMBERS] == [0.99, "300ms"]
    assert 'handler!~"/metrics|none"' in entries["fastapi-latency"]["selector"]
    assert len(slo_file.load(path).objectives().all) == len(entries)
    env = processes.folder / ".env"
    lines = env.read_text().splitlines()
    set_lines = [each for each in lines if each and not each.startswith("#")]
    assert set_lines == [f"WINE_SLO_PROMETHEUS_URL={fleet.prometheus.url}", "WINE_SLO_OBJECTIVES=slo.yml"]
    assert "#WINE_SLO_TELEGRAM_TOKEN=" in lines
    assert stat.S_IMODE(env.stat().st_mode) == 0o600
    await nothing_is_overwritten(fleet, processes)


async def nothing_is_overwritten(fleet: Fleet, processes: Processes) -> None:
    """The objectives only where that is wanted, the settings never."""
    env, slo = processes.folder / ".env", processes.folder / "slo.yml"
    env.write_text("WINE_SLO_TELEGRAM_PROXY=http://proxy.example:3128\n")
    slo.write_text("mine\n")
    arguments = ("init", "--prometheus", fleet.prometheus.url, "--yes")
    init = await processes.wine_slo(*arguments, settings={})
    assert await init.wait() == 2
    assert init.lines == ["slo.yml exists; --output FILE writes another one, --force overwrites it"]
    assert slo.read_text() == "mine\n"
    init = await processes.wine_slo(*arguments, "--force", settings={})
    assert await init.wait() == 0, init.output
    assert "slo.yml is written. .env is left as it is; it should have:" in init.lines
    assert f"WINE_SLO_PROMETHEUS_URL={fleet.prometheus.url}" in init.lines
    assert env.read_text() == "WINE_SLO_TELEGRAM_PROXY=http://proxy.example:3128\n"
    assert entries_of(slo)


async def test_somebody_at_a_terminal_chooses_jobs_and_numbers(fleet: Fleet, processes: Processes) -> None:
    await fleet.prometheus.until("count_over_time(up{job='express'}[1m]) > 2")
    answers = ["express,fastapi", "y", "70ms", "100ms", "0.95", "n", "y", "99", "0.999", "n", "n", "n"]
    status, said = await at_a_terminal(processes, fleet.prometheus.url, answers)
    assert status == 0, said
    assert "That must be one of the histogram's bounds: 3ms, 30ms, 100ms, 300ms, 1.5s, 10s." in said
    assert "That must be a share of good events, such as 0.99." in said
    assert "\\n" not in said
    entries = entries_of(processes.folder / "slo.yml")
    assert list(entries) == ["express-latency", "express-availability"]
    assert [entries["express-latency"][each] for each in NUMBERS] == [0.95, "100ms"]
    assert entries["express-availability"]["objective"] == 0.999


async def test_whoever_stops_at_a_question_is_obeyed_at_once(fleet: Fleet, processes: Processes) -> None:
    await fleet.prometheus.until("count_over_time(up{job='express'}[1m]) > 2")
    for answers in ([CTRL_C], ["all", CTRL_C], ["all", "y", CTRL_C], ["all", CTRL_D]):
        status, said = await at_a_terminal(processes, fleet.prometheus.url, answers)
        assert status == 130
        assert said.splitlines()[-1] == "stopped; nothing is written"
        assert not (processes.folder / "slo.yml").exists()


async def test_a_prometheus_that_scrapes_nothing_is_a_sentence_and_2(tmp_path: Path) -> None:
    prometheus = Prometheus(tmp_path / "prometheus", {})
    await prometheus.start()
    try:
        status, trouble = await refused(tmp_path, "--prometheus", prometheus.url, "--yes")
    finally:
        await prometheus.kill()
    assert status == 2
    assert trouble == (
        f"Prometheus at {prometheus.url} has no job yet: nothing is scraped and nothing was pushed; add a job to its "
        "scrape_configs, wait for the first scrape, and try again\n"
    )
    assert not (tmp_path / "slo.yml").exists()


@pytest.mark.parametrize(
    ("status", "text", "content_type", "sentence"),
    [
        pytest.param(401, "no", "text/plain", "it answered 401: it wants credentials; set", id="credentials"),
        pytest.param(200, "<html>", "text/html", "it answered 200 with a page of HTML", id="a page"),
        pytest.param(404, "no", "text/plain", "it answered 404: ", id="another address"),
    ],
)
async def test_what_is_no_prometheus_is_a_sentence_and_2(
    tmp_path: Path, status: int, text: str, content_type: str, sentence: str
) -> None:
    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=status, text=text, content_type=content_type)

    async with OnLoopback(answer) as other:
        exit_status, trouble = await refused(tmp_path, "--prometheus", other.url, "--yes")
    assert exit_status == 2
    assert trouble.startswith(f"Prometheus at {other.url}: {sentence}")
    assert trouble.count("\n") == 1


@pytest.mark.parametrize(
    ("url", "arguments", "sentence"),
    [
        pytest.param(None, ["--yes"], "it cannot be reached (connection refused)", id="nobody is there"),
        pytest.param("http://me:secret@host", ["--yes"], "a name and a password belong in", id="a password in the URL"),
        pytest.param(
            None, ["--output", "a/b.yml", "--yes"], "a/b.yml cannot be written: there is no folder a", id="no folder"
        ),
        pytest.param(None, [], "there is no terminal for questions; --yes takes what is proposed", id="no terminal"),
    ],
)
async def test_what_cannot_be_done_is_a_sentence_and_2(
    tmp_path: Path, url: str | None, arguments: list[str], sentence: str
) -> None:
    url = url or f"http://127.0.0.1:{free_port()}"
    status, trouble = await refused(tmp_path, "--prometheus", url, *arguments)
    assert status == 2
    assert sentence in trouble
    assert trouble.count("\n") == 1
    assert "secret" not in trouble


async def refused(folder: Path, *arguments: str) -> tuple[int, str]:
    """The exit status of `wine-slo init` in a folder, and what it says is wrong; nothing else is said."""

    def run() -> Result:
        with chdir(folder):
            return CliRunner().invoke(app, ["init", *arguments], catch_exceptions=False)

    done = await asyncio.to_thread(run)
    assert done.stdout == ""
    return done.exit_code, done.stderr


def entries_of(path: Path) -> dict[str, dict[str, Any]]:
    _, content = yaml_file.read(path.read_text())
    return {each["name"]: each for each in content["objectives"]}


async def at_a_terminal(processes: Processes, url: str, answers: list[str]) -> tuple[int, str]:
    """Run `init` with a terminal, and type each answer as soon as there is a question that has none yet."""
    ours, theirs = pty.openpty()
    said = bytearray()
    has_more = asyncio.Event()

    def read() -> None:
        try:
            said.extend(os.read(ours, 65536))
        except OSError:  # it has ended
            asyncio.get_running_loop().remove_reader(ours)
        has_more.set()

    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "wine_slo", "init", "--prometheus", url,
        stdin=theirs, stdout=theirs, stderr=theirs, cwd=processes.folder, env={"PATH": os.environ["PATH"]},
    )  # fmt: skip
    os.close(theirs)
    asyncio.get_running_loop().add_reader(ours, read)
    try:
        async with asyncio.timeout(60):
            for number, each in enumerate(answers, start=1):
                while said.count(b"]: ") < number:
                    has_more.clear()
                    await has_more.wait()
                if each == CTRL_C:
                    wait_until_asleep(process.pid)
                    process.send_signal(signal.SIGINT)
                else:
                    os.write(ours, f"{each}\n".encode())
            return await process.wait(), said.decode()
    finally:
        asyncio.get_running_loop().remove_reader(ours)
        os.close(ours)
        if process.returncode is None:
            process.kill()
            await process.wait()


def wait_until_asleep(pid: int) -> None:
    """Wait until it sleeps: Python loses a signal between the writing of a prompt and the reading after it."""
    while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "S":
        os.sched_yield()
