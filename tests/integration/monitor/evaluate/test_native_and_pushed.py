"""Native histograms and pushed series on the real Prometheus, scraped as they are in use; and what is none of these."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
import pytest_asyncio

from tests.support.fakes.exposing import Exposing
from tests.support.native_histogram import CONTENT_TYPE, NativeHistogram, exposed
from tests.support.real.prometheus import Prometheus
from wine_slo.config import slo_file
from wine_slo.integrations.prometheus.client import PrometheusClient
from wine_slo.integrations.prometheus.server_info import PrometheusFacts
from wine_slo.monitor.evaluate.collector import Collector
from wine_slo.monitor.evaluate.objective_checks import ObjectiveMistake, check_objectives
from wine_slo.monitor.evaluate.scrape_intervals import scrape_intervals
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.reading import Sight
from wine_slo.slo.source.clocks import WallTime

pytestmark = pytest.mark.asyncio(loop_scope="module")

SCRAPE = timedelta(seconds=1)
SPANS = "scrape_interval: 1s, bad_for: 3s, good_for: 2s, over: 20s, burns: []"
JUDGED = f"""\
job: rpc
objectives:
  - {{name: native, kind: latency, objective: 0.9, histogram: rpc_seconds, native: true, threshold: 500ms, {SPANS}}}
  - {{name: success, kind: latency, objective: 0.9, histogram: rpc_seconds, native: true, threshold: 500ms,
      success_selector: 'code!="500"', {SPANS}}}
  - {{name: pushed, kind: ratio, objective: 0.9, up: none, bad: batch_failed_total, total: batch_total, {SPANS}}}
  - {{name: runs, kind: gauge, objective: 0.9, job: batch, up: none, good: batch_success == 1, {SPANS}}}
  - {{name: targets, kind: up, objective: 0.9, up: 'up{{job=~"r.c"}}', {SPANS}}}
"""
OTHERS = """\
job: text
objectives:
  - {name: summary, kind: latency, objective: 0.9, histogram: summary_seconds, threshold: 500ms}
  - {name: unsaid, kind: latency, objective: 0.9, histogram: rpc_seconds, threshold: 500ms}
  - {name: classic, kind: latency, objective: 0.9, histogram: classic_seconds, native: true, threshold: 500ms}
  - {name: nothing, kind: latency, objective: 0.9, histogram: no_seconds, native: true, threshold: 500ms}
  - {name: elsewhere, kind: latency, objective: 0.9, histogram: rpc_seconds, native: true, threshold: 500ms}
  - {name: no-bound, kind: latency, objective: 0.9, histogram: classic_seconds, unit: ms, threshold: 400ms}
  - {name: good, kind: latency, objective: 0.9, histogram: classic_seconds, unit: ms, threshold: 500ms}
  - {name: gauge, kind: gauge, objective: 0.9, good: no_gauge == 1}
