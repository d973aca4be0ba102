"""Who is to blame, on the real Prometheus: the right cause for each of many incidents, with exact counts, or none.

All of them are jobs of one history that goes on for some minutes after it was written, so that they are open now.
"""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import aiohttp
import pytest
import pytest_asyncio

from tests.support.real.prometheus import Prometheus, program
from wine_slo.integrations.prometheus.client import PrometheusClient
from wine_slo.monitor.evaluate.collector import Collector
from wine_slo.monitor.evaluate.objective_checks import check_objectives
from wine_slo.slo.attribution.attribution import Attribution, Cause
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.objectives.kinds.gauge import Gauge
from wine_slo.slo.objectives.kinds.indicator import Indicator
from wine_slo.slo.objectives.kinds.latency import Latency
from wine_slo.slo.objectives.kinds.ratio import Ratio
from wine_slo.slo.objectives.kinds.up import Up
from wine_slo.slo.objectives.objective import Key, Objective, Objectives
from wine_slo.slo.objectives.selector import Comparison
from wine_slo.slo.source.clocks import WallTime

pytestmark = pytest.mark.asyncio(loop_scope="module")

EVERY = timedelta(seconds=5)
HEALTHY, BAD, AHEAD = 40, 12, 60  # scrapes before the incident, in it before now, and in it after now


@dataclass(frozen=True)
class Part:
    """Requests of one label set.

    Attributes:
        labels: The labels.
        requests: In each scrape interval.
        bad: How many of them are bad in the incident.
        since: The first scrape that has it, from the beginning of the incident on; None where it was there before.
        later: How many scrapes after the beginning of the incident they turn bad.
    """

    labels: Mapping[str, str]
    requests: int
    bad: float
    since: int | None = None
    later: int = 0


def parts(requests: int, bad: Callable[..., float], **values: str) -> list[Part]:
    """Every combination of values, as words, with as many requests each; how many of them are bad is a function."""
    found: list[dict[str, str]] = [{}]
    for label, words in values.items():
        found = [{**each, label: word} for each in found for word in words.split()]
    return [Part(labels, requests, bad(**labels)) for labels in found]


def noise() -> list[Part]:
    random = Random(3)
    return parts(
        20, lambda **_: 2 * random.random(), path="/a /b /c /d", instance="a b c", method="GET POST", zone="x y"
    )


PATHS, INSTANCES = "/a /b /c /d", "a:1 b:1 c:1"
ERRORS: dict[str, tuple[list[Part], dict[str, set[str]]]] = {
    "one endpoint": (
        parts(10, lambda path, **_: 8 * (path == "/b"), path=PATHS, instance=INSTANCES),
        {"path": {"/b"}},
    ),
    "one instance": (
        parts(10, lambda instance, **_: 10 * (instance == "b:1"), path=PATHS, instance=INSTANCES),
        {"instance": {"b:1"}},
    ),
    "one version": (
        [
            *parts(10, lambda **_: 0, path=PATHS, instance="a:1 b:1", version="1.3"),
            *parts(10, lambda **_: 5, path=PATHS, instance="c:1 d:1", version="1.4"),
        ],
        {"version": {"1.4"}, "instance": {"c:1", "d:1"}},
    ),
    "the only instance of a version": (
        [
            *parts(10, lambda **_: 0, path=PATHS, instance="a:1 b:1 c:1", version="1.3"),
            *parts(10, lambda **_: 9, path=PATHS, instance="d:1", version="1.4"),
        ],
        {"version": {"1.4"}, "instance": {"d:1"}},
    ),
    "two endpoints": (
        parts(10, lambda path, **_: 6 * (path in ("/b", "/d")), path=PATHS, instance=INSTANCES),
        {"path": {"/b", "/d"}},
    ),
    "no label": (parts(10, lambda **_: 4, path=PATHS, instance=INSTANCES), {}),
    "noise": (noise(), {}),
    "most of the traffic": (
        [Part({"path": "/a"}, 291, 60), Part({"path": "/b"}, 6, 1.25), Part({"path": "/c"}, 3, 0.6)],
        {},
    ),
    "a version that is new": (
        [
            Part({"version": "1.3", "instance": "a:1"}, 20, 0),
            Part({"version": "1.3", "instance": "b:1"}, 20, 0),
            Part({"version": "1.4", "instance": "c:1"}, 20, 20, since=0),
        ],
        {"version": {"1.4"}, "instance": {"c:1"}},
    ),
    "very many users": (
        [
            Part({"path": f"/{'ab'[number % 2]}", "user": f"u{number}"}, 1, number % 2)
            for number in range(300)
        ],
        {"path": {"/b"}},
    ),
    "little traffic": (
        [Part({"path": "/a"}, 1, 1), Part({"path": "/b"}, 1, 0), Part({"path": "/c"}, 2, 0)],
        {"path": {"/a"}},
    ),
    "too little traffic": ([Part({"path": "/a"}, 1, 0.6), Part({"path": "/b"}, 1, 0.1)], {}),
}  # fmt: skip
SLOW: dict[str, tuple[list[Part], dict[str, set[str]]]] = {
    "one of many endpoints": (
        [
            *parts(70, lambda **_: 0.1, path="/1 /2 /3 /4 /5 /6 /7 /8 /9 /10 /11 /12 /13 /14"),
            Part({"path": "/x"}, 20, 19),
        ],
        {"path": {"/x"}},
    ),
    "one instance while all are slower": (
        parts(20, lambda instance, **_: 16 if instance == "b:1" else 0.3, path=PATHS, instance=INSTANCES),
        {"instance": {"b:1"}},
    ),
    "one after the other": (
        [
            replace(each, later=5 * (each.labels["path"] == "/b"))
            for each in parts(20, lambda instance, **_: 20 * (instance == "b:1"), path="/a /b", instance=INSTANCES)
        ],
        {"instance": {"b:1"}},
    ),
}  # fmt: skip


