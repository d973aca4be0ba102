"""What others do with the same samples: Prometheus rules with the real Alertmanager, and a plain loop of 30 s."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import yaml
from aiohttp import web

from benchmarks.detection.alerts import Record, Word
from benchmarks.detection.replica import Service
from tests.support.fakes.loopback import Loopback
from tests.support.real.processes import Process
from tests.support.real.prometheus import Prometheus, free_port, program
from wine_slo.metric_names import REQUEST_SECONDS

POLL_SECONDS = 30  # of the plain loop


@dataclass(frozen=True, slots=True)
class Rule:
    """One way to set up a rule and its route."""

    setup: str
    scrape: str  # also how often the rule is evaluated
    over: str
    pending: str
    group_wait: str
    group_interval: str


RULES = (
    Rule(
        "typical copy: scrape and eval 15 s, [5m], for 1m, group_wait 30 s, group_interval 5m",
        "15s",
        "5m",
        "1m",
        "30s",
        "5m",
    ),
    Rule("same, for 0, group_interval 10 s", "15s", "5m", "0s", "30s", "10s"),
    Rule("tightest: scrape and eval 5 s, [1m], for 0, group_wait 0, group_interval 1 s", "5s", "1m", "0s", "0s", "1s"),
    Rule("same with for 30s", "5s", "1m", "30s", "0s", "1s"),
    *(
        rule
        for scrape, over in (("15s", "1m"), ("30s", "2m"), ("60s", "4m"))
        for rule in (
            Rule(
                f"tightest at {scrape}: [{over}], for 0, group_wait 0, group_interval 1 s",
                scrape,
                over,
                "0s",
                "0s",
                "1s",
            ),
            Rule(f"typical copy at {scrape}: [5m], for 1m, group_wait 30 s", scrape, "5m", "1m", "30s", "5m"),
        )
        if rule.scrape != "15s" or rule.pending == "0s"
    ),
)
AT_FIRST = 4  # of these stand in the tables of the shipped settings; all are compared by scrape interval
LOOPS = {"plain 30 s loop, [5m], scrape 5 s": "5m", "plain 30 s loop, [1m], scrape 5 s": "1m"}


def p95(over: str) -> str:
    """Return the value that everybody judges, for each replica."""
    return f"histogram_quantile(0.95, sum by (le, replica) (rate({REQUEST_SECONDS}_bucket[{over}])))"


def rule_file(scrape: str) -> str:
    """Return the rules of the Prometheus that scrapes so often."""
    rules = [
        {
            "alert": "SlowRequests",
            "expr": f"{p95(rule.over)} > 1",
            "for": rule.pending,
            "labels": {"setup": str(number)},
        }
        for number, rule in enumerate(RULES)
        if rule.scrape == scrape
    ]
    return yaml.safe_dump({"groups": [{"name": "latency", "rules": rules}]})


class Alertmanager:
    """The real one, with a route for each rule; what it sends is noted as it arrives."""

    def __init__(self, folder: Path, service: Service) -> None:
        self.records = [Record(f"Alertmanager, {rule.setup}") for rule in RULES]
        self.port = free_port()
        self._folder = folder
        self._service = service
        self._webhook = Loopback(self._receive)
        self._process: Process | None = None

    async def start(self) -> None:
        """Run it until `stop`."""
        await self._webhook.open()
        self._folder.mkdir()
        (self._folder / "alertmanager.yml").write_text(yaml.safe_dump(self._configuration()))
        command = [
            program("alertmanager"),
            "--config.file=alertmanager.yml",
            "--storage.path=data",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--cluster.listen-address=",
        ]
        self._process = await Process.start("alertmanager", command, self._folder, {})
        await self._process.until_line("Listening on")

    async def stop(self) -> None:
        """End it at once."""
        if self._process:
            await self._process.kill()
        await self._webhook.close()

    def _configuration(self) -> dict[str, Any]:
        routes = [
            {
                "matchers": [f'setup="{number}"'],
                "group_by": ["alertname", "replica"],  # kind to it: replicas do not wait for each other
                "group_wait": rule.group_wait,
                "group_interval": rule.group_interval,
                "receiver": "people",
            }
            for number, rule in enumerate(RULES)
        ]
        webhook = {"url": self._webhook.url, "send_resolved": True}
        return {
            "route": {"receiver": "people", "routes": routes},
            "receivers": [{"name": "people", "webhook_configs": [webhook]}],
        }

    async def _receive(self, request: web.BaseRequest) -> web.Response:
        at = self._service.now
        for alert in msgspec.json.decode(await request.read())["alerts"]:
            word = Word.BREACH if alert["status"] == "firing" else Word.RECOVERY
            self.records[int(alert["labels"]["setup"])].add(alert["labels"]["replica"], word, at)
        return web.Response()


class PlainLoop:
    """Queries p95 every 30 s; above 1 is an alert, and anything else after it a recovery."""

    def __init__(self, setup: str, over: str, prometheus: Prometheus, service: Service) -> None:
        self.record = Record(setup)
        self._query = p95(over)
        self._prometheus = prometheus
        self._service = service
        self._alerting: set[str] = set()

    async def run(self) -> None:
        """Go on until cancelled."""
        while True:
            await self._evaluate()
            await asyncio.sleep(POLL_SECONDS)

    async def _evaluate(self) -> None:
        found = await self._prometheus.query(self._query)
        alerting = {series["metric"]["replica"] for series in found if float(series["value"][1]) > 1}
        at = self._service.now
        for replica in alerting - self._alerting:
            self.record.add(replica, Word.BREACH, at)
        for replica in self._alerting - alerting:
            self.record.add(replica, Word.RECOVERY, at)
        self._alerting = alerting
