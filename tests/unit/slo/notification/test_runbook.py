"""Which section of the runbook an alert links, and where the link stands."""

from dataclasses import replace
from datetime import UTC

import pytest

from tests.support.message_examples import BLIND, gap
from tests.support.scene import CHAT, EVERY_KIND, KEY, LATENCY, at, incident
from wine_slo.slo.chat.messages import Button, Keyboard
from wine_slo.slo.evaluation.engine import DOWN, LEDGER, SIGHT, State
from wine_slo.slo.evaluation.incident import Incident, Outcome
from wine_slo.slo.evaluation.reading import Sight
from wine_slo.slo.notification.keyboard import ACKNOWLEDGE, CHART, VERBS, WHY, buttons_of
from wine_slo.slo.notification.plan import Notification, next_notification
from wine_slo.slo.notification.policy import DelayReason, Policy
from wine_slo.slo.notification.record import DeliveryRecord, Kind
from wine_slo.slo.notification.runbook import Runbook, Section, section_of
from wine_slo.slo.notification.storm import Member
from wine_slo.slo.notification.storm_messages import begun, missed
from wine_slo.slo.objectives.kinds import KINDS
from wine_slo.slo.objectives.objective import BURNS, Alert, Key, Objectives
from wine_slo.slo.oncall.actions import NO_ACTIONS
from wine_slo.slo.text.formatting import Formatter
from wine_slo.slo.text.wording import IncidentWording

PAGE = "https://example.org/runbook/"
LINK = Button("Runbook", url=f"{PAGE}#latency")
NOTHING = DeliveryRecord(incident=12, chat=CHAT)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_objective_has_a_section_of_its_own(kind: str) -> None:
    of_kind = [each for each in EVERY_KIND.all if each.source.kind == kind]
    assert {section_of(incident(key=Key(each.name)), each) for each in of_kind} == {Section(kind.replace("_", "-"))}


@pytest.mark.parametrize(
    ("truth", "section"),
    [
        pytest.param(incident(key=replace(KEY, alert=Alert.PAGE), burn=BURNS[0]), Section.BURN_PAGE, id="a fast burn"),
        pytest.param(
            incident(key=replace(KEY, alert=Alert.TICKET), burn=BURNS[3]), Section.BURN_TICKET, id="a slow burn"
        ),
        pytest.param(incident(key=Key(DOWN, (("job", "a"),))), Section.DOWN, id="a job that is down"),
        pytest.param(BLIND, Section.PROMETHEUS, id="Prometheus is away"),
        pytest.param(replace(BLIND, key=replace(SIGHT, labels=(("job", "a"),))), Section.STALE, id="a job is stale"),
        pytest.param(
            replace(BLIND, key=replace(SIGHT, labels=(("objective", "a"),))), Section.NOT_EVALUATED, id="an objective"
        ),
        pytest.param(replace(BLIND, key=LEDGER), Section.LEDGER, id="the ledger"),
        pytest.param(gap(), Section.RESTART, id="a restart"),
    ],
)
def test_what_else_is_alerted_has_a_section(truth: Incident, section: Section) -> None:
    assert section_of(truth, EVERY_KIND.of(truth.key)) is section


def test_an_incident_whose_objective_is_removed_has_no_section() -> None:
    assert section_of(incident(key=Key("gone")), None) is None
    assert not Runbook(PAGE).of_incident(incident(key=Key("gone")), None)


@pytest.mark.parametrize("held", [None, *Sight])
def test_the_section_stays_while_an_incident_lasts_so_that_no_message_is_edited_for_it(held: Sight | None) -> None:
    truth = incident(held=held, held_since=at(100), openings=2, is_drill=True)
    assert section_of(truth, LATENCY) is Section.LATENCY


def test_the_link_is_the_anchor_of_the_section_on_the_page_of_the_settings() -> None:
    assert Runbook(PAGE).of_incident(incident(), LATENCY) == LINK.url
    assert not Runbook().of_incident(incident(), LATENCY)


@pytest.mark.parametrize("page", ["", PAGE])
@pytest.mark.parametrize("alert", Alert)
def test_a_page_of_the_objective_itself_goes_before(page: str, alert: Alert) -> None:
    own = replace(LATENCY, runbook="https://wiki.example.com/latency#slow")
    assert Runbook(page).of_incident(incident(key=replace(KEY, alert=alert)), own) == own.runbook
    assert Runbook(page).of_incident(BLIND, None) == (page and f"{page}#prometheus")


def keyboard(truth: Incident, runbook: str = LINK.url) -> Keyboard:
    return buttons_of(
        truth, NO_ACTIONS, {truth.number: truth}, Objectives.only(LATENCY), at(120), VERBS, str, runbook=runbook
    )


def test_the_link_stands_in_the_last_row_and_is_all_of_it_where_there_is_nothing_to_chart() -> None:
    assert [each.verb for each in keyboard(incident())[-1]] == [CHART, WHY, ""]
    assert keyboard(incident())[-1][-1] == LINK
    assert keyboard(replace(BLIND, number=12))[-1] == (LINK,)
    assert keyboard(incident(), runbook="")[-1][-1].verb == WHY


def test_what_is_over_links_nothing_but_a_time_without_evaluations_does() -> None:
    assert keyboard(incident(closed_at=at(600), outcome=Outcome.RECOVERED)) == ()
    assert keyboard(gap()) == ((LINK,),)
    assert keyboard(gap(), runbook="") == ()


def notification(truth: Incident, kind_of: Policy) -> Notification | None:
    words = IncidentWording(Formatter(EVERY_KIND, UTC), State(), at(600))
    return next_notification(truth, NOTHING, words, at(600), kind_of)


def test_a_message_about_a_restart_has_its_link() -> None:
    policy = Policy(remind_after=LATENCY.remind_after, buttons=keyboard(gap()), delay_reason=DelayReason.OUTAGE)
    said = notification(gap(), policy)
    assert said is not None
    assert (said.kind, said.buttons) == (Kind.MISSED, ((LINK,),))


def test_a_message_about_many_breaches_has_a_link_and_one_about_their_ends_has_none() -> None:
    words = IncidentWording(Formatter(EVERY_KIND, UTC), State(), at(600))
    policy = Policy(remind_after=LATENCY.remind_after)
    numbers = range(1, 8)
    records = [replace(NOTHING, incident=number) for number in numbers]
    opened = [Member(incident=incident(number=each.incident), record=each, policy=policy) for each in records]
    ended = [
        replace(each, incident=replace(each.incident, closed_at=at(600), outcome=Outcome.RECOVERED)) for each in opened
    ]
    assert begun(opened, words, lambda _members: ((LINK,),), at(600)).buttons == ((LINK,),)
    assert missed(ended, words, at(600)).buttons == ()


def test_an_escalation_has_the_button_that_acknowledges_alone() -> None:
    assert [each.verb for row in keyboard(incident())[:1] for each in row] == [ACKNOWLEDGE]
