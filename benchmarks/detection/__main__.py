"""How soon and how falsely: our watchdog beside Prometheus rules with Alertmanager, on the same samples.

Runs in real time for about 25 minutes (`--quick`: 6) on free ports of loopback, ends by itself, prints its tables
and writes them into docs/benchmarks.md. Quick figures are for trying the benchmark itself, and are only printed.
"""

import argparse
import asyncio
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

from benchmarks import page
from benchmarks.detection import peers, schedule
from benchmarks.detection.alerts import Record
from benchmarks.detection.replica import Service
from benchmarks.detection.table import tables
from benchmarks.detection.watchdogs import Watchdog
from tests.support.real.prometheus import Prometheus, version

OURS = "**wine-slo**, shipped settings: scrape 5 s, poll 30 s"


def scraping(subjects: Sequence[schedule.Subject], target: str, every: str, alertmanager: int) -> dict[str, Any]:
    """Return the configuration that scrapes each squad as a job, and has its own rules."""
    return {
        "global": {"scrape_interval": every, "scrape_timeout": "4s", "evaluation_interval": every},
        "rule_files": ["rules.yml"],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{alertmanager}"]}]}]},
        "scrape_configs": [
            {
                "job_name": squad,
                "static_configs": [
                    {
                        "targets": [target],
                        "labels": {"__metrics_path__": f"/{name}/metrics", "instance": name, "replica": name},
                    }
                    for name in (each.replica.name for each in subjects if each.squad == squad)
                ],
            }
            for squad in dict.fromkeys(each.squad for each in subjects)
        ],
    }


async def run(plan: schedule.Plan, folder: Path) -> str:
    """Return one run: everything up, the time that it takes, everything down."""
    subjects = list(schedule.schedule(plan))
    service = Service(subject.replica for subject in subjects)
    ours = Record(OURS)
    async with AsyncExitStack() as running:
        await service.open()
        running.push_async_callback(service.close)
        alertmanager = peers.Alertmanager(folder / "alertmanager", service)
        await alertmanager.start()
        running.push_async_callback(alertmanager.stop)
        by_scrape = {}
        for every in ("5s", "15s"):
            rules = peers.rule_file(every)
            prometheus = Prometheus(folder / every, scraping(subjects, service.target, every, alertmanager.port), rules)
            await prometheus.start()
            running.push_async_callback(prometheus.kill)
            by_scrape[every] = prometheus
        watchdogs = [Watchdog(squad, folder) for squad in dict.fromkeys(each.squad for each in subjects)]
        for watchdog in watchdogs:
            running.push_async_callback(watchdog.stop)
            await watchdog.start(by_scrape["5s"].url)
        began_at = service.begin()
        loops = [peers.PlainLoop(setup, over, by_scrape["5s"], service) for setup, over in peers.LOOPS.items()]
        print(f"{len(subjects)} replicas, {len(watchdogs)} watchdogs; {plan.total / 60:.0f} min from now", flush=True)
        with suppress(TimeoutError):  # which is the end of the run
            await asyncio.wait_for(asyncio.gather(*(loop.run() for loop in loops)), timeout=plan.total)
        for watchdog in watchdogs:
            watchdog.put_into(ours, began_at)
    records = [ours, *alertmanager.records, *(loop.record for loop in loops)]
    return tables([case for subject in subjects for case in subject.cases], records)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.detection", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="six minutes, few of each, prints only")
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory(prefix="detection-") as folder:
        figures = asyncio.run(run(schedule.QUICK if quick else schedule.FULL, Path(folder)))
    print(figures)
    if not quick:
        page.write("detection", f"{page.today()}, Alertmanager {version('alertmanager')}.", figures)


if __name__ == "__main__":
    main()
