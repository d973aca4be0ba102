"""A kind that nothing else knows of: its queries and its texts come from what it says of itself."""

import string
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import ClassVar

import pytest

from tests.support.scene import AVAILABILITY, ERRORS, LATENCY
from wine_slo.slo.objectives import promql
from wine_slo.slo.objectives.kinds.indicator import Indicator, KindText, Unit, select
from wine_slo.slo.objectives.objective import Objective, Objectives
from wine_slo.slo.text.formatting import Formatter
from wine_slo.slo.text.language import ENGLISH

MINUTES = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Fresh(Indicator):
    """Scrapes of a gauge with the instant of the last backup, good while that is young enough."""

    gauge: str
    at_most: float

    kind: ClassVar[str] = "fresh"
    unit: ClassVar[Unit] = Unit.BAD_SHARE
    text: ClassVar[KindText] = KindText(
        objective="Fresh {share} of the time, over {window}.",
        attained="{share} fresh (target ≥ {target})",
        events=("{bad} of {n} scrape was stale.", "{bad} of {n} scrapes were stale."),
        measured="{share} stale",
        chart="{title}: stale",
    )

    def all_events(self, job: str) -> None:
        """Return that each scrape is an event."""

    def scraped(self, job: str) -> str:
        return select(self.gauge, job)

    def good_scrape(self, job: str) -> str:
        return f"time() - {self.scraped(job)} <= bool {self.at_most:g}"


FRESH = Objective(name="backup", title="Backup", job="db", source=Fresh("backup_seconds", 3600), ratio=0.99)


def test_a_kind_that_counts_scrapes_of_its_own_needs_no_query_but_its_series() -> None:
    assert promql.total_per_interval(FRESH) == (
        'count (backup_seconds{job="db"} and present_over_time(backup_seconds{job="db"}[5s]))'
    )
    assert promql.good_per_interval(FRESH) == (
        'sum ((time() - backup_seconds{job="db"} <= bool 3600) and present_over_time(backup_seconds{job="db"}[5s]))'
    )
    assert promql.good_ratio(FRESH, MINUTES) == (
        'avg (avg_over_time((time() - backup_seconds{job="db"} <= bool 3600)[5m:5s]))'
    )
    assert promql.events(FRESH, MINUTES) == 'sum (count_over_time(backup_seconds{job="db"}[5m]))'
    for query in (promql.bad_per_interval, promql.total_settled, promql.part_settled, promql.bucket_bounds):
        assert query(FRESH) is None


def test_a_kind_brings_its_texts_with_it() -> None:
    fmt = Formatter(Objectives.only(FRESH), UTC)
    assert fmt.target(FRESH) == f"≤ {ENGLISH.percent(0.01)}"


@pytest.mark.parametrize("objective", [LATENCY, ERRORS, AVAILABILITY], ids=lambda each: each.source.kind)
def test_a_kind_counts_good_events_or_bad_ones_or_scrapes(objective: Objective) -> None:
    source, job = objective.source, objective.job
    counted = [source.good_events(job), source.bad_events(job)]
    assert counted.count(None) == (2 if objective.counts_scrapes else 1)


@pytest.mark.parametrize("objective", [LATENCY, ERRORS, AVAILABILITY], ids=lambda each: each.source.kind)
def test_the_sentences_of_a_kind_have_only_the_holes_that_are_filled(objective: Objective) -> None:
    text = objective.source.text
    for sentences, filled in (
        ((text.objective,), {"share", "window", "threshold"}),
        ((text.attained,), {"share", "target", "threshold"}),
        (text.events, {"bad", "n", "target"}),
        ((text.measured,), {"share", "quantile"}),
        ((text.chart,), {"title", "quantile"}),
    ):
        for sentence in sentences:
            assert {name for _, name, _, _ in string.Formatter().parse(sentence) if name} <= filled
