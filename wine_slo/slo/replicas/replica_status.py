"""How each replica of the metric source stands, as `/api/status` says it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaStatus:
    """One of several Prometheus that scrape the same targets.

    Attributes:
        name: Its host and port, as the settings have them.
        used: Whether objectives are judged by it.
        reason: Why none is; empty where it sees all that others see.
        left_since: Since when it does not.
        worse: Objectives and label sets that are worse by it than by others, for longer than their scrapes explain.
    """

    name: str
    used: bool
    reason: str
    left_since: datetime | None
    worse: tuple[str, ...]
