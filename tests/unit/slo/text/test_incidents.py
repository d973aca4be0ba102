"""How everything reads: the texts themselves, and what holds for all of them."""

import re
from dataclasses import replace
from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.fakes.telegram_html import visible_text
from tests.support.message_examples import (
    BESIDE,
    BLIND,
    BUDGET,
    DOWN,
    EXAMPLES,
    EXPIRED,
    FORMATTER,
    NOTHING,
    OPENED,
    RECOVERED,
    breach,
    burning,
    check,
    incidents,
    keys,
    numbers,
    several,
    tracked,
    zoned,
)
from tests.support.scene import (
    ALL,
    AVAILABILITY,
    ERRORS,
    LATENCY,
    Scene,
    at,
    incident,
    minutes,
)
from wine_slo.integrations.telegram.addresses import address_of
from wine_slo.slo.chat.messages import Person
from wine_slo.slo.evaluation.engine import GAP, State
from wine_slo.slo.evaluation.incident import Incident, Interruption, Outcome
from wine_slo.slo.evaluation.reading import Interval, Reading, Sight
from wine_slo.slo.notification.policy import DelayReason
from wine_slo.slo.notification.record import DeliveryRecord, Kind
from wine_slo.slo.objectives.budget import Budget
from wine_slo.slo.objectives.objective import BURNS, Alert, Key, Objectives
from wine_slo.slo.oncall.actions import NO_ACTIONS, Action, ActionKind, Actions
from wine_slo.slo.source.deployment import Deployment
from wine_slo.slo.text.formatting import Formatter, plain
from wine_slo.slo.text.incident_detail import incident_list
from wine_slo.slo.text.incidents.breach import breach_text, deployment_line
from wine_slo.slo.text.incidents.group import grouped_text
from wine_slo.slo.text.incidents.reminder import reminder_text
from wine_slo.slo.text.incidents.resolved import closed_text, late_text, recovery_text
from wine_slo.slo.text.language import ENGLISH
from wine_slo.slo.text.status_list import objective_line, status_list
from wine_slo.slo.text.wording import IncidentWording
from wine_slo.slo.views.board_text import board_text

