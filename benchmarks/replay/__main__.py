"""What a replay of thirty days and three objectives costs, and whether its memory grows with the length.

Makes thirty days of samples, one each 5 s, in a Prometheus on a free port of loopback; replays them once, so that every
answer is on disk, and then a week of them and all of them again, each in a process of its own: what that takes is ours
alone. Ends by itself, prints its table and writes it into docs/benchmarks.md. `--quick` tries it with two days and six
and writes nothing.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter, process_time

import aiohttp

from benchmarks import page
from tests.support.real.history import Chapter
from tests.support.real.history import History as Made
from tests.support.real.prometheus import Prometheus, scraping
from wine_slo.config import slo_file
from wine_slo.integrations.prometheus.client import PrometheusClient
from wine_slo.monitor.replay.engine import replay
from wine_slo.monitor.replay.range_cache import RangeCache

START = datetime(2026, 10, 1, tzinfo=UTC)
OBJECTIVES = Path(__file__).parents[2] / "config" / "slo.yml"
POLL = timedelta(seconds=30)
PATIENCE = aiohttp.ClientTimeout(total=300)
LONGEST = 900  # seconds for one replay; then it has failed


def made(days: int) -> Made:
    """Make days of which each has an incident, a stall and a restart; some have a gap, a time down or a quiet night."""
    chapters = []
    for day in range(days):
        noon = timedelta(days=day, hours=12)
        chapters.append(Chapter(since=noon, until=noon + timedelta(minutes=6), slow=0.5))
        chapters.append(Chapter(since=noon + timedelta(hours=1), until=noon + timedelta(hours=1, seconds=12), slow=1))
        usual = {0: {"is_away": True}, 1: {"is_down": True}, 2: {"rate": 0.0}, 3: {"failed": 0.2}}.get(day % 5, {})
        chapters.append(Chapter(since=noon + timedelta(hours=3), until=noon + timedelta(hours=3, minutes=20), **usual))  # type: ignore[arg-type]
    restarts = tuple(timedelta(days=day, hours=6) for day in range(days))
    return Made(begins_at=START, duration=timedelta(days=days), chapters=tuple(chapters), restarts=restarts)


async def replay_days(url: str, folder: Path, days: int, whole: int) -> str:
    """Replay the last days; return the seconds, the processor's seconds, the peak of memory, evaluations and alarms."""
    until = START + timedelta(days=whole)
    async with aiohttp.ClientSession() as session:
        api = PrometheusClient(session, url, {}, timeout=PATIENCE)
        history = RangeCache(api, folder, "benchmark", datetime.now(UTC))
        began, used = perf_counter(), process_time()
        since = max(until - timedelta(days=days), START + POLL)
        story = await replay(history, slo_file.load(OBJECTIVES).objectives(), since, until, POLL)
        seconds, processor = perf_counter() - began, process_time() - used
        await history.close()
    status = await asyncio.to_thread(Path("/proc/self/status").read_text)  # getrusage counts the parent's peak too
    peak = next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM"))
    return f"{seconds:.1f} {processor:.1f} {peak:.0f} {story.evaluations} {len(story.alarms)}"


def in_a_process(url: str, folder: Path, days: int, whole: int) -> list[str]:
    """Do the same in a process of its own, so that its memory is its own."""
    command = [sys.executable, "-m", "benchmarks.replay", "--from", url, str(folder), str(days), str(whole)]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=LONGEST).stdout.split()


def used_by(pid: int) -> float:
    """Return the seconds of the processor that a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def run(folder: Path, short: int, whole: int) -> str:
    """Make the days, replay them, and return the table."""
    prometheus = Prometheus(folder / "prometheus", scraping("127.0.0.1:1", every="1m"), retention="90d")
    await asyncio.to_thread(made(whole).write, prometheus.folder / "data")
    await prometheus.start()

    async def evaluate(name: str, days: int) -> tuple[str, float]:
        used = used_by(prometheus.pid)
        seconds, processor, peak, evaluations, alarms = await asyncio.to_thread(
            in_a_process, prometheus.url, folder / "chunks", days, whole
        )
        theirs = used_by(prometheus.pid) - used
        return f"| {name} | {seconds} | {processor} | {theirs:.1f} | {peak} | {evaluations} | {alarms} |", float(peak)

    try:
        first, _ = await evaluate(f"{whole} days, the first time", whole)
        # Queries what only the short time needs, so that all of it is on disk.
        await asyncio.to_thread(in_a_process, prometheus.url, folder / "chunks", short, whole)
        short_again, short_peak = await evaluate(f"{short} days, from disk", short)
        whole_again, whole_peak = await evaluate(f"{whole} days, from disk", whole)
    finally:
        await prometheus.kill()
    lines = [
        "| | seconds | our processor's | Prometheus' processors' | our peak memory, MiB | evaluations | alarms |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        first,
        short_again,
        whole_again,
        "",
        f"Peak memory of {whole} days to that of {short}, from disk: {whole_peak / short_peak:.2f}.",
    ]
    return "\n".join(lines)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--from", dest="past", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.past:
        url, folder, days, whole = options.past
        print(asyncio.run(replay_days(url, Path(folder), int(days), int(whole))))
        return
    with tempfile.TemporaryDirectory() as folder:
        measured = asyncio.run(run(Path(folder), *((2, 6) if options.quick else (7, 30))))
    print(measured)
    if not options.quick:
        page.write("replay", f"{page.today()}.", measured)


if __name__ == "__main__":
    main()
