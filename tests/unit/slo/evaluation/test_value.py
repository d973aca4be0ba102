"""The value of an objective: one number with its time range, the same everywhere, and never a recovery in breach."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.scene import AVAILABILITY, CHAT, ERRORS, KEY, LATENCY, Scene, at, incident, minutes
from wine_slo.slo.evaluation.engine import State, advance
from wine_slo.slo.evaluation.incident import Incident, Outcome
from wine_slo.slo.evaluation.phases import Phase
from wine_slo.slo.evaluation.reading import Interval, Reading, Sight, Targets, Value, value_of
from wine_slo.slo.evaluation.sampling import Answers, by_endpoint, read
from wine_slo.slo.evaluation.schedule import Grid, Scrapes
from wine_slo.slo.notification.record import DeliveryRecord, Kind, Stage
from wine_slo.slo.objectives.budget import Budget
from wine_slo.slo.objectives.kinds.gauge import Gauge
from wine_slo.slo.objectives.kinds.indicator import Unit
from wine_slo.slo.objectives.kinds.latency import SlowOrFailed
from wine_slo.slo.objectives.kinds.ratio import Ratio
from wine_slo.slo.objectives.objective import BURNS, Alert, Key, Objective, Objectives
from wine_slo.slo.objectives.selector import Comparison
from wine_slo.slo.source.metric_source import Sample, finite_bounds
from wine_slo.slo.text.formatting import Formatter
from wine_slo.slo.text.incident_detail import incident_detail
from wine_slo.slo.text.incidents.breach import breach_text
from wine_slo.slo.text.incidents.group import grouped_text
from wine_slo.slo.text.incidents.resolved import recovery_text
from wine_slo.slo.text.language import ENGLISH
from wine_slo.slo.text.objective_detail import budget_list, objective_detail, why_text
from wine_slo.slo.text.status_list import objective_line, status_list
from wine_slo.slo.views.board_text import board_text
from wine_slo.slo.views.status import Process, status_of
from wine_slo.slo.views.status_schema import Judgement, ObjectiveStatus
from wine_slo.slo.views.status_text import meaning, target, value

SCRAPES = [5, 15, 30, 60]  # seconds
GAUGE = replace(
    AVAILABILITY,
    name="probes",
    title="Probes",
    source=Gauge(Comparison("probe_success", "==", 1.0, is_age=False, text="1")),
)
SLOW_OR_FAILED = replace(ERRORS, name="orders", title="Orders", source=SlowOrFailed("h", 1.0, success_selector="ok"))
GOOD = replace(ERRORS, name="logins", title="Logins", source=Ratio((), ("total",), ("good",)))
EVERY_KIND = [LATENCY, ERRORS, GOOD, SLOW_OR_FAILED, AVAILABILITY, GAUGE]


def scraped_every(objective: Objective, seconds: int) -> Objective:
    step = timedelta(seconds=seconds)
    return replace(
        objective,
        scrape_interval=step,
        bad_for=max(timedelta(seconds=25), 3 * step),
        good_for=max(timedelta(seconds=20), 2 * step),
        over=max(minutes(5), 10 * step),
    )


class History:
    """A service as Prometheus shows it: each interval's bad share, and of all of them what each range holds."""

    def __init__(self, objective: Objective, of: float = 50) -> None:
        self.objective = objective
        self.of = of
        self.intervals: list[Interval] = []
        self.state = State()
        self.recovered: list[Incident] = []

    @property
    def now(self) -> datetime:
        return at(self.objective.scrape_interval.total_seconds() * len(self.intervals))

    def has(self, bad: float, marginal: float = 0.0) -> "History":
        """For one interval."""
        ended_at = self.now + self.objective.scrape_interval
        bad_events = bad * self.of
        self.intervals.append(Interval(ended_at, bad_events, self.of, min(marginal, 1 - bad) * self.of))
        before = self.state
        self.state = advance(before, Objectives.only(self.objective), {self.key: self.reading()}, self.now)
        self.recovered += [
            after
            for number, after in self.state.incidents.items()
            if after.outcome is Outcome.RECOVERED
            and not (number in before.incidents and before.incidents[number] == after)
        ]
        return self

    @property
    def key(self) -> Key:
        return Key(self.objective.name)

    def reading(self) -> Reading:
        objective = self.objective
        shown = self.intervals[-round(objective.recent / objective.scrape_interval) :]
        return Reading(
            at=self.now,
            sight=Sight.CLEAR,
            intervals=tuple(shown),
            latency_seconds=self.quantile(objective.over) if objective.is_latency else None,
            recent_seconds=self.quantile(objective.recent, samples=True) if objective.is_latency else None,
            good_ratio=1 - self.share(objective.over),
        )

    def share(self, over: timedelta) -> float:
        those = [each for each in self.intervals if each.ended_at > self.now - over]
        return sum(each.bad for each in those) / sum(each.total for each in those)

    def quantile(self, over: timedelta, *, samples: bool = False) -> float | None:
        """Prometheus': a range of n scrapes holds n samples, and so the increase of n - 1 intervals."""
        first = self.now - over + (self.objective.scrape_interval if samples else timedelta(0))
        those = [each for each in self.intervals if each.ended_at > first]
        if not those:
            return None
        share = sum(each.bad for each in those) / sum(each.total for each in those)
        return 2.4 if share > self.objective.allowed_bad_ratio else 0.9 if share else 0.04