READS = {
    "a breach": (
        "🔴 Latency: p95 <b>2.4 s</b> (target ≤ 1 s, last 20 s)\n"
        "Since 22:41:00 (1 min). 46 of 58 requests over 1 s.\n"
        "100 % of the bad requests: endpoint=/sleep. All others are fine.\n"
        "Error budget: 97 % left of 30 days, gone in 3 days at this rate.\n"
        "#12 · latency"
    ),
    "a breach after a change": (
        "🔴 Latency: p95 <b>2.4 s</b> (target ≤ 1 s, last 20 s)\n"
        "Since 22:41:00 (1 min). 46 of 58 requests over 1 s.\n"
        "100 % of the bad requests: endpoint=/sleep. All others are fine.\n"
        "Deployed 6 min before (3021… → 9188…).\n"
        "Error budget: 97 % left of 30 days, gone in 3 days at this rate.\n"
        "#12 · latency"
    ),
    "a breach in a young history": (
        "🔴 Latency: p95 <b>2.4 s</b> (target ≤ 1 s, last 20 s)\n"
        "Since 22:41:00 (1 min). 13 of 13 requests over 1 s.\n"
        "Error budget: 1 min of history so far.\n"
        "#12 · latency"
    ),
    "a recovery in a young history": (
        "🟢 Latency resolved: p95 0.041 s (last 20 s)\n"
        "Lasted 13 min (22:41:00–22:54:20). Worst 2.6 s at 22:41.\n"
        "15 of 120 requests over 1 s.\n"
        "Error budget: 16 min of history so far.\n"
        "Notified after 27 s.\n"
        "#12 · latency"
    ),
    "a breach that lasts": (
        "🔴 Latency: p95 <b>2.4 s</b> (target ≤ 1 s, last 20 s) · 11 min\n"
        "Since 22:41:00. Worst 2.6 s at 22:41. 46 of 58 requests over 1 s.\n"
        "100 % of the bad requests: endpoint=/sleep. All others are fine.\n"
        "Error budget: 97 % left of 30 days, gone in 3 days at this rate.\n"
        "#12 · latency"
    ),
    "a breach of which nothing more is known": (
        "🔴 Latency: in breach (target ≤ 1 s)\nSince 22:41:00 (1 min). 46 of 58 requests over 1 s.\n#12 · latency"
    ),
    "a breach that may be a repeat": (
        "🔴 Latency: p95 <b>2.4 s</b> (target ≤ 1 s, last 20 s)\n"
        "Since 22:41:00 (1 min). 46 of 58 requests over 1 s.\n"
        "This may be a duplicate: the first delivery was not confirmed.\n"
        "#12 · latency"
    ),
    "a breach that came back": (
        "🔴 Latency again: p95 <b>2.4 s</b> (target ≤ 1 s, last 20 s)\n"
        "Since 22:51:00 (30 s). 25 of 30 requests over 1 s.\n"
        "100 % of the bad requests: endpoint=/sleep. All others are fine.\n"
        "Error budget: 97 % left of 30 days, gone in 3 days at this rate.\n"
        "In breach 3 times since 22:41:00, 2 min 5 s in all. 151 of 188 requests over 1 s. Worst 2.6 s at 22:41.\n"
        "#12 · latency"
    ),
    "a service that hangs": (
        "🔴 Latency: no answer for <b>72 s</b> (target ≤ 1 s)\n"
        "Since 22:41:00 (1 min). 46 of 58 requests over 1 s.\n"
        "#12 · latency"
    ),
    "several causes that are as good": (
        "🔴 Latency: p95 <b>2.4 s</b> (target ≤ 1 s, last 20 s)\n"
        "Since 22:41:00 (1 min). 46 of 58 requests over 1 s.\n"
        "98 % of the bad requests: instance=a:8000, b:8000; version=1.4. Of all others, 8.3 % are bad.\n"
        "#12 · latency"
    ),
    "a cause of failed scrapes": (
        "🔴 wine-slo: 1 of 3 targets down (b:8000) for <b>1 min</b> (since 22:41:00)\n"
        "100 % of the failed scrapes: zone=b. All others are fine.\n"
        "#12 · availability"
    ),
    "a recovery from what had a cause": (
        "🟢 Latency resolved: p95 0.041 s (last 20 s)\n"
        "Lasted 13 min (22:41:00–22:54:20). Worst 2.6 s at 22:41.\n"
        "640 of 1,910 requests over 1 s.\n"
        "100 % of the bad requests: endpoint=/sleep.\n"
        "Error budget: 5.3 % spent, 97 % left of 30 days.\n"
        "Notified after 27 s.\n"
        "#12 · latency"
    ),
    "failing": (
        "🔴 Errors: <b>11 %</b> failed (target ≤ 1 %, last 20 s)\n"
        "Since 22:41:00 (1 min). 46 of 58 requests failed.\n"
        "#12 · errors"
    ),
    "down": (
        "🔴 wine-slo is down: all scrapes fail for <b>1 min</b> (since 22:41:00)\n"
        "Latency #11 stays open.\n"
        "#12 · availability"
    ),
    "one of three down": (
        "🔴 wine-slo: 1 of 3 targets down (b:8000) for <b>1 min</b> (since 22:41:00)\n#12 · availability"
    ),
    "three of three down": (
        "🔴 wine-slo is down: 3 of 3 targets do not answer for <b>1 min</b> (since 22:41:00)\n#12 · availability"
    ),
    "one of three down, then all": (
        "🔴 wine-slo is down: 3 of 3 targets do not answer; in breach for <b>1 min</b> (since 22:41:00)\n"
        "#12 · availability"
    ),
    "one of three down, each by itself": (
        "🔴 wine-slo (b:8000) is down: all scrapes fail for <b>1 min</b> (since 22:41:00)\n"
        "#12 · availability{instance=&quot;b:8000&quot;}"
    ),
    "a probe of one target": (
        "🔴 Probe: <b>50 %</b> good (target ≥ 99 %, last 20 s)\n"
        "Since 22:41:00 (1 min). 6 of 12 samples missed probe_success == 1. Worst value now: 0.\n"
        "100 % of the bad samples: instance=b:8000. All others are fine.\n"
        "#12 · probe"
    ),
    "slow, and one of three is down": (
        "🔴 Latency: p95 <b>2.4 s</b> (target ≤ 1 s, last 20 s)\n"
        "Since 22:41:00 (1 min). 46 of 58 requests over 1 s.\n"
        "1 of 3 targets down (b:8000).\n"
        "#12 · latency"
    ),
    "the last target is down too": (
        "🔴 wine-slo is down: 3 of 3 targets do not answer; in breach for <b>1 min</b> (since 22:41:00)\n"
        "Not acknowledged.\n"
        "#12 · availability"
    ),
    "closed gauge": "⚪️ Resolved: Queue in breach 22:41:00–22:54:20 (13 min). #12",
    "a probe": (
        "🔴 Probe: <b>0 %</b> good (target ≥ 99 %, last 20 s)\n"
        "Since 22:41:00 (1 min). 12 of 12 samples missed probe_success == 1. Worst value now: 0.\n"
        "#12 · probe"
    ),
    "a queue": (
        "🔴 Queue: <b>0 %</b> good (target ≥ 99 %, last 20 s)\n"
        "Since 22:41:00 (1 min). 12 of 12 samples missed queue_length &lt; 100. Worst value now: 4800.\n"
        "#12 · queue"
    ),
    "a queue that is short again": (
        "🟢 Queue resolved: 100 % good (last 20 s)\n"
        "Lasted 13 min (22:41:00–22:54:20).\n"
        "24 of 40 samples missed queue_length &lt; 100.\n"
        "Notified after 27 s.\n"
        "#12 · queue"
    ),
    "a batch job": (
        "🔴 Backup: <b>50 %</b> good (target ≥ 99 %, last 20 s)\n"
        "Since 22:41:00 (1 min). 6 of 12 samples missed time() - last_success_timestamp_seconds &lt; 1h. "
        "Oldest: 2 h 1 min ago.\n"
        "#12 · backup"
    ),
    "slow or failed": (
        "🔴 Calls: <b>40 %</b> slow or failed (target ≤ 5 %, last 20 s)\n"
        "Since 22:41:00 (1 min). 46 of 58 requests over 1 s or failed.\n"
        "#12 · calls"
    ),
    "buckets that are wide": (
        "🔴 Latency: p95 <b>2–2.5 s</b> (target ≤ 1 s, last 20 s)\n"
        "Since 22:41:00 (1 min). 46 of 58 requests over 1 s.\n"
        "100 % of the bad requests: endpoint=/sleep. All others are fine.\n"
        "Error budget: 97 % left of 30 days, gone in 3 days at this rate.\n"
        "#12 · latency"
    ),
    "one label set": (
        "🔴 Latency of /predict: p95 <b>2.4 s</b> (target ≤ 1 s, last 20 s)\n"
        "Since 22:41:00 (1 min). 46 of 58 requests over 1 s.\n"
        "#12 · latency{endpoint=&quot;/predict&quot;}"
    ),
    "no requests": (
        "🔴 Latency: last p95 2.4 s (target ≤ 1 s) · 14 min · no requests for 2 min\n"
        "Kept open: no traffic is not a recovery.\n"
        "#12 · latency"
    ),
    "too few requests": (
        "🔴 Latency: last p95 2.4 s (target ≤ 1 s) · 14 min · too few requests to judge\n"
        "Kept open: too few requests to confirm a recovery.\n"
        "#12 · latency"
    ),
    "it went down": (
        "🔴 Latency: last p95 2.4 s (target ≤ 1 s) · 14 min · the service has been down for 2 min\n"
        "Kept open: the service is down.\n"
        "#12 · latency"
    ),
    "it cannot be seen": (
        "🔴 Latency: last p95 2.4 s (target ≤ 1 s) · 14 min · no data for 2 min\n"
        "Kept open: without data a recovery cannot be confirmed.\n"
        "#12 · latency"
    ),
    "blind": (
        "🟣 Monitoring lost for <b>2 min</b> · Prometheus: it cannot be reached (connection refused)\n"
        "3 objectives are not evaluated since 22:41; their state is unknown.\n"
        "#13 · Monitoring"
    ),
    "the ledger cannot be written": (
        "🔴 The database could not be written for <b>2 min</b>: database or disk is full\n"
        "State is kept in memory only: a restart would lose everything since 22:41.\n"
        "#13 · Database"
    ),
    "the ledger is written again": (
        "🟢 The database is writable again; nothing was lost.\n"
        "It could not be written for 2 min 5 s (22:41:00–22:43:05).\n#13 · Database"
    ),
    "the ledger was written again": "⚪️ Resolved: database not writable 22:41:00–22:43:05 (2 min 5 s). #13",
    "the budget burns": (
        "🔴 Latency: error budget burn rate <b>16×</b>: 2.2 % of it spent in 1 h.\n"
        "Error budget: 97 % left of 30 days, gone in 43 h at this rate.\n"
        "#12 · latency budget"
    ),
    "the budget melts": (
        "🟡 Latency: error budget burn rate <b>1×</b>: 10 % of it spent in 3 days. No action needed tonight.\n"
        "Error budget: 97 % left of 30 days.\n"
        "#12 · latency budget"
    ),
    "reminder": "⏱ Still open after 4 h, not acknowledged: Latency, p95 1.7 s (last 20 s). #12",
    "recovery": (
        "🟢 Latency resolved: p95 0.041 s (last 20 s)\n"
        "Lasted 13 min (22:41:00–22:54:20). Worst 2.6 s at 22:41.\n"
        "640 of 1,910 requests over 1 s.\n"
        "Error budget: 5.3 % spent, 97 % left of 30 days.\n"
        "Notified after 27 s.\n"
        "#12 · latency"
    ),
    "recovery of a short one": (
        "🟢 Latency resolved: p95 0.041 s (last 20 s)\n"
        "Lasted 55 s (22:41:00–22:41:55). Worst 2.6 s at 22:41.\n"
        "640 of 1,910 requests over 1 s.\n"
        "Error budget: 5.3 % spent, 97 % left of 30 days.\n"
        "Notified after 27 s.\n"
        "#12 · latency"
    ),
    "recovery after it came back": (
        "🟢 Latency resolved: p95 0.041 s (last 20 s)\n"
        "Lasted 3 min 20 s (22:51:00–22:54:20).\n"
        "514 of 1,752 requests over 1 s.\n"
        "In breach 3 times since 22:41:00, 4 min 55 s in all. 640 of 1,910 requests over 1 s. Worst 2.6 s at 22:41.\n"
        "Error budget: 5.3 % spent, 97 % left of 30 days.\n"
        "Notified after 30 s.\n"
        "#12 · latency"
    ),
    "recovery of errors": (
        "🟢 Errors resolved: 0 % failed (last 20 s)\n"
        "Lasted 13 min (22:41:00–22:54:20). Worst 20 % at 22:41.\n"
        "640 of 1,910 requests failed.\n"
        "Notified after 27 s.\n"
        "#12 · errors"
    ),
    "up again": (
        "🟢 Availability resolved: 100 % up (last 20 s)\n"
        "Lasted 13 min (22:41:00–22:54:20).\n"
        "Notified after 27 s.\n"
        "#12 · availability"
    ),
    "seeing again": (
        "🟢 Monitoring restored: Prometheus answers.\n"
        "Monitoring was lost for 5 min 40 s (22:41:00–22:46:40).\n#13 · Monitoring"
    ),
    "the budget lasts again": (
        "🟢 Latency: error budget burn rate is back to normal\n"
        "Error budget: 97 % left of 30 days.\n"
        "#12 · latency budget"
    ),
    "closed": "⚪️ Resolved: Latency in breach 22:41:00–22:54:20 (13 min), worst 2.6 s. #12",
    "closed blindness": "⚪️ Resolved: monitoring lost 22:41:00–22:43:05 (2 min 5 s). #13",
    "closed budget": "⚪️ Resolved: Latency error budget burn rate too high 22:37:00–22:41:55 (4 min 55 s). #12",
    "missed": (
        "⚪️ Delivered late (messages could not be sent): Latency in breach 22:41:00–22:54:20 (13 min), "
        "worst 2.6 s, resolved since. #12"
    ),
    "expired": (
        "⚪️ Latency: no requests since 22:41. Incident #12 expired after 30 min without data; this is not a recovery."
    ),
    "withdrawn": "⚪️ Latency: objective removed, incident closed; this is not a recovery. #12",
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_reads(name: str) -> None:
    assert EXAMPLES[name](FORMATTER) == READS[name]


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_message_is_short_and_begins_with_one_sign(name: str) -> None:
    text = EXAMPLES[name](FORMATTER)
    check(text)
    shown = visible_text(text)
    assert shown[0] in "🔴🟣🟡🟢⚪⏱"
    assert len(re.findall("[🔴🟣🟡🟢⚪⏱]", shown)) == 1
    assert "#12" in shown or "#13" in shown
    assert text.count("<b>") <= 1
    assert "!" not in shown


@given(incidents(), st.booleans(), st.lists(keys, max_size=30))
@settings(max_examples=100, deadline=None)
def test_whatever_it_is_about_telegram_takes_it(truth: Incident, perhaps: bool, held: list[Key]) -> None:  # noqa: FBT001 - drawn
    others = {number: incident(number=number, key=key, held=Sight.TARGET_DOWN) for number, key in enumerate(held)}
    state = State(incidents={**others, truth.number + 100: truth})
    check(late_text(FORMATTER, replace(RECOVERED, key=GAP), state))
    now = truth.last_bad_at + minutes(1)
    delivered = replace(OPENED, perhaps_sent=perhaps)
    if truth.is_open:
        check(breach_text(FORMATTER, truth, delivered, state, now))
        check(reminder_text(FORMATTER, truth, now))
    else:
        check(recovery_text(FORMATTER, truth, delivered))
        check(closed_text(FORMATTER, truth))
        check(late_text(FORMATTER, truth, state))


@given(numbers, numbers)
def test_a_longer_time_does_not_read_shorter(one: float, other: float) -> None:
    shorter, longer = sorted((one, other))
    units = {"ms": 0.001, "s": 1.0}

    def read(value: float) -> float:
        number, unit = ENGLISH.seconds(value).removeprefix("< ").split()
        return float(number) * units[unit]

    assert read(shorter) <= read(longer) * 1.000001


# Numbers


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 ms"),
        (0.0004, "0.4 ms"),
        (0.0052, "5.2 ms"),
        (0.0311, "0.031 s"),
        (0.25, "0.25 s"),
        (0.999, "1 s"),
        (1.0, "1 s"),
        (1.04, "1 s"),
        (2.437, "2.4 s"),
        (9.96, "10 s"),
        (12.4, "12 s"),
        (72.0, "72 s"),
    ],
)
def test_a_duration_reads(value: float, text: str) -> None:
    assert ENGLISH.seconds(value) == text


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (0.0, "0 %"),
        (0.0004, "0.04 %"),
        (0.004, "0.4 %"),
        (0.053, "5.3 %"),
        (0.05, "5 %"),
        (0.0996, "10 %"),
        (0.113, "11 %"),
        (0.5, "50 %"),
        (0.97, "97 %"),
        (0.995, "99.5 %"),
        (0.9995, "99.95 %"),
        (1.0, "100 %"),
    ],
)
def test_a_share_reads(ratio: float, text: str) -> None:
    assert ENGLISH.percent(ratio) == text


