"""How everything reads that the watchdog says. Texts are HTML with `<b>` only; `plain` takes it off.

Read on a lock screen at night: the first line alone says what is wrong and how bad, one idea a line, at most nine
lines, one sign at the start, bold for the one number that matters, times in the reader's zone.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from html import escape, unescape

from wine_slo.domain.incident import Incident, Outcome, Phase, Track
from wine_slo.domain.notice import Kind, Told, Words
from wine_slo.domain.objective import Alert, Burn, Key, Latency, Objective, Objectives, Up
from wine_slo.domain.reading import Sight
from wine_slo.domain.watch import GAP, LEDGER, SIGHT, State

MAX_ENDPOINTS = 3  # in one line of a message
STATUS_LINES = 25  # objectives in one answer; a thousand label sets are not read by anyone
URGENCY = (Phase.BREACHED, Phase.RECOVERING, Phase.BREACHING, Phase.MET)
STORM_NAMES = 10  # of a message about many incidents
MAX_HELD = 3  # incidents that are named in one message
LONGEST_NAME = 120  # characters; a label's value can be of any length
FINE = "Fine: "
SLOW = "Slow: "
PACE_OVER = timedelta(minutes=5)  # the pace of now
REPEAT = "This may be a repeat: the answer to the first try was lost."
LONG_OPEN = timedelta(minutes=2)  # from then on the first line says for how long


def plain(text: str) -> str:
    """A text without its markup."""
    return unescape(re.sub(r"</?b>", "", text))


def as_repeat(text: str) -> str:
    """A text that says of itself that it may have been sent before."""
    return text if REPEAT in text else f"{text}\n{REPEAT}"


def seconds(value: float) -> str:
    """A request's duration: `0.04 s`, `2.4 s`, `12 s`."""
    if value < 0.01:
        return f"{value * 1000:.2g} ms"
    if value < 1:
        return f"{value:.2g} s"
    return f"{value:.1f} s".replace(".0 s", " s") if value < 10 else f"{value:.0f} s"


def shortened(name: str) -> str:
    """A name that others chose, as a part of a line: HTML, on one line, and no longer than people read."""
    words = " ".join(name.split())
    return escape(words if len(words) <= LONGEST_NAME else f"{words[: LONGEST_NAME - 1].rstrip()}…")


def percent(ratio: float) -> str:
    """A ratio as people say it: `97 %`, `0.4 %`, `0 %`; never 0 or 100 when it is not."""
    value = ratio * 100
    if 0 < value < 0.001:
        return "under 0.001 %"
    if 99.999 < value < 100:
        return "over 99.999 %"
    if 0 < value < 10 or 99 < value < 100:
        decimals = next((digits for digits in (1, 2, 3) if 0 < round(value, digits) < 100), 3)
        return f"{value:.{decimals}f}".rstrip("0").rstrip(".") + " %"
    return f"{value:.0f} %"


def _rate(per_second: float) -> str:
    return f"{per_second:.0f}" if per_second >= 10 else f"{per_second:.2g}"


def span(duration: timedelta) -> str:
    """How long, in words a phone can show: `30 s`, `14 min`, `4 h`, `1 h 20 min`, `3 days`."""
    whole = max(0, round(duration.total_seconds()))  # clocks differ a little
    minutes = whole // 60
    hours = minutes // 60
    if whole < 60:
        return f"{whole} s"
    if hours < 1:
        return f"{minutes} min"
    if hours < 48:
        rest = f" {minutes % 60} min" if minutes % 60 and hours < 10 else ""
        return f"{hours} h{rest}"
    return f"{hours // 24} days"


