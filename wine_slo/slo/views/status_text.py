"""How a status reads on the status page and in a terminal; plain text, for who runs the watchdog."""

from datetime import datetime, timedelta, tzinfo

from wine_slo.slo.lease import LeadershipStatus
from wine_slo.slo.objectives.budget import WHOLE
from wine_slo.slo.objectives.kinds import KINDS
from wine_slo.slo.objectives.kinds.indicator import Unit
from wine_slo.slo.objectives.window import CalendarUnit
from wine_slo.slo.replicas.replica_status import ReplicaStatus
from wine_slo.slo.text.formatting import NEW, THIS
from wine_slo.slo.text.language import ENGLISH
from wine_slo.slo.views.status_schema import (
    DeploymentStatus,
    IncidentStatus,
    ObjectiveStatus,
    SilenceStatus,
)

percent, seconds, span = ENGLISH.percent, ENGLISH.seconds, ENGLISH.span
LONGEST_NAMES = 3  # targets in one line
LONGEST_SILENT = 5.0  # seconds; a leader gives a sign of life every two
LONGEST_VERSION = 20  # letters; a checksum is not read to its end


def value(slo: ObjectiveStatus) -> str:
    """Return the number to read; empty where there is none."""
    if slo.threshold_seconds is not None:
        if slo.latency_seconds is None:
            return ""
        return ENGLISH.latency(slo.latency_seconds, slo.bucket_bounds_seconds, apart_from=slo.threshold_seconds)
    if slo.bad_ratio is None:
        return ""
    if KINDS[slo.kind].unit is Unit.GOOD_SHARE:
        return percent(max(0.0, 1 - slo.bad_ratio), apart_from=slo.objective_ratio)
    return percent(slo.bad_ratio, apart_from=1 - slo.objective_ratio)


def meaning(slo: ObjectiveStatus) -> str:
    """Return what the number is, and over which time range: `p95 over 5 min`, `failed over 20 s`, `up over 5 min`."""
    text = KINDS[slo.kind].text
    what = text.value if slo.latency_quantile is None else f"p{slo.latency_quantile * 100:g}"
    if slo.value_over_seconds is None:
        return what
    return f"{what} over {span(timedelta(seconds=slo.value_over_seconds))}"


def target(slo: ObjectiveStatus) -> str:
    """Return what the number should be."""
    if slo.threshold_seconds is not None:
        return f"target ≤ {seconds(slo.threshold_seconds)}"
    if KINDS[slo.kind].unit is Unit.GOOD_SHARE:
        return f"target ≥ {percent(slo.objective_ratio)}"
    return f"target ≤ {percent(1 - slo.objective_ratio)}"


def worst(incident: IncidentStatus) -> str:
    """Return the worst value of an incident; empty where none is known."""
    if incident.worst_seconds is not None:
        return ENGLISH.latency(incident.worst_seconds, incident.bucket_bounds_seconds)
    return "" if incident.worst_bad_ratio is None else f"{percent(incident.worst_bad_ratio)} bad"


def cause(incident: IncidentStatus) -> str:
    """Return which values of which label carry the bad events; empty where nothing stands out."""
    if not incident.causes:
        return ""
    where = "; ".join(f"{each.label}={', '.join(each.values)}" for each in incident.causes)
    return f"{percent(incident.causes[0].share)} of the bad: {where}"


def beginning(instant: datetime, now: datetime, zone: tzinfo) -> str:
    """Return when something began or ended: `19:41:05`, with its date where that is not today's."""
    local, today = instant.astimezone(zone), now.astimezone(zone)
    return f"{local:%H:%M:%S}" if local.date() == today.date() else f"{local:%d %b %H:%M:%S}"


def budget(slo: ObjectiveStatus, now: datetime, zone: tzinfo) -> str:
    """Return what is left of the error budget, and from how much history; what was known last, with its time."""
    left, history, last = slo.budget_remaining_ratio, slo.budget_history_seconds, slo.last_known_budget
    if last is not None:
        at = _moment(last.at, now, zone)
        return f"Last known {at}: {_left(last.remaining_ratio, last.history_seconds, slo, last.at)}"
    if left is None or history is None:
        return f"The error budget of {_window(slo)} is not known at the moment."
    if slo.is_budget_young:
        return f"Error budget: {_young(slo, history, now)}."
    return _left(left, history, slo, now)


def _left(left: float, history: float, slo: ObjectiveStatus, at: datetime) -> str:
    known = "" if _is_whole(slo, history, at) else f", from {span(timedelta(seconds=history))} of history"
    if left < 0:
        return f"The error budget of {_window(slo)} is overspent by {percent(-left)}{known}."
    return f"{percent(left)} of the error budget of {_window(slo)} left{known}."