@given(st.floats(0, 1, exclude_min=True, exclude_max=True))
def test_what_is_not_nothing_and_not_all_does_not_read_so(ratio: float) -> None:
    assert ENGLISH.percent(ratio) not in ("0 %", "100 %")


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (0, "0 s"),
        (27.4, "27 s"),
        (59.6, "1 min"),
        (60, "1 min"),
        (100, "1 min 40 s"),
        (119, "1 min 59 s"),
        (120, "2 min"),
        (599, "9 min 59 s"),
        (601, "10 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (4800, "1 h 20 min"),
        (36_900, "10 h"),
        (47 * 3600, "47 h"),
        (48 * 3600, "2 days"),
        (30 * 86_400, "30 days"),
        (-3, "0 s"),
    ],
)
def test_a_span_reads(length: float, text: str) -> None:
    assert ENGLISH.span(timedelta(seconds=length)) == text


def test_times_are_those_of_the_reader() -> None:
    assert FORMATTER.clock(at(0)) == "22:40"
    assert replace(FORMATTER, zone=ZoneInfo("America/New_York")).clock(at(0)) == "14:40"


# How everything stands


def status(scene: Scene) -> list[str]:
    return status_list(Formatter(scene.objectives, ZoneInfo("UTC")), scene.state, at(scene.second + 12)).splitlines()


