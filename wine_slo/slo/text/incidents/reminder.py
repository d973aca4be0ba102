"""Reminders and escalations."""

from datetime import datetime, timedelta

from wine_slo.slo.evaluation.engine import GAP
from wine_slo.slo.evaluation.incident import Incident
from wine_slo.slo.oncall.actions import NO_ACTIONS, Actions
from wine_slo.slo.text.formatting import Formatter
from wine_slo.slo.text.incidents.breach import acknowledged_line
from wine_slo.slo.text.incidents.down import targets_down_head
from wine_slo.slo.text.language import shortened


def escalated_text(fmt: Formatter, text: str, duration: timedelta) -> str:
    """Return a breach as a chat reads it that is escalated to, with the reason for that below its first line."""
    first, *others = text.split("\n")
    why = fmt.say("Escalated: nobody acknowledged it for {duration}.", duration=duration)
    return "\n".join([first, why, *others])


def reminder_text(fmt: Formatter, incident: Incident, now: datetime, actions: Actions = NO_ACTIONS) -> str:
    """Return an incident that nobody has ended for long, or of which no target answers by now."""
    who, objective = actions.acknowledgement(incident), fmt.objectives.of(incident.key)
    if objective is not None and incident.is_outage and incident.down:
        head = targets_down_head(fmt, incident, objective, now)
        known = fmt.say("Not acknowledged.") if who is None else acknowledged_line(fmt, who)
        return "\n".join([f"🔴 {head}", known, fmt.foot(incident)])
    what, lasted = _in_short(fmt, incident), now - incident.since
    if who is None:
        text = fmt.say(
            "Still open after {duration}, not acknowledged: {what}. #{number}",
            duration=lasted,
            what=what,
            number=incident.number,
        )
    else:
        text = fmt.say(
            "Still open after {duration}, acknowledged by {name} at {time}: {what}. #{number}",
            duration=lasted,
            name=shortened(who.by.name),
            time=fmt.clock(who.at),
            what=what,
            number=incident.number,
        )
    return f"⏱ {text}"


def escalation_text(fmt: Formatter, incident: Incident, now: datetime) -> str:
    """Return an incident that nobody has acknowledged."""
    text = fmt.say(
        "Escalation: nobody acknowledged {what} for {duration}. #{number}",
        duration=now - incident.since,
        what=_in_short(fmt, incident),
        number=incident.number,
    )
    return f"⏱ {text}"


def _in_short(fmt: Formatter, incident: Incident) -> str:
    objective = fmt.objectives.of(incident.key)
    if objective is None or incident.shown is None or incident.burn is not None:
        return incident_name(fmt, incident)
    return f"{fmt.title(incident.key)}, {fmt.value(objective, incident.shown, incident.bounds)}"


def incident_name(fmt: Formatter, incident: Incident) -> str:
    """Return what an incident is called in a list."""
    if incident.key == GAP:
        return fmt.say("Not evaluating")
    if incident.burn is not None:
        return fmt.say("Error budget of {title}", title=fmt.title(incident.key))
    return fmt.title(incident.key)
