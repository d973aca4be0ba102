"""What is known of a change of the model from when each was first seen, and of which incident it may be the cause."""

from datetime import timedelta

import pytest

from tests.support.scene import at
from wine_slo.slo.source.deployment import Deployment, last_change

OLD, NEW, NEWEST = "3f2a", "91bc", "c0de"


def test_the_last_of_several_deployments_is_reported() -> None:
    seen = {NEW: at(60).timestamp(), NEWEST: at(90).timestamp(), OLD: at(0).timestamp()}
    assert last_change(seen) == Deployment(at(90), before=NEW, after=NEWEST)


def test_the_only_model_that_was_seen_is_no_change() -> None:
    assert last_change({OLD: at(0).timestamp()}) is None
    assert last_change({}) is None


@pytest.mark.parametrize(
    ("minutes", "delivered"),
    [
        pytest.param(0, True, id="at its start"),
        pytest.param(30, True, id="half an hour before"),
        pytest.param(30.1, False, id="longer before"),
        pytest.param(-0.1, False, id="after its start, as when somebody rolls back to mend it"),
    ],
)
def test_a_deployment_is_reported_for_an_incident_that_began_within_half_an_hour(
    minutes: float, *, delivered: bool
) -> None:
    change = Deployment(at(60), before=OLD, after=NEW)
    assert change.may_have_caused(at(60) + timedelta(minutes=minutes)) is delivered
