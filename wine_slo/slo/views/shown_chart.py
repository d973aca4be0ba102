"""A chart that a chat was sent after a breach, and what stands under it once the incident is over."""

from dataclasses import dataclass
from datetime import datetime

from wine_slo.slo.chat.address import Address
from wine_slo.slo.evaluation.incident import Incident, Outcome
from wine_slo.slo.text.formatting import Formatter
from wine_slo.slo.text.incidents.breach import drill_mark
from wine_slo.slo.text.incidents.held import unproved_end_text
from wine_slo.slo.text.incidents.resolved import lasted_line, recovery_head


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownChart:
    """A chart in a chat.

    It is a level: a chart is drawn anew as long as it does not show the end that its incident has.

    Attributes:
        incident: The number of its incident.
        chat: Where it is.
        message: The id of the message that has it.
        shows_end: The end of the incident that it shows, or that it will never show; None where it shows none.
    """

    incident: int
    chat: Address
    message: int
    shows_end: datetime | None = None

    def is_outdated(self, incident: Incident) -> bool:
        """Return whether its incident is over and it does not show that."""
        return not incident.is_open and incident.closed_at != self.shows_end


def end_lines(fmt: Formatter, incident: Incident) -> list[str]:
    """Return what stands under the chart of an incident that is over: how it ended, how long and how bad it was; HTML.

    It begins with the sign and, where it was one, with the drill.
    """
    if incident.outcome is not Outcome.RECOVERED:
        head, lines = unproved_end_text(fmt, incident), list[str]()
    else:
        head, lines = recovery_head(fmt, incident), [f"{lasted_line(fmt, incident)} {fmt.foot(incident)}"]
    sign, _, text = head.partition(" ")
    return [f"{sign} {' · '.join([*drill_mark(fmt, incident), text])}", *lines]
