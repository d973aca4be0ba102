"""An open incident: the message that is kept up to date while it lasts."""

from datetime import datetime, timedelta

from wine_slo.slo.evaluation.engine import DOWN, LEDGER, SIGHT, State
from wine_slo.slo.evaluation.incident import Incident
from wine_slo.slo.notification.record import DeliveryRecord
from wine_slo.slo.objectives.objective import Objective
from wine_slo.slo.oncall.actions import NO_ACTIONS, Action, Actions
from wine_slo.slo.source.deployment import Deployment
from wine_slo.slo.text.formatting import LONG_OPEN, Formatter, is_worst_of_opening
from wine_slo.slo.text.incidents.burn import budget_line, burn_lines
from wine_slo.slo.text.incidents.cause import cause_line
from wine_slo.slo.text.incidents.down import service_down_lines, targets_down_in_short, targets_down_lines
from wine_slo.slo.text.incidents.held import held_lines
from wine_slo.slo.text.incidents.monitoring import database_lines, monitoring_lost_lines
from wine_slo.slo.text.language import shortened, version_of
from wine_slo.slo.text.silences import silence_line

RATE_OVER = timedelta(minutes=5)  # the burn rate of now


def drill_marked(fmt: Formatter, text: str, incident: Incident, actions: Actions) -> str:
    """Return a text that says first that it is about a drill, where it is."""
    if not incident.is_of_drill:
        return text
    action = actions.drill_of(incident)
    mark = (
        fmt.say("DRILL")
        if action is None or not action.by.name
        else fmt.say("DRILL by {name}", name=shortened(action.by.name))
    )
    return f"🟠 {mark}\n{text}"


def drill_mark(fmt: Formatter, incident: Incident) -> list[str]:
    """Return what a line about an incident says of a drill; nothing where it is about none."""
    return [fmt.say("DRILL")] if incident.is_of_drill else []


def repeat_marked(fmt: Formatter, text: str) -> str:
    """Return a text that says of itself that it may have been sent before."""
    repeat = repeat_mark(fmt)
    return text if repeat in text else f"{text}\n{repeat}"


def breach_text(
    fmt: Formatter,
    incident: Incident,
    record: DeliveryRecord,
    state: State,
    now: datetime,
    actions: Actions = NO_ACTIONS,
) -> str:
    """Return an open incident: the message that lives as long as it does."""
    objective = fmt.objectives.of(incident.key)
    if incident.key.objective == SIGHT.objective:
        lines = monitoring_lost_lines(fmt, incident, state, now)
    elif incident.key.objective == DOWN:
        lines = service_down_lines(fmt, incident, state, now)
    elif incident.key == LEDGER:
        lines = database_lines(fmt, incident, now)
    elif objective is None:
        lines = [f"🔴 {fmt.title(incident.key)}"]
    elif incident.burn is not None:
        lines = burn_lines(fmt, incident, incident.burn, objective)
    elif incident.held is not None:
        lines = held_lines(fmt, incident, incident.held, objective, now)
    else:
        lines = _objective_lines(fmt, incident, objective, state, now)
    lines += people_lines(fmt, incident, state, now, actions)
    if record.perhaps_sent:
        lines.append(repeat_mark(fmt))
    return "\n".join([*lines, fmt.foot(incident)])


def people_lines(fmt: Formatter, incident: Incident, state: State, now: datetime, actions: Actions) -> list[str]:
    """Return who has acknowledged it, and who has silenced it."""
    lines = []
    if (who := actions.acknowledgement(incident)) is not None:
        lines.append(acknowledged_line(fmt, who))
    if (silence := actions.silence_of(incident, state.incidents, now)) is not None:
        lines.append(silence_line(fmt, silence, now, named=False))
    return lines


def acknowledged_line(fmt: Formatter, who: Action) -> str:
    """Return who has acknowledged an incident, and when."""
    return fmt.say("Acknowledged by {name} at {time}.", name=shortened(who.by.name), time=fmt.clock(who.at))


def repeat_mark(fmt: Formatter) -> str:
    """Return the line that says that a message may be a duplicate."""
    return fmt.say("This may be a duplicate: the first delivery was not confirmed.")


def _objective_lines(
    fmt: Formatter, incident: Incident, objective: Objective, state: State, now: datetime
) -> list[str]:
    since, open_for = fmt.beginning(incident.since, now), now - incident.since
    is_long = open_for >= LONG_OPEN
    is_of_targets = objective.is_up and bool(incident.down)
    if is_of_targets:
        lines = targets_down_lines(fmt, incident, objective, state, now)
        lines += filter(None, [cause_line(fmt, incident, objective)])
    else:
        title = fmt.title(incident.key)
        if incident.openings > 1:
            title = fmt.say("{title} again", title=title)
        lasting = f" · {fmt.so_far(open_for)}" if is_long else ""
        lines = [f"🔴 {title}: {fmt.against_target(incident, objective, bold=True)}{lasting}"]
        if is_long:
            when = [fmt.say("Since {time}.", time=since), fmt.worst(incident, objective)]
        else:
            when = [fmt.say("Since {time} ({duration}).", time=since, duration=open_for)]
        facts = (*when, fmt.counts(incident, objective), fmt.missed(objective, incident.missed))
        lines.append(" ".join(filter(None, facts)))
        lines += filter(None, [cause_line(fmt, incident, objective)])
        if incident.down:
            some = targets_down_in_short(fmt, incident.down, incident.targets)
            lines.append(f"{some[:1].upper()}{some[1:]}.")
    if incident.change is not None:
        lines.append(deployment_line(fmt, incident.change, incident.since))
    if not is_of_targets and not incident.is_drill:
        lines += filter(None, [budget_line(fmt, incident.budget, objective, at_rate_of=RATE_OVER)])
    if incident.openings > 1:
        lines.append(reopened_line(fmt, incident, objective, now))
    return lines


def deployment_line(fmt: Formatter, change: Deployment, since: datetime) -> str:
    """Return which version was deployed how long before something began, or how many targets have started."""
    before, after, duration = version_of(change.before), version_of(change.after), since - change.at
    if before and after:
        return fmt.say(
            "Deployed {duration} before ({before} → {after}).", duration=duration, before=before, after=after
        )
    if after:
        return fmt.say("Deployed {duration} before ({after}).", duration=duration, after=after)
    if change.targets == 1:
        return fmt.say("Its only target started {duration} before.", duration=duration)
    return fmt.count(
        change.targets,
        "{started} of {n} target started {duration} before.",
        "{started} of {n} targets started {duration} before.",
        started=fmt.language.number(change.started),
        duration=duration,
    )


def reopened_line(fmt: Formatter, incident: Incident, objective: Objective | None, now: datetime) -> str:
    """Return how often an incident was opened, and what all of that comes to."""
    times = fmt.count(
        incident.openings,
        "In breach {n} time since {time}, {duration} in all.",
        "In breach {n} times since {time}, {duration} in all.",
        time=fmt.beginning(incident.began_at, incident.since),
        duration=incident.bad_for(now),
    )
    if objective is not None and not objective.is_up and incident.earlier and round(incident.total):
        times = f"{times} {fmt.events(objective, incident.bad, incident.total)}"
    return times if is_worst_of_opening(incident) else f"{times} {fmt.worst_ever(incident, objective)}".rstrip()
