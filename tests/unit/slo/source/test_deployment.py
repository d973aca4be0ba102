"""What is known of a deployment from when each version was first seen, and of which incident it may be the cause."""

from datetime import timedelta

import pytest

from tests.support.scene import at
from wine_slo.slo.source.deployment import (
    Deployment,
    Reported,
    VersionSeries,
    last_change,
    last_of,
    last_reported,
    last_starts,
    version_series,
)

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


@pytest.mark.parametrize(
    ("infos", "found"),
    [
        pytest.param([{"__name__": "go_info", "version": "1.22"}], None, id="of the language"),
        pytest.param([{"__name__": "shop_info", "region": "eu"}], None, id="no version"),
        pytest.param(
            [
                {"__name__": "app_info", "version": "1"},
                {"__name__": "shop_build_info", "version": "1", "revision": "9f"},
            ],
            VersionSeries("shop_build_info", "version"),
            id="that of the build",
        ),
        pytest.param(
            [{"__name__": "x_build_info", "version": "", "revision": "9f"}],
            VersionSeries("x_build_info", "revision"),
            id="an empty version",
        ),
        pytest.param(
            [{"__name__": "target_info", "service_version": "2"}],
            VersionSeries("target_info", "service_version"),
            id="OTel",
        ),
    ],
)
def test_the_gauges_of_the_version_are_guessed(infos: list[dict[str, str]], found: VersionSeries | None) -> None:
    assert version_series(infos) == found


def test_targets_that_have_started_of_late_are_counted() -> None:
    old, new, newest = (at(each).timestamp() for each in (-90_000, 0, 120))
    assert last_starts([old, new, newest]) == Deployment(at(120), before="", after="", started=2, targets=3)
    assert last_starts([]) is None


def test_starts_count_for_ten_minutes_as_autoscaling_makes_many() -> None:
    starts = Deployment(at(0), before="", after="", started=1, targets=1)
    assert starts.may_have_caused(at(600))
    assert not starts.may_have_caused(at(601))


def test_what_was_reported_of_another_job_or_twice_is_no_change() -> None:
    reports = [
        Reported(job="a", version="1", at=at(0)),
        Reported(job="b", version="9", at=at(5)),
        Reported(job="a", version="2", at=at(10)),
        Reported(job="a", version="2", at=at(20)),
    ]
    assert last_reported(reports, "a") == Deployment(at(20), before="1", after="2")
    assert last_reported(reports, "c") is None


def test_a_version_of_late_says_more_than_the_starts_that_it_brings() -> None:
    version, starts = Deployment(at(0), "1", "2"), Deployment(at(60), "", "", started=3, targets=3)
    assert last_of([version, starts, None], at(120)) == version
    assert last_of([version, starts], at(3600)) == starts
    assert last_of([version], at(-1)) is None
    assert last_of([], at(0)) is None