def names_what_is_worse(text: str, objective: Objective) -> bool:
    """Whether the first line of a recovery holds a number that is worse than the target."""
    head = text.splitlines()[0]
    if ": " not in head:
        return False
    number, unit = head.split(": ", 1)[1].removeprefix("p95 ").split()[:2]
    seen = float(number)
    if objective.is_latency:
        return seen * {"s": 1.0, "ms": 0.001}[unit] > 1.0
    return (
        seen < objective.ratio * 100
        if objective.source.unit is Unit.GOOD_SHARE
        else seen > objective.allowed_bad_ratio * 100
    )


def says(objective: Objective, over: Incident) -> list[str]:
    """All that names the end of an incident."""
    fmt = Formatter(Objectives.only(objective), UTC)
    delivered = DeliveryRecord(
        incident=over.number, chat=CHAT, stage=Stage.OPENED, opening=over.openings, breach_told_at=over.opened_at
    )
    return [
        recovery_text(fmt, over, delivered),
        incident_detail(fmt, over, (delivered,), (), State(), over.closed_at or over.opened_at),
    ]


runs = st.lists(
    st.tuples(
        st.integers(1, 30),
        st.sampled_from([0.0, 0.0, 0.003, 0.02, 0.045, 0.08, 0.5, 1.0]),
        st.sampled_from([0, 0, 0.06]),
    ),
    min_size=2,
    max_size=10,
)


@given(st.sampled_from(EVERY_KIND), st.sampled_from(SCRAPES), runs, st.sampled_from([3.0, 50.0]))
@settings(max_examples=80, deadline=None)
def test_whatever_a_recovery_names_is_not_worse_than_the_target(
    objective: Objective, seconds: int, series: list[tuple[int, float, float]], of: float
) -> None:
    objective = scraped_every(objective, seconds)
    history = History(objective, of)
    for count, bad, marginal in [*series, (30, 0.0, 0.0)]:
        for _ in range(count):
            history.has(bad, marginal)
    for over in history.recovered:
        assert over.shown is None or over.shown.is_within(objective)
        for text in says(objective, over):
            assert not names_what_is_worse(text, objective), text


