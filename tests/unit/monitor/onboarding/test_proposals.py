"""What init says of the numbers that it proposes."""

from datetime import timedelta

import pytest

from wine_slo.monitor.onboarding.choice import Past, choose
from wine_slo.monitor.onboarding.discovery.candidates import Candidate
from wine_slo.monitor.onboarding.proposals import Proposal, bound_text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.00025, "250us"),
        (0.0025, "2.5ms"),
        (0.25, "250ms"),
        (1, "1s"),
        (2.5, "2.5s"),
        (7.5, "7.5s"),
        (60, "1m"),
        (90, "90s"),
    ],
)
def test_a_bound_is_written_as_people_do(seconds: float, text: str) -> None:
    assert bound_text(seconds) == text


@pytest.mark.parametrize(
    ("events", "few"), [(0.3, "were no events"), (1.2, "was only 1 event"), (14, "were only 14 events")]
)
def test_too_few_events_are_counted_in_plain_english(events: float, few: str) -> None:
    past = Past(span=timedelta(minutes=1), events=events, within={})
    candidate = Candidate(fields={"name": "up", "job": "shop"}, about="Scrapes.")
    assert Proposal(candidate, choose(past), past).reason.startswith(f"There {few} in the last 1 min, so")