def job(name: str) -> str:
    return name.replace(" ", "-")


def usual(name: str, source: Indicator, **changes: object) -> Objective:
    objective = Objective(name=job(name), title=name, job=job(name), source=source, ratio=0.99, scrape_interval=EVERY)
    return replace(objective, **changes)  # type: ignore[arg-type]


def objectives() -> Iterator[Objective]:
    for name in ERRORS:
        of_job = f'requests_total{{job="{job(name)}"'
        yield usual(name, Ratio((f'{of_job}, code=~"5.."}}',), (f"{of_job}}}",)))
    for name in SLOW:
        yield usual(name, Latency("seconds", 1.0))
    yield usual("targets", Up())
    bad, *both = (f'requests_total{{job="one-instance", code="{code}"}}' for code in ("500", "500", "200"))
    yield usual("counters", Ratio((bad,), tuple(both)), job="one-instance")
    up = Comparison('up{job="targets"}', "==", 1, is_age=False, text="1")
    yield usual("gauges", Gauge(up), job="targets", breakdown=("zone",))
    yield usual("by", Latency("seconds", 1.0), job=job("one instance while all are slower"), by=("path",))
    yield usual("each", Latency("seconds", 1.0), job=job("one after the other"), by=("path",))
    yield usual("off", Latency("seconds", 1.0), job=job("one of many endpoints"), breakdown=())


def exposition(begins_at: datetime) -> str:
    """The whole history, in the text format of OpenMetrics."""
    requests, buckets, up = [], [], []
    for name, (those, _) in ERRORS.items():
        for each in those:
            for at, bad, total in counts(each, begins_at):
                requests += [
                    f"{series('requests_total', name, each.labels, code='500')} {bad} {at}",
                    f"{series('requests_total', name, each.labels, code='200')} {total - bad} {at}",
                ]
    for name, (those, _) in SLOW.items():
        for each in those:
            for at, bad, total in counts(each, begins_at):
                buckets += [
                    f"{series('seconds_bucket', name, each.labels, le='1.0')} {total - bad} {at}",
                    f"{series('seconds_bucket', name, each.labels, le='+Inf')} {total} {at}",
                    f"{series('seconds_count', name, each.labels)} {total} {at}",
                ]
    for name in (*ERRORS, *SLOW, "targets"):
        for zone, instance in ("xa", "xb", "yc", "yd", "ye"):
            for at, scrape in scrapes(begins_at):
                is_down = name == "targets" and zone == "x" and scrape >= HEALTHY
                up.append(f"{series('up', name, {'zone': zone, 'instance': instance})} {1 - is_down} {at}")
    lines = ["# TYPE requests counter", *by_series(requests), "# TYPE seconds histogram", *by_series(buckets)]
    return "\n".join([*lines, "# TYPE up gauge", *by_series(up), "# EOF\n"])


def by_series(lines: list[str]) -> list[str]:
    """The samples of one series together, as the format wants."""
    return sorted(lines, key=lambda line: line.split("} ")[0])


def series(metric: str, name: str, labels: Mapping[str, str], **more: str) -> str:
    both = {"job": job(name), **labels, **more}
    return metric + "{" + ",".join(f'{label}="{value}"' for label, value in both.items()) + "}"


def scrapes(begins_at: datetime) -> Iterator[tuple[str, int]]:
    for number in range(HEALTHY + BAD + AHEAD):
        yield f"{(begins_at + number * EVERY).timestamp():.3f}", number


def counts(part: Part, begins_at: datetime) -> Iterator[tuple[str, int, int]]:
    """When it is scraped, and the counters of bad requests and of all of them."""
    for at, number in scrapes(begins_at):
        in_incident = number - HEALTHY + 1
        if part.since is None or number >= HEALTHY + part.since:
            yield at, int(part.bad * max(0, in_incident - part.later) + 1e-9), part.requests * (number + 1)


