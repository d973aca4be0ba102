"""The end of an incident: the recovery, the closed message, and one that is delivered late."""

from datetime import timedelta

from wine_slo.slo.evaluation.engine import DOWN, GAP, LEDGER, SIGHT, State
from wine_slo.slo.evaluation.incident import Incident, Outcome
from wine_slo.slo.evaluation.reading import Value
from wine_slo.slo.notification.policy import DelayReason
from wine_slo.slo.notification.record import DeliveryRecord
from wine_slo.slo.objectives.objective import Objective
from wine_slo.slo.oncall.actions import NO_ACTIONS, Actions
from wine_slo.slo.reason import phrase
from wine_slo.slo.text.formatting import Formatter, is_worst_of_opening, job_of
from wine_slo.slo.text.incidents.breach import reopened_line
from wine_slo.slo.text.incidents.burn import budget_line
from wine_slo.slo.text.incidents.cause import short_cause_line
from wine_slo.slo.text.incidents.down import times_down_line
from wine_slo.slo.text.incidents.held import unproved_end_text
from wine_slo.slo.text.incidents.monitoring import restored_head
from wine_slo.slo.text.incidents.restart import restart_line, still_open_line
from wine_slo.slo.text.language import shortened


def recovery_text(fmt: Formatter, incident: Incident, record: DeliveryRecord, actions: Actions = NO_ACTIONS) -> str:
    """Return the end of an incident that the chat knows of, and all that is known of it."""
    if incident.outcome is not Outcome.RECOVERED:
        return unproved_end_text(fmt, incident)
    objective = fmt.objectives.of(incident.key)
    if incident.key.is_own and incident.key != GAP:
        return "\n".join([*_own_recovery_lines(fmt, incident), fmt.foot(incident)])
    if incident.burn is not None and objective is not None:
        budget = budget_line(fmt, incident.budget, objective)
        return "\n".join(filter(None, (recovery_head(fmt, incident), budget, fmt.foot(incident))))
    lines = [recovery_head(fmt, incident), lasted_line(fmt, incident)]
    cause = short_cause_line(fmt, incident, objective)
    lines += filter(None, (fmt.counts(incident, objective), cause, _not_evaluated(fmt, incident)))
    if incident.openings > 1:
        lines.append(reopened_line(fmt, incident, objective, incident.last_bad_at))
    if objective is not None and not incident.is_drill:
        spent = incident.budget.share_of(objective, incident.bad) if incident.budget else None
        lines += filter(None, [budget_line(fmt, incident.budget, objective, spent=spent)])
    if record.breach_told_at is not None:
        lines.append(_notified_after(fmt, incident, record.breach_told_at - incident.since, actions))
    return "\n".join([*lines, fmt.foot(incident)])


def recovery_head(fmt: Formatter, incident: Incident) -> str:
    """Return the first line of the recovery of an objective: `🟢 Latency resolved: p95 0.04 s (last 20 s)`."""
    title, objective = fmt.title(incident.key), fmt.objectives.of(incident.key)
    if incident.burn is not None and objective is not None:
        return f"🟢 {fmt.say('{title}: error budget burn rate is back to normal', title=title)}"
    if objective is not None and (proof := proven_value(incident, objective)) is not None:
        value = fmt.value(objective, proof, incident.bounds)
        return f"🟢 {fmt.say('{title} resolved: {value}', title=title, value=value)}"
    return f"🟢 {fmt.say('{title} resolved', title=title)}"


def lasted_line(fmt: Formatter, incident: Incident) -> str:
    """Return how long an incident lasted, from when to when, and how bad it was."""
    first, last = fmt.first_and_last(incident)
    lasted = incident.last_bad_at - incident.since
    lasting = fmt.say("Lasted {duration} ({first}–{last}).", duration=lasted, first=first, last=last)
    return f"{lasting} {fmt.worst(incident, fmt.objectives.of(incident.key))}".rstrip()


def _own_recovery_lines(fmt: Formatter, incident: Incident) -> list[str]:
    """Return the end of an incident about monitoring itself, or about a job that was down."""
    first, last = fmt.first_and_last(incident)
    lasted = incident.last_bad_at - incident.since
    if incident.key.objective == DOWN:
        lines = [
            f"🟢 {fmt.say('{job} is up again', job=shortened(job_of(incident)))}",
            fmt.say("Down for {duration} ({first}–{last}).", duration=lasted, first=first, last=last),
        ]
        return lines if incident.openings == 1 else [*lines, times_down_line(fmt, incident, incident.last_bad_at)]
    if incident.key == LEDGER:
        return [
            f"🟢 {fmt.say('The database is writable again; nothing was lost.')}",
            fmt.say(
                "It could not be written for {duration} ({first}–{last}).", duration=lasted, first=first, last=last
            ),
        ]
    return [
        f"🟢 {restored_head(fmt, incident)}",
        fmt.say("Monitoring was lost for {duration} ({first}–{last}).", duration=lasted, first=first, last=last),
    ]


