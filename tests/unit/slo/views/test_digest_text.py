from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.support.scene import ALL, ERRORS, KEY, LATENCY, at, incident, minutes
from wine_slo.slo.evaluation.engine import GAP, LEDGER, SIGHT
from wine_slo.slo.evaluation.incident import Opening, Outcome
from wine_slo.slo.objectives.budget import Budget
from wine_slo.slo.objectives.objective import Alert, Key, Objective
from wine_slo.slo.text.formatting import Formatter
from wine_slo.slo.views.digest_text import LATE, Attained, Week, Weekly, digest_text, is_due

MOSCOW = ZoneInfo("Europe/Moscow")
BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = datetime(2026, 11, 23, 9, tzinfo=MOSCOW)
FORMATTER = Formatter(ALL, UTC)


@pytest.mark.parametrize(
    ("now", "last"),
    [
        pytest.param(MONDAY, MONDAY, id="that very moment"),
        pytest.param(MONDAY - timedelta(seconds=1), MONDAY - timedelta(days=7), id="just before it"),
        pytest.param(MONDAY + timedelta(days=6, hours=23), MONDAY, id="a week later, almost"),
        pytest.param(datetime(2026, 11, 22, 22, tzinfo=UTC), MONDAY - timedelta(days=7), id="by another clock"),
    ],
)
def test_the_last_time_of_the_week(now: datetime, last: datetime) -> None:
    assert Weekly.parse("monday 9:00", MOSCOW).last(now) == last


def test_it_is_at_the_same_time_of_day_when_clocks_are_changed() -> None:
    weekly = Weekly.parse("sunday 12:00", BERLIN)
    after = datetime(2026, 10, 26, tzinfo=UTC)  # on the 25th clocks went back
    assert weekly.last(after) == datetime(2026, 10, 25, 11, tzinfo=UTC)
    assert weekly.last(after - timedelta(days=7)) == datetime(2026, 10, 18, 10, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "9:00", "monday", "mo 25:00", "t 9:00", "someday 9:00", "monday 9:00 x"])
def test_what_is_no_time_of_the_week_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no day and time"):
        Weekly.parse(text, UTC)


@pytest.mark.parametrize(
    ("delivered", "after", "due"),
    [
        pytest.param(timedelta(days=7), timedelta(0), True, id="when its time has come"),
        pytest.param(timedelta(0), timedelta(minutes=1), False, id="once"),
        pytest.param(timedelta(days=7), timedelta(hours=20), True, id="late, after an outage"),
        pytest.param(timedelta(days=7), LATE + timedelta(minutes=1), False, id="not when it is no news any more"),
        pytest.param(timedelta(days=30), timedelta(hours=1), True, id="once for all that was missed"),
        pytest.param(None, timedelta(minutes=1), False, id="not to a chat that is new"),
    ],
)
def test_a_digest_is_sent(delivered: timedelta | None, after: timedelta, due: bool) -> None:  # noqa: FBT001
    assert is_due(MONDAY, None if delivered is None else MONDAY - delivered, MONDAY + after) is due


def budget(left: float, objective: Objective, history: timedelta = timedelta(days=30)) -> Budget:
    """A budget of which so much is left."""
    return Budget(history=history, bad_ratios={objective.window: (1 - left) * objective.allowed_bad_ratio})


def week(**changes: object) -> Week:
    attained = (
        Attained(key=KEY, good_ratio=0.9921, budget=budget(0.81, LATENCY)),
        Attained(key=Key("errors"), good_ratio=0.97, budget=budget(-0.5, ERRORS)),
        Attained(key=Key("availability"), good_ratio=None, budget=None),
    )
    usual = Week(first=at(0) - timedelta(days=7), last=at(0), attained=attained)
    return replace(usual, **changes)  # type: ignore[arg-type]


def test_a_week_in_which_nothing_happened_says_so_and_that_somebody_watched() -> None:
    assert digest_text(FORMATTER, week()).splitlines() == [
        "📊 The week from 25 December to 1 January",
        "🟢 latency: 99.2 % within 1 s (target ≥ 95 %) · budget 81 %",
        "🔴 errors: 97 % succeeded (target ≥ 99 %) · budget 0 %",
        "⚪️ availability: no data for this week",
        "No objective was in breach.",
        "Monitoring was not interrupted.",
    ]


def test_a_week_of_trouble_says_how_much_and_how_soon_it_was_known() -> None:
    broken = incident(began_at=at(-7200), last_bad_at=at(-6600), closed_at=at(-6580))
    ongoing = incident(number=13, began_at=at(-300), last_bad_at=at(-5))
    before = incident(
        number=11, began_at=at(-8 * 86400), last_bad_at=at(-7 * 86400 + 60), closed_at=at(-7 * 86400 + 80)
    )
    burnt = incident(number=14, key=replace(KEY, alert=Alert.PAGE), began_at=at(-3600))
    blind = incident(number=15, key=SIGHT, began_at=at(-1000), last_bad_at=at(-760), closed_at=at(-760))
    gap = incident(number=16, key=GAP, began_at=at(-400), last_bad_at=at(-300), closed_at=at(-300))
    unwritten = incident(number=17, key=LEDGER, began_at=at(-400), last_bad_at=at(-300), closed_at=at(-300))
    said = digest_text(
        FORMATTER,
        week(
            incidents=(before, broken, ongoing, burnt, blind, gap, unwritten),
            detected=(minutes(0.5), minutes(0.4), minutes(9)),
            acknowledged=(minutes(2),),
        ),
    )
    assert said.splitlines()[-3:] == [
        "3 incidents, 16 min in all: /incidents",
        "Notified after 30 s at the median. Acknowledged after 2 min.",
        "Monitoring was lost for 5 min 40 s.",
    ]


def test_a_young_history_says_nothing_of_the_budget() -> None:
    young = Attained(key=KEY, good_ratio=0.91, budget=budget(0.999, LATENCY, timedelta(hours=3)))
    said = digest_text(FORMATTER, week(attained=(young,))).splitlines()
    assert said[1] == "🔴 latency: 91 % within 1 s (target ≥ 95 %) · budget: 3 h of history so far"


def test_an_incident_that_came_back_counts_its_bad_time_alone() -> None:
    again = incident(
        began_at=at(-7200),
        again_at=at(-6700),
        openings=2,
        last_bad_at=at(-6600),
        closed_at=at(-6580),
        outcome=Outcome.RECOVERED,
        earlier=(Opening(began_at=at(-7200), last_bad_at=at(-7120), bad=5, total=9),),
    )
    assert "1 incident, 3 min in all: /incidents" in digest_text(FORMATTER, week(incidents=(again,)))


def test_without_prometheus_it_is_sent_without_shares() -> None:
    said = digest_text(FORMATTER, week(attained=(), trouble="it cannot be reached"))
    assert said.splitlines()[1] == "No figures, Prometheus does not answer: it cannot be reached."


def test_an_incident_that_a_drill_made_is_no_breach_of_the_week() -> None:
    drill = incident(closed_at=at(300), outcome=Outcome.RECOVERED, is_drill=True)
    lines = digest_text(FORMATTER, week(incidents=(drill,))).splitlines()
    assert lines[-3:] == ["🟠 DRILL: 1 incident", "No objective was in breach.", "Monitoring was not interrupted."]
