"""`wine-slo check` as a gate or a healthcheck runs it: a process of its own, beside the real Prometheus."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from typer.testing import CliRunner, Result

from tests.support.fakes.service import Service
from tests.support.real.processes import Processes
from tests.support.real.prometheus import Prometheus, free_port
from wine_slo.cli import app

pytestmark = pytest.mark.asyncio(loop_scope="module")

STEPS = 7  # scrapes; a breach takes five of them
STORIES = {"kept": (20, 0), "slow": (0, 20), "idle": (0, 0), "few": (0, 0), "gone": (0, 0)}  # good and slow in each
RARE = "rare"  # a job that is scraped every 20 min
OBJECTIVE = """
  - {{name: {name}, kind: latency, job: {name}, objective: 0.95, threshold: 1s, histogram: request_latency_seconds,
     bad_for: 5s, good_for: 4s, over: 1m}}"""


@dataclass
class World:
    """Services with a story each, and a folder in which `wine-slo` is run."""

    folder: Path
    prometheus: Prometheus
    processes: Processes

    @property
    def settings(self) -> dict[str, str]:
        return {
            "WINE_SLO_PROMETHEUS_URL": self.prometheus.url,
            "WINE_SLO_OBJECTIVES": str(self.folder / "slo.yml"),
        }

    async def check(self, *arguments: str, **settings: str) -> Result:
        """Run it here, as starting Python takes longer than an evaluation."""
        return await self.run("check", *arguments, **settings)

    async def run(self, *arguments: str, **settings: str) -> Result:
        """Run any command here."""
        return await asyncio.to_thread(
            CliRunner().invoke, app, arguments, env={**self.settings, **settings}, prog_name="wine-slo"
        )


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("check")
    (folder / "slo.yml").write_text(
        "job: kept\nscrape_interval: 1s\nobjectives:" + "".join(OBJECTIVE.format(name=name) for name in STORIES)
    )
    async with AsyncExitStack() as stack:
        services = {name: Service() for name in STORIES if name != "gone"}
        jobs = []
        for name, service in services.items():
            await service.comes_back()
            stack.push_async_callback(service.goes_down)
            jobs.append({"job_name": name, "static_configs": [{"targets": [service.target]}]})
        jobs.append(dict(jobs[0], job_name=RARE, scrape_interval="20m"))
        every = {"scrape_interval": "1s", "scrape_timeout": "1s"}
        prometheus = Prometheus(folder / "prometheus", {"global": every, "scrape_configs": jobs})
        await prometheus.start()
        stack.push_async_callback(prometheus.kill)
        processes = Processes(folder)
        stack.push_async_callback(processes.end)
        await asyncio.gather(*(live(prometheus, name, service) for name, service in services.items()))
        yield World(folder, prometheus, processes)


async def live(prometheus: Prometheus, name: str, service: Service) -> None:
    await prometheus.until(f'up{{job="{name}"}} == 1')
    good, slow = STORIES[name]
    service.answers(good=3 if name == "few" else 0)
    for step in range(1, STEPS + 1):
        service.answers(good=good, slow=slow)
        total = step * (good + slow) + (3 if name == "few" else 0)
        await prometheus.until(f'sum(request_latency_seconds_count{{job="{name}"}}) == {total}')


async def test_what_is_kept_is_0(world: World) -> None:
    checked = await world.check("--objective", "kept")
    assert checked.exit_code == 0
    assert checked.stdout == "met                kept: < 0.05 s p95 over 1 min (target ≤ 1 s)\n"


async def test_what_is_broken_is_1(world: World) -> None:
    checked = await world.processes.wine_slo("check", "--objective", "slow", settings=world.settings)
    assert await checked.wait(30) == 1
    (line,) = checked.output.splitlines()  # there were no requests of late where the process took long to start
    assert re.fullmatch(r"breached {11}slow: 1\.5–2 s p95 over (4 s|1 min) \(target ≤ 1 s\)", line)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        pytest.param({"WINE_SLO_PROMETHEUS_URL": "nowhere"}, "WINE_SLO_PROMETHEUS_URL is 'nowhere'", id="a setting"),
        pytest.param({"WINE_SLO_OBJECTIVES": "no.yml"}, "no.yml cannot be read", id="no objectives"),
        pytest.param({"WINE_SLO_OBJECTIVES": "README.md"}, "README.md:", id="objectives that are none"),
    ],
)
async def test_what_is_configured_badly_is_2(world: World, settings: dict[str, str], said: str) -> None:
    checked = await world.check(**settings)
    assert checked.exit_code == 2
    assert checked.output.startswith(said)


@pytest.mark.parametrize("command", ["check", "drill"])
async def test_what_cannot_be_judged_at_the_real_scrape_interval_is_2(world: World, command: str) -> None:
    objectives = world.folder / "rare.yml"
    objectives.write_text(f"job: {RARE}\nobjectives:{OBJECTIVE.format(name=RARE).replace('1m', '1m, window: 1h')}")
    checked = await world.run(command, WINE_SLO_OBJECTIVES=str(objectives))
    assert checked.exit_code == 2
    assert checked.output == (
        f"{objectives}:4: objectives.0.window is 1h; it must be longer than over, which is 100m at "
        "scrape_interval: 20m\n"
    )
    machine = await world.run(command, "--json", WINE_SLO_OBJECTIVES=str(objectives))
    assert machine.exit_code == 2
    assert json.loads(machine.stdout)["answer"] == "bad_configuration"


async def test_an_objective_that_there_is_not_is_2(world: World) -> None:
    checked = await world.check("--objective", "speed")
    assert checked.exit_code == 2
    assert checked.output.splitlines() == ["there is no objective 'speed'; there are kept, slow, idle, few, gone"]


async def test_what_cannot_be_seen_is_3(world: World) -> None:
    away = await world.check("--objective", "kept", WINE_SLO_PROMETHEUS_URL=f"http://127.0.0.1:{free_port()}")
    assert away.exit_code == 3
    assert away.stdout.startswith("no data            kept: Prometheus: it cannot be reached")
    unknown = await world.check("--objective", "gone")
    assert unknown.exit_code == 3
    assert unknown.output.splitlines() == ["no data            gone: Prometheus knows no target of the job gone"]


async def test_too_few_requests_are_4(world: World) -> None:
    idle = await world.check("--objective", "idle")
    assert idle.exit_code == 4
    assert idle.output.splitlines() == ["too little traffic idle: no requests"]
    few = await world.check("--objective", "few")
    assert few.exit_code == 4
    assert few.output.splitlines() == ["too little traffic few: only 3 of the 5 requests that a judgement needs"]


async def test_of_several_the_worst_is_the_answer_and_each_has_a_line(world: World) -> None:
    checked = await world.check()
    assert checked.exit_code == 1
    assert [line.split(":")[0].split()[-1] for line in checked.stdout.splitlines()] == list(STORIES)


async def test_a_machine_reads_one_document(world: World) -> None:
    checked = await world.check("--json")
    found: dict[str, Any] = json.loads(checked.stdout)
    assert (found["answer"], found["exit_status"]) == ("breached", 1)
    answers = {each["slo"]: each["answer"] for each in found["objectives"]}
    assert answers == {
        "kept": "met",
        "slow": "breached",
        "idle": "too_little_traffic",
        "few": "too_little_traffic",
        "gone": "cannot_see",
    }
    assert found["objectives"][1]["status"]["threshold_seconds"] == 1
    bad = await world.check("--json", "--objective", "speed")
    assert json.loads(bad.stdout)["answer"] == "bad_configuration"