@pytest.mark.parametrize("seconds", SCRAPES)
@pytest.mark.parametrize(
    ("objective", "named"),
    [
        pytest.param(LATENCY, "🟢 Latency resolved: p95 0.04 s (last {recent})", id="latency"),
        pytest.param(ERRORS, "🟢 Errors resolved: 0 % failed (last {recent})", id="ratio"),
        pytest.param(GOOD, "🟢 Logins resolved: 0 % failed (last {recent})", id="ratio of good events"),
        pytest.param(SLOW_OR_FAILED, "🟢 Orders resolved: 0 % slow or failed (last {recent})", id="slow or failed"),
        pytest.param(AVAILABILITY, "🟢 Availability resolved: 100 % up (last {recent})", id="up"),
        pytest.param(GAUGE, "🟢 Probes resolved: 100 % good (last {recent})", id="gauge"),
    ],
)
def test_a_recovery_names_the_value_of_what_proved_it(objective: Objective, named: str, seconds: int) -> None:
    history = History(scraped_every(objective, seconds))
    for bad in [0.0] * 12 + [1.0] * 12 + [0.0] * 12:
        history.has(bad)
    (over,) = history.recovered
    recent = ENGLISH.span(history.objective.recent)
    assert says(history.objective, over)[0].splitlines()[0] == named.format(recent=recent)


def test_what_recovers_by_good_by_little_for_long_names_no_value_in_breach() -> None:
    history = History(LATENCY)
    for bad in [1.0] * 6 + [0.0, 0.06, 0.06, 0.03] * 40:  # the last moments are in breach, ten minutes are not
        history.has(bad)
    assert history.recovered
    for over in history.recovered:
        assert not names_what_is_worse(says(LATENCY, over)[0], LATENCY)


def test_a_recovery_that_an_older_version_wrote_down_names_no_value_in_breach() -> None:
    old = incident(
        key=Key("errors"), value=0.14, worst=0.2, closed_at=at(140), outcome=Outcome.RECOVERED, value_over=None
    )
    delivered = DeliveryRecord(incident=12, chat=CHAT)
    fmt = Formatter(Objectives.only(ERRORS), UTC)
    assert recovery_text(fmt, old, delivered).splitlines()[0] == "🟢 Errors resolved"
    assert "14 %" not in grouped_text(fmt, Kind.RECOVERY, [old] * 6, State(), at(200))


# One value everywhere


def everything(history: History) -> dict[str, str]:
    """The line of the objective wherever it is shown."""
    fmt, state, now = Formatter(Objectives.only(history.objective), UTC), history.state, history.now
    slo = status_of(state, fmt.objectives, now, process()).objectives[0]
    return {
        "/status": status_list(fmt, state, now).splitlines()[0],
        "/slo": objective_detail(fmt, history.key, state, now).splitlines()[0],
        "/why": why_text(fmt, history.key, state, now).splitlines()[0],
        "chart": objective_line(fmt, history.key, state, now),
        "page": f"{value(slo)} {meaning(slo)} ({target(slo)})",
        "board": board_text(fmt, state, now).splitlines()[0],
    }


def process() -> Process:
    return Process(version="1", poll=timedelta(seconds=30), overdue_after=minutes(2))


def test_in_a_breach_all_say_the_value_of_the_last_moments_and_the_same_beginning() -> None:
    history = History(ERRORS)
    for bad in [0.0] * 60 + [0.3] * 8:
        history.has(bad)
    message = breach_text(
        Formatter(Objectives.only(ERRORS), UTC),
        history.state.incidents[1],
        DeliveryRecord(incident=1, chat=CHAT),
        history.state,
        history.now,
    )
    said = everything(history)
    assert "<b>30 %</b> failed (target ≤ 1 %, last 20 s)" in message
    for where in ("/status", "/slo", "/why", "chart", "board"):
        assert "30 % failed (target ≤ 1 %, last 20 s)" in said[where], where
        assert "since 19:45:00" in said[where], where
    assert said["page"] == "30 % failed over 20 s (target ≤ 1 %)"
    assert "Since 19:45:00" in message


