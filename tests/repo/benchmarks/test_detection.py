"""The detection benchmark's own arithmetic: what its replicas show and how its figures are made."""

import re
from collections import Counter
from itertools import islice, pairwise

import pytest
import yaml

from benchmarks.detection.__main__ import scraping
from benchmarks.detection.alerts import Record, Word
from benchmarks.detection.replica import Frozen, Replica, Slow, Span, Swaying, Swinging, reloaded, steady
from benchmarks.detection.schedule import FULL, QUICK, Case, Plan, Scenario, schedule
from benchmarks.detection.table import spread, table_by_interval
from benchmarks.detection.watchdogs import objectives_of
from wine_slo.config.slo_file import parse


def value(replica: Replica, name: str, now: float) -> float:
    text = replica.scrape(now)
    assert text is not None
    (line,) = [line for line in text.splitlines() if line.startswith(name)]
    return float(line.split()[-1])


def within(seconds: str, replica: Replica, now: float) -> float:
    return value(replica, f'request_latency_seconds_bucket{{endpoint="/predict",le="{seconds}"}}', now)


def test_a_request_is_observed_when_it_ends() -> None:
    replica = Replica("r", steady(1, [Slow(0, 10)]))

    assert value(replica, "requests_total", 1.59) == 0
    assert value(replica, "requests_total", 2.6) == 1
    assert within("1.0", replica, 2.6) == 0


def test_an_incident_is_slow_and_nothing_else_is() -> None:
    replica = Replica("r", steady(10, [Slow(10, 20)]))

    slow = [value(replica, "requests_total", now) - within("1.0", replica, now) for now in (10, 15, 21.7, 60)]

    assert slow[0] == 0
    assert 33 <= slow[1] <= 35
    assert slow[2:] == [100, 100]


def test_what_is_frozen_ends_all_at_once() -> None:
    replica = Replica("r", steady(10, [Frozen(10, 14)]))

    assert 99 <= value(replica, "requests_total", 13.9) <= 100
    assert value(replica, "oldest_request_age_seconds", 13.9) == pytest.approx(3.85, abs=0.1)
    assert 139 <= value(replica, "requests_total", 14.1) <= 141


def test_a_swing_stays_between_its_bounds() -> None:
    swing = Swinging(0, 100, 20)
    assert [round(swing.seconds(at), 3) for at in (0, 5, 10, 15)] == [1.0, 1.1, 1.0, 0.9]


def test_where_requests_differ_a_twentieth_is_beyond_p95() -> None:
    requests = islice(steady(100, [Swaying(0, 200, 20)]), 20_000)
    swing = Swinging(0, 200, 20)

    beyond = sum(request.seconds > swing.seconds(request.begun_at) for request in requests)

    assert beyond / 20_000 == pytest.approx(0.05, abs=0.01)


def test_one_who_reloads_sends_one_request_after_the_other() -> None:
    requests = list(reloaded(Span(5, 12)))
    assert [request.begun_at for request in requests] == [5, 7, 9, 11]


def test_who_was_dead_comes_back_with_nothing_counted() -> None:
    replica = Replica("r", steady(10, []), gone=Span(10, 20))

    assert value(replica, "requests_total", 9.99) >= 98
    assert replica.scrape(12) is None
    assert replica.scrape(19.9) is None
    assert 9 <= value(replica, "requests_total", 21.06) <= 12


@pytest.mark.parametrize("plan", [FULL, QUICK])
def test_a_schedule_leaves_each_case_its_time(plan: Plan) -> None:
    subjects = list(schedule(plan))

    for subject in subjects:
        for case in subject.cases:
            assert plan.warm_up <= case.span.start or case.scenario is Scenario.RELOAD
            assert case.span.end < case.watched_until <= plan.total
        for earlier, later in pairwise(subject.cases):
            assert earlier.watched_until <= later.span.start
    names = [subject.replica.name for subject in subjects]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(rf"{subject.squad}-\w+", subject.replica.name) for subject in subjects)


def test_each_squad_is_a_job_of_its_own() -> None:
    subjects = list(schedule(QUICK))

    page = yaml.safe_load(yaml.safe_dump(scraping(subjects, "127.0.0.1:1", "5s", alertmanager=2)))

    jobs = {job["job_name"]: len(job["static_configs"]) for job in page["scrape_configs"]}
    assert jobs == Counter(subject.squad for subject in subjects)


def test_figures_count_only_what_was_said_of_the_case() -> None:
    case = Case(Scenario.KILLED, "r", Span(100, 160), 400, gone=Span(160, 300))
    other = Case(Scenario.KILLED, "other", Span(100, 160), 400, gone=Span(160, 300))
    record = Record("a set-up")
    record.add("r", Word.BREACH, 90)
    record.add("r", Word.BREACH, 127)
    record.add("r", Word.RECOVERY, 200)
    record.add("r", Word.RECOVERY, 500)

    assert record.seconds_to_alert([case, other]) == [27]
    assert record.seconds_to_recovery([case, other]) == [40]
    assert record.alerted([case, other]) == 1
    assert record.false_recoveries([case, other]) == 1
    assert record.messages([case]) == 1


def test_set_ups_are_compared_by_scrape_interval_over_outages_and_stalls_of_15_s() -> None:
    outage = Case(Scenario.INCIDENT, "out-0", Span(100, 250), 600)
    stalls = [Case(kind, f"{kind}-0", Span(100, 115), 600) for kind in (Scenario.STALL, Scenario.FREEZE)]
    others = [
        Case(Scenario.STALL, "short-0", Span(100, 104), 600),
        Case(Scenario.SPARSE, "sparse-0", Span(100, 250), 600),
    ]
    ours, theirs = Record("ours"), Record("theirs")
    ours.add("out-0", Word.BREACH, 157)
    ours.add("out-0", Word.RECOVERY, 340)
    theirs.add("stall-0", Word.BREACH, 120)
    theirs.add("short-0", Word.BREACH, 120)

    *_, first, second = table_by_interval([outage, *stalls, *others], {"60s": [ours, theirs]}).splitlines()

    assert first == "| 60s | ours | 57.0 (57.0 to 57.0) | 90.0 (90.0 to 90.0) | 0 of 1 | 0 of 2 |"
    assert second == "| 60s | theirs | – | – | 0 of 1 | 1 of 2 |"


def test_one_watchdog_can_follow_several_jobs() -> None:
    found = parse(objectives_of(["incident-1", "incident-2"])).objectives().all
    assert [(each.name, each.job, each.by) for each in found] == [
        (job, job, ("replica",)) for job in ("incident-1", "incident-2")
    ]


def test_a_spread_says_when_some_are_missing() -> None:
    assert spread([3, 1, 2], of=3) == "2.0 (1.0 to 3.0)"
    assert spread([3, 1, 2], of=4) == "2.0 (1.0 to 3.0), 3 of 4"
    assert spread([], of=4) == "–"