def evaluate(scene: Scene, **readings: Reading) -> Scene:
    scene.evaluate({Key(name): reading for name, reading in readings.items()})
    return scene


@pytest.mark.parametrize(
    ("scene", "line"),
    [
        pytest.param(Scene().has(0.0, 30), "🟢 latency: p95 0.05 s (target ≤ 1 s, last 20 s)", id="it is met"),
        pytest.param(Scene().has(1.0, 10), "🟡 latency: p95 2.4 s (target ≤ 1 s, last 20 s)", id="it is suspicious"),
        pytest.param(
            Scene().breaks(),
            "🔴 latency: p95 2.4 s (target ≤ 1 s, last 20 s) · #1 since 19:40:00 (37 s)",
            id="it is in breach",
        ),
        pytest.param(
            Scene().has(0.0).lacks(Sight.NO_TRAFFIC, 2400), "⚪️ latency: no requests for 40 min", id="no requests"
        ),
        pytest.param(
            Scene().breaks().lacks(Sight.NO_TRAFFIC, 300),
            "🔴 latency: no requests for 5 min 12 s · #1 since 19:40:00 (5 min 37 s)",
            id="no requests while it is in breach",
        ),
        pytest.param(
            Scene().lacks(Sight.TARGET_DOWN, 120),
            "⚪️ latency: the service has been down for 2 min 7 s",
            id="it is down",
        ),
        pytest.param(Scene().lacks(Sight.BLIND), "⚪️ latency: no data: blind is the reason", id="it cannot be seen"),
        pytest.param(Scene().lacks(Sight.TOO_FEW), "⚪️ latency: too_few is the reason", id="too few requests"),
    ],
)
def test_status_says_how_it_stands(scene: Scene, line: str) -> None:
    assert status(scene) == [line, "Evaluated 12 s ago. No silences."]


