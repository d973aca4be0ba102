"""`slo.yml` at the scrape intervals that its jobs really have."""

import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from wine_slo.config import slo_file
from wine_slo.config.slo_file import SloFileError
from wine_slo.monitor.evaluate.live_objectives import REFRESHED_EVERY, LiveObjectives, at_real_intervals
from wine_slo.slo.objectives.objective import Objectives
from wine_slo.slo.source.metric_source import MetricSourceError, Sample, Series, Target, Vector

SILENT = """\
job: api
objectives:
  - {name: errors, kind: ratio, objective: 0.99, bad: bad_total, total: all_total}
  - {name: up, job: other, kind: up, objective: 0.99}
"""


@dataclass
class Prometheus:
    """What it says of its targets; it has no samples."""

    intervals: dict[str, float] = field(default_factory=dict)
    is_away: bool = False
    apart: float | None = None  # seconds between samples, where it does not list its targets
    requests: int = 0

    async def targets(self) -> list[Target]:
        self.requests += 1
        return [
            Target(job, "", is_up=True, trouble="", interval=timedelta(seconds=each))
            for job, each in self.intervals.items()
        ]

    async def server(self) -> None:
        return None

    async def retention(self) -> None:
        return None

    async def query(self, _promql: str, _at: datetime | None = None) -> Vector:
        if self.is_away:
            raise MetricSourceError("it cannot be reached")
        return Vector(() if self.apart is None else (Sample({}, self.apart),), None)

    async def query_range(self, promql: str, start: datetime, end: datetime, step: timedelta) -> list[Series]:
        raise NotImplementedError


@dataclass
class Followed:
    """Objectives that follow a Prometheus, in virtual time."""

    path: Path
    text: str = SILENT
    prometheus: Prometheus = field(default_factory=Prometheus)
    now: float = 0.0
    live: LiveObjectives = field(init=False)

    def __post_init__(self) -> None:
        self.path.write_text(self.text)
        file = slo_file.load(self.path)
        self.live = LiveObjectives(self.path, file, self.prometheus, self.prometheus, lambda: self.now)

    async def after(self, seconds: float = 0.0) -> dict[str, float]:
        """The scrape interval of each objective, in seconds, so much later."""
        self.now += seconds
        return intervals(await self.live.refresh())


def intervals(objectives: Objectives) -> dict[str, float]:
    return {each.name: each.scrape_interval.total_seconds() for each in objectives.all}


@pytest.fixture
def followed(tmp_path: Path) -> Followed:
    return Followed(tmp_path / "slo.yml")


async def test_an_interval_that_is_not_written_is_that_of_its_job_and_its_spans_follow(followed: Followed) -> None:
    followed.prometheus.intervals = {"api": 30, "other": 60}
    assert await followed.after() == {"errors": 30, "up": 60}
    errors, up = followed.live.current.all
    assert errors.recent == timedelta(seconds=60)
    assert up.recent == timedelta(seconds=120)


async def test_a_job_that_is_not_known_yet_is_queried_at_each_evaluation(followed: Followed) -> None:
    followed.prometheus.intervals = {"api": 30}
    assert await followed.after() == {"errors": 30, "up": 5}
    followed.prometheus.intervals["other"] = 15
    assert await followed.after(1) == {"errors": 30, "up": 15}


async def test_once_all_are_known_they_are_queried_once_a_minute(followed: Followed) -> None:
    followed.prometheus.intervals = {"api": 30, "other": 60}
    await followed.after()
    followed.prometheus.intervals = {"api": 15, "other": 60}
    assert await followed.after(REFRESHED_EVERY - 1) == {"errors": 30, "up": 60}
    assert followed.prometheus.requests == 1
    assert await followed.after(2) == {"errors": 15, "up": 60}


async def test_where_it_is_measured_a_few_missed_scrapes_change_nothing(followed: Followed) -> None:
    for apart, expected in ((5.0, 5), (6.2, 5), (15.0, 15), (13.0, 15), (5.0, 5)):
        followed.prometheus.apart = apart
        assert await followed.after(REFRESHED_EVERY + 1) == {"errors": expected, "up": expected}


async def test_what_was_known_goes_on_while_prometheus_is_away_or_has_forgotten(followed: Followed) -> None:
    followed.prometheus.intervals = {"api": 30, "other": 60}
    await followed.after()
    followed.prometheus.intervals = {}
    assert await followed.after(REFRESHED_EVERY + 1) == {"errors": 30, "up": 60}
    followed.prometheus.is_away = True
    assert await followed.after(REFRESHED_EVERY + 1) == {"errors": 30, "up": 60}


async def test_what_is_written_goes_before_and_is_warned_of_once_where_it_is_not_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    text = SILENT.replace("job: api\n", "job: api\nscrape_interval: 5s\n").replace(
        "kind: up,", "kind: up, scrape_interval: 60s,"
    )
    followed = Followed(tmp_path / "slo.yml", text)
    followed.prometheus.intervals = {"api": 30, "other": 60}
    assert await followed.after() == {"errors": 5, "up": 60}
    await followed.after(REFRESHED_EVERY + 1)
    (record,) = caplog.records
    assert record.getMessage() == (
        f"{tmp_path}/slo.yml:2: scrape_interval is 5s, but api is scraped every 30s: leave it out, as everything is "
        "judged interval by interval"
    )


