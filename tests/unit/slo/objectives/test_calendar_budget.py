"""The budget of a calendar window: it counts from the begin of the week, month or quarter, and begins anew with it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.support.scene import CHAT, KEY, START, Scene, incident
from wine_slo.config import translations
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.incident import Incident, Outcome
from wine_slo.slo.evaluation.key_state import KeyState
from wine_slo.slo.evaluation.reading import Interval, Reading, Sight
from wine_slo.slo.notification.record import DeliveryRecord
from wine_slo.slo.objectives.budget import Budget, budgets_by_key
from wine_slo.slo.objectives.error import ObjectiveError
from wine_slo.slo.objectives.kinds.latency import Latency
from wine_slo.slo.objectives.objective import BURNS, Alert, Objective, Objectives
from wine_slo.slo.objectives.window import Calendar, CalendarUnit
from wine_slo.slo.text.formatting import Formatter
from wine_slo.slo.text.incidents.breach import breach_text
from wine_slo.slo.text.incidents.resolved import recovery_text
from wine_slo.slo.text.language import ENGLISH, Language
from wine_slo.slo.text.objective_detail import budget_list, objective_detail
from wine_slo.slo.text.status_list import status_list
from wine_slo.slo.views import status_text
from wine_slo.slo.views.status import Process, status_of
from wine_slo.slo.views.status_schema import ObjectiveStatus, Status

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BERLIN = ZoneInfo("Europe/Berlin")
POLL = timedelta(seconds=30)
PROCESS = Process(version="1", poll=POLL, overdue_after=3 * POLL)
LANGUAGES = translations.load()
SPANS = sorted({each for burn in BURNS for each in (burn.short, burn.long)})


def latency(unit: CalendarUnit = CalendarUnit.MONTH) -> Objective:
    calendar = Calendar(unit, BERLIN)
    objective = Objective(
        name="latency",
        title="Latency",
        job="wine-slo",
        source=Latency("request_latency_seconds", 1.0),
        ratio=0.95,
        window=calendar.nominal,
        calendar=calendar,
    )
    return objective.with_usual_burns


MONTH = latency()


def budget(
    at: datetime, bad: float, *, of: Objective = MONTH, known: timedelta = 400 * DAY, burning: float = 0
) -> Budget:
    """What is known at an instant where this share of all events of the window was bad."""
    ratios = {of.window: bad} | dict.fromkeys(SPANS, burning)
    found = budgets_by_key(of, known, {KEY: 1e6}, {span: {KEY: each} for span, each in ratios.items()}, of.period(at))
    return found[KEY]


def berlin(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).astimezone(UTC)


# Its arithmetic


def test_half_of_a_month_that_burns_at_twice_the_lasting_rate_leaves_nothing() -> None:
    known = budget(berlin("2026-04-16T00:00"), 0.1)
    assert known.remaining(MONTH) == pytest.approx(0.0)
    assert known.history == 15 * DAY
    assert known.is_whole(MONTH)
    assert not known.is_young(MONTH)


def test_of_a_month_with_a_change_of_the_clocks_the_hour_counts() -> None:
    known = budget(berlin("2026-04-01T00:00") - timedelta(microseconds=1), 0.05)
    assert known.length(MONTH) == 31 * DAY - HOUR
    assert known.remaining(MONTH) == pytest.approx(0.0)


def test_of_what_was_before_its_begin_nothing_counts_and_what_is_not_known_is_taken_to_be_good() -> None:
    noon = berlin("2026-11-11T00:00")
    assert budget(noon, 0.05).remaining(MONTH) == pytest.approx(1 - 10 / 30)
    assert budget(noon, 0.05, known=5 * DAY).remaining(MONTH) == pytest.approx(1 - 5 / 30)
    assert not budget(noon, 0.05, known=5 * DAY).is_whole(MONTH)


def test_bad_events_are_a_share_of_the_budget_of_the_whole_month() -> None:
    known = budget(berlin("2026-11-16T00:00"), 0.0)  # a million events in half of it
    assert known.share_of(MONTH, 1e5) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("rate", "left"),
    [
        pytest.param(0.5, None, id="it lasts until the end of the month"),
        pytest.param(0.9, None, id="it just lasts"),
        pytest.param(1.2, None, id="it is faster than lasts for a month, and only six days are left of this one"),
        pytest.param(4.0, timedelta(days=30) * 0.36 / 4, id="it is gone before the end"),
    ],
)
def test_what_is_left_lasts_to_the_end_of_the_month_or_is_gone_before(rate: float, left: timedelta | None) -> None:
    known = budget(berlin("2026-11-25T00:00"), 0.04, burning=0.05 * rate)  # 24 of 30 days at 0.8 of the lasting rate
    found = known.time_left(MONTH, HOUR)
    assert left == found or (left and found and abs(left - found) < timedelta(seconds=1))


@pytest.mark.parametrize("unit", CalendarUnit)
def test_its_burn_rates_are_the_usual_ones_by_its_nominal_length(unit: CalendarUnit) -> None:
    objective = latency(unit)
    rates = [burn.factor(objective.window) for burn in objective.burns]
    assert rates == pytest.approx([14.4, 6, 3, 1][: len(rates)])
    assert rates[-1] == pytest.approx(1)


def test_a_window_that_is_not_that_of_its_calendar_is_refused() -> None:
    with pytest.raises(ObjectiveError, match="must be that of the calendar"):
        replace(MONTH, window=31 * DAY)


# A boundary in the middle of an incident

BEGIN = berlin("2026-02-01T00:00")


class Turn(Scene):
    """A scene that begins two minutes before a month does."""

    def __init__(self) -> None:
        super().__init__(MONTH)
        self.second = (BEGIN - START).total_seconds() - 120

    def burns(self, rate: float, seconds: float, *, of_late: float | None = None) -> "Turn":
        """For so long, the budget burns at such a rate over all windows, and at another one over the short ones."""
        for _ in range(round(seconds / 5)):
            self.second += 5
            known = budget(self.now, 0.05 * rate, burning=0.05 * rate)
            shorts = {burn.short: 0.05 * (rate if of_late is None else of_late) for burn in BURNS}
            known = replace(known, bad_ratios={**known.bad_ratios, **shorts})
            seen = Interval(self.now, bad=0, total=50)
            self.evaluate({KEY: Reading(at=self.now, sight=Sight.CLEAR, intervals=(seen,), budget=known)})
        return self

    def incidents(self, alert: Alert) -> list[Incident]:
        return [each for each in self.state.incidents.values() if each.key.alert is alert]


@pytest.mark.parametrize("alert", [Alert.PAGE, Alert.TICKET])
def test_what_burns_over_the_begin_of_a_month_is_one_incident_until_it_burns_no_more(alert: Alert) -> None:
    scene = Turn().burns(18, 120)
    assert scene.now == BEGIN
    (opened,) = scene.incidents(alert)
    (open_still,) = scene.burns(18, 900).incidents(alert)
    assert open_still.is_open
    assert open_still.number == opened.number
    (closed,) = scene.burns(0, 5).incidents(alert)
    assert closed.outcome is Outcome.RECOVERED


def test_the_end_of_what_burnt_the_last_month_says_that_the_budget_began_anew() -> None:
    scene = Turn().burns(18, 120).burns(0.1, 5)
    (page,) = scene.incidents(Alert.PAGE)
    assert page.outcome is Outcome.RECOVERED
    said = recovery_text(Formatter(Objectives.only(MONTH), BERLIN), page, DeliveryRecord(incident=1, chat=CHAT))
    assert "Error budget: reset 5 s ago (new month)." in said


def test_what_burnt_the_last_month_is_no_alert_of_the_new_one() -> None:
    scene = Turn().burns(0.5, 120)
    scene.burns(15, 60, of_late=0.2)
    assert not scene.state.incidents


def test_a_share_of_the_new_budget_must_burn_before_it_is_an_alert() -> None:
    scene = Turn().burns(0.5, 120).burns(18, 600)  # of 2 % of the budget, 0.42 % can be gone in ten minutes
    assert not scene.incidents(Alert.PAGE)
    assert scene.burns(18, 40 * 60).incidents(Alert.PAGE)


def test_no_events_in_the_short_window_of_a_new_month_end_no_incident_before_that_window_has_passed() -> None:
    scene = Turn().burns(18, 120)
    for after, is_open in ((60.0, True), (280.0, True), (310.0, False)):
        scene.second = (BEGIN - START).total_seconds() + after
        known = budget(scene.now, 0.9, burning=0.9)
        known = replace(known, bad_ratios={span: each for span, each in known.bad_ratios.items() if span >= HOUR})
        seen = Interval(scene.now, bad=0, total=50)
        scene.evaluate({KEY: Reading(at=scene.now, sight=Sight.CLEAR, intervals=(seen,), budget=known)})
        (page,) = scene.incidents(Alert.PAGE)
        assert page.is_open is is_open


def test_an_evaluation_that_knows_no_budget_yet_ends_no_incident() -> None:
    scene = Turn().burns(18, 120)
    scene.second += 5
    scene.evaluate({KEY: Reading(at=scene.now, sight=Sight.CLEAR, intervals=(Interval(scene.now, bad=0, total=50),))})
    (page,) = scene.incidents(Alert.PAGE)
    assert page.is_open
    assert page.held is None


# How it reads


def fmt_of(objective: Objective, language: Language = ENGLISH) -> Formatter:
    return Formatter(Objectives.only(objective), BERLIN, language)


def state_at(at: datetime, known: Budget | None) -> State:
    reading = Reading(at=at, sight=Sight.CLEAR, latency_seconds=0.04, good_ratio=0.99, budget=known)
    track = KeyState(key=KEY, since=at - DAY, sight_since=at - DAY, sight=Sight.CLEAR)
    return State(tracks={KEY: track}, readings={KEY: reading}, evaluated_at=at)


@pytest.mark.parametrize(
    ("unit", "language", "line"),
    [
        ("week", "en", "Error budget: 60 % left of this week."),
        ("month", "en", "Error budget: 60 % left of this month."),
        ("quarter", "en", "Error budget: 60 % left of this quarter."),
        ("week", "ru", "Бюджет ошибок: осталось 60 % за эту неделю."),
        ("month", "ru", "Бюджет ошибок: осталось 60 % за этот месяц."),
        ("quarter", "ru", "Бюджет ошибок: осталось 60 % за этот квартал."),
    ],
)
def test_a_message_says_of_what_it_is_left(unit: str, language: str, line: str) -> None:
    objective = latency(CalendarUnit(unit))
    at = objective.period(berlin("2026-08-13T00:00"))
    assert at is not None
    middle = at.begins_at + at.length / 2
    known = budget(middle, 0.05 * 0.8, of=objective)
    fmt = fmt_of(objective, LANGUAGES[language])
    text = breach_text(fmt, incident(budget=known), DeliveryRecord(incident=12, chat=CHAT), State(), middle)
    assert line in text.splitlines()


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ["Objective: 95 % of requests within 1 s, over a calendar month.", "Burn rate: 5 min 0.5×, "]),
        ("ru", ["Цель: 95 % запросов не дольше 1 с за календарный месяц.", "месяц 0,8×"]),
    ],
)
def test_the_detail_of_an_objective_says_over_what_it_is(language: str, said: list[str]) -> None:
    at = berlin("2026-11-16T00:00")
    fmt = fmt_of(MONTH, LANGUAGES[language])
    text = objective_detail(fmt, KEY, state_at(at, budget(at, 0.04, burning=0.025)), at)
    assert all(each in text for each in said)


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "budget: reset 3 h ago (new month)"), ("ru", "бюджет: обновлён 3 ч назад (новый месяц)")],
)
def test_a_budget_that_has_just_begun_anew_says_so(language: str, said: str) -> None:
    at = berlin("2026-11-01T03:00")
    fmt = fmt_of(MONTH, LANGUAGES[language])
    state = state_at(at, budget(at, 0.5))
    assert said in status_list(fmt, state, at)
    assert budget_list(fmt, state, at) == f"⚪️ latency: {said.partition(': ')[2]}"


def test_where_little_is_known_of_a_new_month_that_is_what_is_said() -> None:
    at = berlin("2026-11-01T03:00")
    state = state_at(at, budget(at, 0.5, known=HOUR))
    assert "budget: 1 h of history so far" in status_list(fmt_of(MONTH), state, at)


def test_of_a_month_that_is_over_nothing_is_said_that_was_known_last() -> None:
    before, at = berlin("2026-10-31T23:00"), berlin("2026-11-01T00:10")
    state = state_at(at, None)
    track = replace(state.tracks[KEY], budget=budget(before, 0.03), budget_at=before)
    state = replace(state, tracks={KEY: track})
    assert budget_list(fmt_of(MONTH), state, before).endswith("(last known 23:00)")
    assert "last known" not in budget_list(fmt_of(MONTH), state, at)
    assert objective_status(state, at).last_known_budget is None


def objective_status(state: State, at: datetime) -> ObjectiveStatus:
    status: Status = status_of(state, Objectives.only(MONTH), at, PROCESS)
    return status.objectives[0]


def test_the_api_and_the_page_know_when_it_began_and_when_it_ends() -> None:
    at = berlin("2026-11-16T00:00")
    slo = objective_status(state_at(at, budget(at, 0.04, burning=0.025)), at)
    assert (slo.budget_window, slo.budget_window_seconds) == ("month", 30 * 86400)
    assert (slo.budget_begins_at, slo.budget_ends_at) == (berlin("2026-11-01T00:00"), berlin("2026-12-01T00:00"))
    assert slo.budget_remaining_ratio == pytest.approx(0.6)
    assert [each.window for each in slo.burn_rates] == ["5m", "30m", "1h", "2h", "6h", "1d", "3d", "month"]
    assert slo.burn_rates[-1].window_seconds == 15 * 86400
    assert status_text.budget(slo, at, BERLIN) == "60 % of the error budget of this month left."
    assert status_text.budget_in_short(slo, at, BERLIN) == "60 %"


def test_on_the_page_a_new_month_reads_as_one() -> None:
    at = berlin("2026-11-01T03:00")
    slo = objective_status(state_at(at, budget(at, 0.5)), at)
    assert status_text.budget(slo, at, BERLIN) == "Error budget: reset 3 h ago (new month)."
    assert status_text.budget_in_short(slo, at, BERLIN) == "reset 3 h ago (new month)"
