"""An incident that is kept open without data, and one that ends without a recovery."""

from dataclasses import replace
from datetime import datetime

from wine_slo.slo.evaluation.engine import DOWN
from wine_slo.slo.evaluation.incident import Incident, Outcome
from wine_slo.slo.evaluation.reading import Sight
from wine_slo.slo.objectives.objective import Objective
from wine_slo.slo.text.formatting import Formatter


def held_lines(fmt: Formatter, incident: Incident, held: Sight, objective: Objective, now: datetime) -> list[str]:
    """Return the message of an incident that is kept open without data."""
    held_for = fmt.so_far(now - (incident.held_since or now))
    match held:
        case Sight.NO_TRAFFIC:
            why = fmt.say("no requests for {duration}", duration=held_for)
            meaning = fmt.say("Kept open: no traffic is not a recovery.")
        case Sight.TOO_FEW:
            why = fmt.say("too few requests to judge")
            meaning = fmt.say("Kept open: too few requests to confirm a recovery.")
        case Sight.TARGET_DOWN:
            why = fmt.say("the service has been down for {duration}", duration=held_for)
            meaning = fmt.say("Kept open: the service is down.")
        case _:
            why = fmt.say("no data for {duration}", duration=held_for)
            meaning = fmt.say("Kept open: without data a recovery cannot be confirmed.")
    value = fmt.against_target(replace(incident, waiting_seconds=None, value_over=None), objective)
    was = fmt.say("last {value}", value=value)
    lasting = fmt.so_far(now - incident.since)
    return [f"🔴 {fmt.title(incident.key)}: {was} · {lasting} · {why}", meaning]


def unproved_end_text(fmt: Formatter, incident: Incident) -> str:
    """Return the end of an incident that was not a recovery: expired, or its objective removed."""
    title, number = fmt.title(incident.key), incident.number
    if incident.outcome is Outcome.WITHDRAWN and incident.key.objective == DOWN:
        text = fmt.say(
            "{title}: outages are not alerted on any more, incident closed; this is not a recovery. #{number}",
            title=title,
            number=number,
        )
        return f"⚪️ {text}"
    if incident.outcome is Outcome.WITHDRAWN:
        text = fmt.say(
            "{title}: objective removed, incident closed; this is not a recovery. #{number}",
            title=title,
            number=number,
        )
        return f"⚪️ {text}"
    since = incident.held_since or incident.last_bad_at
    text = fmt.say(
        "{title}: no requests since {time}. "
        "Incident #{number} expired after {duration} without data; this is not a recovery.",
        title=title,
        time=fmt.clock(since),
        duration=(incident.closed_at or since) - since,
        number=number,
    )
    return f"⚪️ {text}"
