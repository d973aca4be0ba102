"""`wine-slo replay` over a past that the real Prometheus holds has the alarms that the live watchdog had."""

import asyncio
import csv
import io
import json
import os
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import chdir
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from typer.testing import CliRunner

from tests.support.live_watchdog import Delivery, Shifted, delivery_of, live, place
from tests.support.real.history import Chapter
from tests.support.real.history import History as Made
from tests.support.real.prometheus import Prometheus, free_port, scraping
from wine_slo.cli import app
from wine_slo.config import slo_file
from wine_slo.integrations.prometheus.client import PrometheusClient
from wine_slo.monitor.replay.engine import replay
from wine_slo.monitor.replay.range_cache import RangeCache
from wine_slo.monitor.replay.story import Story
from wine_slo.slo.objectives import promql
from wine_slo.slo.objectives.objective import TAKEN, Objectives

GOLDEN = Path(__file__).parents[3] / "support" / "golden"
START = datetime(2026, 10, 1, tzinfo=UTC)
OF_SHORT = """
job: wine-slo
objectives:
  - name: latency
    kind: latency
    objective: 0.95
    threshold: 1s
    clear: 750ms
    histogram: request_latency_seconds
    oldest_age: oldest_request_age_seconds
    window: 1d
    burns: [{budget: 0.02, long: 10m, short: 2m, alert: page}]
  - name: patient                       # a spell of a minute is no breach to it, but burns
    kind: latency
    objective: 0.95
    threshold: 1s
    histogram: request_latency_seconds
    bad_for: 10m
    over: 15m
    window: 1d
    burns: [{budget: 0.02, long: 10m, short: 2m, alert: page}]
  - name: availability
    kind: up
    objective: 0.995
    window: 1d
"""


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


SHORT = Made(  # an hour in which everything happens, which a live watchdog can evaluate as a whole
    begins_at=START,
    duration=minutes(62),
    restarts=(minutes(2.5),),
    job="wine-slo",
    chapters=(
        Chapter(since=minutes(5), until=minutes(6), slow=0.5),
        Chapter(since=minutes(12), until=minutes(12.2), slow=1.0),  # a stall
        Chapter(since=minutes(18), until=minutes(19), is_down=True),
        Chapter(since=minutes(26), until=minutes(29), is_away=True),
        Chapter(since=minutes(35), until=minutes(39), rate=0.0),
        *(Chapter(since=minutes(44 + number), until=minutes(44.25 + number), slow=1.0) for number in range(5)),
        Chapter(since=minutes(55), until=minutes(56), slow=1.0),
        Chapter(since=minutes(56.8), until=minutes(57.8), slow=1.0),  # comes back
    ),
)
PAIR = [  # two replicas, of which the second is away for a while; one endpoint is slow, and later both are
    Made(
        begins_at=START,
        duration=minutes(13),
        phase=timedelta(seconds=phase),
        job="pair",
        instance=instance,
        chapters=(
            Chapter(since=minutes(4), until=minutes(5), slow=1.0, endpoint="/sleep"),
            Chapter(since=minutes(7), until=minutes(7.7), slow=1.0),
            *down,
        ),
    )
    for instance, phase, down in (
        ("service:8000", 1.25, ()),
        ("service:8001", 3.5, (Chapter(since=minutes(10), until=minutes(11), is_down=True),)),
    )
]
OF_PAIR = """
job: pair
objectives:
  - name: latency
    kind: latency
    objective: 0.95
    threshold: 1s
    histogram: request_latency_seconds
    by: [endpoint]
    window: 1d
    burns: [{budget: 0.02, long: 5m, short: 1m, alert: page}]
  - name: availability
    kind: up
    objective: 0.995
    by: [instance]
    window: 1d
    burns: []
"""
LONG = Made(  # thirty days, scraped each minute
    begins_at=START,
    duration=timedelta(days=30),
    every=timedelta(minutes=1),
    phase=timedelta(seconds=7),
    rate=1.0,
    job="long",
    restarts=(timedelta(days=4), timedelta(days=21)),
    chapters=(
        Chapter(since=timedelta(days=3), until=timedelta(days=3, minutes=40), slow=0.6),
        Chapter(since=timedelta(days=9), until=timedelta(days=9, minutes=20), is_down=True),
        Chapter(since=timedelta(days=12), until=timedelta(days=12, hours=7), is_away=True),
        Chapter(since=timedelta(days=15), until=timedelta(days=15, hours=8), rate=0.0),
        Chapter(since=timedelta(days=20), until=timedelta(days=20, hours=2), failed=0.2),
        Chapter(since=timedelta(days=27), until=timedelta(days=27, minutes=30), slow=1.0),
    ),
)
LONG_FILE = """
job: long
scrape_interval: 1m
blind_for: 10m
objectives:
  - name: latency
    title: Latency
    kind: latency
    objective: 0.95
    threshold: 1s
    histogram: request_latency_seconds
    bad_for: 5m
    good_for: 4m
    over: 15m
  - name: errors
    title: Error rate
    kind: ratio
    objective: 0.99
    bad: responses_total{job="long", status="500"}
    total: responses_total{job="long"}
    bad_for: 5m
    good_for: 4m
    over: 15m
"""
TRUTH = """\
start,end,objective
2026-10-04T00:00Z,2026-10-04T00:40Z,latency
2026-10-21T00:00Z,2026-10-21T02:00Z,errors
2026-10-28T00:00Z,2026-10-28T00:30Z,latency
2026-10-10T00:00Z,2026-10-10T00:20Z,
2026-10-29T00:00Z,2026-10-29T00:10Z,latency
"""


