"""Incidents: the list, and one in detail."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from wine_slo.slo.chat.address import Address
from wine_slo.slo.evaluation.engine import GAP, State
from wine_slo.slo.evaluation.incident import Incident, Outcome
from wine_slo.slo.notification.record import DeliveryRecord
from wine_slo.slo.objectives.objective import Alert
from wine_slo.slo.oncall.actions import NO_ACTIONS
from wine_slo.slo.text.formatting import MAX_HELD, Formatter
from wine_slo.slo.text.incidents.breach import breach_text, drill_mark, drill_marked
from wine_slo.slo.text.incidents.reminder import incident_name
from wine_slo.slo.text.incidents.resolved import closed_text, recovery_text
from wine_slo.slo.text.language import shortened
from wine_slo.slo.text.status_list import fitting

CLOSED = 10  # incidents that are over, in a list
ROOM_OPEN = 2000  # letters for those that are open
OPEN = 20  # incidents that are not


def unknown_incident(fmt: Formatter, word: str, opened: Sequence[Incident] = ()) -> str:
    """Return what was said is no incident's number; where nothing was said, which there are."""
    if not word and opened:
        names = [
            fmt.say("#{number} {name}", number=each.number, name=incident_name(fmt, each)) for each in opened[:MAX_HELD]
        ]
        return fmt.say(
            "Which one? Open: {incidents}. For example: /incident {number}. All incidents: /incidents",
            incidents=fmt.and_more(names, len(opened) - len(names)),
            number=opened[0].number,
        )
    if not word:
        return fmt.say("Which one? Give its number: /incident 12. All incidents: /incidents")
    return fmt.say("There is no incident {word}. All incidents: /incidents", word=shortened(word))


def incident_list(fmt: Formatter, opened: Sequence[Incident], closed: Sequence[Incident], now: datetime) -> str:
    """Return those that are open, and the last that are over."""
    lines = fitting([_open_line(fmt, each, now) for each in opened[:OPEN]], ROOM_OPEN)
    if (rest := len(opened) - len(lines)) > 0:
        lines.append(fmt.count(rest, "… and {n} more is open.", "… and {n} more are open."))
    if not lines:
        lines = [f"🟢 {fmt.say('No incident is open.')}"]
    lines += [_closed_line(fmt, each, now) for each in closed[:CLOSED]]
    if opened or closed:
        number = (*opened, *closed)[0].number
        lines.append(fmt.say("Details: /incident {number}", number=number))
    return "\n".join(lines)


def incident_detail(
    fmt: Formatter,
    incident: Incident,
    records: Sequence[DeliveryRecord],
    action_lines: Sequence[str],
    state: State,
    now: datetime,
) -> str:
    """Return everything that is known of one incident.

    Args:
        fmt: The readers.
        incident: Which.
        records: What each chat has received of it.
        action_lines: What people did about it, oldest first, as HTML.
        state: What is known.
        now: The instant.
    """
    first = min((each for each in records if each.breach_told_at), key=_notified_at, default=None)
    record = first or DeliveryRecord(incident=incident.number, chat=Address(""))  # nobody
    if incident.is_open:
        *lines, foot = drill_marked(fmt, breach_text(fmt, incident, record, state, now), incident, NO_ACTIONS).split(
            "\n"
        )
    elif incident.key == GAP:
        *lines, foot = closed_text(fmt, incident), fmt.foot(incident)
    else:
        *lines, foot = drill_marked(fmt, recovery_text(fmt, incident, record), incident, NO_ACTIONS).split("\n")
        if not lines:  # an end that is no recovery is one line
            lines, foot = [foot], fmt.foot(incident)
    lines.append(_history_line(fmt, incident, now))
    is_said = first is not None and len(records) == 1 and not incident.is_open  # the recovery says it
    if records and not is_said:
        lines.append(_notified_line(fmt, incident, first, records))
    return "\n".join([*lines, *action_lines, foot])


def _open_line(fmt: Formatter, incident: Incident, now: datetime) -> str:
    title, number, since = incident_name(fmt, incident), incident.number, fmt.beginning(incident.since, now)
    duration, objective = now - incident.since, fmt.objectives.of(incident.key)
    if objective is None or incident.shown is None or incident.burn is not None:
        text = fmt.say(
            "#{number} {title}: since {time} ({duration})",
            number=number,
            title=title,
            time=since,
            duration=duration,
        )
    else:
        text = fmt.say(
            "#{number} {title}: {value}, since {time} ({duration})",
            number=number,
            title=title,
            value=fmt.value(objective, incident.shown, incident.bounds),
            time=since,
            duration=duration,
        )
    sign = "🟡" if incident.key.alert is Alert.TICKET else "🔴"
    return f"{sign} {' · '.join([*drill_mark(fmt, incident), text])}"


def _closed_line(fmt: Formatter, incident: Incident, now: datetime) -> str:
    objective = fmt.objectives.of(incident.key)
    parts = [
        fmt.say(
            "#{number} {title}: {time} ({duration})",
            number=incident.number,
            title=incident_name(fmt, incident),
            time=fmt.beginning(incident.began_at, now),
            duration=incident.bad_for(now),
        )
    ]
    if objective is not None and incident.worst is not None and not objective.counts_scrapes:
        value = fmt.number(objective, incident.worst, incident.bounds)
        parts.append(fmt.say("worst {value}", value=value))
    if incident.outcome is Outcome.EXPIRED:
        parts.append(fmt.say("expired"))
    if incident.outcome is Outcome.WITHDRAWN:
        parts.append(fmt.say("objective removed"))
    return f"⚪️ {' · '.join([*drill_mark(fmt, incident), ', '.join(parts)])}"


def _history_line(fmt: Formatter, incident: Incident, now: datetime) -> str:
    """Return when it began, when it was certain, when it was over."""
    began, opened = fmt.beginning(incident.began_at, now), incident.opened_at
    if incident.key == GAP or incident.openings > 1:
        text = fmt.say("Began at {time}.", time=began)
    else:
        text = fmt.say(
            "Began at {time}, confirmed after {duration}.",
            time=began,
            duration=opened - incident.began_at,
        )
    if incident.closed_at is None:
        return text
    return f"{text} {fmt.say('Closed at {time}.', time=fmt.beginning(incident.closed_at, now))}"


def _notified_line(
    fmt: Formatter, incident: Incident, first: DeliveryRecord | None, records: Sequence[DeliveryRecord]
) -> str:
    notified = sum(each.breach_told_at is not None for each in records)
    if first is None or first.breach_told_at is None:
        return fmt.count(len(records), "{n} chat has not been notified.", "{n} chats have not been notified.")
    duration = max(timedelta(0), first.breach_told_at - incident.since)
    return fmt.count(
        notified,
        "{n} chat was notified, after {duration}.",
        "{n} chats were notified, the first after {duration}.",
        duration=duration,
    )


def _notified_at(record: DeliveryRecord) -> datetime:
    if record.breach_told_at is None:
        raise ValueError(f"chat {record.chat} was not notified of #{record.incident}")
    return record.breach_told_at
