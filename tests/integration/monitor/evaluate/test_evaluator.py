"""Evaluation against the real Prometheus: what it reads of services whose numbers are known exactly.

Every service is a job of its own in one Prometheus, and all of them live through their stories side by side, one step
for each scrape, before the first test evaluates.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from tests.support.fakes.service import BOUNDS, Service
from tests.support.real.prometheus import Prometheus
from wine_slo.integrations.prometheus.client import PrometheusClient
from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.monitor.evaluate.evaluator import Evaluator
from wine_slo.slo.attribution.attribution import Cause
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.incident import Incident, Outcome
from wine_slo.slo.evaluation.reading import Reading, Sight
from wine_slo.slo.objectives import promql
from wine_slo.slo.objectives.kinds.latency import Latency
from wine_slo.slo.objectives.kinds.ratio import Ratio
from wine_slo.slo.objectives.kinds.up import Up
from wine_slo.slo.objectives.objective import Key, Objective, Objectives
from wine_slo.slo.source.clocks import WallTime

pytestmark = pytest.mark.asyncio(loop_scope="module")

STEPS = 9
JOBS = ("mixed", "counted", "idle", "few", "hanging", "wide", "restarted", "missed", "downed", "breaking", "spread")
OLD_MODEL, NEW_MODEL = "3f2a" * 16, "91bc" * 16  # that "breaking" serves, the second since just before it breaks
REPLICAS = ("one", "two", "three")  # of a job that is called by that name; the second fails
SELDOM = "seldom"  # scraped so seldom that its samples are old
SCRAPE = timedelta(seconds=1)
ENDPOINTS = 50
MIXED = dict.fromkeys(("/predict",), (16, 0, 0)) | {
    "/sleep": (0, 4, 0),
    "/fail": (0, 0, 2),
}  # a step: good, slow, failed


def latency(job: str, **changes: object) -> Objective:
    made = Objective(
        name="latency",
        title="Latency",
        job=job,
        source=Latency("request_latency_seconds", 1.0, oldest_age="oldest_request_age_seconds"),
        ratio=0.95,
        scrape_interval=SCRAPE,
        bad_for=5 * SCRAPE,
        good_for=4 * SCRAPE,
        over=timedelta(minutes=1),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def errors(job: str) -> Objective:
    of_job = f'responses_total{{job="{job}"'
    return latency(job, name="errors", source=Ratio((f'{of_job}, status=~"5.."}}',), (f"{of_job}}}",)), ratio=0.99)


def availability(job: str) -> Objective:
    return latency(job, name="availability", source=Up())


@dataclass
class World:
    """One Prometheus, and a service for each story."""

    prometheus: Prometheus
    session: aiohttp.ClientSession
    services: dict[str, Service]
    folder: Path
    requested: list[str] = field(default_factory=list)
    counts: list[tuple[int, int]] = field(default_factory=list)  # slow and all requests of each step of "counted"
    counted: list[Incident] = field(default_factory=list)  # what many evaluations made of them
    broken: list[Incident] = field(default_factory=list)  # the incidents of "breaking"
    slow: int = 0  # slow requests of "breaking"
    causes: dict[tuple[str, str], tuple[Cause, ...]] = field(default_factory=dict)  # by job and objective
    lateness: float = 0.0  # seconds that a scrape was out of step at the most

    def evaluation(self, *objectives: Objective, name: str = "ledger") -> Evaluator:
        api = PrometheusClient(self.session, self.prometheus.url, {}, self.requested.append)
        ledger = Ledger.open(f"sqlite:///{self.folder}/{name}.db")
        return Evaluator(api, ledger, Objectives.only(*objectives), State(), lambda: WallTime(datetime.now(UTC)))

    async def evaluate(self, objective: Objective) -> dict[Key, Reading]:
        """What the first evaluation reads."""
        evaluation = self.evaluation(objective)
        await evaluation.evaluate()
        return dict(evaluation.state.readings)

    async def evaluate_one(self, objective: Objective) -> Reading:
        (reading,) = (await self.evaluate(objective)).values()
        return reading

    async def scraped(self, job: str, total: int) -> None:
        """Wait until Prometheus has so many requests of a job."""
        await self.prometheus.until(f'sum(request_latency_seconds_count{{job="{job}"}}) == {total}')

    # The stories

    async def live(self) -> None:
        for job in JOBS:
            await self.prometheus.until(f'up{{job="{job}"}} == 1')
        await self.prometheus.until('request_latency_seconds_count{job="spread", endpoint="/67"} == 0')
        await asyncio.gather(
            self._mixed(), self._counted(), self._few(), self._wide(), self._restarted(), self._missed(),
            self._downed(), self._breaking(), self._hanging(), self._spread(), self._replicated(),
        )  # fmt: skip
        await self._measure_lateness()

    async def _mixed(self) -> None:
        for step in range(1, STEPS + 1):
            for endpoint, (good, slow, failed) in MIXED.items():
                self.services["mixed"].answers(good, slow, failed, endpoint)
            await self.scraped("mixed", 22 * step)
        for objective in latency("mixed"), errors("mixed"):
            await self._attribute("mixed", objective)

    async def _attribute(self, job: str, objective: Objective) -> None:
        """Evaluate until it is known what carries the bad requests of a job."""
        evaluation = self.evaluation(objective, name=f"{job}-{objective.name}")
        found = None
        while found is None:
            await evaluation.evaluate()
            (incident,) = evaluation.state.open_incidents
            found = incident.attribution
        self.causes[job, objective.name] = found.causes

    async def _counted(self) -> None:
        """Evaluations come as they may: none for several scrapes, or several for one."""
        dice = random.Random(7)
        evaluation = self.evaluation(latency("counted"), name="counted")
        total = 0
        for step in range(STEPS):
            slow, good = dice.choice([(10, 20), (5, 25), (20, 0), (20, 15)])
            self.services["counted"].answers(good=good, slow=slow)
            self.counts.append((slow, good + slow))
            total += good + slow
            await self.scraped("counted", total)
            for _ in range([1, 0, 0, 3, 1, 0, 2, 1, 0, 1][step]):
                await evaluation.evaluate()
        await self._settle("counted")
        await evaluation.evaluate()
        self.counted = list(evaluation.state.incidents.values())

    async def _few(self) -> None:
        self.services["few"].answers(good=3)
        await self.scraped("few", 3)

    async def _hanging(self) -> None:
        self.services["hanging"].oldest_request_seconds = 30
        await self.prometheus.until('oldest_request_age_seconds{job="hanging"} == 30')

    async def _wide(self) -> None:
        for step in range(1, 4):
            for number in range(ENDPOINTS):
                self.services["wide"].answers(good=5, slow=number % 2, endpoint=f"/{number}")
            await self.scraped("wide", step * (5 * ENDPOINTS + ENDPOINTS // 2))

    async def _restarted(self) -> None:
        service = self.services["restarted"]
        for step in range(1, 4):
            service.answers(good=20)
            await self.scraped("restarted", 20 * step)
        await service.goes_down()
        await service.comes_back()
        service.answers(good=7)
        await self.scraped("restarted", 7)
        service.answers(good=7)
        await self.scraped("restarted", 14)

    async def _missed(self) -> None:
        service = self.services["missed"]
        for step in range(1, 4):
            service.answers(good=20)
            await self.scraped("missed", 20 * step)
        service.hangs = True
        await self.prometheus.until('up{job="missed"} == 0')
        service.hangs = False
        service.answers(good=20)
        await self.scraped("missed", 80)
        service.answers(good=20)
        await self.scraped("missed", 100)

    async def _downed(self) -> None:
        service = self.services["downed"]
        for step in range(1, 4):
            service.answers(good=20)
            await self.scraped("downed", 20 * step)
        await service.goes_down()
        await self.prometheus.until('count_over_time((up{job="downed"} == 0)[10s:1s]) >= 2')

    async def _breaking(self) -> None:
        """An incident from its first bad interval to its recovery, evaluated after each scrape."""
        service = self.services["breaking"]
        evaluation = self.evaluation(latency("breaking"), name="breaking")
        total = 0
        for sha256 in OLD_MODEL, NEW_MODEL:
            service.serves(sha256)
            service.answers(good=20)
            total += 20
            await self.scraped("breaking", total)
            await evaluation.evaluate()
        for slow, is_open in ((20, True), (0, False)):
            for _ in range(15):  # six and five where scrapes come in time
                service.answers(slow=slow, good=20 - slow)
                total += 20
                self.slow += slow
                await self.scraped("breaking", total)
                await evaluation.evaluate()
                if bool(evaluation.state.open_incidents) is is_open:
                    break
        self.broken = list(evaluation.state.incidents.values())

    async def _replicated(self) -> None:
        await self.prometheus.until('count(up{job="replicas"} == 1) == 3')
        for step in range(1, STEPS + 1):
            for name in REPLICAS:
                is_bad = name == "two"
                self.services[name].answers(good=0 if is_bad else 10, failed=10 if is_bad else 0)
            await self.scraped("replicas", 30 * step)
        await self._attribute("replicas", errors("replicas"))

    async def _spread(self) -> None:
        dice = random.Random(1)
        service, total = self.services["spread"], 0
        for number, (within, beyond) in enumerate(SPREADS):
            for count, bounds in ((within, BOUNDS[:7]), (beyond, BOUNDS[7:])):
                for _ in range(count):
                    service.observes(dice.choice(bounds), endpoint=f"/{number}")
            total += within + beyond
        await self.scraped("spread", total)

    async def _measure_lateness(self) -> None:
        for series in await self.prometheus.query('up{job!~"missed|seldom"}[40s]'):
            times = [float(at) for at, _ in series["values"]]
            late = [abs(at - times[0] - round(at - times[0])) for at in times]
            self.lateness = max(self.lateness, *late)

    async def _settle(self, job: str) -> None:
        """Wait for one more scrape, so that the last interval has certainly ended."""
        await self.prometheus.until(f'timestamp(up{{job="{job}"}}) > {datetime.now(UTC).timestamp() + 0.2}')


SPREADS = [(95, 5), (94, 6), (96, 4), (19, 1), (18, 2), (1, 0), (0, 1), (190, 10), (189, 11)]
SPREADS += [(random.Random(seed).randint(0, 60), random.Random(-seed).randint(0, 5)) for seed in range(1, 60)]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("world")
    async with AsyncExitStack() as stack:
        services = {job: Service() for job in (*JOBS, *REPLICAS, SELDOM)}
        for service in services.values():
            await service.comes_back()
            stack.push_async_callback(service.goes_down)
        for job, endpoints in (("mixed", MIXED), ("wide", range(ENDPOINTS)), ("spread", range(len(SPREADS)))):
            for endpoint in endpoints:
                services[job].answers(0, endpoint=str(endpoint) if job == "mixed" else f"/{endpoint}")
        jobs = [
            {
                "job_name": job,
                "scrape_interval": "6s" if job == SELDOM else "1s",
                "scrape_timeout": "1s",
                "static_configs": [{"targets": [service.target]}],
            }
            for job, service in services.items()
            if job not in REPLICAS
        ]
        replicas = [services[each].target for each in REPLICAS]
        jobs.append({"job_name": "replicas", "scrape_interval": "1s", "static_configs": [{"targets": replicas}]})
        pair = [services["mixed"].target, services["downed"].target]
        jobs.append({"job_name": "pair", "scrape_interval": "1s", "static_configs": [{"targets": pair}]})
        prometheus = Prometheus(folder / "prometheus", {"scrape_configs": jobs})
        await prometheus.start()
        stack.push_async_callback(prometheus.kill)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        world = World(prometheus, session, services, folder)
        await world.live()
        yield world


@pytest.fixture
def steady_world(world: World) -> World:
    """Only where scrapes were in step can it be said to the last request what must have been read."""
    if world.lateness > 0.08:
        pytest.skip(f"this machine is too busy: a scrape was out of step by {world.lateness:.2f} s")
    return world


# What is read


async def test_good_and_slow_requests_are_read_as_they_were(world: World) -> None:
    reading = await world.evaluate_one(latency("mixed"))
    assert reading.sight is Sight.CLEAR
    assert reading.good_ratio == pytest.approx(18 / 22)
    assert reading.latency_seconds is not None
    assert 1.5 < reading.latency_seconds <= 2.0
    assert [endpoint for endpoint, _ in reading.by_endpoint] == ["/sleep", "/predict", "/fail"] or [
        endpoint for endpoint, _ in reading.by_endpoint
    ] == ["/sleep", "/fail", "/predict"]
    assert all(each.bad_ratio == pytest.approx(4 / 22) for each in reading.intervals)
    assert sum(each.total for each in reading.intervals) <= 22 * STEPS * 1.05
    assert reading.events_per_second is not None


async def test_failed_requests_are_read_as_they_were(world: World) -> None:
    reading = await world.evaluate_one(errors("mixed"))
    assert reading.sight is Sight.CLEAR
    assert reading.good_ratio == pytest.approx(20 / 22)
    assert all(each.bad_ratio == pytest.approx(2 / 22) for each in reading.intervals)
    assert reading.latency_seconds is None


async def test_what_has_no_failure_is_all_good(world: World) -> None:
    reading = await world.evaluate_one(errors("counted"))
    assert reading.good_ratio == 1
    assert {each.bad for each in reading.intervals} == {0}


async def test_a_selector_leaves_out_what_it_is_to_leave_out(world: World) -> None:
    source = Latency("request_latency_seconds", 1.0, 'endpoint!~"/sleep|/fail"')
    reading = await world.evaluate_one(latency("mixed", source=source))
    assert reading.good_ratio == 1
    assert [endpoint for endpoint, _ in reading.by_endpoint] == ["/predict"]


async def test_the_budget_leaves_out_what_the_judgement_does_not(world: World) -> None:
    source = Latency("request_latency_seconds", 1.0, budget_selector='endpoint!="/sleep"')
    reading = await world.evaluate_one(latency("mixed", source=source))
    assert reading.good_ratio == pytest.approx(18 / 22)
    assert reading.budget is not None
    assert set(reading.budget.bad_ratios.values()) == {0.0}
    assert reading.budget.remaining(latency("mixed")) == 1


async def test_a_breach_names_the_endpoint_that_carries_the_bad_requests(world: World) -> None:
    for name, endpoint, bad in (("latency", "/sleep", 4), ("errors", "/fail", 2)):
        (cause,) = world.causes["mixed", name]
        assert (cause.label, cause.values, cause.other_bad) == ("endpoint", (endpoint,), 0)
        assert cause.bad == cause.total
        assert cause.other_total / cause.total == pytest.approx(22 / bad - 1)


async def test_a_breach_names_the_instance_that_carries_the_bad_requests(world: World) -> None:
    (cause,) = world.causes["replicas", "errors"]
    assert (cause.label, cause.values) == ("instance", (world.services["two"].target,))
    assert (cause.bad, cause.other_bad) == (cause.total, 0)


async def test_what_is_good_by_little_is_known(world: World) -> None:
    source = Latency("request_latency_seconds", 2.0, clear_seconds=1.0)
    reading = await world.evaluate_one(latency("mixed", source=source))
    assert all(each.bad_ratio == pytest.approx(0, abs=1e-9) for each in reading.intervals)
    assert all(each.marginal / each.total == pytest.approx(4 / 22) for each in reading.intervals)


async def test_no_scrape_is_counted_twice_over_many_evaluations(world: World) -> None:
    (incident,) = world.counted
    assert incident.bad <= sum(slow for slow, _ in world.counts) * 1.05
    assert incident.total <= sum(total for _, total in world.counts) * 1.05


async def test_each_scrape_is_counted_exactly_once_over_many_evaluations(steady_world: World) -> None:
    (incident,) = steady_world.counted
    counts = steady_world.counts
    assert incident.bad == pytest.approx(sum(slow for slow, _ in counts), rel=0.05)
    assert incident.total == pytest.approx(sum(total for _, total in counts), rel=0.05)
    reading = await steady_world.evaluate_one(latency("counted"))
    for interval, (slow, total) in zip(reading.intervals, counts, strict=True):
        assert interval.total == pytest.approx(total, rel=0.15)
        assert interval.bad_ratio == pytest.approx(slow / total)


async def test_an_incident_is_opened_and_closed_on_real_samples(world: World) -> None:
    (incident,) = world.broken
    assert incident.outcome is Outcome.RECOVERED
    assert incident.openings == 1
    assert incident.bad <= world.slow * 1.1
    assert incident.worst is not None
    assert 1.5 < incident.worst <= 2


async def test_an_incident_names_the_change_of_the_model_before_it(world: World) -> None:
    (incident,) = world.broken
    assert incident.change is not None
    assert (incident.change.before, incident.change.after) == (OLD_MODEL, NEW_MODEL)
    assert timedelta(0) <= incident.began_at - incident.change.at < timedelta(seconds=15)


async def test_what_an_incident_counts_is_what_the_service_counted(steady_world: World) -> None:
    (incident,) = steady_world.broken
    assert incident.bad == incident.total == pytest.approx(steady_world.slow, rel=0.1)
    lasted = incident.last_bad_at - incident.began_at
    assert lasted / SCRAPE == pytest.approx(steady_world.slow / 20, abs=0.3)


# Each sight


async def test_no_requests_are_no_traffic(world: World) -> None:
    reading = await world.evaluate_one(latency("idle"))
    assert (reading.sight, str(reading.reason), reading.intervals) == (Sight.NO_TRAFFIC, "no requests", ())
    assert (reading.latency_seconds, reading.good_ratio) == (None, None)


async def test_three_requests_are_too_few(world: World) -> None:
    reading = await world.evaluate_one(latency("few"))
    assert reading.sight is Sight.TOO_FEW
    assert str(reading.reason) == "only 3 of the 5 requests that a judgement needs"


async def test_a_target_that_is_down_is_seen_as_that_and_its_numbers_are_not_judged(world: World) -> None:
    reading = await world.evaluate_one(latency("downed"))
    assert (reading.sight, str(reading.reason)) == (Sight.TARGET_DOWN, "all scrapes of downed fail")


async def test_of_two_targets_the_one_that_is_down_is_seen_as_that_and_the_other_is_judged(world: World) -> None:
    readings = await world.evaluate(latency("pair", by=("instance",)))
    sights = {dict(key.labels)["instance"]: reading.sight for key, reading in readings.items()}
    assert sights == {
        world.services["mixed"].target: Sight.CLEAR,
        world.services["downed"].target: Sight.TARGET_DOWN,
    }


async def test_that_a_target_is_down_is_what_availability_judges(world: World) -> None:
    reading = await world.evaluate_one(availability("downed"))
    assert reading.sight is Sight.CLEAR
    bad = [each.bad for each in reading.intervals]
    assert bad == sorted(bad)
    assert bad.count(1) >= 2
    assert {each.total for each in reading.intervals} == {1}
    assert reading.good_ratio is not None
    assert 0 < reading.good_ratio < 1


async def test_samples_that_are_old_are_stale(world: World) -> None:
    await world.prometheus.until(f'time() - timestamp(up{{job="{SELDOM}"}}) > 4.2 < 5.5')
    reading = await world.evaluate_one(latency(SELDOM))
    assert reading.sight is Sight.STALE
    assert str(reading.reason).startswith("the last sample of seldom is ")


@pytest.mark.parametrize("objective", [latency(SELDOM), errors(SELDOM)], ids=["latency", "ratio"])
async def test_samples_further_apart_than_the_file_says_are_stale_however_fresh_the_last_one_is(
    world: World, objective: Objective
) -> None:
    world.services[SELDOM].answers(good=20, failed=1)
    await world.prometheus.until(
        f'sum(increase(request_latency_seconds_count{{job="{SELDOM}"}}[1m])) > 0 '
        f'and on () time() - timestamp(up{{job="{SELDOM}"}}) < 2'
    )
    reading = await world.evaluate_one(objective)
    assert (reading.sight, str(reading.reason)) == (
        Sight.STALE,
        "no two samples of seldom lie within 4s; a scrape_interval in slo.yml must be the real one",
    )


async def test_a_job_that_prometheus_does_not_know_is_stale(world: World) -> None:
    reading = await world.evaluate_one(latency("nobody"))
    assert (reading.sight, str(reading.reason)) == (Sight.STALE, "Prometheus knows no target of the job nobody")


async def test_a_service_that_hangs_is_bad_though_no_request_ends(world: World) -> None:
    reading = await world.evaluate_one(latency("hanging"))
    assert reading.sight is Sight.CLEAR
    assert len(reading.intervals) >= 5
    assert {(each.bad, each.total) for each in reading.intervals} == {(1, 1)}
    assert reading.waiting_seconds == 30


async def test_a_threshold_that_is_no_bucket_bound_is_blind_with_a_sentence(world: World) -> None:
    reading = await world.evaluate_one(latency("mixed", source=Latency("request_latency_seconds", 1.3)))
    assert (reading.sight, str(reading.reason)) == (Sight.BLIND, "no bucket of request_latency_seconds ends at 1.3 s")


async def test_a_question_that_prometheus_refuses_is_blind_and_costs_the_others_nothing(world: World) -> None:
    broken = latency("mixed", name="broken", source=Ratio(("not{a selector",), ("either",)))
    evaluation = world.evaluation(broken, errors("mixed"))
    await evaluation.evaluate()
    readings = evaluation.state.readings
    assert readings[Key("broken")].sight is Sight.BLIND
    assert str(readings[Key("broken")].reason).startswith("Prometheus: it answered 400: ")
    assert readings[Key("errors")].sight is Sight.CLEAR


# Holes


async def test_a_counter_that_begins_anew_is_no_burst_and_no_loss(steady_world: World) -> None:
    reading = await steady_world.evaluate_one(latency("restarted"))
    totals = [each.total for each in reading.intervals]
    assert totals[:3] == pytest.approx([20, 20, 20], rel=0.15)
    assert totals[-1] == pytest.approx(7, rel=0.15)
    assert max(totals) < 25
    assert all(each.bad == pytest.approx(0, abs=1e-9) for each in reading.intervals)


async def test_a_missed_scrape_is_a_hole_and_no_echo(steady_world: World) -> None:
    reading = await steady_world.evaluate_one(latency("missed"))
    ends = [each.ended_at for each in reading.intervals]
    pauses = [round((later - earlier) / SCRAPE) for earlier, later in pairwise(ends)]
    assert pauses.count(1) == len(pauses) - 1
    assert max(pauses) >= 2
    totals = [each.total for each in reading.intervals]
    first, over_the_hole, last = totals[:3], totals[3:-1], totals[-1]
    assert [*first, last] == pytest.approx([20, 20, 20, 20], rel=0.15)
    assert len(over_the_hole) <= 1
    assert all(each <= 20 / 2 * 1.15 for each in over_the_hole), "what came in two intervals is spread over them"
    up = await steady_world.evaluate_one(availability("missed"))
    assert 1 <= sum(each.bad for each in up.intervals) <= 3


# Label sets


async def test_each_label_set_has_a_state_of_its_own(world: World) -> None:
    readings = await world.evaluate(latency("wide", by=("endpoint",)))
    assert len(readings) == ENDPOINTS + 1  # and /predict, which has no requests
    for number in range(ENDPOINTS):
        reading = readings[Key("latency", (("endpoint", f"/{number}"),))]
        assert reading.sight is Sight.CLEAR
        assert reading.good_ratio == pytest.approx(5 / 6 if number % 2 else 1)
        assert all(each.bad_ratio == pytest.approx((number % 2) / 6, abs=1e-9) for each in reading.intervals)


async def test_fifty_label_sets_cost_no_more_questions_than_one(world: World) -> None:
    counts = []
    for objective in (latency("wide"), latency("idle", by=("endpoint",)), latency("wide", by=("endpoint",))):
        world.requested.clear()
        await world.evaluate(objective)
        assert set(world.requested) == {"answered"}
        counts.append(len(world.requested))
    assert len(set(counts)) == 1


# p95 <= threshold is the same as: the share within it is the objective's


async def test_the_quantile_and_the_share_say_the_same_of_real_histograms(world: World) -> None:
    objective = latency("spread", by=("endpoint",))
    over = timedelta(minutes=1)
    requested = promql.quantile(objective, over)
    assert requested is not None
    p95 = {each["metric"]["endpoint"]: float(each["value"][1]) for each in await world.prometheus.query(requested)}
    ratio = await world.prometheus.query(promql.good_ratio(objective, over))
    shares = {each["metric"]["endpoint"]: float(each["value"][1]) for each in ratio}
    compared = 0
    for number, (within, beyond) in enumerate(SPREADS):
        if within + beyond == 0:
            continue
        share = shares[f"/{number}"]
        assert share == pytest.approx(within / (within + beyond))
        assert (p95[f"/{number}"] <= 1.0 + 1e-9) == (share >= 0.95 - 1e-9), (within, beyond)
        compared += 1
    assert compared > 50