def test_status_has_a_line_for_each_objective_and_the_rate_of_the_busiest() -> None:
    scene = Scene(LATENCY, ERRORS, AVAILABILITY)
    seen = Reading(
        at=at(0), sight=Sight.CLEAR, intervals=(Interval(at(0), 0, 50),), good_ratio=0.998, events_per_second=9.83
    )
    lines = status(
        evaluate(scene, latency=replace(seen, recent_seconds=0.05, budget=BUDGET), errors=seen, availability=seen)
    )
    assert lines == [
        "🟢 availability: 99.8 % up (target ≥ 99.5 %, last 5 min)",
        "🟢 errors: 0.2 % failed (target ≤ 1 %, last 5 min)",
        "🟢 latency: p95 0.05 s (target ≤ 1 s, last 20 s) · budget 97 %",
        "9.8 requests/s. Evaluated 12 s ago. No silences.",
    ]
    visible_text("\n".join(lines))


@pytest.mark.parametrize(("alert", "sign"), [(Alert.PAGE, "🔴"), (Alert.TICKET, "🟡")])
def test_what_burns_its_budget_is_not_green_in_any_line_and_stands_before_what_does_not(
    alert: Alert, sign: str
) -> None:
    scene = Scene(LATENCY, ERRORS)
    seen = Reading(at=at(0), sight=Sight.CLEAR, intervals=(Interval(at(0), 0, 50),), good_ratio=1.0)
    evaluate(scene, latency=replace(seen, recent_seconds=0.05), errors=seen)
    burn = next(each for each in BURNS if each.alert is alert)
    state = replace(scene.state, incidents={12: replace(burning(burn), began_at=at(-60))})
    first, second, *_ = status_list(FORMATTER, state, at(12)).splitlines()
    assert first == f"{sign} latency: p95 0.05 s (target ≤ 1 s, last 20 s) · #12 burn rate too high since 22:39:00"
    assert second.startswith("🟢 errors")
    assert objective_line(FORMATTER, Key("latency"), state, at(12)) == (
        f"{sign} Latency: p95 0.05 s (target ≤ 1 s, last 20 s); #12 burn rate too high since 22:39:00"
    )


