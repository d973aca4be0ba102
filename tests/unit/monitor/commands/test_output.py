"""What the verbs print, word for word."""

from dataclasses import replace
from datetime import UTC

import pytest

from tests.support.message_examples import CAUSED
from tests.support.scene import ALL, at
from tests.support.status_examples import BAD, NOW, OPEN, PROCESS
from wine_slo.integrations.console.terminal import Terminal
from wine_slo.monitor.commands import output
from wine_slo.monitor.commands.check import report
from wine_slo.monitor.drill.result import Drill, Step
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.reason import Reason
from wine_slo.slo.views.status import status_of

STATUS = """\
          objective     value                     target           budget                incident
breached  latency       2.4 s p95 over 20 s       target ≤ 1 s     98 % (from 3 days)    #12
unknown   availability  no requests               target ≥ 99.5 %  not known
met       errors        0.04 % failed over 5 min  target ≤ 1 %     99.6 % (from 3 days)

           incident     when                          worst
open       #12 Latency  since 20:26:00 (14 min)       2.6 s
recovered  #11 Errors   19:45:00 to 19:52:00 (7 min)  20 % bad

Evaluated 12 s ago, every 30 s. wine-slo 1.2.3.
"""


def test_status_is_a_table_with_the_worst_first(capsys: pytest.CaptureFixture[str]) -> None:
    output.status(Terminal(), status_of(BAD, ALL, NOW, PROCESS), UTC)
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert lines == STATUS.splitlines()


def test_what_carries_the_bad_requests_stands_beside_the_incident(capsys: pytest.CaptureFixture[str]) -> None:
    caused = replace(OPEN, attribution=CAUSED.attribution)
    state = replace(BAD, incidents={**BAD.incidents, caused.number: caused})
    status = status_of(state, ALL, NOW, PROCESS)
    output.status(Terminal(), status, UTC)
    said = "98 % of the bad: instance=a:8000, b:8000; version=1.4"
    assert f"2.6 s, {said}" in capsys.readouterr().out
    (checked, *_) = report(status).objectives
    assert checked.line.endswith(f"; {said}")


def test_an_old_evaluation_is_marked_as_old(capsys: pytest.CaptureFixture[str]) -> None:
    old = replace(status_of(replace(BAD, evaluated_at=at(0)), ALL, NOW, PROCESS), untold_seconds=720.0, blind=True)
    output.status(Terminal(), old, UTC)
    assert capsys.readouterr().out.splitlines()[-4:] == [
        "Evaluated 1 h ago, every 30 s. wine-slo 1.2.3.",
        "That is too long ago: the status above is out of date.",
        "Prometheus does not answer.",
        "A notification has been undelivered for 12 min.",
    ]
    output.status(Terminal(), status_of(State(), ALL, NOW, PROCESS), UTC)
    assert capsys.readouterr().out.splitlines()[-1] == "It has not evaluated yet. wine-slo 1.2.3."


def drill(*seconds: float | None, trouble: str = "") -> Drill:
    names = ("scraped", "detected", "notified", "recovered", "recovery_notified")
    titles = ("seen", "sure", "notified", "sure that it is over", "notified of that")
    steps = tuple(
        Step(name=name, title=title, seconds=took, expected_seconds=10.0)
        for name, title, took in zip(names, titles, seconds, strict=True)
    )
    return Drill(
        slo="latency",
        does=Reason("Slowing latency."),
        mends=Reason("Sending as many fast requests."),
        started_at=NOW,
        stopped_at=NOW,
        incident=12,
        steps=steps,
        trouble=Reason(trouble) if trouble else None,
    )


@pytest.mark.parametrize(
    ("done", "has_worked", "last"),
    [
        pytest.param(drill(1, 2, 3, 4, 5), True, "Drill passed.", id="in time"),
        pytest.param(
            drill(1, 2, 11, 4, 5),
            False,
            "Drill passed, but slower than the settings imply.",
            id="late",
        ),
        pytest.param(drill(1, 2, None, None, None, trouble="why"), False, "Drill failed: why", id="not at all"),
    ],
)
def test_a_drill_says_what_it_came_to(done: Drill, *, has_worked: bool, last: str) -> None:
    assert done.has_worked is has_worked
    assert output.progress(done)[-1] == last


def test_what_is_late_is_said_to_be() -> None:
    assert output.progress(drill(1, 2, 11, None, None)) == [
        "Slowing latency. The error budget counts that.",
        "   1.0 s  seen; expected within 10 s",
        "   2.0 s  sure (#12); expected within 10 s",
        "  11.0 s  notified; expected within 10 s, LATE",
        "Sending as many fast requests.",
    ]