@dataclass
class World:
    """A Prometheus that holds both pasts, and a folder with what is queried of it."""

    prometheus: Prometheus
    folder: Path

    def says(self, *options: str, **environment: str) -> tuple[int, str, str]:
        """The exit status of `wine-slo replay`, and what it says on either output."""
        variables = {
            "WINE_SLO_PROMETHEUS_URL": self.prometheus.url,
            "WINE_SLO_OBJECTIVES": "long.yml",
            "WINE_SLO_POLL_SECONDS": "120",
            "COLUMNS": "120",
            **environment,
        }
        with chdir(self.folder):
            done = CliRunner().invoke(app, ["replay", *options], env=variables, catch_exceptions=False)
        return done.exit_code, done.stdout, done.stderr


TWO_DAYS = ("--from", "2026-10-03T00:00Z", "--to", "2026-10-05T00:00Z")
ALL_OF_IT = ("--from", "2026-10-01T01:00Z", "--to", "2026-10-31T00:00Z")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("replay")
    prometheus = Prometheus(folder / "prometheus", scraping(every="1m"), retention="90d")
    await asyncio.gather(
        asyncio.to_thread(SHORT.write, prometheus.folder / "data"),
        asyncio.to_thread(LONG.write, prometheus.folder / "data"),
    )
    for replica in PAIR:
        await asyncio.to_thread(replica.write, prometheus.folder / "data")
    for name, content in (
        ("long.yml", LONG_FILE),
        ("short.yml", OF_SHORT),
        ("pair.yml", OF_PAIR),
        ("overflow.csv", "start,end\n2026-10-04,9999-12-31T23:59-05:00\n"),
        ("overflow.yml", "- {start: 2026-13-04, end: 2026-10-05}\n"),
        ("truth.csv", f"\ufeff{TRUTH}"),  # as Excel writes it
    ):
        (folder / name).write_text(content)
    await prometheus.start()
    yield World(prometheus, folder)
    await prometheus.kill()


async def lived(world: World, objectives: Objectives, since: datetime, until: datetime) -> tuple[list[Delivery], int]:
    """What a live watchdog would have notified of, and how often it would have evaluated."""
    async with aiohttp.ClientSession() as session:
        api = Shifted(session, world.prometheus.url, {})
        delivered, evaluations = await live(api, api.clock, objectives, since, until)
    return [delivered[each] for each in sorted(delivered)], evaluations


async def replayed(
    world: World, objectives: Objectives, since: datetime, until: datetime, *, is_fast: bool = True
) -> Story:
    async with aiohttp.ClientSession() as session:
        history = RangeCache(PrometheusClient(session, world.prometheus.url, {}), None, "real", until)
        story = await replay(history, objectives, since, until, minutes(0.5), is_fast=is_fast)
        await history.close()
    return story


@pytest.mark.asyncio(loop_scope="module")
async def test_a_replay_has_the_alarms_of_the_live_watchdog_over_real_samples(world: World) -> None:
    objectives = slo_file.load(world.folder / "short.yml").objectives()
    since, until = START + minutes(3), START + minutes(62)
    delivered, evaluations = await lived(world, objectives, since, until)
    story = await replayed(world, objectives, since, until)
    assert [delivery_of(each) for each in sorted(story.alarms, key=place)] == delivered
    assert story.evaluations == evaluations
    names = [str(alarm.key) for alarm in story.alarms]
    assert names.count("latency") >= 3
    assert {"availability", 'sight{job="wine-slo"}', "patient budget"} <= {*names}
    assert any(alarm.is_again for alarm in story.alarms)


