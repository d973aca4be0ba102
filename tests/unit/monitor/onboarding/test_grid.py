"""Quick counts: how often each threshold with each objective would have been bad, and what is left of its budget."""

from datetime import timedelta

import numpy as np
import pytest

from wine_slo.monitor.onboarding.suggest.grid import Cell, Counts, grid
from wine_slo.monitor.replay.range_cache import Numbers

WEEK = timedelta(weeks=1)
STEPS = 2016  # of five minutes in a week
NO_DATA = float("nan")


def counts(*bad: tuple[int, float], total: float = 100.0, steps: int = STEPS) -> tuple[Numbers, Numbers]:
    """The events of each step, and how many of them were bad in some of the steps."""
    found = np.zeros(steps)
    for step, count in bad:
        found[step] = count
    return np.full(steps, total), found


def cells(*of: Counts) -> dict[tuple[float | None, float], Cell]:
    return {(each.threshold, each.objective): each for row in grid(of, WEEK).cells for each in row}


def test_steps_one_after_another_are_one_spell() -> None:
    total, bad = counts((10, 50.0), (11, 50.0), (40, 50.0), (50, 3.0))
    found = cells(Counts(total, {None: bad}))
    assert {objective: found[None, objective].spells for objective in (0.95, 0.99, 0.999)} == {
        0.95: 2, 0.99: 3, 0.999: 3,
    }  # fmt: skip


def test_what_is_left_of_a_budget_is_what_the_bad_events_leave() -> None:
    total, bad = counts((10, 50.0))
    left = cells(Counts(total, {None: bad}))[None, 0.99].left
    assert left == pytest.approx(1 - 50 / (STEPS * 100 * 0.01))


def test_a_step_without_data_or_with_few_events_is_no_spell() -> None:
    total, bad = counts((10, 5.0), (20, 5.0))
    total[10], bad[20] = 5.0, NO_DATA
    assert cells(Counts(total, {None: bad}))[None, 0.99].spells == 0


def test_the_worst_label_set_counts_for_the_budget_and_all_for_the_spells() -> None:
    quiet, loud = counts((10, 50.0)), counts((20, 50.0), (30, 90.0))
    cell = cells(*(Counts(total, {None: bad}) for total, bad in (quiet, loud)))[None, 0.95]
    assert cell.spells == 3
    assert cell.left == pytest.approx(1 - 140 / (STEPS * 100 * 0.05))


def test_the_strictest_numbers_with_room_come_first() -> None:
    total, _ = counts()
    bad: dict[float | None, Numbers] = {
        0.1: np.full(STEPS, 3.0),
        0.25: np.full(STEPS, 0.5),
        0.5: np.full(STEPS, 0.1),
        1.0: np.zeros(STEPS),
    }
    ladder = grid([Counts(total, bad)], WEEK).ladder()
    assert [(each.threshold, each.objective) for each in ladder] == [
        (0.5, 0.99),
        (1.0, 0.99),
        (0.25, 0.95),
        (0.5, 0.95),
        (1.0, 0.95),
    ]
    assert [each.threshold for each in grid([Counts(total, bad)], WEEK).ladder(least=0.9)] == [1.0, 1.0]


def test_numbers_that_are_bad_too_often_are_no_suggestion() -> None:
    total, bad = counts(*((step, 50.0) for step in (10, 20, 30)))
    assert grid([Counts(total, {None: bad})], WEEK).ladder() == []
    assert len(grid([Counts(total, {None: bad})], 4 * WEEK).ladder()) == 3


def test_of_few_events_no_strict_objective_is_suggested() -> None:
    total, bad = counts(total=0.01)
    ladder = grid([Counts(total, {None: bad})], WEEK).ladder()
    assert [each.objective for each in ladder] == []
