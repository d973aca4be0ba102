"""What the watchdog costs: evaluations of the shipped objectives, of a hundred, and of one with a thousand label sets.

The real Prometheus, the real evaluation and ledger, ticks 15 s apart for two minutes each; then a real process from its
start to its first tick. "Our own" is the processor time of the watchdog alone, threads that write the ledger among
it; the rest of an evaluation is Prometheus and the way to it. Prints its table and writes it into docs/benchmarks.md.
"""

import asyncio
import statistics
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter, process_time

import aiohttp

from benchmarks import page
from tests.support.fakes.service import Service
from tests.support.real.processes import Processes
from tests.support.real.prometheus import Prometheus, free_port, scraping
from wine_slo.config import slo_file
from wine_slo.integrations.prometheus.client import PrometheusClient
from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.monitor.evaluate.evaluator import Evaluator
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.objectives.objective import Objectives
from wine_slo.slo.source.clocks import WallTime

ROOT = Path(__file__).parents[2]
LABEL_SETS = 1000
OBJECTIVES = 100
EVALUATIONS, EVERY = 8, 15  # seconds
LIVES = 60  # seconds after which the memory of a process is read


@dataclass(frozen=True)
class Cost:
    """What evaluations took: seconds of the clock, seconds of our own processor time, and queries."""

    clock: Sequence[float]
    own: Sequence[float]
    questions: float

    def row(self, name: str) -> str:
        """Return a line of the table."""
        return f"| {name} | {_ms(self.clock)} | {_ms(self.own)} | {self.questions:g} |"


def _ms(seconds: Sequence[float]) -> str:
    low, middle, high = (each * 1000 for each in (min(seconds), statistics.median(seconds), max(seconds)))
    return f"{middle:.0f} ({low:.0f} to {high:.0f})"


@asynccontextmanager
async def serving(folder: Path, endpoints: int) -> AsyncIterator[Prometheus]:
    """Run a service that answers ten requests a second, over its endpoints, and the Prometheus that scrapes it."""
    service = Service()
    await service.comes_back()
    prometheus = Prometheus(folder / "prometheus", scraping(service.target, every="5s"))
    await prometheus.start()

    async def answer() -> None:
        while True:
            for number in range(endpoints):
                service.answers(good=max(1, 50 // endpoints), endpoint=f"/{number}")
            await asyncio.sleep(5)

    answering = asyncio.create_task(answer())
    try:
        yield prometheus
    finally:
        answering.cancel()
        await prometheus.kill()
        await service.goes_down()


async def evaluate(objectives: Objectives, endpoints: int) -> Cost:
    """Return the cost of evaluations of some objectives; the first, which reads all of the range, is left out."""
    requested = 0

    def count(_outcome: str) -> None:
        nonlocal requested
        requested += 1

    clock, own = [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with serving(folder, endpoints) as prometheus, aiohttp.ClientSession() as session:
            await asyncio.sleep(2 * EVERY)
            ledger = Ledger.open(f"sqlite:///{folder / 'watchdog.db'}")
            api = PrometheusClient(session, prometheus.url, {}, on_query=count)
            evaluation = Evaluator(api, ledger, objectives, State(), lambda: WallTime(datetime.now(UTC)))
            for number in range(EVALUATIONS + 1):
                queries_before, started, used = requested, perf_counter(), process_time()
                await evaluation.evaluate()
                if number:
                    clock.append(perf_counter() - started)
                    own.append(process_time() - used)
                questions = requested - queries_before
                await asyncio.sleep(EVERY)
            seen = len(evaluation.state.readings)
            ledger.close()
    print(f"{len(objectives.all)} objectives, {seen} label sets: {len(clock)} evaluations", flush=True)
    return Cost(clock, own, questions)


async def live() -> tuple[float, float]:
    """Return the seconds from a process's start to its first complete tick, and its resident MB a minute later."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "slo.yml").write_text((ROOT / "config" / "slo.yml").read_text())
        async with serving(folder, 3) as prometheus:
            await asyncio.sleep(EVERY)
            processes = Processes(folder)
            started = perf_counter()
            watchdog = await processes.watchdog(
                {"WINE_SLO_PROMETHEUS_URL": prometheus.url, "WINE_SLO_WATCHDOG_PORT": str(free_port())}
            )
            await watchdog.until_line("sight of availability is", seconds=60)
            first = perf_counter() - started
            await asyncio.sleep(LIVES)
            memory = resident(watchdog.pid)
            await processes.end()
    return first, memory


def resident(pid: int) -> float:
    """Return the MB that a process holds."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) * 1024 / 1e6


async def run() -> str:
    """Return these costs and the life of a process, as Markdown."""
    shipped = slo_file.load(ROOT / "config" / "slo.yml").objectives()
    latency = replace(shipped.by_name["latency"], by=("endpoint",))
    few = await evaluate(shipped, 3)
    hundred = tuple(replace(shipped.by_name["latency"], name=f"latency-{number}") for number in range(OBJECTIVES))
    all_of_them = await evaluate(replace(shipped, all=hundred), 3)
    many = await evaluate(replace(shipped, all=(latency,)), LABEL_SETS)
    first, memory = await live()
    return "\n".join(
        (
            "| an evaluation of | all of it, ms | our own, ms | queries |",
            "| --- | --- | --- | --- |",
            few.row("the three shipped objectives"),
            all_of_them.row(f"{OBJECTIVES} objectives of latency"),
            many.row(f"one objective with {LABEL_SETS:,} label sets"),
            "",
            f"From a process's start to its first tick: {first:.2f} s. A minute later it holds {memory:.0f} MB.",
        )
    )


if __name__ == "__main__":
    measured = asyncio.run(run())
    print(measured)
    page.write(
        "watchdog", f"{page.today()}. Median (min to max) of {EVALUATIONS} evaluations, {EVERY} s apart.", measured
    )
