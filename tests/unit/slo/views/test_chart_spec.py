"""What a chart holds before it is drawn."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.support.scene import AVAILABILITY, ERRORS, EVERY_KIND, GAUGE, KEY, LATENCY, Scene, at, incident, minutes
from wine_slo.slo.evaluation.incident import Opening
from wine_slo.slo.evaluation.reading import Sight
from wine_slo.slo.objectives.objective import Alert, Key, Objective
from wine_slo.slo.source.deployment import Deployment
from wine_slo.slo.text.formatting import Formatter
from wine_slo.slo.views.chart_spec import (
    MOST_MARKS,
    POINTS,
    TICKS,
    Chart,
    ObjectiveSeries,
    caption_of,
    chart_of,
    span_of,
    step_of,
    ticks,
)

MOSCOW = Formatter(EVERY_KIND, ZoneInfo("Europe/Moscow"))


def series(objective: Objective = LATENCY, span: timedelta = timedelta(hours=1), **changes: object) -> ObjectiveSeries:
    last = at(0)
    usual = ObjectiveSeries(key=Key(objective.name), first=last - span, last=last, step=minutes(1), values={}, rates={})
    return replace(usual, **changes)  # type: ignore[arg-type]


def chart(objective: Objective = LATENCY, **changes: object) -> Chart:
    return chart_of(series(objective, **changes), objective, MOSCOW)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("objective", "title", "target", "unit"),
    [
        pytest.param(LATENCY, "Latency: p95", "target ≤ 1 s", "s", id="a latency in seconds"),
        pytest.param(ERRORS, "Errors: share of failed requests", "target ≤ 1 %", "%", id="errors in percent"),
        pytest.param(AVAILABILITY, "Availability", "target ≥ 99.5 %", "%", id="availability in percent"),
    ],
)
def test_a_chart_says_what_it_is_about_and_its_target(objective: Objective, title: str, target: str, unit: str) -> None:
    drawn = chart(objective)
    assert (drawn.title, drawn.target_label, drawn.unit) == (title, target, unit)


@pytest.mark.parametrize(("objective", "line"), [(LATENCY, 1.0), (ERRORS, 0.01), (GAUGE, 0.99), (AVAILABILITY, 0.995)])
def test_the_line_of_the_target_stands_where_values_just_meet_it(objective: Objective, line: float) -> None:
    drawn = chart(objective, values={0.0: objective.limit})
    assert drawn.target == pytest.approx(line)
    assert drawn.values[0][1] == pytest.approx(drawn.target)


def test_its_times_are_those_of_the_chat() -> None:
    drawn = chart()
    assert drawn.subtitle == "1 January, 21:40 to 22:40 (MSK)"
    assert [label for _, label in drawn.ticks] == ["21:40", "21:50", "22:00", "22:10", "22:20", "22:30", "22:40"]
    assert [at for at, _ in drawn.ticks][2] == datetime(2026, 1, 1, 19, tzinfo=UTC).timestamp()


def test_points_are_those_that_prometheus_gave() -> None:
    values, rates = {3.0: 0.5, 1.0: 0.1}, {1.0: 10.0}
    drawn = chart(values=values, rates=rates)
    assert dict(drawn.values) == values
    assert dict(drawn.rates) == rates
    assert [instant for instant, _ in drawn.values] == [1.0, 3.0]


def test_availability_is_how_much_was_up_and_has_no_requests() -> None:
    drawn = chart(AVAILABILITY, values={1.0: 0.0, 2.0: 1.0}, rates={1.0: 0.2})
    assert drawn.is_band
    assert drawn.values == ((1.0, 1.0), (2.0, 0.0))
    assert not drawn.rates
    assert not drawn.rate_label


def test_a_breach_is_shaded_from_its_first_bad_moment_to_its_last() -> None:
    closed = incident(began_at=at(-600), last_bad_at=at(-300), closed_at=at(-280))
    ongoing = incident(number=13, began_at=at(-60), last_bad_at=at(-5))
    earlier = incident(number=9, began_at=at(-9000), last_bad_at=at(-3500), closed_at=at(-3480))
    burning = incident(number=14, key=replace(KEY, alert=Alert.PAGE), began_at=at(-60))
    shaded = chart(incidents=(ongoing, closed, earlier, burning)).breaches
    assert [(each.label, each.since, each.until) for each in shaded] == [
        ("#9", at(-3600).timestamp(), at(-3500).timestamp()),
        ("#12", at(-600).timestamp(), at(-300).timestamp()),
        ("#13", at(-60).timestamp(), at(0).timestamp()),
    ]


def test_the_deployments_of_its_time_are_marked_each_once() -> None:
    def deployed(seconds: float, version: str) -> Deployment:
        return Deployment(at(seconds), before="", after=version)

    reported = (deployed(-5000, "1.4.0"), deployed(-3000, "1.4.1"), deployed(-900, "1.4.2"), deployed(-60, "1.4.1"))
    drawn = chart(deployments=(deployed(-880, "1.4.2"), deployed(60, "1.4.3"), *reported))
    assert [(each.at, each.label) for each in drawn.marks] == [
        (at(-3000).timestamp(), "1.4.1"),
        (at(-900).timestamp(), "1.4.2"),
        (at(-60).timestamp(), "1.4.1"),
    ]
    assert drawn.mark_label == "deployment"


def test_of_many_deployments_the_last_are_marked_and_a_checksum_is_short() -> None:
    many = tuple(Deployment(at(-60 * number), before="", after=f"{number:040x}") for number in range(50))
    drawn = chart(deployments=many)
    assert [each.at for each in drawn.marks] == [at(-60 * number).timestamp() for number in reversed(range(MOST_MARKS))]
    assert {each.label for each in drawn.marks} == {"0000…"}


def test_a_chart_of_an_incident_begins_before_it() -> None:
    assert span_of(None, at(0)) == timedelta(hours=1)
    assert span_of(incident(began_at=at(-60)), at(0)) == minutes(11)
    assert span_of(incident(began_at=at(-99 * 86400)), at(0)) == timedelta(days=35)


@pytest.mark.parametrize("span", [minutes(1), minutes(11), timedelta(hours=6), timedelta(days=35)], ids=str)
def test_points_are_whole_scrapes_apart_and_no_more_than_can_be_seen(span: timedelta) -> None:
    step = step_of(span, LATENCY.scrape_interval)
    assert step % LATENCY.scrape_interval == timedelta(0)
    assert span / step <= POINTS


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "America/St_Johns", "Europe/Moscow"])
@pytest.mark.parametrize("hours", [0.02, 0.2, 1, 6, 30, 24 * 7, 24 * 35])
def test_ticks_are_few_and_round(zone: str, hours: float) -> None:
    first = datetime(2026, 3, 7, 5, 37, 11, tzinfo=UTC)
    last = first + timedelta(hours=hours)
    found = ticks(first, last, ZoneInfo(zone), lambda day: f"day {day.day}")
    assert 1 <= len(found) <= TICKS + 1
    assert all(first.timestamp() <= instant <= last.timestamp() for instant, _ in found)
    for instant, label in found:
        local = datetime.fromtimestamp(instant, ZoneInfo(zone))
        assert label in (f"{local:%H:%M}", f"{local:%H:%M:%S}", f"day {local.day}")


def test_its_caption_says_the_same_for_who_cannot_see_it() -> None:
    scene = Scene().has(0.0, 30)
    assert caption_of(series(), MOSCOW, scene.state, scene.now).splitlines() == [
        "🟢 Latency: p95 0.05 s (target ≤ 1 s, last 20 s)",
        "1 January, 21:40 to 22:40 (MSK)",
    ]


@pytest.mark.parametrize(
    ("scene", "line"),
    [
        pytest.param(
            Scene().breaks(),
            "🔴 Latency: p95 2.4 s (target ≤ 1 s, last 20 s); in breach since 22:40:00",
            id="in breach",
        ),
        pytest.param(Scene().has(1.0, 10), "🟡 Latency: p95 2.4 s (target ≤ 1 s, last 20 s)", id="suspicious"),
        pytest.param(
            Scene().breaks().lacks(Sight.TARGET_DOWN, 60),
            "🔴 Latency: the service has been down for 55 s; in breach since 22:40:00",
            id="in breach and down",
        ),
        pytest.param(Scene().lacks(Sight.NO_TRAFFIC, 60), "⚪️ Latency: no requests for 55 s", id="no traffic"),
        pytest.param(Scene(), "⚪️ Latency", id="never evaluated"),
    ],
)
def test_its_caption_carries_the_state_as_it_is_the_top_line_of_the_chat(scene: Scene, line: str) -> None:
    assert caption_of(series(), MOSCOW, scene.state, scene.now).splitlines()[0] == line


def test_only_the_bad_time_of_an_incident_that_came_back_is_shaded() -> None:
    again = incident(
        began_at=at(-1200),
        again_at=at(-300),
        openings=2,
        last_bad_at=at(-5),
        earlier=(Opening(began_at=at(-1200), last_bad_at=at(-1100), bad=5, total=9),),
    )
    assert [(each.label, each.since, each.until) for each in chart(incidents=(again,)).breaches] == [
        ("#12", at(-1200).timestamp(), at(-1100).timestamp()),
        ("", at(-300).timestamp(), at(0).timestamp()),
    ]


def test_a_caption_is_never_too_long() -> None:
    labels = tuple((f"label_{number}", "&<" * 2000) for number in range(20))
    key = Key("latency", labels)
    scene = Scene(replace(LATENCY, by=tuple(name for name, _ in labels))).has(1.0, 30, key=key)
    assert len(caption_of(series(key=key), MOSCOW, scene.state, scene.now)) < 1024