@pytest.mark.asyncio(loop_scope="module")
async def test_each_label_set_has_the_story_that_it_had_live(world: World) -> None:
    objectives = slo_file.load(world.folder / "pair.yml").objectives()
    since, until = START + minutes(3), START + minutes(13)
    delivered, evaluations = await lived(world, objectives, since, until)
    for is_fast in (False, True):
        story = await replayed(world, objectives, since, until, is_fast=is_fast)
        assert [delivery_of(each) for each in sorted(story.alarms, key=place)] == delivered
        assert story.evaluations == evaluations
    names = Counter(str(alarm.key) for alarm in story.alarms)
    assert names == {
        'latency{endpoint="/sleep"}': 2,
        'latency{endpoint="/predict"}': 1,
        'availability{instance="service:8001"}': 1,
    }


@pytest.mark.asyncio(loop_scope="module")
async def test_the_length_of_a_young_history_is_known_on_either_side_of_a_full_hour(world: World) -> None:
    objective = slo_file.load(world.folder / "short.yml").objectives().by_name["latency"]
    async with aiohttp.ClientSession() as session:
        api = PrometheusClient(session, world.prometheus.url, {})
        for age in (10, 45, 59, 61):
            (sample,) = (await api.query(promql.seconds_of_history(objective), START + minutes(age))).samples
            assert sample.value == pytest.approx(60 * min(age, 60), abs=15)


@pytest.mark.asyncio(loop_scope="module")
async def test_events_in_a_gap_are_counted_by_the_samples_behind_it(world: World) -> None:
    objective = slo_file.load(world.folder / "short.yml").objectives().by_name["latency"]
    async with aiohttp.ClientSession() as session:
        api = PrometheusClient(session, world.prometheus.url, {})
        for gap, ends, events in ((185, 29, 1850), (65, 19, 50)):  # Prometheus away; the service down, and begun anew
            for query in (promql.total_across, promql.part_across):
                question = query(objective, timedelta(seconds=gap))
                assert question is not None
                (sample,) = (await api.query(question, START + minutes(ends) + timedelta(seconds=1.75))).samples
                assert sample.value == pytest.approx(events, abs=2)  # whole requests of each endpoint


@pytest.mark.parametrize("form", ["table", "csv"])
def test_thirty_days_read_as_they_were_agreed(world: World, form: str) -> None:
    """`WINE_SLO_WRITE_GOLDEN=1` writes them anew."""
    options = ["--csv"] if form == "csv" else ["--incidents", "truth.csv"]
    status, said, trouble = world.says(*ALL_OF_IT, *options)
    assert (status, trouble) == (0, "")
    lines = "".join(f"{line.rstrip()}\n" for line in said.splitlines())
    path = GOLDEN / f"replay.{'csv' if form == 'csv' else 'txt'}"
    if os.environ.get("WINE_SLO_WRITE_GOLDEN"):
        path.write_text(lines)
    assert lines == path.read_text()


def test_the_known_incidents_are_found_and_no_other(world: World) -> None:
    status, said, _ = world.says(*ALL_OF_IT, "--json", "--incidents", "truth.csv")
    content = json.loads(said)
    assert status == 0
    breaches = [each for each in content["alarms"] if each["alert"] == "breach" and each["objective"] not in TAKEN]
    began = [(each["objective"], each["notified_at"][:10]) for each in breaches]
    assert began == [
        ("latency", "2026-10-04"), ("errors", "2026-10-21"), ("latency", "2026-10-28"),
    ]  # fmt: skip
    score = content["score"]
    assert (score["precision"], score["recall"], score["known"]) == (0.8, 0.8, 5), "Prometheus was down for seven hours"
    lefts = [each["share"] for each in content["objectives"]["latency"]["budget_left"]]
    assert len(lefts) == 31
    slow = 0.6 * 40 * 60 + 30 * 60  # requests, of one a second
    spent = slow / (30 * 86400 * 0.05)
    assert lefts[-1] == pytest.approx(1 - spent, abs=0.002)
    assert content["limits"]


def test_a_sweep_has_a_row_for_each_value(world: World) -> None:
    status, said, _ = world.says(*TWO_DAYS, "--sweep", "latency.threshold=0.5..2", "--csv")
    rows = list(csv.DictReader(io.StringIO(said)))
    assert status == 0
    assert [row["value"] for row in rows] == ["0.5", "0.75", "1.0", "2.0"]
    assert [row["incidents"] for row in rows] == ["1", "1", "1", "0"], "slow ones took 1.6 s"