def write(data: Path) -> None:
    """Make the blocks of a history that is in its incident now."""
    begins_at = datetime.now(UTC) - (HEALTHY + BAD) * EVERY + timedelta(seconds=5)
    text = data.parent / "history.om"
    text.write_text(exposition(begins_at))
    command = [program("promtool"), "tsdb", "create-blocks-from", "openmetrics", "--quiet", str(text), str(data)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@dataclass
class Found:
    """What the evaluations found."""

    api: PrometheusClient
    state: State

    def attribution(self, name: str, **labels: str) -> Attribution | None:
        key = Key(job(name), tuple(labels.items()))
        (incident,) = (each for each in self.state.open_incidents if each.key == key)
        return incident.attribution

    def causes(self, name: str, **labels: str) -> tuple[Cause, ...]:
        attribution = self.attribution(name, **labels)
        assert attribution is not None
        return attribution.causes


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def found(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Found]:
    folder = tmp_path_factory.mktemp("attribution")
    async with AsyncExitStack() as stack:
        prometheus = Prometheus(folder / "prometheus", {"scrape_configs": []})
        await asyncio.to_thread(write, folder / "prometheus" / "data")
        await prometheus.start()
        stack.push_async_callback(prometheus.kill)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        api = PrometheusClient(session, prometheus.url, {})
        collector, state = Collector(api, lambda: WallTime(datetime.now(UTC))), State()
        wanted = Objectives(tuple(objectives()))
        for _ in range(20):  # on a busy machine, an evaluation does not wait for all of them
            state = await collector.evaluate(state, wanted)
            if all(each.attribution for each in state.open_incidents if each.key.objective != "off"):
                break
        yield Found(api, state)


@pytest.mark.parametrize("name", [*ERRORS, *SLOW])
async def test_the_injected_cause_is_named_and_nothing_where_nothing_explains(found: Found, name: str) -> None:
    _, wanted = (ERRORS | SLOW)[name]
    assert {each.label: set(each.values) for each in found.causes(name)} == wanted


@pytest.mark.parametrize(
    "name", [name for name, (each, wanted) in (ERRORS | SLOW).items() if wanted and not any(one.later for one in each)]
)
async def test_the_counts_are_those_of_the_requests(found: Found, name: str) -> None:
    those, _ = (ERRORS | SLOW)[name]
    attribution = found.attribution(name)
    assert attribution is not None
    intervals = round(attribution.over / EVERY)
    assert intervals >= BAD - 1  # the first sample of a new series is of no interval
    for cause in attribution.causes:
        mine = [each for each in those if each.labels[cause.label] in cause.values]
        assert cause.total == pytest.approx(sum(each.requests for each in mine) * intervals)
        rounded = sum(each.bad % 1 > 0 for each in mine)
        assert cause.bad == pytest.approx(sum(each.bad for each in mine) * intervals, abs=rounded + 1e-6)


async def test_targets_that_are_down_are_attributed_to_what_they_have_in_common(found: Found) -> None:
    zone, instances = sorted(found.causes("targets"), key=lambda each: len(each.values))
    assert (zone.label, zone.values) == ("zone", ("x",))
    assert (instances.label, set(instances.values)) == ("instance", {"a", "b"})


async def test_the_counters_of_a_list_are_compared_together(found: Found) -> None:
    (cause,) = found.causes("counters")
    assert (cause.label, cause.values, cause.other_bad) == ("instance", ("b:1",), 0)
    attribution = found.attribution("counters")
    assert attribution is not None
    assert cause.bad == cause.total == pytest.approx(4 * 10 * round(attribution.over / EVERY))


async def test_gauges_are_compared_sample_by_sample(found: Found) -> None:
    (cause,) = found.causes("gauges")
    assert (cause.label, cause.values) == ("zone", ("x",))
    assert cause.bad == cause.total
    assert (cause.other_bad, cause.other_total / cause.total) == (0, 3 / 2)


async def test_a_label_of_a_breakdown_that_no_series_has_is_a_mistake(found: Found) -> None:
    source = Latency("seconds", 1.0)
    objective = usual("one of many endpoints", source, breakdown=("path", "handler"))
    mistakes = await check_objectives(found.api, Objectives.only(objective))
    assert [(each.field, each.sentence) for each in mistakes] == [
        ("breakdown", "names the label handler, which these series do not have: path")
    ]


async def test_each_label_set_of_an_objective_has_a_cause_of_its_own(found: Found) -> None:
    for path in PATHS.split():
        (cause,) = found.causes("by", path=path)
        assert (cause.label, cause.values) == ("instance", ("b:1",))
        assert cause.total == pytest.approx(20 * round(found.attribution("by", path=path).over / EVERY))  # type: ignore[union-attr]


async def test_each_label_set_is_counted_over_its_own_bad_time(found: Found) -> None:
    first, second = (found.attribution("each", path=path) for path in ("/a", "/b"))
    assert first is not None
    assert second is not None
    assert first.over - second.over == 5 * EVERY
    for each in (first, second):
        (cause,) = each.causes
        assert cause.bad == cause.total == pytest.approx(20 * round(each.over / EVERY))


async def test_nothing_is_attributed_where_no_label_is_wanted(found: Found) -> None:
    assert found.attribution("off") is None