@pytest.mark.parametrize("seconds", SCRAPES)
@pytest.mark.parametrize("objective", EVERY_KIND, ids=lambda each: each.name)
def test_for_every_kind_at_every_interval_there_is_one_value_with_one_range_and_one_beginning(
    objective: Objective, seconds: int
) -> None:
    history = History(scraped_every(objective, seconds))
    for bad in [0.0] * 12 + [0.5] * 12:
        history.has(bad)
    objective, fmt = history.objective, Formatter(Objectives.only(history.objective), UTC)
    (number,) = history.state.incidents
    opened = history.state.incidents[number]
    began_at = at(12 * seconds)
    assert (opened.began_at, opened.value_over) == (began_at, objective.recent)
    named = fmt.against_target(opened, objective)
    said = everything(history)
    delivered = DeliveryRecord(incident=number, chat=CHAT)
    said["message"] = breach_text(fmt, opened, delivered, history.state, history.now).replace("<b>", "")
    for where, text in said.items():
        if where != "page":
            assert named in text.replace("</b>", ""), where
            assert f"{began_at:%H:%M:%S}" in text, where
    status = status_of(history.state, fmt.objectives, history.now, process())
    (incident_of_api,), (slo,) = status.open_incidents, status.objectives
    assert incident_of_api.began_at == began_at
    assert incident_of_api.value_over_seconds == slo.value_over_seconds == objective.recent.total_seconds()
    assert (incident_of_api.value_seconds, incident_of_api.value_bad_ratio) == (slo.latency_seconds, slo.bad_ratio)
    assert said["page"] == f"{value(slo)} {meaning(slo)} ({target(slo)})"


def test_while_it_is_met_all_say_the_value_of_the_whole_range() -> None:
    history = History(ERRORS)
    for bad in [0.0, 0.006] * 40:
        history.has(bad)
    said = everything(history)
    for where in ("/status", "/slo", "/why", "chart"):
        assert "0.3 % failed (target ≤ 1 %, last 5 min)" in said[where], where
    assert said["page"] == "0.3 % failed over 5 min (target ≤ 1 %)"


def test_nothing_is_green_of_which_surely_or_perhaps_not_everything_is_counted() -> None:
    scene = Scene(ERRORS).has(0.0, 60, key=Key("errors"))
    doubted = replace(scene.objectives, doubts={"errors": "bad matches no series"})
    (line, *_) = status_list(Formatter(doubted, UTC), scene.state, scene.now).splitlines()
    assert line.startswith("🟡 errors: ")
    assert "slo.yml may be wrong here: see wine-slo doctor" in line
    assert objective_line(Formatter(doubted, UTC), Key("errors"), scene.state, scene.now).startswith("🟡")
    (certain, *_) = status_list(Formatter(scene.objectives, UTC), scene.state, scene.now).splitlines()
    assert certain.startswith("🟢 errors: ")


def test_nothing_is_green_beside_a_value_in_breach_while_its_range_still_holds_bad_time() -> None:
    history = History(ERRORS)
    for bad in [0.0] * 20 + [1.0] * 10 + [0.0] * 12:
        history.has(bad)
    assert history.state.tracks[history.key].phase is Phase.MET
    said = everything(history)
    assert said["/status"] == "🟢 errors: 0 % failed (target ≤ 1 %, last 20 s)"
    assert said["page"] == "0 % failed over 20 s (target ≤ 1 %)"


def test_nothing_is_green_where_all_that_is_known_is_bad_time_that_is_over() -> None:
    history = History(ERRORS)
    for bad in [0.0] * 20 + [1.0] * 10 + [0.0] * 12:
        history.has(bad)
    idle = replace(history.reading(), at=history.now, intervals=())  # no requests any more
    state = advance(history.state, Objectives.only(ERRORS), {history.key: idle}, history.now)
    (slo,) = status_of(
        state, Objectives.only(ERRORS), history.now, Process(version="", poll=minutes(1), overdue_after=minutes(2))
    ).objectives
    assert (slo.verdict, slo.bad_ratio) == (Judgement.UNKNOWN, None)
    said = status_list(Formatter(Objectives.only(ERRORS), UTC), state, history.now)
    assert said.startswith("⚪️ errors: no requests in the last 20 s")


@given(
    st.sampled_from([LATENCY, ERRORS, AVAILABILITY]),
    st.none() | st.floats(0, 1),
    st.none() | st.floats(0, 5),
    st.none() | st.floats(0, 5),
)
def test_a_value_has_a_range_and_is_of_the_whole_one_only_where_that_is_within_the_target(
    objective: Objective, good: float | None, whole: float | None, recent: float | None
) -> None:
    reading = Reading(at=at(0), sight=Sight.CLEAR, good_ratio=good, latency_seconds=whole, recent_seconds=recent)
    found = value_of(objective, reading, is_met=True)
    assert found is None or found.over in (objective.over, objective.recent)
    if objective.is_latency and recent is not None:
        assert found is not None
        assert found.over == objective.recent or found.is_within(objective)


