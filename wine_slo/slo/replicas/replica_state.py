"""How each replica of the metric source stands: whether it is judged by, why not, and what it shows alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from wine_slo.slo.objectives.objective import Key, Objective
from wine_slo.slo.reason import Reason
from wine_slo.slo.replicas.panel import Panel


@dataclass(frozen=True, slots=True)
class ReplicaState:
    """How one replica stands.

    Attributes:
        name: Its name.
        is_used: Whether any objective is judged by it.
        reason: Why it is left for others; empty where it is not.
        since: Since when it is left; None where it is not.
        worse: What is worse by it than by others, for longer than their scrapes explain.
    """

    name: str
    is_used: bool
    reason: Reason | str = ""
    since: datetime | None = None
    worse: tuple[Key, ...] = ()


def replica_states(
    names: Sequence[str], panels: Sequence[tuple[Objective, Panel]], now: datetime
) -> tuple[ReplicaState, ...]:
    """Return how each replica stands.

    Args:
        names: All replicas.
        panels: What is remembered of each objective, which each is beside.
        now: The instant, by the clock of the state.
    """
    differing = [panel.disagreements(objective, now) for objective, panel in panels]
    found = []
    for name in names:
        left = [panel.left[name] for _, panel in panels if name in panel.left]
        first = min(left, key=lambda each: each.since, default=None)
        worse = sorted(key for each in differing for key, those in each.items() if name in those.bad)
        used = any(panel.main == name for _, panel in panels)
        found.append(
            ReplicaState(name, used, first.reason if first else "", first.since if first else None, tuple(worse))
        )
    return tuple(found)
