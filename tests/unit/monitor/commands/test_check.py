"""What several label sets come to."""

from dataclasses import replace

import pytest

from tests.support.scene import ALL
from tests.support.status_examples import GOOD, NOW, PROCESS
from wine_slo.monitor.commands.check import CheckedObjective, report
from wine_slo.slo.evaluation.reading import Sight
from wine_slo.slo.views.status import status_of
from wine_slo.slo.views.status_schema import Judgement, Status

Changes = dict[str, object]
MET: Changes = {"verdict": Judgement.MET, "sight": Sight.CLEAR}
IDLE: Changes = {"verdict": Judgement.UNKNOWN, "sight": Sight.NO_TRAFFIC}
NO_DATA: Changes = {"verdict": Judgement.UNKNOWN, "sight": Sight.STALE}


def of_sets(*sets: Changes) -> Status:
    """The status of one objective with label sets."""
    status = status_of(GOOD, ALL, NOW, PROCESS)
    latency = status.objectives[0]
    objectives = (replace(latency, slo=f"latency{number}", **each) for number, each in enumerate(sets))  # type: ignore[arg-type]
    return replace(status, objectives=tuple(objectives))


@pytest.mark.parametrize(
    ("sets", "answer"),
    [
        pytest.param([MET, IDLE], CheckedObjective.MET, id="one of them is idle"),
        pytest.param([IDLE, IDLE], CheckedObjective.TOO_LITTLE, id="all are idle"),
        pytest.param([MET, IDLE, NO_DATA], CheckedObjective.CANNOT_SEE, id="one has no data"),
    ],
)
def test_an_idle_label_set_does_not_outweigh_those_that_are_judged(
    sets: list[Changes], answer: CheckedObjective
) -> None:
    assert report(of_sets(*sets)).answer is answer


def test_an_idle_objective_is_not_hidden_by_another_one() -> None:
    status = of_sets(MET, IDLE)
    first, second = status.objectives
    assert report(replace(status, objectives=(first, replace(second, objective="b")))).exit_status == 4
