"""What many objectives and many label sets cost, beside Prometheus rules for the same objectives.

For each size three phases on the same targets: Prometheus alone, Prometheus with a watchdog, and Prometheus with the
rules. The watchdog is the real process, with ledger, metrics and messages; the time of a tick is what it says itself.
What Prometheus works and holds more than alone is what watchdog or rules cost there. All sizes are scraped from the
beginning, so that the largest, which is measured last, has a history by then. Prints its table and writes it into
docs/benchmarks.md. A number as argument makes every phase last so many seconds, for a quick try.
"""

import asyncio
import contextlib
import os
import re
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import aiohttp

from benchmarks import page
from benchmarks.scale.objectives import Wanted, many, per_label_set, rules, slo_yml
from tests.support.real.processes import Process, Processes
from tests.support.real.prometheus import Prometheus, free_port

ROOT = Path(__file__).parents[2]
LABEL_SETS, OBJECTIVES = (10, 100, 1000, 10_000), (10, 50, 200)
EVERY = 15  # seconds between two evaluations, of watchdog and rules alike
LASTS = 30  # seconds of a phase that are measured
BEGINS = 10  # seconds before that; a watchdog's begin once its first evaluation sees all
PATIENCE = 45  # seconds until it does
RESTS = 10  # seconds in which Prometheus alone is measured
SCRAPES = 5  # seconds
HEAD = (
    "",
    "a tick, s",
    "its processor time, s: ours + Prometheus'",
    "requests",
    "we hold, held at the most, MB",
    "longest /health, ms",
    "rules: an evaluation, sum of its groups, s",
    "its processor time, s",
    "Prometheus holds more, MB",
)
REQUESTED_EVERY = 0.02  # seconds between two requests of /health


@dataclass(frozen=True)
class Use:
    """What a process has used: seconds of processor time, and MB that it holds and held at the most."""

    seconds: float
    memory: float
    peak: float

    @classmethod
    def of(cls, pid: int) -> "Use":
        """Return what it has used until now."""
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks = int(fields[11]) + int(fields[12])
        status = Path(f"/proc/{pid}/status").read_text()
        held, peak = (int(re.findall(rf"^{name}:\s*(\d+) kB", status, re.MULTILINE)[0]) for name in ("VmRSS", "VmHWM"))
        return cls(ticks / os.sysconf("SC_CLK_TCK"), held * 1024 / 1e6, peak * 1024 / 1e6)


@dataclass(frozen=True)
class Phase:
    """What an evaluation took: seconds of the clock, of each process' time, and the MB that both hold.

    The seconds of the clock are those of all its parts, one after another; None where not one was complete.
    """

    clock: float | None
    ours: float
    prometheus: float
    memory: float
    peak: float
    prometheus_memory: float
    requests: float = 0.0
    health: float = 0.0


class World:
    """The targets of one size, and the Prometheus that scrapes them."""

    def __init__(self, folder: Path, wanted: Sequence[Wanted], routes: int, seconds: float) -> None:
        self._folder = folder
        self._wanted = wanted
        self._routes = routes
        self._seconds = seconds
        self._port = free_port()
        self._plain = self.prometheus("plain")
        self._young = 0.0  # MB

    def prometheus(self, name: str, rule_text: str = "") -> Prometheus:
        """Return one Prometheus with data of its own."""
        jobs = dict.fromkeys(each.job for each in self._wanted)
        targets = [{"targets": [f"127.0.0.1:{self._port}"]}]
        configuration = {
            "global": {"scrape_interval": f"{SCRAPES}s", "evaluation_interval": f"{EVERY}s"},
            "rule_files": ["rules.yml"],
            "scrape_configs": [{"job_name": job, "metrics_path": f"/{job}", "static_configs": targets} for job in jobs],
        }
        return Prometheus(self._folder / name, configuration, rule_text)

    @asynccontextmanager
    async def scraped(self) -> AsyncIterator[None]:
        """Have its targets scraped."""
        command = [sys.executable, "-m", "benchmarks.scale.exporter", str(self._port), str(self._routes)]
        exporter = await Process.start("exporter", command, ROOT, {})
        try:
            await self._plain.start()
            try:
                yield
            finally:
                await self._plain.kill()
        finally:
            await exporter.kill()

    def note_memory(self) -> None:
        """Note what Prometheus alone holds once it is as old as that with the rules will be."""
        self._young = Use.of(self._plain.pid).memory

    async def run(self) -> tuple[Phase, Phase]:
        """Return what an evaluation takes, while its targets are scraped: ours, and that of the rules."""
        alone = await self._rests(self._plain)
        ours = await self._watched(self._plain, alone)
        await self._plain.kill()
        ruled = self.prometheus("ruled", rules(self._wanted, f"{EVERY}s"))
        await ruled.start()
        try:
            await asyncio.sleep(BEGINS)
            return ours, await self._ruled(ruled, alone.seconds)
        finally:
            await ruled.kill()

    async def _rests(self, prometheus: Prometheus) -> Use:
        """Return what Prometheus alone uses in the time of one evaluation, and holds."""
        before = Use.of(prometheus.pid)
        await asyncio.sleep(RESTS)
        after = Use.of(prometheus.pid)
        return Use((after.seconds - before.seconds) / RESTS * EVERY, after.memory, after.peak)

    async def _watched(self, prometheus: Prometheus, alone: Use) -> Phase:
        folder = self._folder / "watchdog"
        folder.mkdir()
        (folder / "slo.yml").write_text(slo_yml(self._wanted))
        processes, port = Processes(folder), free_port()
        settings = {
            "WINE_SLO_PROMETHEUS_URL": prometheus.url,
            "WINE_SLO_WATCHDOG_PORT": str(port),
            "WINE_SLO_POLL_SECONDS": str(EVERY),
        }
        watchdog = await processes.watchdog(settings)
        try:
            with contextlib.suppress(AssertionError):  # that nothing is seen in time is what the table says
                await watchdog.until_line("sight of .* is clear", seconds=PATIENCE)
            async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
                before, used, theirs = await _metrics(session), Use.of(watchdog.pid), Use.of(prometheus.pid)
                await asyncio.sleep(self._seconds)
                after, now, rested = await _metrics(session), Use.of(watchdog.pid), Use.of(prometheus.pid)
                health = await _longest_health(session, EVERY)  # not before, as it takes time of its own
        finally:
            await processes.end()
        ticks = after["watchdog_tick_seconds_count"] - before["watchdog_tick_seconds_count"]
        seconds = after["watchdog_tick_seconds_sum"] - before["watchdog_tick_seconds_sum"]
        is_seeing = bool(ticks) and after["clear"] >= len(self._wanted)
        if not is_seeing:
            print(watchdog.output, file=sys.stderr)
        return Phase(
            clock=seconds / ticks if is_seeing else None,
            ours=(now.seconds - used.seconds) / max(ticks, 1),
            prometheus=(rested.seconds - theirs.seconds - alone.seconds / EVERY * self._seconds) / max(ticks, 1),
            memory=now.memory,
            peak=now.peak,
            prometheus_memory=rested.memory - alone.memory,
            requests=(after["queries"] - before["queries"]) / max(ticks, 1),
            health=health,
        )

    async def _ruled(self, prometheus: Prometheus, alone: float) -> Phase:
        before = Use.of(prometheus.pid)
        durations = []
        until = perf_counter() + self._seconds
        while perf_counter() < until:
            await asyncio.sleep(EVERY)
            text = await _page(f"{prometheus.url}/metrics")
            found = re.findall(r"^prometheus_rule_group_last_duration_seconds{.*} (.*)$", text, re.MULTILINE)
            durations.append(sum(map(float, found)))
        after = Use.of(prometheus.pid)
        return Phase(
            clock=statistics.median(durations) if durations else None,
            ours=0.0,
            prometheus=(after.seconds - before.seconds) / self._seconds * EVERY - alone,
            memory=0.0,
            peak=0.0,
            prometheus_memory=after.memory - self._young,
        )