@pytest.mark.parametrize(
    ("value", "objective", "within"),
    [
        pytest.param(1.0, LATENCY, True, id="at the threshold"),
        pytest.param(1.0001, LATENCY, False, id="over it"),
        pytest.param(0.01, ERRORS, True, id="as many failed as may"),
        pytest.param(0.0101, ERRORS, False, id="more than may"),
    ],
)
def test_a_value_is_within_its_target_or_not(value: float, objective: Objective, within: bool) -> None:  # noqa: FBT001
    assert Value(value).is_within(objective) is within


# Openings


def test_an_incident_that_came_back_shows_this_opening_first_and_then_the_total() -> None:
    scene = Scene().breaks().has(0.0, 60).breaks().has(1.0, 5)
    again = scene.incident
    assert (again.openings, again.this_opening.bad, again.this_opening.total) == (2, 300, 300)
    assert (again.bad, again.total) == (550, 550), "the good minute between them is in neither"
    assert [(first, last) for first, last in again.bad_times(scene.now)] == [(at(0), at(25)), (at(85), at(115))]
    lines = breach_text(
        Formatter(Objectives.only(LATENCY), UTC), again, DeliveryRecord(incident=1, chat=CHAT), scene.state, scene.now
    )
    assert "Since 19:41:25 (30 s). 300 of 300 requests over 1 s." in lines
    assert "In breach 2 times since 19:40:00, 55 s in all. 550 of 550 requests over 1 s." in lines


def test_what_came_back_very_often_is_still_one_total() -> None:
    scene = Scene()
    for _ in range(60):
        scene.breaks().has(0.0, 400)
    assert scene.incident.openings == 60
    assert len(scene.incident.earlier) == 50
    assert sum(each.bad for each in scene.incident.earlier) + scene.incident.this_opening.bad == scene.incident.bad


def test_an_evaluation_that_catches_up_ends_one_incident_and_opens_another() -> None:
    scene = Scene().breaks()
    seen = [Interval(at(30 + 5 * each), 0, 50) for each in range(200)]
    seen += [Interval(at(1030 + 5 * each), 50, 50) for each in range(10)]
    scene.second = 1085
    scene.evaluate({KEY: Reading(at=scene.now, sight=Sight.CLEAR, intervals=tuple(seen), recent_seconds=2.4)})
    first, second, _the_gap = scene.state.incidents.values()
    assert (first.outcome, first.last_bad_at) == (Outcome.RECOVERED, at(25))
    assert (second.number, second.is_open, second.began_at) == (2, True, at(1025))


# Numbers beside their target


@pytest.mark.parametrize("threshold", [0.0005, 0.1, 1.0, 2.5, 10.0, 100.0])
@given(factor=st.floats(1.00001, 1.5))
def test_a_duration_worse_than_its_target_never_reads_like_it(threshold: float, factor: float) -> None:
    assert ENGLISH.seconds(threshold * factor, apart_from=threshold) != ENGLISH.seconds(threshold)


@pytest.mark.parametrize("allowed", [0.0001, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5])
@given(factor=st.floats(0.5, 1.5))
def test_a_share_other_than_its_target_never_reads_like_it(allowed: float, factor: float) -> None:
    if abs(factor - 1) > 1e-3:
        assert ENGLISH.percent(allowed * factor, apart_from=allowed) != ENGLISH.percent(allowed)
        assert ENGLISH.percent(1 - allowed * factor, apart_from=1 - allowed) != ENGLISH.percent(1 - allowed)


@given(st.floats(0, 1e9))
def test_no_number_is_written_with_an_exponent(number: float) -> None:
    for text in (ENGLISH.seconds(number), ENGLISH.rate(number), ENGLISH.percent(min(number, 1.0))):
        assert "e" not in text.replace("under", "").replace("over", "")