def _window(slo: ObjectiveStatus) -> str:
    """Return the window of a budget: `30 days`, `this month`."""
    if slo.budget_begins_at is None:
        return span(timedelta(seconds=slo.budget_window_seconds))
    return THIS[CalendarUnit(slo.budget_window)]


def _is_whole(slo: ObjectiveStatus, history: float, at: datetime) -> bool:
    """Return whether a budget is known as far back as it goes."""
    if slo.budget_begins_at is None:
        return history >= slo.budget_window_seconds
    return history >= WHOLE * (at - slo.budget_begins_at).total_seconds()


def _young(slo: ObjectiveStatus, history: float, now: datetime) -> str:
    """Return why nothing is said of a budget yet: it has just begun anew, or little of it is known."""
    if slo.budget_begins_at is None or not _is_whole(slo, history, now):
        return f"{span(timedelta(seconds=history))} of history so far"
    return f"reset {span(now - slo.budget_begins_at)} ago ({NEW[CalendarUnit(slo.budget_window)]})"


def _moment(instant: datetime, now: datetime, zone: tzinfo) -> str:
    """Return a time of day to the minute: `12:41`, with its date where that is not today's."""
    local, today = instant.astimezone(zone), now.astimezone(zone)
    return f"{local:%H:%M}" if local.date() == today.date() else f"{local:%d %b %H:%M}"


def budget_in_short(slo: ObjectiveStatus, now: datetime, zone: tzinfo) -> str:
    """Return it for a table: `97 %`, `97 % (from 4 days)`, `97 % (last known 12:41)`, `4 min of history so far`."""
    left, history, last = slo.budget_remaining_ratio, slo.budget_history_seconds, slo.last_known_budget
    if last is not None:
        return f"{percent(max(last.remaining_ratio, 0.0))} (last known {_moment(last.at, now, zone)})"
    if left is None or history is None:
        return "not known"
    if slo.is_budget_young:
        return _young(slo, history, now)
    known = "" if _is_whole(slo, history, now) else f" (from {span(timedelta(seconds=history))})"
    return f"{percent(max(left, 0.0))}{known}"


def down(slo: ObjectiveStatus) -> str:
    """Return which targets do not answer; empty where all do, or that is not what the objective is about."""
    if not slo.targets_down or slo.targets is None:
        return ""
    names = ", ".join(slo.targets_down[:LONGEST_NAMES]) + (" …" if len(slo.targets_down) > LONGEST_NAMES else "")
    targets = "target" if slo.targets == 1 else "targets"
    return f"{len(slo.targets_down)} of {slo.targets} {targets} down ({names})"


def silenced(silence: SilenceStatus, now: datetime, zone: tzinfo) -> str:
    """Return until when something is silenced, by whom and why."""
    until = "until recovery" if silence.until is None else f"until {beginning(silence.until, now, zone)}"
    return f"silenced {until} by {silence.by}" + (f": {silence.reason}" if silence.reason else "")


def acknowledged(by: str, at: datetime | None, now: datetime, zone: tzinfo) -> str:
    """Return who has acknowledged something, and when."""
    return f"acknowledged by {by}" + ("" if at is None else f" at {beginning(at, now, zone)}")


def replica(one: ReplicaStatus, now: datetime) -> str:
    """Return why a replica of Prometheus is not judged by, or what is worse by it; empty where there is neither."""
    if one.left_since is not None:
        return f"Prometheus {one.name} has been left out for {span(now - one.left_since)}: {one.reason}."
    if one.worse:
        return f"By Prometheus {one.name} alone it is worse: {', '.join(one.worse)}."
    return ""


def leadership(one: LeadershipStatus | None) -> str:
    """Return who leads and who stands by, of several watchdogs; empty where there is only one."""
    if one is None:
        return ""
    names = ", ".join(each.host for each in one.standbys)
    match one.role:
        case "leader":
            return f"On standby: {names}." if names else "No other watchdog stands by: nobody would take over."
        case "silent":
            return "This watchdog cannot confirm that it leads, so it sends nothing until it can."
    if one.leader is None:
        return "This watchdog stands by, and none leads yet."
    silent = ""
    if one.seen_seconds is not None and one.seen_seconds > LONGEST_SILENT:
        silent = f", which gave no sign of life for {span(timedelta(seconds=round(one.seen_seconds)))}"
    return f"This watchdog stands by. What is below was written by the one on {one.leader.host} that leads{silent}."


def deployed(deployment: DeploymentStatus, since: datetime) -> str:
    """Return which version was deployed how long before something began, or how many targets have started."""
    ago = ENGLISH.span(since - deployment.at)
    if not deployment.after and deployment.targets == 1:
        return f"its only target started {ago} before"
    if not deployment.after:
        return f"{deployment.targets_started} of {deployment.targets} targets started {ago} before"
    versions = " → ".join(each[:LONGEST_VERSION] for each in (deployment.before, deployment.after) if each)
    return f"deployed {ago} before ({versions})"