async def _page(url: str) -> str:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return await response.text()


async def _metrics(session: aiohttp.ClientSession) -> dict[str, float]:
    """Return what the watchdog says of itself: its ticks, its queries, and how many label sets it sees."""
    async with session.get("/metrics") as response:
        text = await response.text()
    found = {
        name: float(value) for name, value in re.findall(r"^(watchdog_tick_seconds_\w+) (.*)$", text, re.MULTILINE)
    }
    found["queries"] = sum(map(float, re.findall(r"^watchdog_queries_total{.*} (.*)$", text, re.MULTILINE)))
    found["clear"] = len(re.findall(r"^slo_sight{.*} 0\.0$", text, re.MULTILINE))
    return found


async def _longest_health(session: aiohttp.ClientSession, seconds: float) -> float:
    """Return how long /health took at the most, as it was requested all the time."""
    longest, until = 0.0, perf_counter() + seconds
    while perf_counter() < until:
        began = perf_counter()
        async with session.get("/health") as response:
            await response.read()
        longest = max(longest, perf_counter() - began)
        await asyncio.sleep(REQUESTED_EVERY)
    return longest


def _row(name: str, ours: Phase, theirs: Phase) -> str:
    both = f"{ours.ours:.2f} + {max(0.0, ours.prometheus):.2f}"
    cells = (
        name,
        _clock(ours),
        both,
        f"{ours.requests:.0f}",
        f"{ours.memory:.0f}, {ours.peak:.0f}",
        f"{ours.health * 1000:.0f}",
        _clock(theirs),
        f"{max(0.0, theirs.prometheus):.2f}",
        f"{theirs.prometheus_memory:+.0f}",
    )
    return f"| {' | '.join(cells)} |"


def _clock(phase: Phase) -> str:
    return "not reached" if phase.clock is None else f"{phase.clock:.2f}"


async def run(seconds: float) -> str:
    """Return the table, as Markdown."""
    sizes = [(f"{count} objectives in one file", many(count)) for count in OBJECTIVES]
    sizes += [(f"one objective, {count:,} label sets", per_label_set(count)) for count in LABEL_SETS]
    rows = [
        f"| {' | '.join(HEAD)} |",
        f"|{' --- |' * len(HEAD)}",
    ]
    async with AsyncExitStack() as stack:
        worlds = []
        for _, (wanted, routes) in sizes:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            worlds.append(World(folder, wanted, routes, seconds))
            await stack.enter_async_context(worlds[-1].scraped())
        await asyncio.sleep(BEGINS + seconds)
        for world in worlds:
            world.note_memory()
        for (name, _), world in zip(sizes, worlds, strict=True):
            rows.append(_row(name, *await world.run()))
            print(rows[-1], flush=True)
    return "\n".join(rows)


if __name__ == "__main__":
    given = float(sys.argv[1]) if len(sys.argv) > 1 else LASTS
    with contextlib.suppress(KeyboardInterrupt):
        table = asyncio.run(run(given))
        if given == LASTS:
            page.write("scale", f"{page.today()}. Evaluations {EVERY} s apart, phases of {given:g} s.", table)