def _not_evaluated(fmt: Formatter, incident: Incident) -> str:
    duration = incident.unjudged_for
    return fmt.say("Not evaluated for {duration}.", duration=duration) if duration else ""


def _notified_after(fmt: Formatter, incident: Incident, duration: timedelta, actions: Actions) -> str:
    if (who := actions.acknowledgement(incident)) is None:
        return fmt.say("Notified after {duration}.", duration=duration)
    return fmt.say(
        "Notified after {duration}, acknowledged by {name} after {later}.",
        duration=duration,
        name=shortened(who.by.name),
        later=who.at - incident.since,
    )


def closed_text(fmt: Formatter, incident: Incident) -> str:
    """Return what the first message reads once the incident is over."""
    if incident.key == GAP:
        return f"🔄 {restart_line(fmt, incident)}"
    if incident.outcome is not Outcome.RECOVERED:
        return unproved_end_text(fmt, incident)
    return f"⚪️ {fmt.say('Resolved: {what}. #{number}', what=_summary(fmt, incident), number=incident.number)}"


def late_text(fmt: Formatter, incident: Incident, state: State, delay_reason: DelayReason = DelayReason.OUTAGE) -> str:
    """Say breach and end in one line, for a chat that received neither."""
    if incident.key == GAP:
        return f"🔄 {restart_line(fmt, incident)} {still_open_line(fmt, state)}"
    if incident.outcome is not Outcome.RECOVERED:
        return unproved_end_text(fmt, incident)
    sentence = {
        DelayReason.OUTAGE: phrase("Delivered late (messages could not be sent): {what}, resolved since. #{number}"),
        DelayReason.SILENCE: phrase("Delivered after a silence: {what}, resolved since. #{number}"),
        DelayReason.QUIET_HOURS: phrase("Delivered after quiet hours: {what}, resolved since. #{number}"),
    }[delay_reason]
    return f"⚪️ {fmt.say(sentence, what=_summary(fmt, incident), number=incident.number)}"


def _summary(fmt: Formatter, incident: Incident) -> str:
    objective = fmt.objectives.of(incident.key)
    title = fmt.title(incident.key)
    first, last = fmt.first_and_last(incident)
    lasted = incident.last_bad_at - incident.since
    if incident.key.objective == DOWN:
        return fmt.say(
            "{job} down {first}–{last} ({duration})",
            job=shortened(job_of(incident)),
            first=first,
            last=last,
            duration=lasted,
        )
    if incident.key.objective == SIGHT.objective and incident.key.labels:
        return fmt.say(
            "{name} not evaluated {first}–{last} ({duration})",
            name=shortened(next(value for _, value in incident.key.labels)),
            first=first,
            last=last,
            duration=lasted,
        )
    if incident.key == SIGHT:
        return fmt.say("monitoring lost {first}–{last} ({duration})", first=first, last=last, duration=lasted)
    if incident.key == LEDGER:
        return fmt.say(
            "database not writable {first}–{last} ({duration})",
            first=first,
            last=last,
            duration=lasted,
        )
    if incident.burn is not None:
        return fmt.say(
            "{title} error budget burn rate too high {first}–{last} ({duration})",
            title=title,
            first=first,
            last=last,
            duration=lasted,
        )
    if objective is None or incident.worst is None or objective.counts_scrapes or not is_worst_of_opening(incident):
        return fmt.say(
            "{title} in breach {first}–{last} ({duration})",
            title=title,
            first=first,
            last=last,
            duration=lasted,
        )
    return fmt.say(
        "{title} in breach {first}–{last} ({duration}), worst {worst}",
        title=title,
        first=first,
        last=last,
        duration=lasted,
        worst=fmt.number(objective, incident.worst, incident.bounds),
    )


def proven_value(incident: Incident, objective: Objective) -> Value | None:
    """Return the value that a recovery may name.

    None where it did not recover, and never one that is worse than the target.

    Older versions kept the value from before the recovery.
    """
    value = incident.shown
    if incident.outcome is not Outcome.RECOVERED or value is None or not value.is_within(objective):
        return None
    return value
