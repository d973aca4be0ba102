"""The runbook, `docs/runbook.md`: its sections, one for each message that the bot sends, and where they are found."""

from dataclasses import dataclass
from enum import StrEnum

from wine_slo.slo.evaluation.engine import DOWN, GAP, LEDGER, SIGHT
from wine_slo.slo.evaluation.incident import Incident
from wine_slo.slo.objectives.objective import Alert, Objective


class Section(StrEnum):
    """A section: all messages of one family. Its value is the anchor, to which messages link for ever: it stays."""

    # The breach of an objective, by its kind
    LATENCY = "latency"
    SLOW_OR_FAILED = "slow-or-failed"
    RATIO = "ratio"
    GAUGE = "gauge"
    UP = "up"
    # Other incidents
    BURN_PAGE = "burn-page"
    BURN_TICKET = "burn-ticket"
    DOWN = "down"
    PROMETHEUS = "prometheus"
    STALE = "stale"
    NOT_EVALUATED = "not-evaluated"
    LEDGER = "ledger"
    RESTART = "restart"
    MANY = "many-at-once"
    # How an incident goes on and ends
    KEPT_OPEN = "kept-open"
    REMINDER = "reminder"
    ESCALATION = "escalation"
    RECOVERY = "resolved"
    NO_RECOVERY = "closed-without-recovery"
    LATE = "delivered-late"
    # What is about no incident
    CHAT_UNREACHABLE = "chat-unreachable"
    NO_COMMANDS = "commands-not-received"
    TAKEOVER = "takeover"
    SILENCE = "silence"
    DRILL = "drill"
    CHART = "chart"
    BOARD = "board"
    DIGEST = "digest"
    ANSWER = "answers"


def section_of(incident: Incident, objective: Objective | None) -> Section | None:
    """Return the section of an open incident, and of a time without evaluations; None where its objective is removed.

    It is the same as long as the incident lasts, so that no message is edited for it.
    """
    labels = dict(incident.key.labels)
    match incident.key.objective:
        case SIGHT.objective:
            return Section.STALE if "job" in labels else Section.NOT_EVALUATED if labels else Section.PROMETHEUS
        case LEDGER.objective:
            return Section.LEDGER
        case GAP.objective:
            return Section.RESTART
        case name if name == DOWN:
            return Section.DOWN
    if objective is None:
        return None
    match incident.key.alert:
        case Alert.PAGE:
            return Section.BURN_PAGE
        case Alert.TICKET:
            return Section.BURN_TICKET
    return Section(objective.source.kind.replace("_", "-"))


@dataclass(frozen=True, slots=True)
class Runbook:
    """Where people read what to do.

    Attributes:
        page: The address of the page that has the sections; empty where there is none.
    """

    page: str = ""

    def of(self, section: Section | None) -> str:
        """Return the address of a section; empty where there is none."""
        return f"{self.page}#{section}" if self.page and section else ""

    def of_incident(self, incident: Incident, objective: Objective | None) -> str:
        """Return the address for an incident: that of its objective, else of its section; empty where there is none."""
        own = objective.runbook if objective is not None else ""
        return own or self.of(section_of(incident, objective))
