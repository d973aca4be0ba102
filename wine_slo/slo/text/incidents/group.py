"""Say many incidents in one message: how many of what, what they have in common, and the worst of them by name."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from heapq import nlargest

from wine_slo.slo.attribution.attribution import MOST_BAD, MOST_NAMED, Share, attribute
from wine_slo.slo.evaluation.engine import DOWN, State
from wine_slo.slo.evaluation.incident import Incident, Outcome
from wine_slo.slo.notification.record import Kind
from wine_slo.slo.objectives.objective import Alert, Key, Objective
from wine_slo.slo.oncall.actions import NO_ACTIONS, Action, Actions
from wine_slo.slo.reason import phrase
from wine_slo.slo.text.formatting import MAX_HELD, Formatter, job_of
from wine_slo.slo.text.incidents.breach import acknowledged_line, deployment_line, drill_mark
from wine_slo.slo.text.incidents.reminder import incident_name
from wine_slo.slo.text.language import shortened
from wine_slo.slo.text.silences import silence_line

GROUP_NAMES = 5  # of a message about many incidents
ALLOWED = 0.05  # of the label sets without what those in breach have in common, that may be in breach nevertheless
MOST_SHARE = 0.7  # of the incidents, that share a deployment or what carries their bad events


def grouped_text(
    fmt: Formatter,
    kind: Kind,
    incidents: Sequence[Incident],
    state: State,
    now: datetime,
    actions: Actions = NO_ACTIONS,
) -> str:
    """Say many incidents in one message.

    Args:
        fmt: The readers.
        kind: What the message is for: a breach, which is kept up to date; a reminder or an escalation; a recovery, or
            that all is over; or all at once, late.
        incidents: All that the message is about; those that are over too.
        state: What is known.
        now: The instant.
        actions: What people have done.
    """
    match kind:
        case Kind.BREACH:
            lines = _open_lines(fmt, incidents, state, now, actions)
        case Kind.REMINDER | Kind.ESCALATION:
            lines = _repeated_lines(fmt, kind, incidents, now, actions)
        case Kind.RECOVERY:
            lines = _recovery_lines(fmt, incidents, state)
        case Kind.CLOSE:
            lines = [_closed_line(fmt, incidents)]
        case _:
            lines = _late_lines(fmt, incidents)
    return "\n".join(filter(None, lines))


def _open_lines(
    fmt: Formatter, incidents: Sequence[Incident], state: State, now: datetime, actions: Actions
) -> list[str]:
    still = [each for each in incidents if each.is_open] or list(incidents)
    since = min(each.since for each in still)
    is_ticket = all(each.key.alert is Alert.TICKET for each in incidents)
    marks = drill_mark(fmt, still[0]) if all(each.is_of_drill for each in still) else []
    head = f"{'🟡' if is_ticket else '🔴'} {' · '.join([*marks, _head(fmt, incidents, still, state)])}"
    when = fmt.say("Since {time} ({duration}).", time=fmt.beginning(since, now), duration=fmt.so_far(now - since))
    if is_ticket:
        when = f"{when} {fmt.say('No action needed tonight.')}"
    more = len(still) - GROUP_NAMES
    names = fmt.and_more(_worst_names(fmt, still), more)
    return [
        head,
        when,
        _parts_line(fmt, still),
        _common_line(fmt, still, state),
        _deployment(fmt, still),
        fmt.say(_title_of_names(incidents, more), names=names),
        *_people_lines(fmt, still, state, now, actions),
        fmt.say("All: /status"),
    ]


def _title_of_names(incidents: Sequence[Incident], more: int) -> str:
    if all(each.key.objective == DOWN for each in incidents):
        return phrase("Down: {names}.")
    return phrase("Worst: {names}.") if more > 0 else phrase("Open: {names}.")


def _head(fmt: Formatter, incidents: Sequence[Incident], still: Sequence[Incident], state: State) -> str:
    """Return how many of what are in breach: of those that this is about where some are over, else of all."""
    n, all_of_it = len(_keys(still)), len(_keys(incidents))
    bold = f"<b>{fmt.language.number(n)}</b>"
    if all(each.key.objective == DOWN for each in incidents):
        if len(still) < len(incidents):
            return fmt.count(
                all_of_it, "{down} of {n} job is still down", "{down} of {n} jobs are still down", down=bold
            )
        return fmt.count(n, "<b>{n}</b> job is down", "<b>{n}</b> jobs are down")
    if all(each.key.alert is Alert.TICKET for each in incidents):
        return fmt.count(n, "<b>{n}</b> error budget burns too fast", "<b>{n}</b> error budgets burn too fast")
    objective = _only_objective(fmt, incidents)
    if objective is not None and incidents[0].key.labels:
        title, target = fmt.title(Key(objective.name)), fmt.target(objective)
        if len(still) < len(incidents):
            return fmt.count(
                all_of_it,
                "{title}: {bad} of {n} label set still in breach (target {target})",
                "{title}: {bad} of {n} label sets still in breach (target {target})",
                title=title,
                bad=bold,
                target=target,
            )
        known = max(n, sum(key.objective == objective.name and key.alert is Alert.BREACH for key in state.tracks))
        return fmt.count(
            known,
            "{title}: {bad} of {n} label set in breach (target {target})",
            "{title}: {bad} of {n} label sets in breach (target {target})",
            title=title,
            bad=bold,
            target=target,
        )
    if len(still) < len(incidents):
        return fmt.count(
            all_of_it,
            "{bad} of {n} objective still in breach",
            "{bad} of {n} objectives still in breach",
            bad=bold,
        )
    return fmt.count(n, "<b>{n}</b> objective in breach", "<b>{n}</b> objectives in breach")


def _parts_line(fmt: Formatter, still: Sequence[Incident]) -> str:
    """Return how many there are of each service, where there are several, else of each objective; empty for one."""
    if any(each.key.is_own for each in still):
        return ""
    jobs = Counter(objective.job for each in still if (objective := fmt.objectives.of(each.key)) is not None)
    names = Counter(each.key.objective for each in still)
    if len(jobs) > 1:
        counts = [(shortened(job), count) for job, count in jobs.most_common(MAX_HELD)]
        listed = fmt.and_more(_counted(fmt, counts), len(jobs) - MAX_HELD)
        return fmt.say("By service: {names}.", names=listed)
    if len(names) > 1 and jobs and max(names.values()) == 1:  # each of them once: the worst are named below
        return fmt.say("All of {service}.", service=shortened(next(iter(jobs))))
    if len(names) > 1:
        counts = [(fmt.title(Key(name)), count) for name, count in names.most_common(MAX_HELD)]
        listed = fmt.and_more(_counted(fmt, counts), len(names) - MAX_HELD)
        service = shortened(next(iter(jobs))) if jobs else ""
        return fmt.say("All of {service}. By objective: {names}.", service=service, names=listed) if service else ""
    return ""


def _counted(fmt: Formatter, counts: Iterable[tuple[str, int]]) -> list[str]:
    return [f"{name} {fmt.language.number(count)}" for name, count in counts]


def _common_line(fmt: Formatter, still: Sequence[Incident], state: State) -> str:
    """Return what those in breach have in common and the others have not; empty where nothing stands out."""
    broken = {each.key.labels for each in still if each.key.labels and not each.key.is_own}
    names = {each.key.objective for each in still}
    known = {key.labels for key in state.tracks if key.objective in names and key.labels} | broken
    tables: dict[str, dict[str, list[int]]] = {}
    for labels in known:
        for label, value in labels:
            counts = tables.setdefault(label, {}).setdefault(value, [0, 0])
            counts[0] += labels in broken
            counts[1] += 1
    shares = {
        label: [Share(value, bad, total) for value, (bad, total) in values.items()]
        for label, values in tables.items()
        if sum(nlargest(MOST_NAMED, (bad for bad, _ in values.values()))) >= MOST_BAD * len(broken)
    }
    causes = attribute(shares, ALLOWED, timedelta(0)).causes
    if causes:
        first = causes[0]
        where = "; ".join(shortened(f"{each.label}={', '.join(each.values)}") for each in causes)
        count, total = fmt.language.number(first.bad), fmt.language.number(first.bad + first.other_bad)
        return fmt.say("In common: {where} ({count} of {total}).", where=where, count=count, total=total)
    blamed = Counter(
        (each.attribution.causes[0].label, each.attribution.causes[0].values)
        for each in still
        if each.attribution is not None and each.attribution.causes
    )
    for (label, values), blaming in blamed.most_common(1):
        if blaming > 1 and blaming >= MOST_SHARE * len(still):
            return fmt.say(
                "In common: {where} ({count} of {total}).",
                where=shortened(f"{label}={', '.join(values)}"),
                count=fmt.language.number(blaming),
                total=fmt.language.number(len(still)),
            )
    return ""


def _deployment(fmt: Formatter, still: Sequence[Incident]) -> str:
    changes = Counter(each.change for each in still if each.change is not None)
    for change, count in changes.most_common(1):
        if count >= MOST_SHARE * len(still):
            return deployment_line(fmt, change, min(each.since for each in still if each.change == change))
    return ""


def _people_lines(
    fmt: Formatter, still: Sequence[Incident], state: State, now: datetime, actions: Actions
) -> list[str]:
    """Return who has acknowledged how many of them, and which silence holds for how many."""
    taken = [action for each in still if (action := actions.acknowledgement(each)) is not None]
    muted = [action for each in still if (action := actions.silence_of(each, state.incidents, now)) is not None]
    lines = []
    if taken:
        last = max(taken, key=lambda action: action.at)
        is_all = len(taken) == len(still)
        lines.append(acknowledged_line(fmt, last) if is_all else _partly_taken(fmt, last, taken, still))
    if muted:
        counts = Counter(action.number for action in muted)
        number, count = counts.most_common(1)[0]
        line = f"🔇 {silence_line(fmt, next(each for each in muted if each.number == number), now)}"
        some, total = fmt.language.number(count), fmt.language.number(len(still))
        lines.append(
            line
            if count == len(still)
            else fmt.say("{silence} ({count} of {total})", silence=line, count=some, total=total)
        )
    return lines


def _partly_taken(fmt: Formatter, last: Action, taken: Sequence[Action], still: Sequence[Incident]) -> str:
    return fmt.say(
        "Acknowledged: {count} of {total}, the last by {name} at {time}.",
        count=fmt.language.number(len(taken)),
        total=fmt.language.number(len(still)),
        name=shortened(last.by.name),
        time=fmt.clock(last.at),
    )


def _repeated_lines(
    fmt: Formatter, kind: Kind, incidents: Sequence[Incident], now: datetime, actions: Actions
) -> list[str]:
    what, since = _subject(fmt, incidents), min(each.since for each in incidents)
    names = fmt.and_more(_worst_names(fmt, incidents), len(incidents) - GROUP_NAMES)
    worst = fmt.say("Worst: {names}.", names=names)
    if kind is Kind.ESCALATION:
        text = fmt.say("Escalation: nobody acknowledged these for {duration}: {what}.", what=what, duration=now - since)
        return [f"⏱ {text}", worst]
    taken = [action for each in incidents if (action := actions.acknowledgement(each)) is not None]
    if len(taken) == len(incidents):
        last = max(taken, key=lambda action: action.at)
        text = fmt.say("Still open after {duration}: {what}.", what=what, duration=now - since)
        return [f"⏱ {text}", acknowledged_line(fmt, last), worst]
    sentence = phrase("Still open after {duration}, not acknowledged: {what}.")
    if taken:
        sentence = phrase("Still open after {duration}, not all acknowledged: {what}.")
    return [f"⏱ {fmt.say(sentence, what=what, duration=now - since)}", worst]


def _recovery_lines(fmt: Formatter, incidents: Sequence[Incident], state: State) -> list[str]:
    """Return how many of all are over, which are still open, and which ended without a recovery."""
    still = [each for each in incidents if each.is_open]
    over = [each for each in incidents if not each.is_open] or list(incidents)
    unproved = [each for each in over if each.outcome is not Outcome.RECOVERED]
    count, total = f"<b>{fmt.language.number(len(_keys(over)))}</b>", len(_keys(incidents))
    if all(each.key.objective == DOWN for each in incidents) and not unproved:
        head = fmt.count(total, "{count} of {n} job is up again", "{count} of {n} jobs are up again", count=count)
    else:
        head = _over_head(fmt, incidents, count, is_recovery=not unproved)
    lines = [f"{'⚪️' if unproved else '🟢'} {head}", fmt.say("Lasted {times}.", times=_times(fmt, over))]
    if unproved:
        names = fmt.and_more(_worst_names(fmt, unproved), len(unproved) - GROUP_NAMES)
        lines.append(fmt.say("Closed without recovery: {names}.", names=names))
    if still:
        names = fmt.and_more(_worst_names(fmt, still), len(still) - GROUP_NAMES)
        n = len(still)
        lines.append(fmt.count(n, "Still in breach: {names}.", "{n} still in breach: {names}.", names=names))
    else:
        names = fmt.and_more(_worst_names(fmt, over), len(over) - GROUP_NAMES)
        is_of_jobs = all(each.key.objective == DOWN for each in incidents)
        lines.append(fmt.say("Worst: {names}.", names=names) if not is_of_jobs else f"{names}.")
        lines.append(_still_in_breach(fmt, state))
    return lines


def _over_head(fmt: Formatter, incidents: Sequence[Incident], count: str, *, is_recovery: bool) -> str:
    objective, n = _only_objective(fmt, incidents), len(_keys(incidents))
    if objective is None or not incidents[0].key.labels:
        if is_recovery:
            return fmt.count(n, "{count} of {n} objective resolved", "{count} of {n} objectives resolved", count=count)
        return fmt.count(n, "{count} of {n} incident closed", "{count} of {n} incidents closed", count=count)
    title = fmt.title(Key(objective.name))
    if is_recovery:
        return fmt.count(
            n,
            "{title}: {count} of {n} label set resolved",
            "{title}: {count} of {n} label sets resolved",
            title=title,
            count=count,
        )
    return fmt.count(
        n,
        "{title}: {count} of {n} label set closed",
        "{title}: {count} of {n} label sets closed",
        title=title,
        count=count,
    )


def _closed_line(fmt: Formatter, incidents: Sequence[Incident]) -> str:
    """Return what the message of a storm reads once all of it is over."""
    is_recovery = all(each.outcome is Outcome.RECOVERED for each in incidents)
    sentence = phrase("Resolved: {what}, {times}.") if is_recovery else phrase("Closed: {what}, {times}.")
    return f"⚪️ {fmt.say(sentence, what=_subject(fmt, incidents), times=_times(fmt, incidents))}"


def _late_lines(fmt: Formatter, incidents: Sequence[Incident]) -> list[str]:
    is_recovery = all(each.outcome is Outcome.RECOVERED for each in incidents)
    sentence = (
        phrase("Delivered late: {what}, in breach for {times}, resolved since.")
        if is_recovery
        else phrase("Delivered late: {what}, in breach for {times}; closed since, not all of it recovered.")
    )
    names = fmt.and_more(_worst_names(fmt, incidents), len(incidents) - GROUP_NAMES)
    return [
        f"⚪️ {fmt.say(sentence, what=_subject(fmt, incidents), times=_times(fmt, incidents))}",
        fmt.say("Worst: {names}.", names=names),
        fmt.say("All: /incidents"),
    ]


def _still_in_breach(fmt: Formatter, state: State) -> str:
    still = len(state.open_incidents)
    if not still:
        return fmt.say("None is in breach any more.")
    return fmt.count(still, "{n} still in breach: /status", "{n} still in breach: /status")


def _subject(fmt: Formatter, incidents: Sequence[Incident]) -> str:
    """Return what many incidents are about, as a part of a sentence: `5,000 label sets of Latency`."""
    n = len(_keys(incidents))
    if all(each.key.objective == DOWN for each in incidents):
        return fmt.count(n, "{n} job", "{n} jobs")
    objective = _only_objective(fmt, incidents)
    if objective is not None and incidents[0].key.labels:
        title = fmt.title(Key(objective.name))
        return fmt.count(n, "{title}, {n} label set", "{title}, {n} label sets", title=title)
    return fmt.count(n, "{n} objective", "{n} objectives")


def _times(fmt: Formatter, over: Sequence[Incident]) -> str:
    """Return how long many incidents lasted in all, and from when to when."""
    first, last = min(each.began_at for each in over), max(each.last_bad_at for each in over)
    return fmt.say(
        "{duration} ({first}–{last})",
        duration=last - first,
        first=fmt.beginning(first, last),
        last=fmt.beginning(last, last),
    )


def _keys(incidents: Iterable[Incident]) -> set[tuple[str, tuple[tuple[str, str], ...]]]:
    return {(each.key.objective, each.key.labels) for each in incidents}


def _only_objective(fmt: Formatter, incidents: Sequence[Incident]) -> Objective | None:
    """Return the objective that all of them are about; None where they are about several."""
    names = {each.key.objective for each in incidents}
    return fmt.objectives.of(incidents[0].key) if len(names) == 1 else None


def _badness(fmt: Formatter, incident: Incident) -> float:
    """Return how bad an incident is, as a multiple of what its objective allows."""
    objective = fmt.objectives.of(incident.key)
    if objective is None or incident.worst is None:
        return 0.0
    return incident.worst / max(objective.limit, 1e-9)


def _worst_names(fmt: Formatter, incidents: Sequence[Incident]) -> list[str]:
    worst = sorted(incidents, key=lambda each: (-_badness(fmt, each), each.number))
    return _names(fmt, worst[:GROUP_NAMES], is_alone=_only_objective(fmt, incidents) is not None)


def _names(fmt: Formatter, incidents: Iterable[Incident], *, is_alone: bool) -> list[str]:
    return [_named(fmt, each, is_alone=is_alone) for each in incidents]


def _named(fmt: Formatter, incident: Incident, *, is_alone: bool) -> str:
    """Return a name and its worst value; of label sets of one objective, which the message names, only the labels."""
    if incident.key.objective == DOWN:
        return shortened(job_of(incident))
    objective, labels = fmt.objectives.of(incident.key), [value for _, value in incident.key.labels if value.strip()]
    name = shortened(", ".join(labels)) if is_alone and labels else incident_name(fmt, incident)
    name = " ".join([*drill_mark(fmt, incident), name])
    if objective is None or incident.worst is None or incident.burn is not None:
        return name
    return f"{name} ({fmt.number(objective, incident.worst, incident.bounds)})"
