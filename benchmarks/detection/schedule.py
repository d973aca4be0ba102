"""What happens to which replica when: every scenario side by side, with random phases.

Replicas form squads. A squad is one Prometheus job, and one watchdog follows it, so that what makes a watchdog
evaluate more often in one scenario does not help it in another. Times are seconds since the run began.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from random import uniform

from benchmarks.detection.replica import Frozen, Replica, Slow, Span, Swaying, Swinging, Trouble, reloaded, steady

USUAL = 10.0  # requests a second to a replica
SPARSE = 1.0  # the same where there is little traffic
STALLS = (2, 4, 8, 15, 25)  # seconds
COMPARED_STALL = 15  # seconds
PERIODS = (20, 45, 90, 180, 300)  # seconds in which a p95 swings once


class Scenario(StrEnum):
    """What a replica suffers."""

    INCIDENT = "incident"  # every request is slow
    SPARSE = "sparse"  # the same at one request a second
    PARTIAL = "partial"  # a tenth of the requests is slow
    STALL = "stall"  # every request is slow for some seconds
    FREEZE = "freeze"  # nothing is answered for some seconds, then everything
    SPARSE_STALL = "sparse-stall"
    KILLED = "killed"  # dies in the middle of an incident
    SWING = "swing"  # every request takes 0.9 to 1.1 s, up and down
    SWAY = "sway"  # requests differ, and their p95 does that
    RELOAD = "reload"  # one person, 2 s a page, who then goes away


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that happens to one replica; what is said of the replica until `watched_until` is about it."""

    scenario: Scenario
    replica: str
    span: Span
    watched_until: float
    gone: Span | None = None

    @property
    def seconds(self) -> int:
        """Return how long it lasts."""
        return round(self.span.end - self.span.start)


@dataclass(frozen=True, slots=True)
class Subject:
    """A replica, its squad, and what happens to it."""

    squad: str
    replica: Replica
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How long everything takes, in seconds, and how many there are of each."""

    total: float
    warm_up: float  # until every range of every rule holds healthy requests
    starts: float  # incidents begin within so long after that
    incident: float
    incidents: int
    partial: float
    others: int  # incidents with little traffic, and as many with a tenth of the requests slow
    stall_slot: float  # from one stall of a replica to the next
    stall_slots: int
    stall_replicas: int  # for each length
    killed: int
    gone: float
    reload: float
    reloads: int
    scrapes: tuple[str, ...]  # the intervals that are compared, beside the shipped 5 s


# A copied rule needs up to 133 s to alert and 579 s to resolve.
FULL = Plan(
    total=1275,
    warm_up=305,
    starts=240,
    incident=150,
    incidents=20,
    partial=200,
    others=5,
    stall_slot=480,
    stall_slots=2,
    stall_replicas=10,
    killed=10,
    gone=620,
    reload=100,
    reloads=5,
    scrapes=("15s", "30s", "60s"),
)
QUICK = Plan(
    total=330,
    warm_up=75,
    starts=60,
    incident=75,
    incidents=2,
    partial=150,
    others=1,
    stall_slot=120,
    stall_slots=1,
    stall_replicas=1,
    killed=1,
    gone=60,
    reload=60,
    reloads=1,
    scrapes=("15s",),
)


def is_compared(case: Case) -> bool:
    """Return whether a case is compared by scrape interval: an outage, or a stall of 15 s."""
    is_stall = case.scenario in (Scenario.STALL, Scenario.FREEZE) and case.seconds == COMPARED_STALL
    return case.scenario is Scenario.INCIDENT or is_stall


def schedule(plan: Plan) -> Iterator[Subject]:
    """Yield every replica of a run and what happens to it."""
    for number in range(plan.incidents):
        yield _incident(plan, Scenario.INCIDENT, number, USUAL, plan.incident)
    for number in range(plan.others):
        yield _incident(plan, Scenario.SPARSE, number, SPARSE, plan.incident)
        yield _incident(plan, Scenario.PARTIAL, number, USUAL, plan.partial, share=0.1)
    for number in range(plan.reloads):
        yield _reload(plan, number)
    for seconds in STALLS:
        yield from _stalls(plan, Scenario.STALL, USUAL, Slow, seconds)
    for seconds in (4, 15):
        yield from _stalls(plan, Scenario.FREEZE, USUAL, Frozen, seconds)
        yield from _stalls(plan, Scenario.SPARSE_STALL, SPARSE, Slow, seconds)
    yield from _killed(plan)
    yield from _swinging(plan, Scenario.SWING, Swinging)
    yield from _swinging(plan, Scenario.SWAY, Swaying)


def _incident(
    plan: Plan, scenario: Scenario, number: int, per_second: float, seconds: float, *, share: float = 1.0
) -> Subject:
    """Return a replica with a watchdog of its own, which expects nothing."""
    squad = f"{scenario}-{number}"
    name = f"{squad}-alone"
    start = plan.warm_up + uniform(0, plan.starts)
    trouble = Slow(start, start + seconds, share)
    case = Case(scenario, name, trouble, plan.total)
    return Subject(squad, Replica(name, steady(per_second, [trouble])), (case,))


def _reload(plan: Plan, number: int) -> Subject:
    """Return the same for somebody who tries it by hand, soon after the start so that there is time to expire."""
    squad = f"{Scenario.RELOAD}-{number}"
    name = f"{squad}-alone"
    start = uniform(15, 45)
    span = Span(start, start + plan.reload)
    return Subject(squad, Replica(name, reloaded(span)), (Case(Scenario.RELOAD, name, span, plan.total),))


def _stalls(
    plan: Plan, scenario: Scenario, per_second: float, kind: Callable[[float, float], Trouble], seconds: int
) -> Iterator[Subject]:
    squad = f"{scenario}-{seconds}"
    for number in range(plan.stall_replicas):
        name = f"{squad}-{number}"
        slots = [plan.warm_up + slot * plan.stall_slot for slot in range(plan.stall_slots)]
        troubles = [
            kind(start, start + seconds) for start in (slot + uniform(0, plan.stall_slot / 4) for slot in slots)
        ]
        ends = [*(trouble.start for trouble in troubles[1:]), plan.total]
        cases = tuple(Case(scenario, name, trouble, end) for trouble, end in zip(troubles, ends, strict=True))
        yield Subject(squad, Replica(name, steady(per_second, troubles)), cases)


def _killed(plan: Plan) -> Iterator[Subject]:
    """Yield a subject that dies once the slowest peer has alerted, and comes back healthy."""
    for number in range(plan.killed):
        name = f"killed-{number}"
        start = plan.warm_up + uniform(0, plan.starts / 2)
        gone = Span(start + plan.incident, start + plan.incident + plan.gone)
        trouble = Slow(start, gone.start)
        case = Case(Scenario.KILLED, name, trouble, gone.end, gone)
        yield Subject("killed", Replica(name, steady(USUAL, [trouble]), gone), (case,))


def _swinging(plan: Plan, scenario: Scenario, kind: type[Swinging]) -> Iterator[Subject]:
    span = Span(plan.warm_up, min(plan.warm_up + 20 * 60, plan.total - 60))
    for period in PERIODS:
        name = f"{scenario}-{period}"
        case = Case(scenario, name, span, plan.total)
        yield Subject(str(scenario), Replica(name, steady(USUAL, [kind(span.start, span.end, period)])), (case,))