"""
TEXT = """\
summary_seconds{quantile="0.9"} 0.2
summary_seconds_count 7
classic_seconds_bucket{le="500.0"} 3
classic_seconds_bucket{le="+Inf"} 3
classic_seconds_count 3
"""


@dataclass
class World:
    """One Prometheus, a service with native histograms, a gateway to which a job pushes, and a plain target."""

    prometheus: Prometheus
    session: aiohttp.ClientSession
    histograms: dict[str, NativeHistogram]
    pushed: dict[str, int] = field(default_factory=lambda: {"total": 0, "failed_total": 0, "success": 1})
    is_broken: bool = False
    opened: list[set[str]] = field(default_factory=list)
    intervals: dict[str, float] = field(default_factory=dict)
    mistakes: list[ObjectiveMistake] = field(default_factory=list)
    gone: dict[str, tuple[Sight, str]] = field(default_factory=dict)
    has_stopped: bool = False

    @property
    def api(self) -> PrometheusClient:
        return PrometheusClient(self.session, self.prometheus.url, {})

    def serve(self) -> bytes:
        """Count what happens from one scrape to the next."""
        if self.has_stopped:
            return exposed({})
        self.histograms["200"].observes(0.1, 4 if self.is_broken else 20)
        if self.is_broken:
            self.histograms["200"].observes(2.0, 4)
            self.histograms["500"].observes(0.1, 12)
        return exposed({"rpc_seconds": [*self.histograms.values()]})

    def gateway(self) -> bytes:
        """Return what was pushed last; series say their job themselves."""
        if self.has_stopped:
            return b""
        self.pushed["total"] += 20
        self.pushed["failed_total"] += 10 if self.is_broken else 0
        self.pushed["success"] = 0 if self.is_broken else 1
        return "".join(f'batch_{name}{{job="batch"}} {value}\n' for name, value in self.pushed.items()).encode()

    async def live(self) -> None:
        """Break, mend and stop, evaluated after each scrape."""
        objectives = slo_file.parse(JUDGED).objectives()
        collector = Collector(self.api, lambda: WallTime(datetime.now(UTC)))
        state = State()
        await self.prometheus.until('histogram_count(rpc_seconds{code="200"}) > 60')
        for self.is_broken in (False, True, False):
            for _ in range(25):
                await self._scraped()
                state = await collector.evaluate(state, objectives)
                broken = {str(each.key) for each in state.open_incidents}
                if len(broken) == (4 if self.is_broken else 0) and state.evaluated_at:
                    break
            self.opened.append(broken)
        silent = slo_file.parse(JUDGED.replace("scrape_interval: 1s, ", "")).silent_scopes
        info = PrometheusFacts(self.session, self.prometheus.url, {})
        found = await scrape_intervals(silent, self.api, info)
        self.intervals = {name: round(each.span.total_seconds(), 1) for name, each in found.items()}
        self.mistakes = await check_objectives(self.api, slo_file.parse(OTHERS).objectives())
        self.has_stopped = True
        for _ in range(6):
            await self._scraped()
        state = await collector.evaluate(State(), objectives)
        self.gone = {key.objective: (each.sight, str(each.reason)) for key, each in state.readings.items()}

    async def _scraped(self) -> None:
        now = datetime.now(UTC).timestamp()
        await self.prometheus.until(f'timestamp(up{{job="rpc"}}) > {now}')


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        histograms = {code: NativeHistogram({"code": code}) for code in ("200", "500")}
        targets = {
            "rpc": Exposing(lambda: made.serve(), CONTENT_TYPE),  # noqa: PLW0108 - made below
            "gateway": Exposing(lambda: made.gateway()),  # noqa: PLW0108 - made below
            "text": Exposing(TEXT.encode),
        }
        for target in targets.values():
            await target.open()
            stack.push_async_callback(target.close)
        jobs = [
            {
                "job_name": name,
                "scrape_interval": "1s",
                "scrape_timeout": "1s",
                "honor_labels": name == "gateway",
                "static_configs": [{"targets": [target.target]}],
            }
            for name, target in targets.items()
        ]
        folder = tmp_path_factory.mktemp("native") / "prometheus"
        prometheus = Prometheus(folder, {"scrape_configs": jobs}, "", "15d", "native-histograms")
        made = World(prometheus, session, histograms)
        await prometheus.start()
        stack.push_async_callback(prometheus.kill)
        await made.live()
        yield made


async def test_the_outage_is_an_incident_and_its_end_the_recovery(world: World) -> None:
    assert world.opened == [set(), {"native", "success", "pushed", "runs"}, set()]


async def test_pushed_series_that_have_stopped_are_no_data(world: World) -> None:
    assert {name: world.gone[name] for name in ("pushed", "runs", "targets")} == {
        "pushed": (Sight.STALE, "Prometheus has no sample of batch_total"),
        "runs": (Sight.STALE, "Prometheus has no sample of batch_success"),
        "targets": (Sight.CLEAR, ""),
    }


async def test_how_often_something_pushes_is_measured_by_its_own_samples(world: World) -> None:
    assert world.intervals == {"rpc": 1.0, "batch_total": 1.0, "batch": 1.0, "r.c": 1.0}


async def test_what_is_no_such_histogram_is_distinguished(world: World) -> None:
    by_objective = {each.objective: (each.field, each.sentence) for each in world.mistakes}
    summary = by_objective.pop("summary")[1]
    assert summary.startswith("is summary_seconds, a summary: it has quantiles of each process, and nothing to count")
    assert by_objective.pop("no-bound")[1].startswith("is 0.4 s, which is no bucket bound")
    assert by_objective == {
        "unsaid": ("histogram", "is rpc_seconds, a native histogram; write native: true"),
        "classic": ("native", "is true, but classic_seconds has buckets; leave it out"),
        "nothing": ("histogram", "has no native histogram no_seconds that Prometheus knows"),
        "elsewhere": ("selector", "matches no series of rpc_seconds"),
        "gauge": ("good", "matches no series that Prometheus knows"),
    }
