"""Whether the SLOs are met right now: one evaluation, by the same rules as the watchdog's, and one answer.

Nothing is remembered from earlier: it judges the objectives' own ranges (five minutes as shipped), so a breach
of which the watchdog would have notified is found, and one that has ended in between is not.
"""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from wine_slo.exit_status import ExitStatus
from wine_slo.monitor.evaluate.collector import Collector
from wine_slo.monitor.evaluate.objective_checks import ObjectiveMistake, check_objectives, doubts_of
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.reading import Sight
from wine_slo.slo.objectives.objective import Objectives
from wine_slo.slo.source.clocks import WallClock
from wine_slo.slo.source.metric_source import MetricSource, MetricSourceError
from wine_slo.slo.views import status_text
from wine_slo.slo.views.status import Process, status_of
from wine_slo.slo.views.status_schema import Judgement, ObjectiveStatus, Status


class CheckedObjective(StrEnum):
    """What a check says; the first that holds for any objective is the answer of all."""

    BREACHED = "breached"
    CANNOT_SEE = "cannot_see"
    TOO_LITTLE = "too_little_traffic"
    MET = "met"

    @property
    def exit_status(self) -> ExitStatus:
        """Return what a process ends with."""
        return {
            CheckedObjective.MET: ExitStatus.OK,
            CheckedObjective.BREACHED: ExitStatus.FAILED,
            CheckedObjective.CANNOT_SEE: ExitStatus.NO_DATA,
            CheckedObjective.TOO_LITTLE: ExitStatus.TOO_LITTLE_TRAFFIC,
        }[self]


WORST_FIRST = tuple(CheckedObjective)
WORDS = {
    CheckedObjective.BREACHED: "breached",
    CheckedObjective.CANNOT_SEE: "no data",
    CheckedObjective.TOO_LITTLE: "too little traffic",
    CheckedObjective.MET: "met",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One objective, or one label set of it."""

    slo: str
    answer: CheckedObjective
    line: str
    status: ObjectiveStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """What a check has found.

    Attributes:
        answer: The worst of all; an idle label set counts only where all of its objective are.
        exit_status: What the process ends with.
        checked_at: The instant, by Prometheus' clock where it answered.
        objectives: Each with its own answer, in the order of slo.yml.
    """

    version: str
    answer: CheckedObjective
    exit_status: ExitStatus
    checked_at: datetime
    objectives: tuple[Checked, ...]


async def check(api: MetricSource, objectives: Objectives, clock: WallClock, version: str) -> CheckReport:
    """Return what one evaluation finds."""
    collector = Collector(api, clock)
    state = await collector.evaluate(State(), objectives)
    mistakes: list[ObjectiveMistake] = []
    with suppress(MetricSourceError):  # which the state says
        mistakes = await check_objectives(api, objectives)
    objectives = replace(objectives, doubts=doubts_of(mistakes))
    process = Process(version=version, poll=timedelta(0), overdue_after=timedelta.max)
    uncounted = {each.objective for each in mistakes if each.is_of_series and not each.is_doubtful}
    return report(status_of(state, objectives, collector.now(), process), uncounted)


def report(status: Status, uncounted: Collection[str] = ()) -> CheckReport:
    """Return what a status comes to.

    Args:
        status: How everything stands.
        uncounted: The objectives of which surely not everything is counted, whatever their numbers are.
    """
    causes = {each.number: status_text.cause(each) for each in status.open_incidents}
    found = tuple(
        _checked(each, causes.get(each.incident or 0, ""), is_counted=each.objective not in uncounted)
        for each in status.objectives
    )
    judged = {each.status.objective for each in found if each.answer is not CheckedObjective.TOO_LITTLE}
    # A label set that is idle says nothing where others of its objective have requests.
    counted = (
        each.answer
        for each in found
        if each.answer is not CheckedObjective.TOO_LITTLE or each.status.objective not in judged
    )
    worst = min(counted, key=WORST_FIRST.index)
    return CheckReport(
        version=status.version,
        answer=worst,
        exit_status=worst.exit_status,
        checked_at=status.now,
        objectives=found,
    )


def _checked(slo: ObjectiveStatus, cause: str, *, is_counted: bool) -> Checked:
    answer = _answer(slo, is_counted=is_counted)
    return Checked(slo=slo.slo, answer=answer, line="; ".join(filter(None, (_line(slo, answer), cause))), status=slo)


def _answer(slo: ObjectiveStatus, *, is_counted: bool) -> CheckedObjective:
    match slo.verdict:
        case Judgement.BREACHED:
            return CheckedObjective.BREACHED
        case Judgement.MET | Judgement.SUSPICIOUS if is_counted:
            return CheckedObjective.MET
        case Judgement.UNKNOWN if is_counted and slo.sight in (Sight.NO_TRAFFIC, Sight.TOO_FEW, Sight.CLEAR):
            return CheckedObjective.TOO_LITTLE
        case _:
            return CheckedObjective.CANNOT_SEE


def _line(slo: ObjectiveStatus, answer: CheckedObjective) -> str:
    value = status_text.value(slo)
    number = f"{value} {status_text.meaning(slo)} ({status_text.target(slo)})" if value else ""
    if answer in (CheckedObjective.CANNOT_SEE, CheckedObjective.TOO_LITTLE):
        said = slo.reason or "no number yet"
    elif slo.verdict is Judgement.SUSPICIOUS:
        said = f"{number}; suspicious, but not for long enough to be a breach"
    else:
        said = number or "no number"
    if slo.doubt and slo.sight.is_seeing:
        is_explained = answer in (CheckedObjective.CANNOT_SEE, CheckedObjective.TOO_LITTLE)
        said = slo.doubt if is_explained else f"{said}; but {slo.doubt}"
    return f"{WORDS[answer]:<18} {slo.slo}: {said}"
