"""Say many incidents in one message."""

from collections.abc import Sequence

from wine_slo.slo.evaluation.engine import DOWN, State
from wine_slo.slo.evaluation.incident import Incident, Outcome
from wine_slo.slo.notification.record import Kind
from wine_slo.slo.text.formatting import Formatter, job_of
from wine_slo.slo.text.incidents.breach import drill_mark
from wine_slo.slo.text.incidents.reminder import incident_name
from wine_slo.slo.text.incidents.resolved import proven_value
from wine_slo.slo.text.language import shortened

GROUP_NAMES = 10  # of a message about many incidents


def grouped_text(fmt: Formatter, kind: Kind, incidents: Sequence[Incident], state: State) -> str:
    """Say many incidents in one message, the worst of them by name."""
    if kind is not Kind.MISSED and all(each.key.objective == DOWN for each in incidents):
        return _of_jobs(fmt, kind, incidents)
    worst = sorted(incidents, key=lambda each: -(each.worst or 0.0))[:GROUP_NAMES]
    names = fmt.and_more([_in_group(fmt, kind, each) for each in worst], len(incidents) - len(worst))
    n = len(incidents)
    match kind:
        case Kind.BREACH:
            text = fmt.count(
                n,
                "<b>{n}</b> objective in breach. Worst: {names}. All: /status",
                "<b>{n}</b> objectives in breach. Worst: {names}. All: /status",
                names=names,
            )
            return f"🔴 {text}"
        case Kind.RECOVERY if all(each.outcome is Outcome.RECOVERED for each in incidents):
            text = fmt.count(
                n,
                "<b>{n}</b> objective resolved: {names}.",
                "<b>{n}</b> objectives resolved: {names}.",
                names=names,
            )
            return f"🟢 {text}\n{_still_in_breach(fmt, state)}"
        case Kind.RECOVERY:
            text = fmt.count(
                n,
                "<b>{n}</b> incident closed without recovery: {names}. All: /status",
                "<b>{n}</b> incidents closed, not all of them recovered: {names}. All: /status",
                names=names,
            )
            return f"⚪️ {text}"
        case _:
            text = fmt.count(
                n,
                "Delivered late: <b>{n}</b> incident, resolved since. Worst: {names}. All: /incidents",
                "Delivered late: <b>{n}</b> incidents, resolved since. Worst: {names}. All: /incidents",
                names=names,
            )
            return f"⚪️ {text}"


def _of_jobs(fmt: Formatter, kind: Kind, incidents: Sequence[Incident]) -> str:
    """Return that many jobs are down, or up again."""
    jobs = [shortened(job_of(each)) for each in incidents]
    names = fmt.and_more(jobs[:GROUP_NAMES], len(jobs[GROUP_NAMES:]))
    if kind is Kind.BREACH:
        text = fmt.count(
            len(jobs),
            "<b>{n}</b> job is down: {names}. All: /status",
            "<b>{n}</b> jobs are down: {names}. All: /status",
            names=names,
        )
        return f"🔴 {text}"
    if any(each.outcome is not Outcome.RECOVERED for each in incidents):
        text = fmt.count(
            len(jobs),
            "{n} outage closed without recovery: {names}.",
            "{n} outages closed, not all of them recovered: {names}.",
            names=names,
        )
        return f"⚪️ {text}"
    text = fmt.count(
        len(jobs), "<b>{n}</b> job is up again: {names}.", "<b>{n}</b> jobs are up again: {names}.", names=names
    )
    return f"🟢 {text}"


def _still_in_breach(fmt: Formatter, state: State) -> str:
    still = len(state.open_incidents)
    if not still:
        return fmt.say("None is in breach any more.")
    return fmt.count(still, "{n} still in breach: /status", "{n} still in breach: /status")


def _in_group(fmt: Formatter, kind: Kind, incident: Incident) -> str:
    objective = fmt.objectives.of(incident.key)
    value = incident.worst
    if objective is not None and kind is Kind.RECOVERY:
        proof = proven_value(incident, objective)
        value = proof.number if proof else None
    if objective is None or value is None or incident.burn is not None:
        return " ".join([*drill_mark(fmt, incident), incident_name(fmt, incident)])
    number = fmt.number(objective, value, incident.bounds)
    return " ".join([*drill_mark(fmt, incident), fmt.title(incident.key), number])
