"""A job that is down, goes down again and again, or is restarted: which of it is an incident, when, and until when."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product

import pytest

from tests.support.scene import KEY, LATENCY, START, Reader, Scene, at
from wine_slo.slo.evaluation.engine import DOWN, State, advance
from wine_slo.slo.evaluation.incident import Incident, Outcome
from wine_slo.slo.evaluation.reading import Reading, Sight
from wine_slo.slo.evaluation.schedule import next_evaluation_at
from wine_slo.slo.objectives.objective import Objectives
from wine_slo.slo.objectives.promql import ESTABLISHED
from wine_slo.slo.usual_spans import last_scrapes

POLL = 30.0
INTERVALS = (5, 10, 15, 30, 60, 120)
IsUp = Callable[[float], bool]


class Job:
    """Targets that answer scrapes or do not, and the watchdog that sees nothing else of them.

    Args:
        every: How far apart scrapes are, in seconds.
        targets: Whether each answers at a second, and how long after the others it is scraped.
        poll_at: The phase of the ticks.
        there: From when to when each is in service discovery; always, where that is left out.
    """

    def __init__(
        self, every: float, *targets: IsUp, poll_at: float = 0.0, there: Sequence[tuple[float, float]] = ()
    ) -> None:
        self._every = every
        self._there = (*there, *((0.0, 1e9) for _ in targets[len(there) :]))
        self._targets = [(is_up, number * every / len(targets)) for number, is_up in enumerate(targets)]
        objective = replace(
            LATENCY, scrape_interval=timedelta(seconds=every), over=max(LATENCY.over, timedelta(seconds=5 * every))
        )
        self._objectives = Objectives.only(objective)
        self._span = last_scrapes(objective.scrape_interval) * every
        self._second, self._next_poll = poll_at, poll_at + POLL
        self.state = State()
        self.opened: list[float] = []
        self.closed: list[float] = []

    def lives(self, until: float) -> "Job":
        while self._second < until:
            before = self.state.incidents
            self.state = advance(self.state, self._objectives, {KEY: self._reading()}, at(self._second))
            for number, each in self.state.incidents.items():
                known = before.get(number)
                if known is None or known.openings < each.openings:
                    self.opened.append(self._second)
                if not each.is_open and (known is None or known.is_open):
                    self.closed.append(self._second)
            again = next_evaluation_at(self.state, self._objectives)
            soon = until if again is None else (again - START).total_seconds() + 0.1
            if soon < self._next_poll:
                self._second = soon
            else:
                self._second, self._next_poll = self._next_poll, self._next_poll + POLL
        return self

    @property
    def incidents(self) -> list[Incident]:
        return list(self.state.incidents.values())

    def _reading(self) -> Reading:
        now, every = self._second, self._every
        most = last_scrapes(timedelta(seconds=every))
        whole: list[int] = []
        young: list[int] = []
        down = []
        for (is_up, phase), (first, end) in zip(self._targets, self._there, strict=True):
            last = phase + (now - phase) // every * every
            seen = [last - number * every for number in range(most)]
            seen = [each for each in seen if max(first, 0.0) <= each < end and each > now - self._span]
            if seen and now < end:
                missed = sum(not is_up(each) for each in seen)
                (whole if len(seen) >= ESTABLISHED * most else young).append(missed)
                down.append(not is_up(last))
        return Reading(
            at=at(now),
            sight=Sight.TARGET_DOWN if all(down) else Sight.NO_TRAFFIC,
            reason="it does not answer",
            targets=len(down),
            unanswered=min(whole or young, default=None),
            next_at=self._next_scrape(now),
        )

    def _next_scrape(self, now: float) -> datetime:
        return at(now - now % self._every + self._every)


def loop(up: float, down: float, since: float = 600.0, until: float = 1e9, phase: float = 0.0) -> IsUp:
    """Up and down in turns for some time."""
    return lambda second: not since <= second < until or (second - since + phase) % (up + down) >= down


def down_in(*spans: tuple[float, float]) -> IsUp:
    return lambda second: not any(since <= second < until for since, until in spans)


@pytest.mark.parametrize("every", INTERVALS)
def test_a_job_that_answers_half_of_its_scrapes_is_one_incident_while_that_lasts(every: int) -> None:
    shortest = max(15, every)
    for number, (up, down) in enumerate(product({shortest, 2 * shortest, 45, 60, 75}, {shortest, 60, 90})):
        if down < every or up < every or up > down:
            continue
        job = Job(every, loop(up, down), poll_at=7.0 * (number % 4)).lives(600 + max(1800, 24 * every))
        named = f"up {up} s, down {down} s, scraped every {every} s"
        assert len(job.opened) == 1, f"{named}: opened at {job.opened}"
        assert job.closed == [], f"{named}: closed at {job.closed}"
        assert job.opened[0] <= 600 + max(480, 9 * every), f"{named}: opened at {job.opened}"


@pytest.mark.parametrize("every", INTERVALS)
def test_its_end_is_a_recovery_once_it_has_answered_for_some_minutes(every: int) -> None:
    end = 600 + 30 * max(60, every)
    job = Job(every, loop(60, 60, until=end)).lives(end + max(900, 12 * every))
    assert (len(job.opened), len(job.closed)) == (1, 1)
    assert end < job.closed[0] <= end + max(300, 8 * every)
    assert [each.outcome for each in job.incidents] == [Outcome.RECOVERED]


@pytest.mark.parametrize("every", INTERVALS)
def test_a_restart_that_takes_a_minute_is_no_incident_nor_are_replicas_that_restart_one_after_the_other(
    every: int,
) -> None:
    for took, poll_at in product((20, 60), (0.0, 11.0, 22.0)):
        assert Job(every, down_in((600, 600 + took)), poll_at=poll_at).lives(1200).incidents == []
        rolling = [down_in((600 + number * took, 600 + (number + 1) * took)) for number in range(4)]
        assert Job(every, *rolling, poll_at=poll_at).lives(1200).incidents == []


@pytest.mark.parametrize("every", INTERVALS)
def test_a_scrape_that_is_missed_now_and_then_is_no_incident(every: int) -> None:
    missed = down_in(*((600 + number * 10 * every, 600 + (number * 10 + 1) * every) for number in range(60)))
    assert Job(every, missed).lives(600 + 200 * every).incidents == []


@pytest.mark.parametrize("every", INTERVALS)
def test_an_outage_is_detected_as_soon_as_without_that_and_is_over_when_the_job_has_stayed_up(every: int) -> None:
    for lasted, poll_at in product((300, 900), (0.0, 11.0, 22.0)):
        lasts = max(lasted, 4 * every)
        job = Job(every, down_in((600, 600 + lasts)), poll_at=poll_at).lives(600 + lasts + 1800)
        (opened,), (closed,) = job.opened, job.closed
        assert opened <= 600 + 120 + max(POLL, every) + every + POLL
        assert 600 + lasts + min(45, every) <= closed <= 600 + lasts + max(45 + 2 * POLL, 3 * every)
        assert [each.relapses for each in job.incidents] == [0]


@pytest.mark.parametrize("every", INTERVALS)
def test_an_outage_that_is_over_before_it_is_one_is_none_afterwards(every: int) -> None:
    for lasted, poll_at in product((45, 95, 115), (0.0, 11.0, 22.0)):
        assert Job(every, down_in((600, 600 + lasted)), poll_at=poll_at).lives(1500).incidents == []


def test_what_is_started_again_with_longer_and_longer_pauses_is_one_incident() -> None:
    pauses, spans, second = (10, 20, 40, 80, 160, 300, 300, 300, 300), [], 600.0
    for pause in pauses:  # as Kubernetes does
        spans.append((second, second + pause))
        second += pause + 15
    job = Job(5, down_in(*spans)).lives(second + 3600)
    assert (len(job.opened), len(job.closed)) == (1, 1)
    assert job.closed[0] > second


def test_replicas_that_crash_at_different_times_are_one_incident_though_one_always_answers() -> None:
    job = Job(15, loop(30, 60), loop(30, 60, phase=30), loop(30, 60, phase=60)).lives(3600)
    assert len(job.opened) == 1
    assert job.closed == []


def test_one_replica_that_answers_is_enough() -> None:
    assert Job(15, loop(30, 60), lambda _: True).lives(3600).incidents == []


@pytest.mark.parametrize("every", [5, 15, 30])
def test_a_target_that_joins_ends_no_outage_before_it_has_stayed_up(every: int) -> None:
    for poll_at, phase in product((0.0, 11.0, 22.0), (0.0, 30.0)):
        crashing = [loop(60, 60), loop(60, 60, phase=phase)]
        lifted = Job(every, *crashing, loop(60, 60), poll_at=poll_at, there=[(0, 1e9), (0, 1e9), (1830, 1e9)])
        assert (len(lifted.lives(3600).opened), lifted.closed) == (1, [])
        down = [down_in((600, 1e9)), loop(30, 1e9, since=1500, phase=1e9)]
        joined = Job(every, *down, poll_at=poll_at, there=[(0, 1e9), (1500, 1e9)]).lives(2400)
        assert (len(joined.opened), joined.closed) == (1, [])
        well = Job(every, *crashing, lambda _: True, poll_at=poll_at, there=[(0, 1e9), (0, 1e9), (1830, 1e9)])
        (closed,) = well.lives(3600).closed
        assert 1830 + 180 < closed < 1830 + 420
        replaced = Job(every, *crashing, lambda _: True, poll_at=poll_at, there=[(0, 1830), (0, 1830), (1830, 1e9)])
        (closed,) = replaced.lives(3600).closed
        assert 1830 < closed < 1830 + 180
        in_vain = Job(every, *down, poll_at=poll_at, there=[(0, 1500), (1500, 1e9)]).lives(2400)
        assert (len(in_vain.opened), in_vain.closed) == (1, [])


@pytest.mark.parametrize("every", [5, 30])
def test_deployments_with_new_targets_are_no_outage(every: int) -> None:
    for count, ready_in, poll_at in product((1, 2, 10), (0, 20, 60), (0.0, 11.0)):
        began = [600.0 + 60 * number for number in range(count)]
        old = [lambda _: True] * count
        new = [down_in((0, since + ready_in)) for since in began]
        there = [*((0, since + ready_in) for since in began), *((since, 1e9) for since in began)]
        job = Job(every, *old, *new, poll_at=poll_at, there=there).lives(2400)
        assert job.incidents == [], f"{count} targets, ready in {ready_in} s"


def test_what_goes_down_again_soon_after_an_outage_is_the_same_incident_and_one_missed_scrape_is_not() -> None:
    job = Job(5, down_in((600, 1200), (1300, 1400), (4000, 4005))).lives(7200)
    assert [(each.openings, each.outcome) for each in job.incidents] == [(2, Outcome.RECOVERED)]
    once = Job(5, down_in((600, 1200), (1299, 1301))).lives(7200)
    assert [each.openings for each in once.incidents] == [1]


def test_the_message_says_how_many_scrapes_were_missed_and_whether_it_answers_now() -> None:
    scene = Scene()
    for count in range(60):
        scene.second += 5
        is_up = count % 12 >= 6
        reading = Reading(
            at=scene.now,
            sight=Sight.NO_TRAFFIC if is_up else Sight.TARGET_DOWN,
            reason="it does not answer",
            targets=1,
            unanswered=count // 12 * 6 + min(count % 12, 5) + 1,
        )
        scene.evaluate({KEY: reading})
    (notification, *_) = Reader(scene).receives()
    assert notification.text.splitlines() == [
        (
            "🔴 <b>wine-slo</b> goes down again and again: its only target did not answer 30 of its last 63 scrapes. "
            "Since 19:40:05 (4 min)."
        ),
        "It answers at the moment; it was last down at 19:44:30.",
        "#1 · all targets of wine-slo",
    ]


def keys(incidents: Iterable[Incident]) -> list[str]:
    return [each.key.objective for each in incidents]


def test_where_outages_are_not_alerted_on_neither_is_that() -> None:
    scene = Scene()
    scene.objectives = replace(scene.objectives, target_down=False)
    for _ in range(100):
        scene.second += 5
        scene.evaluate({KEY: Reading(at=scene.now, sight=Sight.NO_TRAFFIC, targets=1, unanswered=40)})
    assert keys(scene.state.open_incidents) == []
    assert scene.state.troubles_since == {}
    scene.objectives = replace(scene.objectives, target_down=True)
    for _ in range(100):
        scene.second += 5
        scene.evaluate({KEY: Reading(at=scene.now, sight=Sight.NO_TRAFFIC, targets=1, unanswered=40)})
    assert keys(scene.state.open_incidents) == [DOWN]
