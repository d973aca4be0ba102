"""Why a notification is not sent to a recipient: each restraint has a reason of its own."""

from dataclasses import replace
from typing import Any

import pytest

from tests.support.scene import CHAT, LATENCY, at, incident
from wine_slo.slo.evaluation.incident import Incident, Outcome
from wine_slo.slo.notification.policy import Policy, Suppression, owes, suppression_of
from wine_slo.slo.notification.record import DeliveryRecord, Stage

OPEN = incident()
CLOSED = incident(closed_at=at(600), outcome=Outcome.RECOVERED)
NOTHING = DeliveryRecord(incident=12, chat=CHAT)
OPENED = replace(NOTHING, stage=Stage.OPENED, opening=1, message=5, breach_told_at=at(95), loud_at=at(95))
SOON, AFTER_REMINDER = at(100), at(95) + LATENCY.remind_after


def reason_of(truth: Incident, record: DeliveryRecord, at_second: Any = SOON, **policy: Any) -> Suppression | None:
    return suppression_of(truth, record, at_second, Policy(remind_after=LATENCY.remind_after, **policy))


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        pytest.param({"is_silenced": True}, Suppression.SILENCE, id="somebody has silenced it"),
        pytest.param({"is_quiet": True}, Suppression.QUIET_HOURS, id="the hours are quiet"),
        pytest.param({"is_second": True}, Suppression.SECOND_CHAT, id="it is not escalated yet"),
        pytest.param({"is_muted": True}, None, id="there is no data, and a breach is sent all the same"),
        pytest.param({}, None, id="nothing restrains it"),
    ],
)
def test_a_breach_that_is_not_sent_has_the_reason_of_its_restraint(
    policy: dict[str, Any], reason: Suppression | None
) -> None:
    assert reason_of(OPEN, NOTHING, **policy) is reason
    assert owes(OPEN, NOTHING, SOON, Policy(remind_after=LATENCY.remind_after, **policy)) is (reason is None)


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        pytest.param({"is_silenced": True}, Suppression.SILENCE, id="silence"),
        pytest.param({"is_quiet": True}, Suppression.QUIET_HOURS, id="quiet hours"),
        pytest.param({"is_muted": True}, Suppression.NO_DATA, id="no data"),
    ],
)
def test_a_reminder_is_suppressed_only_once_it_is_due(policy: dict[str, Any], reason: Suppression) -> None:
    assert reason_of(OPEN, OPENED, SOON, **policy) is None
    assert reason_of(OPEN, OPENED, AFTER_REMINDER, **policy) is reason
    assert reason_of(OPEN, OPENED, AFTER_REMINDER) is None


def test_the_end_of_a_known_incident_is_never_suppressed_and_that_of_an_unknown_one_waits_for_the_morning() -> None:
    assert reason_of(CLOSED, OPENED, is_silenced=True, is_quiet=True) is None
    assert reason_of(CLOSED, NOTHING, is_quiet=True) is Suppression.QUIET_HOURS
    assert reason_of(CLOSED, NOTHING, is_second=True) is Suppression.SECOND_CHAT