def test_status_names_no_rate_of_requests_from_before_the_targets_went_down() -> None:
    before = Reading(at=at(0), sight=Sight.TARGET_DOWN, reason="down", events_per_second=9.83)
    assert status(evaluate(Scene(), latency=before))[-1] == "Evaluated 12 s ago. No silences."


def test_status_before_the_first_evaluation_and_without_evidence_is_not_green() -> None:
    assert status_list(FORMATTER, State(), at(0)) == "⚪️ Nothing has been evaluated yet."
    assert status_list(FORMATTER, State(evaluated_at=at(0)), at(1)).splitlines()[0] == "⚪️ No data yet."
    scene = evaluate(Scene(), latency=Reading(at=at(0), sight=Sight.CLEAR))
    assert status(scene)[0] == "⚪️ latency: no number yet"


def test_one_objective_is_one_objective() -> None:
    text = breach_text(Formatter(Objectives.only(LATENCY), ZoneInfo("UTC")), BLIND, NOTHING, State(), at(185))
    assert "1 objective is not evaluated" in text


def test_the_fractions_of_a_metric_source_do_not_keep_all_from_reading_as_all() -> None:
    assert FORMATTER.number(ERRORS, 1 - 1e-12) == FORMATTER.number(ERRORS, 1.0) == "100 %"
    assert FORMATTER.number(AVAILABILITY, 1 - 1e-12) == "0 %"


def test_a_value_that_rounds_to_its_threshold_is_written_more_exactly() -> None:
    assert "p95 <b>1.02 s</b> (target ≤ 1 s" in breach(incident(value=1.02))


# Many at once, and a gap without evaluations


def test_a_service_that_is_down_does_not_name_everything_that_waits_for_it() -> None:
    held = {number: incident(number=number, held=Sight.TARGET_DOWN) for number in range(20, 40)}
    text = breach(DOWN, state=State(incidents={12: DOWN, **held}))
    check(text)
    assert text.splitlines()[3:5] == ["Latency #22 stays open.", "17 more stay open."]


def test_a_storm_says_how_many_since_when_and_the_worst_of_them() -> None:
    text = grouped_text(FORMATTER, Kind.BREACH, several(37), State(), at(200))
    check(text)
    assert text.splitlines() == [
        "🔴 Latency: <b>37</b> of 37 label sets in breach (target ≤ 1 s)",
        "Since 22:41:00 (2 min).",
        "Worst: /37 (38 s), /36 (37 s), /35 (36 s), /34 (35 s), /33 (34 s) and 32 more.",
        "All: /status",
    ]


def test_a_storm_of_a_part_says_what_that_has_in_common_and_who_has_how_much_of_it() -> None:
    text = BESIDE["a storm of a part"](FORMATTER)
    check(text)
    lines = text.splitlines()
    assert lines[0] == "🔴 Latency: <b>5,000</b> of 10,000 label sets in breach (target ≤ 1 s)"
    assert "In common: zone=eu-1 (4,980 of 5,000)." in lines
    assert "Acknowledged: 2 of 5,000, the last by Анна at 22:42." in lines


def test_a_storm_of_everything_has_nothing_in_common_that_others_have_not() -> None:
    those = [replace(each, key=zoned(each.number)) for each in several(20)]
    assert "In common" not in grouped_text(FORMATTER, Kind.BREACH, those, tracked(20), at(200))


def test_a_storm_of_several_objectives_says_how_many_there_are_of_each() -> None:
    lines = BESIDE["a storm of objectives"](FORMATTER).splitlines()
    assert lines[0] == "🔴 <b>10</b> objectives in breach"
    assert lines[2] == "All of wine-slo. By objective: Latency 7, Errors 2, Availability 1."
    once = [replace(each, key=Key(name)) for each, name in zip(several(2), ("latency", "errors"), strict=True)]
    assert "All of wine-slo." in grouped_text(FORMATTER, Kind.BREACH, once, State(), at(200)).splitlines()


def test_the_worst_of_different_objectives_is_that_which_is_furthest_from_its_target() -> None:
    those = [*several(6), incident(number=9, key=Key("errors"), value=0.9, worst=0.9)]
    text = grouped_text(FORMATTER, Kind.BREACH, those, State(), at(200))
    assert "Worst: Errors (90 %), Latency of /6 (7 s)" in text