async def test_spans_that_are_too_short_for_the_real_interval_are_lengthened_and_said_with_their_lines(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    text = SILENT.replace("objective: 0.99, bad:", "bad_for: 10s, good_for: 10m, over: 4m, objective: 0.99, bad:")
    followed = Followed(tmp_path / "slo.yml", text)
    followed.prometheus.intervals = {"api": 60, "other": 60}
    caplog.set_level(logging.WARNING)
    await followed.after()
    errors = followed.live.current.by_name["errors"]
    assert (errors.bad_for, errors.good_for, errors.over) == tuple(timedelta(seconds=each) for each in (15, 600, 615))
    too_short = "which is too short: api is scraped every 1m, so it counts as"
    assert [each.getMessage() for each in caplog.records] == [
        f"{tmp_path}/slo.yml:3: objectives.0.bad_for is 10s, {too_short} 15s",
        f"{tmp_path}/slo.yml:3: objectives.0.over is 4m, {too_short} 615s",
    ]


async def test_a_job_that_cannot_be_judged_at_its_interval_stays_as_it_was_alone_and_that_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    text = SILENT.replace("objective: 0.99, bad:", "window: 1h, burns: [], objective: 0.99, bad:")
    followed = Followed(tmp_path / "slo.yml", text)
    followed.prometheus.intervals = {"api": 3600, "other": 60}
    assert await followed.after() == {"errors": 5, "up": 60}
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "window is 1h; it must be longer than over, which is 5h at scrape_interval: 1h" in record.getMessage()


async def test_a_job_that_can_no_longer_be_judged_keeps_the_interval_at_which_it_was(tmp_path: Path) -> None:
    text = SILENT.replace("objective: 0.99, bad:", "window: 1h, burns: [], objective: 0.99, bad:")
    followed = Followed(tmp_path / "slo.yml", text)
    followed.prometheus.intervals = {"api": 30, "other": 60}
    assert await followed.after() == {"errors": 30, "up": 60}
    followed.prometheus.intervals = {"api": 3600, "other": 15}
    assert await followed.after(60) == {"errors": 30, "up": 15}
    followed.prometheus.intervals = {"api": 10, "other": 15}
    assert await followed.after(60) == {"errors": 10, "up": 15}


async def test_a_file_that_is_read_anew_is_judged_at_once_at_what_is_known(followed: Followed) -> None:
    followed.prometheus.intervals = {"api": 30, "other": 60}
    await followed.after()
    followed.path.write_text(SILENT.replace("0.99", "0.9"))
    await followed.live.reload()
    assert intervals(followed.live.current) == {"errors": 30, "up": 60}
    assert {each.ratio for each in followed.live.current.all} == {0.9}


async def test_all_files_are_read_anew_and_a_wrong_one_of_them_changes_nothing(tmp_path: Path) -> None:
    team = tmp_path / "team.yml"
    team.write_text("job: shop\nobjectives: [{name: shop, kind: up, objective: 0.9}]\n")
    followed = Followed(tmp_path / "slo.yml", f"include: [team*.yml]\n{SILENT}")
    followed.prometheus.intervals = {"api": 30, "other": 60, "shop": 15}
    assert await followed.after() == {"errors": 30, "up": 60, "shop": 15}
    team.write_text(team.read_text().replace("name: shop", "name: checkout"))
    await followed.live.reload()
    assert intervals(followed.live.current) == {"errors": 30, "up": 60, "checkout": 15}
    team.write_text("job: shop\n")
    with pytest.raises(SloFileError, match=r"team\.yml:1: objectives is missing"):
        await followed.live.reload()
    assert intervals(followed.live.current) == {"errors": 30, "up": 60, "checkout": 15}


async def test_a_wrong_file_that_is_read_anew_changes_nothing(followed: Followed) -> None:
    followed.prometheus.intervals = {"api": 30, "other": 60}
    before = await followed.live.refresh()
    followed.path.write_text("job: api\n")
    with pytest.raises(SloFileError):
        await followed.live.reload()
    assert await followed.live.refresh() is before


async def test_a_file_read_anew_that_cannot_be_judged_at_the_real_intervals_changes_nothing(followed: Followed) -> None:
    followed.prometheus.intervals = {"api": 3600, "other": 60}
    before, file = await followed.live.refresh(), followed.live.file
    assert intervals(before) == {"errors": 3600, "up": 60}
    renamed = SILENT.replace("errors", "failures")
    followed.path.write_text(renamed.replace("objective: 0.99, bad:", "window: 1h, burns: [], objective: 0.99, bad:"))
    with pytest.raises(SloFileError, match=r"slo\.yml:3: .*window is 1h; it must be longer than over"):
        await followed.live.reload()
    assert followed.live.file is file
    assert await followed.live.refresh() is before
    assert followed.live.file.place("errors", "kind").endswith("slo.yml:3")


async def test_what_is_wrong_with_the_series_is_kept_until_the_file_is_read_anew(followed: Followed) -> None:
    doubts = {"errors": "bad matches no series"}
    assert followed.live.doubt(doubts).doubts == doubts
    followed.prometheus.intervals = {"api": 15, "other": 5}
    await followed.after(REFRESHED_EVERY)
    assert followed.live.current.doubts == doubts
    await followed.live.reload()
    assert followed.live.current.doubts == {}


async def test_one_evaluation_has_the_real_intervals_and_without_prometheus_what_the_file_says() -> None:
    prometheus = Prometheus({"api": 30, "other": 60})
    file = slo_file.parse(SILENT)
    assert intervals(await at_real_intervals(file, prometheus, prometheus)) == {"errors": 30, "up": 60}
    away = Prometheus(is_away=True)
    assert intervals(await at_real_intervals(file, away, away)) == {"errors": 5, "up": 5}
