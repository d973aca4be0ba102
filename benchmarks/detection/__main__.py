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
from benchmarks.detection.table import table_by_interval, tables
from benchmarks.detection.watchdogs import Watchdog
from tests.support.real.prometheus import Prometheus, version

OURS = "**wine-slo**, shipped settings: scrape 5 s, poll 30 s"
SHIPPED = "5s"  # how far apart the scrapes of the shipped set-up are
TYPICAL = "15s"  # and those of the rules that people copy


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
        compared = [each for each in subjects if any(map(schedule.is_compared, each.cases))]
        by_scrape = {}
        for every in dict.fromkeys((SHIPPED, TYPICAL, *plan.scrapes)):
            rules = peers.rule_file(every)
            scraped = subjects if every in (SHIPPED, TYPICAL) else compared
            prometheus = Prometheus(folder / every, scraping(scraped, service.target, every, alertmanager.port), rules)
            await prometheus.start()
            running.push_async_callback(prometheus.kill)
            by_scrape[every] = prometheus
        watchdogs = [(Watchdog(squad, [squad], folder), ours, SHIPPED) for squad in _squads(subjects)]
        ours_by_scrape = {SHIPPED: ours, **{every: Record("**wine-slo**") for every in plan.scrapes}}
        # One for all of an interval: from 15 s on it evaluates after each scrape anyhow.
        watchdogs += [
            (Watchdog(f"at-{every}", _squads(compared), folder), ours_by_scrape[every], every) for every in plan.scrapes
        ]
        for watchdog, _, every in watchdogs:
            running.push_async_callback(watchdog.stop)
            await watchdog.start(by_scrape[every].url)
        began_at = service.begin()
        loops = [peers.PlainLoop(setup, over, by_scrape["5s"], service) for setup, over in peers.LOOPS.items()]
        print(f"{len(subjects)} replicas, {len(watchdogs)} watchdogs; {plan.total / 60:.0f} min from now", flush=True)
        with suppress(TimeoutError):  # which is the end of the run
            await asyncio.wait_for(asyncio.gather(*(loop.run() for loop in loops)), timeout=plan.total)
        for watchdog, record, _ in watchdogs:
            watchdog.put_into(record, began_at)
    records = [ours, *alertmanager.records[: peers.AT_FIRST], *(loop.record for loop in loops)]
    by_interval = {
        every: [
            record,
            *(theirs for rule, theirs in zip(peers.RULES, alertmanager.records, strict=True) if rule.scrape == every),
        ]
        for every, record in ours_by_scrape.items()
    }
    cases = [case for subject in subjects for case in subject.cases]
    return f"{tables(cases, records)}\n\n{table_by_interval(cases, by_interval)}"


def _squads(subjects: Sequence[schedule.Subject]) -> list[str]:
    return list(dict.fromkeys(each.squad for each in subjects))


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