def test_a_deployment_that_most_of_a_storm_shares_is_named() -> None:
    those = [replace(each, change=Deployment(at(60) - minutes(6), "3021" * 16, "9188" * 16)) for each in several(7)]
    assert "\nDeployed 6 min before (" in grouped_text(FORMATTER, Kind.BREACH, those, State(), at(200))


def test_a_storm_that_is_partly_over_says_how_much_is_left() -> None:
    lines = BESIDE["a storm that is partly over"](FORMATTER).splitlines()
    assert lines[0] == "🔴 Latency: <b>34</b> of 40 label sets still in breach (target ≤ 1 s)"
    assert "Acknowledged by Анна at 22:42." in lines


def test_what_is_left_of_a_storm_is_named_in_its_recovery() -> None:
    lines = BESIDE["the end of most of a storm"](FORMATTER).splitlines()
    assert lines[0] == "🟢 Latency: <b>6</b> of 8 label sets resolved"
    assert lines[-1] == "2 still in breach: /8 (9 s), /7 (8 s)."


def test_the_end_of_a_storm_says_what_is_left() -> None:
    over = several(6, outcome=Outcome.RECOVERED, closed_at=at(200))
    text = grouped_text(FORMATTER, Kind.RECOVERY, over, State(), at(200))
    check(text)
    assert text.startswith("🟢 Latency: <b>6</b> of 6 label sets resolved\nLasted ")
    assert text.endswith("None is in breach any more.")
    left = State(incidents={12: incident()})
    assert grouped_text(FORMATTER, Kind.RECOVERY, over, left, at(200)).endswith("1 still in breach: /status")


def test_a_storm_that_was_not_seen_well_again_has_not_recovered() -> None:
    over = [*several(5, outcome=Outcome.RECOVERED, closed_at=at(200)), EXPIRED]
    text = grouped_text(FORMATTER, Kind.RECOVERY, over, State(), at(200))
    check(text)
    assert text.startswith("⚪️ Latency: <b>6</b> of 6 label sets closed\n")
    assert "\nClosed without recovery: Latency (2.6 s).\n" in text


STORM_KINDS = [Kind.BREACH, Kind.REMINDER, Kind.ESCALATION, Kind.RECOVERY, Kind.CLOSE, Kind.MISSED]


@given(st.lists(incidents(), min_size=6, max_size=40), st.sampled_from(STORM_KINDS))
@settings(max_examples=30, deadline=None)
def test_whatever_a_storm_is_made_of_telegram_takes_it(those: list[Incident], kind: Kind) -> None:
    check(grouped_text(FORMATTER, kind, those, State(), at(200)))


@pytest.mark.parametrize(
    ("reason", "says"),
    [
        (Interruption.RESTART, "Watchdog restarted; not evaluating for 4 min 10 s."),
        (Interruption.FAILURE, "Not evaluating for 4 min 10 s: evaluations failed."),
        (Interruption.PAUSE, "Not evaluating for 4 min 10 s: the watchdog was suspended."),
        (Interruption.CLOCK, "The clock was set back: the last evaluation lay in the future and is dropped."),
        ("", "Not evaluating for 4 min 10 s."),
    ],
)
def test_a_time_without_evaluations_is_notified_in_a_line_with_its_cause(reason: str, says: str) -> None:
    gap = incident(
        key=GAP, began_at=at(0), last_bad_at=at(250), closed_at=at(250), outcome=Outcome.RECOVERED, reason=reason
    )
    text = late_text(FORMATTER, gap, State(incidents={12: incident()}))
    check(text)
    assert text.startswith(f"🔄 {says} ")
    assert "#12" in text
    assert late_text(FORMATTER, gap, State(incidents={13: BLIND})).endswith("1 incident still open: #13 Monitoring.")


def test_status_of_very_many_names_the_worst_first_and_counts_the_rest() -> None:
    scene = Scene(replace(LATENCY, by=("endpoint",)))
    keys = [Key("latency", (("endpoint", f"/{number:03}"),)) for number in range(40)]
    for _ in range(8):
        scene.second += 5
        scene.evaluate(
            {
                key: Reading(
                    at=scene.now,
                    sight=Sight.CLEAR,
                    intervals=(Interval(scene.now, 50 * (key is keys[39]), 50),),
                    recent_seconds=2.4 if key is keys[39] else 0.04,
                    events_per_second=123.4,
                )
                for key in keys
            }
        )
    lines = status(scene)
    assert plain(lines.pop(0)) == "🔴 1 of 40 in breach"
    assert plain(lines[0]).startswith('🔴 latency{endpoint="/039"}')
    assert lines[-2:] == ["… and 15 more, none of them worse.", "123 requests/s. Evaluated 12 s ago. No silences."]
    assert len(lines) == 27