# Buckets

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.9, 1.0, 2.0, 2.5, 10.0)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        pytest.param(0.0004, "< 1 ms", id="below the first bound"),
        pytest.param(0.0017, "1–2.5 ms", id="milliseconds"),
        pytest.param(0.0025, "1–2.5 ms", id="at a bound"),
        pytest.param(0.007, "5–10 ms", id="up to where seconds begin"),
        pytest.param(0.4, "0.01–0.9 s", id="a very wide one"),
        pytest.param(0.95, "0.95 s", id="a narrow one"),
        pytest.param(2.475, "2–2.5 s", id="the README's"),
        pytest.param(10.0, "≥ 10 s", id="beyond the last bound"),
        pytest.param(72.0, "72 s", id="what no bucket can have given"),
    ],
)
def test_a_quantile_is_written_no_more_exactly_than_its_bucket(seconds: float, text: str) -> None:
    assert ENGLISH.latency(seconds, BOUNDS) == text


def test_the_bounds_are_those_of_the_series_without_what_is_none() -> None:
    answer = [Sample({"le": each}, 1.0) for each in ("1.0", "0.5", "+Inf", "x", "NaN", "1")]
    assert finite_bounds([*answer, Sample({}, 1.0)]) == (0.5, 1.0)


def test_an_endpoint_without_a_name_is_left_out() -> None:
    nameless = [Sample({}, 0.92), Sample({"endpoint": " "}, 0.5), Sample({"endpoint": "/a"}, 0.3)]
    assert by_endpoint(LATENCY, nameless) == {KEY: (("/a", 0.3),)}


# Targets


def test_a_reading_of_availability_knows_which_targets_are_down() -> None:
    def labelled(values: Mapping[str, float]) -> list[Sample]:
        return [Sample({"instance": each, "job": "wine-slo"}, number) for each, number in values.items()]

    now = at(0)
    scrapes = Scrapes(
        labelled({"a:1": 1, "b:1": 0, "c:1": 1}), labelled(dict.fromkeys(("a:1", "b:1", "c:1"), now.timestamp()))
    )
    grid = Grid(now - minutes(5), now, AVAILABILITY.scrape_interval)
    answers = Answers(
        at=now, scrapes=scrapes, grid=grid, total={}, good={}, bad={}, clear={}, ages={}, shown={}, long={}
    )
    reading = read(AVAILABILITY, State(), answers)[Key("availability")]
    assert reading.up_targets == Targets(up=2, known=3, scraped_at=now, down=("b:1",))


# The budget of a young history


def young(history: timedelta) -> Budget:
    return Budget(
        history=history, events=1e4, bad_ratios={minutes(5): 0.5, timedelta(hours=1): 0.5, timedelta(days=30): 0.09}
    )


@pytest.mark.parametrize("history", [timedelta(0), timedelta(seconds=58), minutes(4), timedelta(hours=23, minutes=59)])
def test_of_a_young_history_nothing_is_said_of_the_budget_but_its_length(history: timedelta) -> None:
    fmt = Formatter(Objectives.only(replace(LATENCY, burns=BURNS)), UTC)
    broken = incident(budget=young(history))
    over = replace(broken, closed_at=at(140), outcome=Outcome.RECOVERED, value=0.04)
    delivered = DeliveryRecord(incident=12, chat=CHAT)
    said = f"Error budget: {ENGLISH.span(history)} of history so far."
    for text in (breach_text(fmt, broken, delivered, State(), at(120)), recovery_text(fmt, over, delivered)):
        budget = [line for line in text.splitlines() if "udget" in line]
        assert budget == [said]
    scene = Scene().has(0.0, 60)
    readings = {key: replace(each, budget=young(history)) for key, each in scene.state.readings.items()}
    state = replace(scene.state, readings=readings)
    in_short = f"{ENGLISH.span(history)} of history so far"
    assert f"budget: {in_short}" in status_list(fmt, state, scene.now)
    assert budget_list(fmt, state, scene.now) == f"⚪️ latency: {in_short}"
    assert not any("Burn rate" in line for line in objective_detail(fmt, KEY, state, scene.now).splitlines())