@dataclass(frozen=True, slots=True)
class Speech:
    """The texts, for readers in one time zone."""

    objectives: Objectives
    zone: tzinfo

    def words(self, state: State, now: datetime) -> Words:
        """The texts of incidents as they read now."""
        return Words(
            breach=lambda incident, told: self.breach(incident, told, state, now),
            reminder=lambda incident: self.reminder(incident, now),
            recovery=self.recovery,
            closed=self.closed,
            missed=lambda incident: self.missed(incident, state),
            storm=lambda kind, incidents: self.storm(kind, incidents, state),
        )

    def clock(self, instant: datetime) -> str:
        """A time of day: `19:41`."""
        return f"{instant.astimezone(self.zone):%H:%M}"

    def title(self, key: Key) -> str:
        """What an objective is called: `Latency`, or `Latency of /predict` for one label set."""
        objective = self.objectives.of(key)
        ours = {SIGHT: "Sight", LEDGER: "The ledger"}
        name = ours.get(key) or (objective.title if objective else key.objective)
        values = ", ".join(value for _, value in key.labels if value)
        return shortened(f"{name} of {values}" if values else name)

    def breach(self, incident: Incident, told: Told, state: State, now: datetime) -> str:
        """An open incident: the message that lives as long as it does."""
        objective = self.objectives.of(incident.key)
        if incident.key == SIGHT:
            lines = self._cannot_see(incident, state, now)
        elif incident.key == LEDGER:
            lines = self._cannot_write(incident, now)
        elif objective is None:
            lines = [f"🔴 {self.title(incident.key)}"]
        elif incident.burn is not None:
            lines = self._burning(incident, incident.burn, objective)
        elif incident.held is not None:
            lines = self._held(incident, objective, now)
        else:
            lines = self._bad(incident, objective, state, now)
        if told.perhaps_sent:
            lines.append(REPEAT)
        return "\n".join([*lines, self._foot(incident)])

    def reminder(self, incident: Incident, now: datetime) -> str:
        """An incident that nobody has ended for long."""
        objective = self.objectives.of(incident.key)
        value = f", {self._value(objective, incident.value)}" if objective and incident.value is not None else ""
        return (
            f"⏱ Still open after {span(now - incident.began_at)}: {self.title(incident.key)}{value}. #{incident.number}"
        )

    def recovery(self, incident: Incident, told: Told) -> str:
        """The end of an incident that the chat knows of, and all that is known of it."""
        if incident.outcome is not Outcome.RECOVERED:
            return self._unproved_end(incident)
        title, objective = self.title(incident.key), self.objectives.of(incident.key)
        if incident.key == SIGHT:
            return (
                f"🟢 Seeing again: every objective can be judged.\n"
                f"Blind for {span(incident.last_bad_at - incident.began_at)} ({self._from_to(incident)}).\n"
                f"{self._foot(incident)}"
            )
        if incident.key == LEDGER:
            lasted = f"{span(incident.last_bad_at - incident.began_at)} ({self._from_to(incident)})"
            return f"🟢 The ledger is written again: nothing is lost.\nIt was not for {lasted}.\n{self._foot(incident)}"
        if incident.burn is not None and objective is not None:
            left = self._left(incident, objective)
            return "\n".join(filter(None, (f"🟢 {title}: the error budget lasts again", left, self._foot(incident))))
        value = f": {self._value(objective, incident.value)}" if objective and incident.value is not None else ""
        lines = [f"🟢 {title} is back{value}"]
        worst = self._worst(incident, objective)
        lasted = f"Lasted {span(incident.last_bad_at - incident.since)} ({self._from_to(incident)})."
        lines.append(f"{lasted} {worst}".rstrip())
        if incident.openings > 1:
            lines.append(self._again(incident))
        if counts := self._counts(incident, objective):
            lines.append(counts)
        if objective is not None and (burnt := self._budget(incident, objective)):
            lines.append(burnt)
        if told.breach_told_at is not None:
            lines.append(f"Told after {span(told.breach_told_at - incident.since)}.")
        return "\n".join([*lines, self._foot(incident)])

    def closed(self, incident: Incident) -> str:
        """What the first message reads once the incident is over."""
        if incident.outcome is not Outcome.RECOVERED:
            return self._unproved_end(incident)
        return f"⚪️ {self._was(incident)}. #{incident.number}"

    def missed(self, incident: Incident, state: State) -> str:
        """Breach and end in one line, for a chat that heard of neither."""
        if incident.key == GAP:
            return self._gap(incident, state)
        if incident.outcome is not Outcome.RECOVERED:
            return self._unproved_end(incident)
        return f"⚪️ Missed while messages could not be sent: {self._was(incident)}. It is fine now. #{incident.number}"

    def storm(self, kind: Kind, incidents: Sequence[Incident], state: State) -> str:
        """Many incidents in one message, the worst of them by name."""
        worst = sorted(incidents, key=lambda each: -(each.worst or 0.0))[:STORM_NAMES]
        names = ", ".join(self._in_storm(each) for each in worst)
        more = f" and {len(incidents) - len(worst)} more" if len(incidents) > len(worst) else ""
        count = f"<b>{len(incidents)}</b> objectives"
        match kind:
            case Kind.BREACH:
                return f"🔴 {count} in breach at once. Worst: {names}{more}. All: /status"
            case Kind.RECOVERY if all(each.outcome is Outcome.RECOVERED for each in incidents):
                open_ones = len(state.open_incidents)
                rest = f"{open_ones} still in breach: /status" if open_ones else "None is in breach any more."
                return f"🟢 {count} are back: {names}{more}.\n{rest}"
            case Kind.RECOVERY:
                return f"⚪️ {count} are closed, not all of them as recovered: {names}{more}. All: /status"
            case _:
                return (
                    f"⚪️ Missed while messages could not be sent: {count} were in breach. {names}{more}. All: /status"
                )

    def status(self, state: State, now: datetime) -> str:
        """Every objective in a line each, and how old that knowledge is."""
        if state.looked_at is None:
            return "⚪️ Nothing has been looked at yet."
        tracks = [track for key, track in sorted(state.tracks.items()) if key.alert is Alert.BREACH]
        tracks.sort(key=lambda track: URGENCY.index(track.phase))
        lines = [self._status_line(track, state, now) for track in tracks[:STATUS_LINES]]
        if len(tracks) > STATUS_LINES:
            lines.append(f"… and {len(tracks) - STATUS_LINES} more, none of them worse.")
        if not lines:
            lines = ["⚪️ Nothing is known yet."]
        rates = [each.events_per_second for each in state.readings.values() if each.events_per_second is not None]
        rate = f"Requests {_rate(max(rates))}/s. " if rates else ""
        return "\n".join([*lines, f"{rate}Looked {span(now - state.looked_at)} ago."])

    def _gap(self, incident: Incident, state: State) -> str:
        """Nobody looked for a while, and what is open now."""
        still = [each for each in state.open_incidents if each.key != SIGHT]
        names = ", ".join(f"#{each.number} {shortened(str(each.key))}" for each in still[:MAX_ENDPOINTS])
        count = "1 incident" if len(still) == 1 else f"{len(still)} incidents"
        open_ones = f"{count} still open: {names}{' …' if len(still) > MAX_ENDPOINTS else ''}." if still else ""
        lasted = span(incident.last_bad_at - incident.began_at)
        return f"🔄 Back after {lasted} without a look (restart). {open_ones or 'No incident is open.'}"

    def _in_storm(self, incident: Incident) -> str:
        objective = self.objectives.of(incident.key)
        value = incident.worst if incident.is_open else incident.value
        if objective is None or value is None:
            return self.title(incident.key)
        return f"{self.title(incident.key)} {seconds(value) if objective.is_latency else percent(value)}"

    def _cannot_see(self, incident: Incident, state: State, now: datetime) -> list[str]:
        names = sorted({key.objective for key in state.unseen} or self.objectives.by_name)
        unjudged = "1 objective is" if len(names) == 1 else f"{len(names)} objectives are"
        since = f"unjudged since {self.clock(incident.began_at)}"
        which = f" ({escape(', '.join(names))})" if len(names) < len(self.objectives.all) else ""
        return [
            f"🔴 Cannot see for <b>{span(now - incident.began_at)}</b>: {shortened(incident.reason)}",
            f"{unjudged} {since}{which}. Nothing is known to be wrong or right.",
        ]

    def _cannot_write(self, incident: Incident, now: datetime) -> list[str]:
        return [
            f"🔴 The ledger cannot be written for <b>{span(now - incident.began_at)}</b>: {shortened(incident.reason)}",
            f"I go on from memory; a restart would forget what happened since {self.clock(incident.began_at)}.",
        ]

    def _bad(self, incident: Incident, objective: Objective, state: State, now: datetime) -> list[str]:
        since = f"{incident.since.astimezone(self.zone):%H:%M:%S}"
        open_for = now - incident.since
        is_long = open_for >= LONG_OPEN
        lasting = f" · {span(open_for)}" if is_long else ""
        if isinstance(objective.source, Up) and incident.value == 1:
            held = [each for each in state.open_incidents if each.held is Sight.TARGET_DOWN]
            down = f"🔴 The service is down: {escape(objective.job)} has not been reachable"
            lines = [f"{down} for <b>{span(open_for)}</b> (since {since})"]
            lines += [f"{self.title(each.key)} #{each.number} is held open." for each in held[:MAX_HELD]]
            if len(held) > MAX_HELD:
                lines.append(f"{len(held) - MAX_HELD} more are held open.")
        else:
            value = self._value(objective, incident.value, bold=True)
            if incident.waiting_seconds is not None:
                value = f"no answer for <b>{seconds(incident.waiting_seconds)}</b>"
            title = self.title(incident.key) + (" again" if incident.openings > 1 else "")
            lines = [f"🔴 {title}: {value}, {self._promise(objective)}{lasting}"]
            when = f"Since {since}." if is_long else f"Since {since} ({span(open_for)})."
            worst = self._worst(incident, objective) if is_long else ""
            lines.append(" ".join(filter(None, (when, worst, self._counts(incident, objective)))))
            lines += self._endpoints(incident, objective)
            if burnt := self._budget(incident, objective, pace=True):
                lines.append(burnt)
        if incident.openings > 1:
            lines.append(self._again(incident))
        return lines

    def _burning(self, incident: Incident, burn: Burn, objective: Objective) -> list[str]:
        title, budget = self.title(incident.key), incident.budget
        pace = budget.burn_rate(objective, burn.long) if budget else None
        over = span(min(burn.long, budget.history) if budget else burn.long)
        times = f"{pace:.2g} times the pace that lasts" if pace is not None else "faster than lasts"
        if burn.alert is Alert.TICKET:
            burnt = percent(pace * (burn.long / objective.window)) if pace is not None else percent(burn.budget)
            head = f"🟡 Error budget of {title}: <b>{burnt}</b> burnt in {over}, {times}. No need to get up."
        else:
            head = f"🔴 Error budget of {title} burns at <b>{times}</b>, over {over}."
        return [head, *filter(None, [self._left(incident, objective)])]

    def _budget(self, incident: Incident, objective: Objective, *, pace: bool = False) -> str:
        """What an incident has burnt, what is left, and how long that lasts."""
        burnt = incident.budget.share_of(objective, incident.bad) if incident.budget else None
        if burnt is None:
            return ""
        lasted = span(incident.last_bad_at - incident.since)
        left = self._left(incident, objective, pace=pace).removeprefix("Budget: ")
        return f"Budget: {percent(burnt)} of {span(objective.window)} burnt in {lasted}{f'; {left}' if left else '.'}"

    def _left(self, incident: Incident, objective: Objective, *, pace: bool = False) -> str:
        budget = incident.budget
        remaining = budget.remaining(objective) if budget else None
        if budget is None or remaining is None:
            return ""
        left = f"{percent(remaining)} left" if remaining > 0 else "none left"
        gone = budget.lasts_for(objective, PACE_OVER) if pace else None
        soon = f"; at this pace gone in {span(gone)}" if gone else ""
        known = f" ({span(budget.history)} of history)" if budget.history < objective.window * 0.95 else ""
        return f"Budget: {left}{soon}{known}."

    def _held(self, incident: Incident, objective: Objective, now: datetime) -> list[str]:
        held_for = span(now - (incident.held_since or now))
        why = {
            Sight.NO_TRAFFIC: f"nobody has asked for {held_for}",
            Sight.TOO_FEW: "too few ask to judge",
            Sight.TARGET_DOWN: f"the service is down for {held_for}",
        }.get(incident.held or Sight.BLIND, f"cannot see for {held_for}")
        meaning = {
            Sight.NO_TRAFFIC: "no requests is not a recovery",
            Sight.TOO_FEW: "too few requests are no recovery",
            Sight.TARGET_DOWN: "a service that is down has not recovered",
        }.get(incident.held or Sight.BLIND, "what cannot be seen is no recovery")
        value = self._value(objective, incident.value)
        lasting = span(now - incident.since)
        return [
            f"🔴 {self.title(incident.key)}: was {value}, {self._promise(objective)} · {lasting} · {why}",
            f"Held open: {meaning}.",
        ]

    def _unproved_end(self, incident: Incident) -> str:
        title, number = self.title(incident.key), incident.number
        if incident.outcome is Outcome.WITHDRAWN:
            return f"⚪️ {title} is no longer promised, so this is closed; it is not a recovery. #{number}"
        since = incident.held_since or incident.last_bad_at
        closed_after = span((incident.closed_at or since) - since)
        return (
            f"⚪️ {title}: no requests since {self.clock(since)}, so nothing can be said. "
            f"Closed as expired after {closed_after}; this is not a recovery. #{number}"
        )

    def _was(self, incident: Incident) -> str:
        objective = self.objectives.of(incident.key)
        lasted = f"{self._from_to(incident)} ({span(incident.last_bad_at - incident.since)})"
        if incident.key == SIGHT:
            return f"Prometheus could not be seen {lasted}"
        if incident.key == LEDGER:
            return f"The ledger could not be written {lasted}"
        if incident.burn is not None:
            return f"The error budget of {self.title(incident.key)} burnt too fast {lasted}"
        worst = self._worst(incident, objective, at=False).rstrip(".").replace("Worst", "worst")
        return ", ".join(filter(None, (f"{self.title(incident.key)} was in breach {lasted}", worst)))

    def _again(self, incident: Incident) -> str:
        return f"Bad {incident.openings} times since {self.clock(incident.began_at)}."

    def _from_to(self, incident: Incident) -> str:
        first, last = incident.since.astimezone(self.zone), incident.last_bad_at.astimezone(self.zone)
        form = "%H:%M:%S" if last - first < LONG_OPEN else "%H:%M"
        return f"{first:{form}} to {last:{form}}"

    def _worst(self, incident: Incident, objective: Objective | None, *, at: bool = True) -> str:
        if objective is None or incident.worst is None or objective.is_up:
            return ""
        value = seconds(incident.worst) if objective.is_latency else percent(incident.worst)
        when = f" at {self.clock(incident.worst_at)}" if at and incident.worst_at else ""
        return f"Worst {value}{when}."

    def _counts(self, incident: Incident, objective: Objective | None) -> str:
        if objective is None or objective.is_up or round(incident.total) == 0:
            return ""
        what = "were slow" if objective.is_latency else "failed"
        return f"{incident.bad:,.0f} of {incident.total:,.0f} requests {what}."

    def _endpoints(self, incident: Incident, objective: Objective) -> list[str]:
        if not isinstance(objective.source, Latency) or incident.waiting_seconds is not None:
            return []
        parts = []
        for sign, slow in ((SLOW, True), (FINE, False)):
            those = [
                f"{shortened(endpoint)} {seconds(value)}"
                for endpoint, value in incident.by_endpoint
                if (value > objective.source.threshold_seconds) is slow
            ]
            if those:
                more = f" and {len(those) - MAX_ENDPOINTS} more" if len(those) > MAX_ENDPOINTS else ""
                parts.append(f"{sign}{', '.join(those[:MAX_ENDPOINTS])}{more}.")
        return [" ".join(parts)] if parts else []

    def _foot(self, incident: Incident) -> str:
        return f"#{incident.number} · {shortened(str(incident.key))}"

    def _promise(self, objective: Objective) -> str:
        match objective.source:
            case Latency(threshold_seconds=threshold):
                return f"promised {seconds(threshold)}"
            case Up():
                return f"promised {percent(objective.ratio)}"
            case _:
                return f"promised &lt; {percent(objective.allowed_bad_ratio)}"

    def _value(self, objective: Objective | None, value: float | None, *, bold: bool = False) -> str:
        if objective is None or value is None:
            return "bad"
        number = seconds(value) if objective.is_latency else percent(value)
        if isinstance(objective.source, Latency) and number == seconds(objective.source.threshold_seconds):
            number = f"{value:.3g} s"
        number = f"<b>{number}</b>" if bold else number
        match objective.source:
            case Latency():
                return f"p{objective.ratio * 100:g} {number}"
            case Up():
                return f"{number} of its scrapes unanswered"
            case _:
                return f"{number} failed"

    def _status_line(self, track: Track, state: State, now: datetime) -> str:
        objective = self.objectives.of(track.key)
        reading = state.readings.get(track.key)
        name = shortened(str(track.key))
        incident = state.incidents.get(track.incident) if track.incident is not None else None
        is_open = incident is not None and incident.is_open
        mark = f" · #{incident.number}, {span(now - incident.began_at)}" if incident is not None and is_open else ""
        if objective is None or reading is None:
            return f"{'🔴' if is_open else '⚪️'} {name}: not looked at since the start{mark}"
        if track.sight is not Sight.CLEAR:
            why = {
                Sight.NO_TRAFFIC: f"nobody has asked for {span(now - (track.quiet_since or track.sight_since))}",
                Sight.TOO_FEW: shortened(track.reason),
                Sight.TARGET_DOWN: f"the service is down for {span(now - track.sight_since)}",
            }.get(track.sight, f"cannot see: {shortened(track.reason)}")
            return f"{'🔴' if is_open else '⚪️'} {name}: {why}{mark}"
        sign = "🔴" if is_open else "🟡" if track.phase is Phase.BREACHING else "🟢"
        if objective.is_up:
            return f"{sign} {name}: {'down' if is_open else 'up'}{mark}"
        if objective.is_latency:
            value: float | None = reading.value_seconds
        else:
            value = None if reading.good_ratio is None else 1 - reading.good_ratio
        if value is None:
            return f"⚪️ {name}: no number yet{mark}"
        left = reading.budget.remaining(objective) if reading.budget else None
        budget = "" if left is None else f" · budget {percent(max(left, 0.0))}"
        return f"{sign} {name}: {self._value(objective, value)}, {self._promise(objective)}{budget}{mark}"