def test_a_drill_is_marked_first_in_every_text_and_says_nothing_of_the_budget() -> None:
    budget = Budget(history=timedelta(days=30), events=1e6, bad_ratios={LATENCY.window: 0.01})
    truth = incident(is_drill=True, budget=budget)
    closed = replace(truth, closed_at=at(600), outcome=Outcome.RECOVERED)
    by = Action(
        number=1,
        at=at(30),
        deed=ActionKind.DRILL,
        by=Person(8, "Boris"),
        chat=address_of(7),
        cause="x",
        objective=truth.key.objective,
    )
    for actions, mark in ((NO_ACTIONS, "🟠 DRILL"), (Actions((by,)), "🟠 DRILL by Boris")):
        words = IncidentWording(
            Formatter(ALL, UTC), State(incidents={12: truth}, evaluated_at=at(120)), at(120), actions
        )
        texts = (
            words.breach(truth, DeliveryRecord(incident=12, chat=address_of(7))),
            words.recovery(closed, DeliveryRecord(incident=12, chat=address_of(7), breach_told_at=at(90))),
            words.closed(closed),
            words.missed(closed, DelayReason.OUTAGE),
            words.reminder(truth),
            words.escalation(truth),
        )
        for text in texts:
            assert text.splitlines()[0] == mark
            assert "udget" not in text
    assert "udget" in breach_text(
        Formatter(ALL, UTC),
        replace(truth, is_drill=False),
        DeliveryRecord(incident=12, chat=address_of(7)),
        State(),
        at(120),
    )


def test_the_worst_of_an_earlier_opening_is_not_shown_as_that_of_this_one() -> None:
    again = incident(openings=2, again_at=at(660), worst=2.6, worst_at=at(100), last_bad_at=at(700), closed_at=at(720))
    again = replace(again, outcome=Outcome.RECOVERED)
    fmt = Formatter(ALL, UTC)
    recovery = plain(recovery_text(fmt, again, DeliveryRecord(incident=12, chat=address_of(7)))).splitlines()
    assert recovery[1].startswith("Lasted 40 s")
    assert "2.6" not in recovery[1]
    (total,) = (line for line in recovery if line.startswith("In breach 2 times"))
    assert "Worst 2.6 s at 19:41" in total
    assert "2.6" not in closed_text(fmt, again)


def test_a_drill_is_marked_first_in_every_line_about_it() -> None:
    scene = Scene()
    scene.breaks()
    state = scene.state
    (number,) = (each.number for each in state.open_incidents)
    drill = replace(state.incidents[number], is_drill=True)
    state = replace(state, incidents={number: drill})
    fmt, explain = Formatter(scene.objectives, UTC), Formatter(scene.objectives, UTC)
    board = board_text(Formatter(scene.objectives, UTC), state, scene.now, NO_ACTIONS)
    for text in (
        status_list(fmt, state, scene.now),
        objective_line(fmt, drill.key, state, scene.now),
        grouped_text(fmt, Kind.BREACH, [drill] * 6, state, at(200)),
        incident_list(explain, [drill], [replace(drill, closed_at=scene.now)], scene.now),
        board,
    ):
        assert all("DRILL" in line for line in text.splitlines() if "atency" in line), text
    for text in (
        status_list(fmt, state, scene.now),
        objective_line(fmt, drill.key, state, scene.now),  # a chart's first line
        incident_list(explain, [], [replace(drill, closed_at=scene.now)], scene.now).partition("\n")[2],
        board,
    ):
        assert text.split(maxsplit=2)[1:] == ["DRILL", text.split(maxsplit=2)[2]], f"it is said last in {text}"


def test_what_is_overdue_is_not_green() -> None:
    scene = Scene()
    scene.has(0.0, 30)
    now = scene.now + timedelta(minutes=7)
    first, *lines = status_list(Formatter(scene.objectives, UTC), scene.state, now, is_overdue=True).splitlines()
    assert first == "🟠 No evaluation for 7 min: this is the last known state."
    assert lines[0].startswith("⚪️ latency: p95")
    assert "🟢" not in "".join(lines)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        pytest.param(Deployment(at(-120), "1.3.2", "1.4"), "Deployed 3 min before (1.3.2 → 1.4).", id="versions"),
        pytest.param(Deployment(at(-120), "", "v1<4>"), "Deployed 3 min before (v1&lt;4&gt;).", id="the first one"),
        pytest.param(
            Deployment(at(-120), "3021" * 10, "9188" * 16), "Deployed 3 min before (3021… → 9188…).", id="checksums"
        ),
        pytest.param(
            Deployment(at(-120), "", "", started=2, targets=3),
            "2 of 3 targets started 3 min before.",
            id="starts alone",
        ),
        pytest.param(
            Deployment(at(-120), "", "", started=1, targets=1), "Its only target started 3 min before.", id="one target"
        ),
    ],
)
def test_a_breach_names_the_deployment_shortly_before(change: Deployment, line: str) -> None:
    assert deployment_line(FORMATTER, change, at(60)) == line
