"""Monitoring that is lost or restored, and a database that cannot be written."""

from datetime import datetime
from html import escape

from wine_slo.slo.evaluation.engine import State, causes_of
from wine_slo.slo.evaluation.incident import Incident
from wine_slo.slo.text.formatting import Formatter
from wine_slo.slo.text.language import shortened


def restored_head(fmt: Formatter, incident: Incident) -> str:
    """Return what can be seen again; another cause may hide the same objectives, and has an incident of its own."""
    labels = dict(incident.key.labels)
    if "job" in labels:
        return fmt.say("Monitoring restored: the samples of {job} are fresh.", job=shortened(labels["job"]))
    if "objective" in labels:
        return fmt.say("Monitoring restored: {name} is evaluated again.", name=shortened(labels["objective"]))
    return fmt.say("Monitoring restored: Prometheus answers.")


def monitoring_lost_lines(fmt: Formatter, incident: Incident, state: State, now: datetime) -> list[str]:
    """Return the message that objectives cannot be evaluated, and why."""
    causes = causes_of(state, fmt.objectives)
    affected = {key.objective for key, cause in causes.items() if cause == incident.key}
    names = sorted(affected or fmt.objectives.by_name)
    blind_for = f"<b>{fmt.so_far(now - incident.began_at)}</b>"
    reason = fmt.language.explain(incident.reason)
    since = fmt.clock(incident.began_at)
    if len(names) < len(fmt.objectives.all):
        unjudged = fmt.count(
            len(names),
            "{n} objective is not evaluated since {time} ({names}); its state is unknown.",
            "{n} objectives are not evaluated since {time} ({names}); their state is unknown.",
            time=since,
            names=escape(", ".join(names)),
        )
    else:
        unjudged = fmt.count(
            len(names),
            "{n} objective is not evaluated since {time}; its state is unknown.",
            "{n} objectives are not evaluated since {time}; their state is unknown.",
            time=since,
        )
    return [
        f"🟣 {fmt.say('Monitoring lost for {duration} · {reason}', duration=blind_for, reason=reason)}",
        unjudged,
    ]


def database_lines(fmt: Formatter, incident: Incident, now: datetime) -> list[str]:
    """Return the message that the database cannot be written."""
    unwritten_for = f"<b>{fmt.so_far(now - incident.began_at)}</b>"
    reason = fmt.language.explain(incident.reason)
    head = fmt.say("The database could not be written for {duration}: {reason}", duration=unwritten_for, reason=reason)
    since = fmt.clock(incident.began_at)
    return [
        f"🔴 {head}",
        fmt.say("State is kept in memory only: a restart would lose everything since {time}.", time=since),
    ]