@pytest.mark.parametrize(
    ("ratio", "line"),
    [
        pytest.param(0.02, "🟢 latency: 40 % left", id="all is well"),
        pytest.param(0.06, "🟢 latency: 40 % left", id="a little more than lasts, which is no alert"),
        pytest.param(0.9, "🟡 latency: 40 % left · gone in 16 h at this rate", id="a burn-rate alert holds"),
    ],
)
def test_a_budget_is_yellow_only_where_a_burn_rate_alert_holds(ratio: float, line: str) -> None:
    objective = replace(LATENCY, burns=BURNS[:2])
    spans = {each for burn in BURNS for each in (burn.long, burn.short)}
    budget = Budget(
        history=timedelta(days=30), events=1e6, bad_ratios=dict.fromkeys(spans, ratio) | {timedelta(days=30): 0.03}
    )
    scene = Scene(objective).has(0.0, 60)
    readings = {key: replace(each, budget=budget) for key, each in scene.state.readings.items()}
    said = budget_list(Formatter(Objectives.only(objective), UTC), replace(scene.state, readings=readings), scene.now)
    assert said == line


# Burn-rate alerts of other windows


@pytest.mark.parametrize("days", [1, 2, 7, 14, 28, 30, 90])
@pytest.mark.parametrize("ratio", [0.5, 0.9, 0.95, 0.99, 0.999])
def test_the_usual_burn_rates_are_the_same_for_every_window_and_never_below_1(days: int, ratio: float) -> None:
    window = timedelta(days=days)
    objective = replace(ERRORS, window=window, ratio=ratio).with_usual_burns
    rates = [burn.factor(window) for burn in objective.burns]
    assert all(rate >= 1 for rate in rates)
    assert rates == pytest.approx(
        [each for each in (14.4, 6.0, 3.0, 1.0) if any(abs(each - rate) < 1e-6 for rate in rates)]
    )
    assert len(objective.burns) + len(objective.burns_left_out) == len(BURNS)
    for burn in objective.burns_left_out:
        rate = burn.factor(timedelta(days=30))
        assert rate > 1 / (1 - ratio) - 1e-9 or rate * burn.long > window


def test_a_share_that_lasts_is_no_alert_whatever_is_written() -> None:
    assert BURNS[2].factor(timedelta(days=7)) == 1.0
    assert BURNS[3].factor(timedelta(days=7)) == 1.0


def test_a_window_of_a_week_with_a_third_of_the_lasting_rate_alerts_nobody() -> None:
    objective = replace(ERRORS, window=timedelta(days=7)).with_usual_burns
    spans = {each for burn in objective.burns for each in (burn.long, burn.short)}
    calm = Budget(history=timedelta(days=7), events=1e6, bad_ratios=dict.fromkeys((*spans, objective.window), 0.003))
    scene = Scene(objective)
    for _ in range(10):
        scene.second += 5
        seen = Interval(scene.now, bad=0, total=50)
        scene.evaluate({Key("errors"): Reading(at=scene.now, sight=Sight.CLEAR, intervals=(seen,), budget=calm)})
    assert not scene.state.incidents
    assert Alert.TICKET not in [each.alert for each in scene.state.tracks]


def test_a_status_has_no_value_of_what_was_never_seen() -> None:
    slo: ObjectiveStatus = status_of(State(), Objectives.only(ERRORS), at(0), process()).objectives[0]
    assert (slo.bad_ratio, slo.value_over_seconds, value(slo)) == (None, None, "")


def test_a_whole_range_that_is_good_is_no_value_of_what_is_wrong() -> None:
    reading = Reading(at=at(0), sight=Sight.CLEAR, latency_seconds=0.05, good_ratio=1.0)
    assert value_of(LATENCY, reading, is_met=False) is None
    assert value_of(LATENCY, reading, is_met=True) == Value(0.05, LATENCY.over)
    assert value_of(ERRORS, reading, is_met=False) is None
