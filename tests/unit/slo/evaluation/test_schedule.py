"""Which intervals are complete, and when to evaluate again."""

from datetime import timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.support.scene import LATENCY, START, at
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.key_state import KeyState
from wine_slo.slo.evaluation.schedule import Grid, Scrapes, apart, next_interval_at
from wine_slo.slo.objectives.objective import Key
from wine_slo.slo.source.metric_source import Sample

STEP = 5.0  # seconds
LONGEST_LAG = 4.0  # seconds until a sample can be found


def grid(now: float, *scraped: float) -> Grid:
    """The intervals of an evaluation that finds these last scrapes; seconds."""
    found = [({"instance": f"{number:03}"}, at(second).timestamp()) for number, second in enumerate(scraped)]
    scrapes = Scrapes([Sample(labels, 1.0) for labels, _ in found], [Sample(*each) for each in found])
    return Grid.since_last_evaluation(LATENCY, State(), scrapes, at(now))


def test_an_interval_is_complete_when_its_scrape_can_be_found() -> None:
    assert grid(100.6, 100).last == at(100.5)
    assert grid(104.9, 100).last == at(100.5)


def test_an_interval_whose_scrape_cannot_be_found_yet_is_not_complete() -> None:
    assert grid(105.6, 100).last == at(100.5)
    assert grid(131, 100).last == at(100.5), "as where everything comes half a minute late"


def test_an_interval_is_complete_when_the_scrapes_of_all_targets_can_be_found() -> None:
    assert grid(100.6, 100, 95.4).last == at(95.5), "that of 100.4 s is still to be found"
    assert grid(102, 100, 100.4).last == at(100.5)


def test_a_target_whose_scrapes_do_not_come_is_not_waited_for_long() -> None:
    assert grid(105.6, 105, 95.2).last == at(95.5), "it may come later than others"
    assert grid(105.6, 105, 94.9).last == at(105.5), "it is down"
    assert grid(105.6, 94.9, 94.9).last == at(95.4), "all are late"


@pytest.mark.parametrize(
    ("scraped", "seconds"),
    [
        pytest.param((), 0, id="no target"),
        pytest.param((100,), 0, id="one target"),
        pytest.param((100, 100), 0, id="two at once"),
        pytest.param((100, 97), 3, id="one is counted later than the other"),
        pytest.param((100, 101), 4, id="one has just missed the end of the interval"),
        pytest.param((100, 82), 3, id="one that is down was scraped in step"),
    ],
)
def test_targets_are_as_far_apart_as_their_scrapes_wait_for_the_end_of_the_interval(
    scraped: tuple[float, ...], seconds: float
) -> None:
    found = apart([at(each).timestamp() for each in scraped], at(100.5), timedelta(seconds=STEP))
    assert found.total_seconds() == pytest.approx(seconds)


@given(
    st.lists(st.tuples(st.floats(0, STEP), st.floats(0, LONGEST_LAG)), min_size=1, max_size=6),
    st.floats(200, 300),
)
def test_whatever_is_judged_is_complete_and_it_is_judged_soon(targets: list[tuple[float, float]], now: float) -> None:
    """Each target has a phase of its own, and its samples can be found so much later."""
    scrapes = [(phase + number * STEP, lag) for phase, lag in targets for number in range(60)]
    found = [
        max(phase + number * STEP for number in range(60) if phase + number * STEP + lag <= now)
        for phase, lag in targets
    ]
    judged = (grid(now, *found).last - at(0)).total_seconds()
    assume(all(abs(second - judged) > 0.01 for second, _ in scrapes))  # as the real ones jitter
    assert all(second + lag <= now for second, lag in scrapes if second <= judged)
    assert judged >= now - LONGEST_LAG - 2 * STEP


@pytest.mark.parametrize(
    ("now", "soon"),
    [
        pytest.param(103.0, 105.5, id="it is still to come"),
        pytest.param(105.6, 106.6, id="it is late"),
        pytest.param(110.4, 111.4, id="it is very late"),
        pytest.param(110.6, 115.5, id="it does not come"),
    ],
)
def test_an_interval_that_is_late_is_tried_again_soon_but_not_for_ever(now: float, soon: float) -> None:
    assert next_interval_at(at(100.5), timedelta(seconds=STEP), at(now)) == at(soon)


def test_of_many_label_sets_so_much_is_caught_up_on_as_an_answer_may_hold() -> None:
    def intervals(count: int) -> int:
        keys = [Key("latency", (("endpoint", f"/{number}"),)) for number in range(count)]
        tracks = {key: KeyState(key=key, since=START, sight_since=START, judged_until=START) for key in keys}
        scrapes = Scrapes((Sample({}, 1.0),), (Sample({}, at(7200).timestamp()),))
        found = Grid.since_last_evaluation(LATENCY, State(tracks=tracks, evaluated_at=START), scrapes, at(7201))
        return (found.last - found.first) // found.step

    assert intervals(1000) == 719, "all of the last hour"
    assert intervals(10_000) == 100


def test_of_many_label_sets_less_than_the_whole_range_is_seen_at_the_first_evaluation() -> None:
    def intervals(label_sets: int) -> int:
        scrapes = Scrapes((Sample({}, 1.0),), (Sample({}, at(7200).timestamp()),))
        found = Grid.since_last_evaluation(LATENCY, State(), scrapes, at(7201), label_sets)
        return (found.last - found.first) // found.step

    assert intervals(0) == intervals(3) == intervals(3000) == 59, "all of the range"
    assert intervals(10_000) == 20
