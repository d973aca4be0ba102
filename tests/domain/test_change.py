"""What is known of a change of the model from when each was first seen."""

from tests.domain.scene import at
from wine_slo.domain.change import Change, last_change

OLD, NEW, NEWEST = "3f2a", "91bc", "c0de"


def test_the_last_of_several_changes_is_told() -> None:
    seen = {NEW: at(60).timestamp(), NEWEST: at(90).timestamp(), OLD: at(0).timestamp()}
    assert last_change(seen) == Change(at(90), before=NEW, after=NEWEST)


def test_the_only_model_that_was_seen_is_no_change() -> None:
    assert last_change({OLD: at(0).timestamp()}) is None
    assert last_change({}) is None