@pytest.mark.parametrize("form", ["--json", "--csv", "--html=hidden.html"])
def test_no_form_of_the_report_holds_a_secret(world: World, form: str) -> None:
    secret = "latency"  # which each form names, as the objective is called so
    _, said, _ = world.says(*TWO_DAYS, form, WINE_SLO_WATCHDOG_PASSWORD=secret)
    page = world.folder / "hidden.html"
    shown = page.read_text() if form.startswith("--html") else said
    assert secret not in shown.replace(f'"{secret}":', ""), "names of JSON stay as they are"
    assert "***" in shown


def test_the_page_is_one_file_without_a_script(world: World) -> None:
    status, said, _ = world.says(*TWO_DAYS, "--html", "page.html")
    page = (world.folder / "page.html").read_text()
    assert status == 0
    assert said.endswith("The page with charts: page.html\n")
    assert page.count("<path") == 2
    assert not any(sign in page for sign in ("<script", "src=", "href=", "@import", "url("))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--since", "soon"), "--since soon must be a span such as 12h, 7d or 4w"),
        (("--since", "7d", "--from", "2026-10-01"), "--since and --from say the same thing twice; give one of them"),
        (("--from", "yesterday"), "--from yesterday must be an instant such as 2026-10-01 or 2026-10-01T14:00Z"),
        (("--to", "2999-01-01"), "--to 2999-01-01 lies in the future"),
        (("--to", "9999-12-31T23:00-05:00"), "--to 9999-12-31T23:00-05:00 must be an instant such as 2026-10-01"),
        (("--from", "0001-01-01T00:00+05:00"), "--from 0001-01-01T00:00+05:00 must be an instant such as 2026-10-01"),
        (("--from", "1815-06-18"), "1815-06-18T00:00:00+00:00 lies before 1970, when the time of Prometheus begins"),
        (("--since", "99999999d"), "--since 99999999d must be a span such as 12h, 7d or 4w"),
        (
            (*ALL_OF_IT, "--incidents", "overflow.csv"),
            "overflow.csv: incident 1: end 9999-12-31T23:59-05:00 must be an",
        ),
        ((*ALL_OF_IT, "--incidents", "overflow.yml"), "overflow.yml:1: is no YAML: month must be in 1..12"),
        (("--from", "2026-10-02", "--to", "2026-10-01"), "is too short: ten minutes are the least"),
        (("--objectives", "none.yml"), "none.yml cannot be read: No such file or directory"),
        ((*ALL_OF_IT, "--incidents", "none.csv"), "none.csv cannot be read: No such file or directory"),
        ((*ALL_OF_IT, "--incidents", "long.yml"), "long.yml must hold a list of incidents, each with start and end"),
        ((*ALL_OF_IT, "--sweep", "latency.threshold=0.6"), "latency.threshold is 0.6 s, which is no bucket bound"),
        ((*ALL_OF_IT, "--sweep", "speed.threshold=1"), "there is no objective 'speed'; there are latency, errors"),
        ((*TWO_DAYS, "--html", "none/page.html"), "none/page.html cannot be written: No such file or directory"),
    ],
)
def test_bad_input_is_a_sentence_and_2(world: World, options: tuple[str, ...], sentence: str) -> None:
    status, said, trouble = world.says(*options)
    assert (status, said) == (2, "")
    assert sentence in trouble
    assert trouble.count("\n") == 1


def test_prometheus_away_is_a_sentence_and_3(world: World) -> None:
    away = {"WINE_SLO_PROMETHEUS_URL": f"http://127.0.0.1:{free_port()}"}
    status, said, trouble = world.says(*ALL_OF_IT, **away)
    assert (status, said) == (3, "")
    assert trouble.startswith("Prometheus: it cannot be reached (connection refused)")


def test_a_time_range_without_data_is_a_sentence_and_3(world: World) -> None:
    status, said, trouble = world.says("--from", "2026-08-01T00:00Z", "--to", "2026-08-02T00:00Z")
    assert (status, said) == (3, "")
    assert trouble.startswith("Prometheus knows no target of long between 2026-08-01T00:00:00+00:00 and ")


@pytest.mark.parametrize("since", ["2026-09-20T00:00Z", "2026-09-30T23:30Z"])
def test_it_begins_where_prometheus_has_data(world: World, since: str) -> None:
    _, said, _ = world.says("--from", since, "--to", "2026-10-02T00:00Z", "--json")
    content = json.loads(said)
    assert content["since"] == "2026-10-01T00:02:00Z"
    assert content["limits"][0].startswith("Prometheus has no data before 2026-10-01 00:00 UTC")
