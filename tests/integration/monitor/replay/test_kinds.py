"""Every kind of objective over one incident: alerted, recovered, quiet where all is well, never green without data.

Each is judged as live by the real Prometheus, and a replay of the same past must find the same.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import aiohttp
import pytest
import pytest_asyncio

from tests.support.live_watchdog import POLL, START, Delivery, Shifted, delivery_of, live, place
from tests.support.real.history import write_blocks
from tests.support.real.outage_series import Outage, OutageSeries
from tests.support.real.prometheus import Prometheus, scraping
from wine_slo.config import slo_file
from wine_slo.integrations.prometheus.client import PrometheusClient
from wine_slo.monitor.evaluate.collector import Collector
from wine_slo.monitor.replay.engine import replay
from wine_slo.monitor.replay.range_cache import RangeCache
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.reading import Sight
from wine_slo.slo.objectives.objective import Objectives
from wine_slo.slo.source.clocks import WallTime

pytestmark = pytest.mark.asyncio(loop_scope="module")

MINUTE = timedelta(minutes=1)
SCRAPE = timedelta(seconds=15)
BREAKS, MENDS, ENDS = 12 * MINUTE, 16 * MINUTE, 19 * MINUTE  # after the last there are no samples but `up`
FIRST, LAST = START + 11 * MINUTE, START + 23 * MINUTE  # evaluation
SOON = timedelta(seconds=75)  # to the alert
OVER = timedelta(seconds=90)  # to the recovery; that one of three targets is up again takes six scrapes to be no chance
KINDS = {
    "milliseconds": "kind: latency, objective: 0.9, histogram: request_milliseconds, unit: ms, threshold: 500ms",
    "slow-or-failed": "kind: latency, objective: 0.9, histogram: call_seconds, threshold: 500ms, "
    """success_selector: 'code!~"5.."'""",
    "sums": "kind: ratio, objective: 0.99, bad: [client_failed_total, server_failed_total, never_failed_total], "
    "total: [client_total, server_total]",
    "good": "kind: ratio, objective: 0.99, good: delivered_total, total: [delivered_total, returned_total]",
    "all-failed": "kind: ratio, objective: 0.99, good: succeeded_total, total: tried_total",
    "probe": "kind: gauge, objective: 0.99, good: probe_success == 1",
    "probes": "kind: gauge, objective: 0.99, good: 'probe_success{job=\"shop\"} == 1', by: [target]",
    "queue": "kind: gauge, objective: 0.99, good: queue_length < 100",
    "freshness": "kind: gauge, objective: 0.99, good: time() - last_success_timestamp_seconds < 1m",
    "pods": 'kind: up, objective: 0.99, up: \'up{job=~"pod-.*", cluster="eu"}\', by: [instance]',
    "jobs": "kind: up, objective: 0.99, job: [pod-a, pod-b]",
    "pushed": "kind: ratio, objective: 0.99, up: none, bad: push_failed_total, total: push_total",
    "pushed-gauge": "kind: gauge, objective: 0.99, up: none, good: push_success > 0.5",
}
NAMES = {"probes": 'probes{target="b"}', "pods": 'pods{instance="b:1"}'}  # of what breaks, where not all of it does


def objectives() -> Objectives:
    entries = (f"  - {{name: {name}, {fields}, burns: []}}\n" for name, fields in KINDS.items())
    return slo_file.parse("job: shop\nscrape_interval: 15s\nobjectives:\n" + "".join(entries)).objectives()


OUTAGE = Outage(starts_at=START, breaks=BREAKS, mends=MENDS, ends=ENDS, up_ends=LAST - START + 3 * MINUTE, every=SCRAPE)


def last_successes() -> dict[timedelta, float]:
    """The instant of the last success of a batch job that runs each half minute."""
    half = timedelta(seconds=30)
    last = {at: BREAKS - half if OUTAGE.is_broken(at) else at // half * half for at in OUTAGE.scrapes(ENDS)}
    return {at: (START + each).timestamp() for at, each in last.items()}


def shop() -> OutageSeries:
    made = OutageSeries(OUTAGE)
    made.is_up('job="shop",instance="a:1"')
    made.is_up('job="pod-a",cluster="eu",instance="a:1"')
    made.is_up('job="pod-b",cluster="eu",instance="b:1"', breaks=True)
    made.is_up('job="pod-b",cluster="us",instance="c:1"')
    bounds = {"100": (150, 0), "500": (150, 0), "2000": (150, 150), "+Inf": (150, 150)}
    made.histogram("request_milliseconds", 'job="shop",le_="x"', bounds)
    for code, well, broken in (("200", 150, 30), ("503", 0, 120)):
        every = dict.fromkeys(("0.1", "0.5", "+Inf"), (well, broken))
        made.histogram("call_seconds", f'job="shop",code="{code}"', every)
    for name, failed in (("client", 0), ("server", 30)):  # whose series have the same labels
        made.grows(f'{name}_failed_total{{job="shop",route="/"}}', 0, failed)
        made.grows(f'{name}_total{{job="shop",route="/"}}', 75, 75)
    made.grows('delivered_total{job="shop"}', 150, 100)
    made.grows('returned_total{job="shop"}', 0, 50)
    made.grows('tried_total{job="shop"}', 150, 150)
    made.grows('succeeded_total{job="shop"}', 150, 0)
    for target, broken in (("a", 1), ("b", 0)):
        made.has(f'probe_success{{job="shop",target="{target}"}}', 1, broken)
    made.has('queue_length{job="shop"}', 12, 480)
    made.add('last_success_timestamp_seconds{job="shop"}', last_successes())
    made.grows('push_total{job="batch",instance="p"}', 40, 40)
    made.grows('push_failed_total{job="batch",instance="p"}', 0, 20)
    made.has('push_success{job="batch",instance="p"}', 1, 0)
    return made


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def prometheus(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Prometheus]:
    made = Prometheus(tmp_path_factory.mktemp("kinds") / "prometheus", scraping(every="1m"), retention="900d")
    await asyncio.to_thread(write_blocks, shop().text, made.folder / "data")
    await made.start()
    yield made
    await made.kill()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def delivered(prometheus: Prometheus) -> list[Delivery]:
    """What a live watchdog has notified of."""
    async with aiohttp.ClientSession() as session:
        api = Shifted(session, prometheus.url, {})
        found, _ = await live(api, api.clock, objectives(), FIRST, LAST)
    return [found[each] for each in sorted(found)]


@pytest.mark.parametrize("name", KINDS)
async def test_each_kind_alerts_on_the_outage_and_on_nothing_else(delivered: list[Delivery], name: str) -> None:
    mine = [each for each in delivered if str(each[0]).partition("{")[0] == name]
    assert [each[0] for each in mine] == [NAMES.get(name, name)], mine
    ((_, began_at, opened_at, _last_bad_at, closed_at, outcome, *_),) = mine
    lag = 2 * SCRAPE if name == "freshness" else timedelta(0)  # the last success is not old at once
    began, opened, closed = (each - START for each in (began_at, opened_at, closed_at) if isinstance(each, datetime))
    assert abs(began - lag - BREAKS) <= 2 * SCRAPE
    assert opened - lag - BREAKS <= SOON
    assert timedelta(0) <= closed - MENDS <= OVER
    assert outcome == "recovered"


async def test_what_has_no_data_any_more_is_never_green(prometheus: Prometheus) -> None:
    found: dict[str, set[tuple[str, str]]] = {}
    async with aiohttp.ClientSession() as session:
        api = Shifted(session, prometheus.url, {})
        collector = Collector(api, lambda: WallTime(api.clock()))
        for seconds in (120, 270):
            api.clock.now = START + ENDS + timedelta(seconds=seconds)
            state = await collector.evaluate(State(), objectives())
            for key, reading in state.readings.items():
                reason = re.sub(r"\d+ s old", "… s old", str(reading.reason))
                found.setdefault(key.objective, set()).add((reading.sight, reason))
    apart = "no two samples of shop lie within 1m; a scrape_interval in slo.yml must be the real one"
    whys = {
        **dict.fromkeys(("milliseconds", "slow-or-failed", "sums", "good", "all-failed"), apart),
        "probe": "there is no value of probe_success",
        "probes": 'there is no value of probe_success{job="shop"}',
        "queue": "there is no value of queue_length",
        "freshness": "there is no value of last_success_timestamp_seconds",
        "pushed": "the last sample of push_total is … s old",
        "pushed-gauge": "the last sample of push_success is … s old",
    }
    up = {name: {(Sight.CLEAR, "")} for name in ("pods", "jobs")}
    assert found == {name: {(Sight.STALE, why)} for name, why in whys.items()} | up


async def test_what_has_no_data_any_more_is_notified(delivered: list[Delivery]) -> None:
    blind = {each[0]: each[-1] for each in delivered if str(each[0]).startswith("sight")}
    assert {*blind} == {'sight{job="shop"}', 'sight{job="push_total"}', 'sight{job="push_success"}'}


@pytest.mark.parametrize(
    "is_fast", [pytest.param(False, id="every tick"), pytest.param(True, id="but for quiet ticks")]
)
async def test_a_replay_finds_of_each_kind_what_was_found_live(
    prometheus: Prometheus,
    delivered: list[Delivery],
    is_fast: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    async with aiohttp.ClientSession() as session:
        history = RangeCache(PrometheusClient(session, prometheus.url, {}), None, "kinds", LAST)
        story = await replay(history, objectives(), FIRST, LAST, POLL, is_fast=is_fast)
        await history.close()
    assert [delivery_of(each) for each in sorted(story.alarms, key=place)] == delivered
