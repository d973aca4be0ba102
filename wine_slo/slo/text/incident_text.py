"""How everything reads that the watchdog says. Texts are HTML with `<b>` only; `plain` takes it off.

Read on a lock screen at night: the first line alone says what is wrong and how bad, one idea a line, at most nine
lines, one sign at the start, bold for the one number that matters, in the reader's zone and language.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from html import escape, unescape

from wine_slo.slo.evaluation.engine import DOWN, GAP, LEDGER, SIGHT, Interruption, State, causes_of
from wine_slo.slo.evaluation.incident import Incident, Outcome
from wine_slo.slo.evaluation.key_state import KeyState
from wine_slo.slo.evaluation.phases import Phase
from wine_slo.slo.evaluation.reading import Reading, Sight
from wine_slo.slo.evaluation.value import Value, value_of
from wine_slo.slo.notification.plan import EDITED_EVERY, DelayReason, DeliveryRecord, Kind, Wording
from wine_slo.slo.objectives.budget import Budget
from wine_slo.slo.objectives.kinds.latency import Latency
from wine_slo.slo.objectives.kinds.up import Up
from wine_slo.slo.objectives.objective import Alert, Burn, Key, Objective, Objectives
from wine_slo.slo.oncall.actions import NO_ACTIONS, Action, Actions, Silence
from wine_slo.slo.reason import phrase
from wine_slo.slo.text.language import ENGLISH, Hole, Language, shortened

MAX_ENDPOINTS = 3  # in one line of a message
STATUS_LINES = 25  # objectives in one answer; a thousand label sets are not read by anyone
URGENCY = (Phase.BREACHED, Phase.RECOVERING, Phase.BREACHING, Phase.MET)
STORM_NAMES = 10  # of a message about many incidents
MAX_HELD = 3  # incidents that are named in one message
RATE_OVER = timedelta(minutes=5)  # the burn rate of now
WHOLE = 0.95  # of a window; with so much history it counts as known
SHA_LETTERS = 4  # of a model's sha256; enough to tell two apart
LONG_OPEN = timedelta(minutes=2)  # from then on the first line says for how long
TITLES = (phrase("Latency"), phrase("Error rate"), phrase("Availability"))  # of slo.yml as it is shipped


def plain(text: str) -> str:
    """A text without its markup."""
    return unescape(re.sub(r"</?b>", "", text))


def _job(incident: Incident) -> str:
    """The job that an incident about its targets is about."""
    return dict(incident.key.labels).get("job", "")


@dataclass(frozen=True, slots=True)
class Speech:
    """The texts, for the readers of one chat: in their time zone and their language."""

    objectives: Objectives
    zone: tzinfo
    language: Language = ENGLISH

    def say(self, sentence: str, /, **holes: Hole) -> str:
        """A sentence in the readers' language, see `Language.say`."""
        return self.language.say(sentence, **holes)

    def count(self, n: int, one: str, many: str, /, **holes: Hole) -> str:
        """A sentence about so many in the readers' language, see `Language.count`."""
        return self.language.count(n, one, many, **holes)

    def words(self, state: State, now: datetime, acts: Actions = NO_ACTIONS) -> Wording:
        """The texts of incidents as they read now."""

        def marked(text: str, incident: Incident) -> str:
            return self.as_drill(text, incident, acts)

        return Wording(
            breach=lambda incident, told: marked(self.breach(incident, told, state, now, acts), incident),
            escalated=self.escalated,
            reminder=lambda incident: marked(self.reminder(incident, now, acts), incident),
            escalation=lambda incident: marked(self.escalation(incident, now), incident),
            recovery=lambda incident, told: marked(self.recovery(incident, told, acts), incident),
            closed=lambda incident: marked(self.closed(incident), incident),
            missed=lambda incident, withheld: marked(self.missed(incident, state, withheld), incident),
            storm=lambda kind, incidents: self.storm(kind, incidents, state),
        )

    def clock(self, instant: datetime) -> str:
        """A time of day: `19:41`."""
        return f"{instant.astimezone(self.zone):%H:%M}"

    def beginning(self, instant: datetime, now: datetime) -> str:
        """When something began or ended: `19:41:05`, with its day where that is not today's."""
        local = instant.astimezone(self.zone)
        if local.date() == now.astimezone(self.zone).date():
            return f"{local:%H:%M:%S}"
        return self.say("{day} {time}", day=self.language.date(local), time=f"{local:%H:%M:%S}")

    def so_far(self, duration: timedelta) -> str:
        """How long something has lasted, in a message that is kept up to date, so minutes are exact enough."""
        return self.language.span(duration - duration % EDITED_EVERY if duration >= LONG_OPEN else duration)

    def seconds(self, value: float, bounds: Sequence[float] = (), *, apart_from: float | None = None) -> str:
        """A quantile as HTML, see `Language.latency`."""
        return escape(self.language.latency(value, bounds, apart_from=apart_from), quote=False)

    def title(self, key: Key) -> str:
        """What an objective is called: `Latency`, or `Latency of /predict` for one label set."""
        objective = self.objectives.of(key)
        name = objective.title if objective else key.objective
        if key.objective == SIGHT.objective:
            name = self.say("Monitoring")
        elif key.objective == DOWN:
            name = self.say("Targets")
        elif key == LEDGER:
            name = self.say("Database")
        elif name in TITLES:
            name = self.say(name)
        values = ", ".join(value for _, value in key.labels if value.strip())
        if not values:
            return shortened(name)
        return self.say("{title} of {labels}", title=shortened(name), labels=shortened(values))

    def as_drill(self, text: str, incident: Incident, acts: Actions) -> str:
        """A text that says first that it is about a drill, where it is."""
        if not incident.is_drill:
            return text
        act = acts.drill_of(incident)
        mark = self.say("DRILL") if act is None else self.say("DRILL by {name}", name=shortened(act.by.name))
        return f"🟠 {mark}\n{text}"

    def drill_mark(self, incident: Incident) -> list[str]:
        """What a line about an incident says of a drill; nothing where it is about none."""
        return [self.say("DRILL")] if incident.is_drill else []

    def escalated(self, text: str, duration: timedelta) -> str:
        """A breach, told in a chat that is escalated to, with the reason for that below its first line."""
        first, *others = text.split("\n")
        why = self.say("Escalated: nobody acknowledged it for {duration}.", duration=duration)
        return "\n".join([first, why, *others])

    def as_repeat(self, text: str) -> str:
        """A text that says of itself that it may have been sent before."""
        repeat = self._repeat
        return text if repeat in text else f"{text}\n{repeat}"

    def breach(
        self, incident: Incident, told: DeliveryRecord, state: State, now: datetime, acts: Actions = NO_ACTIONS
    ) -> str:
        """An open incident: the message that lives as long as it does."""
        objective = self.objectives.of(incident.key)
        if incident.key.objective == SIGHT.objective:
            lines = self._cannot_see(incident, state, now)
        elif incident.key.objective == DOWN:
            lines = self._no_target(incident, state, now)
        elif incident.key == LEDGER:
            lines = self._cannot_write(incident, now)
        elif objective is None:
            lines = [f"🔴 {self.title(incident.key)}"]
        elif incident.burn is not None:
            lines = self._burning(incident, incident.burn, objective)
        elif incident.held is not None:
            lines = self._held(incident, incident.held, objective, now)
        else:
            lines = self._bad(incident, objective, state, now)
        lines += self.acted(incident, state, now, acts)
        if told.perhaps_sent:
            lines.append(self._repeat)
        return "\n".join([*lines, self._foot(incident)])

    def acted(self, incident: Incident, state: State, now: datetime, acts: Actions) -> list[str]:
        """Who has it, and who has hushed it."""
        lines = []
        if (who := acts.acknowledgement(incident)) is not None:
            lines.append(
                self.say("Acknowledged by {name} at {time}.", name=shortened(who.by.name), time=self.clock(who.at))
            )
        if (silence := acts.silence_of(incident, state.incidents, now)) is not None:
            lines.append(self.silenced_by(silence, now, named=False))
        return lines

    def silenced(self, silence: Silence) -> str:
        """What a silence is about: `Everything`, `Latency`, `Latency of /predict`."""
        return self.title(Key(silence.objective, silence.labels)) if silence.objective else self.say("Everything")

    def silenced_by(self, act: Action, now: datetime, *, named: bool = True) -> str:
        """A silence: what it is about where that is to be named, how long it lasts, who made it and why."""
        silence = act.silence or Silence()
        holes: dict[str, Hole] = {"name": shortened(act.by.name)}
        if named:
            holes["what"] = self.silenced(silence)
        if silence.until is not None:
            holes["time"] = self.moment(silence.until, now)
        sentence = {
            (False, False): phrase("Silenced until recovery by {name}"),
            (False, True): phrase("Silenced until {time} by {name}"),
            (True, False): phrase("{what}: silenced until recovery by {name}"),
            (True, True): phrase("{what}: silenced until {time} by {name}"),
        }[named, silence.until is not None]
        text = self.say(sentence, **holes)
        return f"{text}: {shortened(silence.reason)}." if silence.reason else f"{text}."

    def moment(self, instant: datetime, now: datetime) -> str:
        """A time that need not be of today: `20:43`, `9:00 on 3 November`."""
        local = instant.astimezone(self.zone)
        if local.date() == now.astimezone(self.zone).date():
            return self.clock(instant)
        return self.say("{time} on {day}", time=self.clock(instant), day=self.language.date(local))

    def reminder(self, incident: Incident, now: datetime, acts: Actions = NO_ACTIONS) -> str:
        """An incident that nobody has ended for long."""
        what, lasted = self._in_short(incident), now - incident.since
        if (who := acts.acknowledgement(incident)) is None:
            text = self.say(
                "Still open after {duration}, not acknowledged: {what}. #{number}",
                duration=lasted,
                what=what,
                number=incident.number,
            )
        else:
            text = self.say(
                "Still open after {duration}, acknowledged by {name} at {time}: {what}. #{number}",
                duration=lasted,
                name=shortened(who.by.name),
                time=self.clock(who.at),
                what=what,
                number=incident.number,
            )
        return f"⏱ {text}"

    def escalation(self, incident: Incident, now: datetime) -> str:
        """An incident that nobody has acknowledged."""
        text = self.say(
            "Escalation: nobody acknowledged {what} for {duration}. #{number}",
            duration=now - incident.since,
            what=self._in_short(incident),
            number=incident.number,
        )
        return f"⏱ {text}"

    def _in_short(self, incident: Incident) -> str:
        objective = self.objectives.of(incident.key)
        if objective is None or incident.shown is None or incident.burn is not None:
            return self.about(incident)
        return f"{self.title(incident.key)}, {self._value(objective, incident.shown, incident.bounds)}"

    def about(self, incident: Incident) -> str:
        """What an incident is called in a list."""
        if incident.key == GAP:
            return self.say("Not evaluating")
        if incident.burn is not None:
            return self.say("Error budget of {title}", title=self.title(incident.key))
        return self.title(incident.key)

    def recovery(self, incident: Incident, told: DeliveryRecord, acts: Actions = NO_ACTIONS) -> str:
        """The end of an incident that the chat knows of, and all that is known of it."""
        if incident.outcome is not Outcome.RECOVERED:
            return self._unproved_end(incident)
        title, objective = self.title(incident.key), self.objectives.of(incident.key)
        first, last = self._first_and_last(incident)
        lasted = incident.last_bad_at - incident.since
        if incident.key.objective == DOWN:
            lines = [
                f"🟢 {self.say('{job} is up again', job=shortened(_job(incident)))}",
                self.say("Down for {duration} ({first}–{last}).", duration=lasted, first=first, last=last),
            ]
            return "\n".join([*lines, self._foot(incident)])
        if incident.key.objective == SIGHT.objective:
            lines = [
                f"🟢 {self._seeing(incident)}",
                self.say(
                    "Monitoring was lost for {duration} ({first}–{last}).", duration=lasted, first=first, last=last
                ),
            ]
            return "\n".join([*lines, self._foot(incident)])
        if incident.key == LEDGER:
            lines = [
                f"🟢 {self.say('The database is writable again; nothing was lost.')}",
                self.say(
                    "It could not be written for {duration} ({first}–{last}).", duration=lasted, first=first, last=last
                ),
            ]
            return "\n".join([*lines, self._foot(incident)])
        if incident.burn is not None and objective is not None:
            head = f"🟢 {self.say('{title}: error budget burn rate is back to normal', title=title)}"
            budget = self.budget_left(incident.budget, objective)
            return "\n".join(filter(None, (head, budget, self._foot(incident))))
        if objective is not None and (proof := _proof(incident, objective)) is not None:
            value = self._value(objective, proof, incident.bounds)
            head = self.say("{title} resolved: {value}", title=title, value=value)
        else:
            head = self.say("{title} resolved", title=title)
        lasting = self.say("Lasted {duration} ({first}–{last}).", duration=lasted, first=first, last=last)
        lines = [f"🟢 {head}", f"{lasting} {self._worst(incident, objective)}".rstrip()]
        lines += filter(None, (self._counts(incident, objective), self._not_judged(incident)))
        if incident.openings > 1:
            lines.append(self._again(incident, objective, incident.last_bad_at))
        if objective is not None and not incident.is_drill:
            spent = incident.budget.share_of(objective, incident.bad) if incident.budget else None
            lines += filter(None, [self.budget_left(incident.budget, objective, spent=spent)])
        if told.breach_told_at is not None:
            lines.append(self._told_after(incident, told.breach_told_at - incident.since, acts))
        return "\n".join([*lines, self._foot(incident)])

    def _not_judged(self, incident: Incident) -> str:
        duration = incident.unjudged_for
        return self.say("Not evaluated for {duration}.", duration=duration) if duration else ""

    def _told_after(self, incident: Incident, duration: timedelta, acts: Actions) -> str:
        if (who := acts.acknowledgement(incident)) is None:
            return self.say("Notified after {duration}.", duration=duration)
        return self.say(
            "Notified after {duration}, acknowledged by {name} after {later}.",
            duration=duration,
            name=shortened(who.by.name),
            later=who.at - incident.since,
        )

    def closed(self, incident: Incident) -> str:
        """What the first message reads once the incident is over."""
        if incident.key == GAP:
            return f"🔄 {self._back(incident)}"
        if incident.outcome is not Outcome.RECOVERED:
            return self._unproved_end(incident)
        return f"⚪️ {self.say('Resolved: {what}. #{number}', what=self._was(incident), number=incident.number)}"

    def missed(self, incident: Incident, state: State, withheld: DelayReason = DelayReason.OUTAGE) -> str:
        """Breach and end in one line, for a chat that heard of neither."""
        if incident.key == GAP:
            return f"🔄 {self._back(incident)} {self._still_open(state)}"
        if incident.outcome is not Outcome.RECOVERED:
            return self._unproved_end(incident)
        sentence = {
            DelayReason.OUTAGE: phrase(
                "Delivered late (messages could not be sent): {what}, resolved since. #{number}"
            ),
            DelayReason.SILENCE: phrase("Delivered after a silence: {what}, resolved since. #{number}"),
            DelayReason.QUIET_HOURS: phrase("Delivered after quiet hours: {what}, resolved since. #{number}"),
        }[withheld]
        return f"⚪️ {self.say(sentence, what=self._was(incident), number=incident.number)}"

    def storm(self, kind: Kind, incidents: Sequence[Incident], state: State) -> str:
        """Many incidents in one message, the worst of them by name."""
        worst = sorted(incidents, key=lambda each: -(each.worst or 0.0))[:STORM_NAMES]
        names = self._and_more([self._in_storm(kind, each) for each in worst], len(incidents) - len(worst))
        n = len(incidents)
        match kind:
            case Kind.BREACH:
                text = self.count(
                    n,
                    "<b>{n}</b> objective in breach. Worst: {names}. All: /status",
                    "<b>{n}</b> objectives in breach. Worst: {names}. All: /status",
                    names=names,
                )
                return f"🔴 {text}"
            case Kind.RECOVERY if all(each.outcome is Outcome.RECOVERED for each in incidents):
                text = self.count(
                    n,
                    "<b>{n}</b> objective resolved: {names}.",
                    "<b>{n}</b> objectives resolved: {names}.",
                    names=names,
                )
                return f"🟢 {text}\n{self._still_in_breach(state)}"
            case Kind.RECOVERY:
                text = self.count(
                    n,
                    "<b>{n}</b> incident closed without recovery: {names}. All: /status",
                    "<b>{n}</b> incidents closed, not all of them recovered: {names}. All: /status",
                    names=names,
                )
                return f"⚪️ {text}"
            case _:
                text = self.count(
                    n,
                    "Delivered late: <b>{n}</b> incident, resolved since. Worst: {names}. All: /incidents",
                    "Delivered late: <b>{n}</b> incidents, resolved since. Worst: {names}. All: /incidents",
                    names=names,
                )
                return f"⚪️ {text}"

    def status(self, state: State, now: datetime, acts: Actions = NO_ACTIONS, *, is_overdue: bool = False) -> str:
        """Every objective in a line each, and how old that knowledge is; where it is too old, nothing is green."""
        if state.looked_at is None:
            return f"⚪️ {self.say('Nothing has been evaluated yet.')}"
        tracks = [track for key, track in sorted(state.tracks.items()) if key.alert is Alert.BREACH]
        tracks.sort(key=lambda track: URGENCY.index(track.phase))
        lines = [self._status_line(track, state, now, acts) for track in tracks[:STATUS_LINES]]
        if is_overdue:
            grey = [re.sub("^[🟢🟡]", "⚪️", line) for line in lines]
            age = self.say("No evaluation for {duration}: this is how it stood then.", duration=now - state.looked_at)
            lines = [f"🟠 {age}", *grey]
        if (rest := len(tracks) - STATUS_LINES) > 0:
            lines.append(self.count(rest, "… and {n} more, no worse.", "… and {n} more, none of them worse."))
        if not lines:
            lines = [f"⚪️ {self.say('No data yet.')}"]
        rates = [each.events_per_second for each in state.readings.values() if each.events_per_second is not None]
        last = self.say("Evaluated {duration} ago.", duration=now - state.looked_at)
        if rates:
            last = f"{self.say('{rate} requests/s.', rate=self.language.rate(max(rates)))} {last}"
        silences = self._silences(state, now, acts)
        if not silences:
            last = f"{last} {self.say('No silences.')}"
        return "\n".join([*lines, last, *silences])

    def _silences(self, state: State, now: datetime, acts: Actions) -> list[str]:
        """A line for each silence that runs, as far as there is room."""
        silences = acts.silences(state.incidents, now)
        lines = [f"🔇 {self.silenced_by(each, now)}" for each in silences[:MAX_HELD]]
        if (rest := len(silences) - MAX_HELD) > 0:
            lines.append(self.count(rest, "{n} more silence: /silences", "{n} more silences: /silences"))
        return lines

    @property
    def _repeat(self) -> str:
        return self.say("This may be a duplicate: the first delivery was not confirmed.")

    def _back(self, gap: Incident) -> str:
        """Return that there was no evaluation for a while, and why."""
        duration = gap.last_bad_at - gap.began_at
        match gap.reason:
            case Interruption.RESTART:
                return self.say("Watchdog restarted; not evaluating for {duration}.", duration=duration)
            case Interruption.FAILURE:
                return self.say("Not evaluating for {duration}: evaluations failed.", duration=duration)
            case Interruption.PAUSE:
                return self.say("Not evaluating for {duration}: the watchdog was suspended.", duration=duration)
            case Interruption.CLOCK:
                return self.say("The clock was set back: the last evaluation lay in the future and is dropped.")
            case _:
                return self.say("Not evaluating for {duration}.", duration=duration)

    def _still_open(self, state: State) -> str:
        still = state.open_incidents
        if not still:
            return self.say("No incident is open.")
        names = ", ".join(
            self.say("#{number} {name}", number=each.number, name=self._name(each.key))
            for each in still[:MAX_ENDPOINTS]
        )
        if len(still) > MAX_ENDPOINTS:
            names += " …"
        return self.count(
            len(still), "{n} incident still open: {names}.", "{n} incidents still open: {names}.", names=names
        )

    def _still_in_breach(self, state: State) -> str:
        still = len(state.open_incidents)
        if not still:
            return self.say("None is in breach any more.")
        return self.count(still, "{n} still in breach: /status", "{n} still in breach: /status")

    def _in_storm(self, kind: Kind, incident: Incident) -> str:
        objective = self.objectives.of(incident.key)
        value = incident.worst
        if objective is not None and kind is Kind.RECOVERY:
            proof = _proof(incident, objective)
            value = proof.number if proof else None
        if objective is None or value is None or incident.burn is not None:
            return " ".join([*self.drill_mark(incident), self.about(incident)])
        number = self._number(objective, value, incident.bounds)
        return " ".join([*self.drill_mark(incident), self.title(incident.key), number])

    def _and_more(self, names: Sequence[str], rest: int) -> str:
        listed = ", ".join(names)
        return self.count(rest, "{names} and {n} more", "{names} and {n} more", names=listed) if rest > 0 else listed

    def _seeing(self, incident: Incident) -> str:
        """What can be seen again; another cause may hide the same objectives, and has an incident of its own."""
        labels = dict(incident.key.labels)
        if "job" in labels:
            return self.say("Monitoring restored: the samples of {job} are fresh.", job=shortened(labels["job"]))
        if "objective" in labels:
            return self.say("Monitoring restored: {name} is evaluated again.", name=shortened(labels["objective"]))
        return self.say("Monitoring restored: Prometheus answers.")

    def _no_target(self, incident: Incident, state: State, now: datetime) -> list[str]:
        head = self.say(
            "{job} is down: {reason} since {time} ({duration}).",
            job=f"<b>{shortened(_job(incident))}</b>",
            reason=self.language.tell(incident.reason),
            time=self.beginning(incident.since, now),
            duration=self.so_far(now - incident.since),
        )
        return [f"🔴 {head}", *self._stay_open(state)]

    def _cannot_see(self, incident: Incident, state: State, now: datetime) -> list[str]:
        causes = causes_of(state, self.objectives)
        unseen = {key.objective for key, cause in causes.items() if cause == incident.key}
        names = sorted(unseen or self.objectives.by_name)
        blind_for = f"<b>{self.so_far(now - incident.began_at)}</b>"
        reason = self.language.tell(incident.reason)
        since = self.clock(incident.began_at)
        if len(names) < len(self.objectives.all):
            unjudged = self.count(
                len(names),
                "{n} objective is not evaluated since {time} ({names}); its state is unknown.",
                "{n} objectives are not evaluated since {time} ({names}); their state is unknown.",
                time=since,
                names=escape(", ".join(names)),
            )
        else:
            unjudged = self.count(
                len(names),
                "{n} objective is not evaluated since {time}; its state is unknown.",
                "{n} objectives are not evaluated since {time}; their state is unknown.",
                time=since,
            )
        return [
            f"🟣 {self.say('Monitoring lost for {duration}: {reason}', duration=blind_for, reason=reason)}",
            unjudged,
        ]

    def _cannot_write(self, incident: Incident, now: datetime) -> list[str]:
        unwritten_for = f"<b>{self.so_far(now - incident.began_at)}</b>"
        reason = self.language.tell(incident.reason)
        head = self.say(
            "The database could not be written for {duration}: {reason}", duration=unwritten_for, reason=reason
        )
        since = self.clock(incident.began_at)
        return [
            f"🔴 {head}",
            self.say("State is kept in memory only: a restart would lose everything since {time}.", time=since),
        ]

    def _bad(self, incident: Incident, objective: Objective, state: State, now: datetime) -> list[str]:
        since, open_for = self.beginning(incident.since, now), now - incident.since
        is_long = open_for >= LONG_OPEN
        if objective.is_up and incident.down:
            lines = self._down(incident, objective, state, now)
        else:
            title = self.title(incident.key)
            if incident.openings > 1:
                title = self.say("{title} again", title=title)
            lasting = f" · {self.so_far(open_for)}" if is_long else ""
            lines = [f"🔴 {title}: {self._against_target(incident, objective, bold=True)}{lasting}"]
            if is_long:
                when = [self.say("Since {time}.", time=since), self._worst(incident, objective)]
            else:
                when = [self.say("Since {time} ({duration}).", time=since, duration=open_for)]
            lines.append(" ".join(filter(None, (*when, self._counts(incident, objective)))))
            lines += self._endpoints(incident, objective)
            if not incident.is_drill:
                lines += filter(None, [self.budget_left(incident.budget, objective, at_rate_of=RATE_OVER)])
        if incident.openings > 1:
            lines.append(self._again(incident, objective, now))
        if (change := incident.change) is not None:
            lines.append(
                self.say(
                    "Deployed {duration} before ({before}… → {after}…).",
                    duration=incident.since - change.at,
                    before=shortened(change.before[:SHA_LETTERS]),
                    after=shortened(change.after[:SHA_LETTERS]),
                )
            )
        return lines

    def _down(self, incident: Incident, objective: Objective, state: State, now: datetime) -> list[str]:
        """Targets that do not answer: which of how many, and what that holds open."""
        down_for = f"<b>{self.so_far(now - incident.since)}</b>"
        name = self.title(incident.key) if incident.key.labels else escape(objective.job)
        head = self.say(
            "{what} for {duration} (since {time})",
            what=self._which_are_down(name, incident.down, incident.targets),
            duration=down_for,
            time=self.beginning(incident.since, now),
        )
        return [f"🔴 {head}", *self._stay_open(state)]

    def _stay_open(self, state: State) -> list[str]:
        """The incidents that stay open because no target answers, as far as there is room."""
        held = [each for each in state.open_incidents if each.held is Sight.TARGET_DOWN]
        lines = [
            self.say("{title} #{number} stays open.", title=self.title(each.key), number=each.number)
            for each in held[:MAX_HELD]
        ]
        if (rest := len(held) - MAX_HELD) > 0:
            lines.append(self.count(rest, "{n} more stays open.", "{n} more stay open."))
        return lines

    def _which_are_down(self, name: str, down: Sequence[str], known: int) -> str:
        """How many of how many targets do not answer; which they are where others do."""
        if known == 1:
            return self.say("{name} is down: all scrapes fail", name=name)
        if len(down) >= known:
            return self.count(
                known,
                "{name} is down: {down} of {n} target does not answer",
                "{name} is down: {down} of {n} targets do not answer",
                name=name,
                down=self.language.number(len(down)),
            )
        return self.count(
            known,
            "{name}: {down} of {n} target down ({which})",
            "{name}: {down} of {n} targets down ({which})",
            name=name,
            down=self.language.number(len(down)),
            which=self._few([shortened(each) for each in down]),
        )

    def _burning(self, incident: Incident, burn: Burn, objective: Objective) -> list[str]:
        budget = incident.budget
        rate = budget.burn_rate(objective, burn.long) if budget else None
        over = min(burn.long, budget.history) if budget else burn.long
        factor = burn.factor(objective.window)
        head = self.say(
            phrase("{title}: error budget burn rate {rate} over {window} ({spent} spent). No action needed tonight.")
            if burn.alert is Alert.TICKET
            else phrase("{title}: error budget burn rate {rate} over {window} ({spent} spent)."),
            title=self.title(incident.key),
            rate=f"<b>{self.language.rate(factor if rate is None else rate)}×</b>",
            window=over,
            spent=self.language.percent(burn.budget if rate is None else rate * (over / objective.window)),
        )
        lines = [f"{'🟡' if burn.alert is Alert.TICKET else '🔴'} {head}"]
        return [*lines, *filter(None, [self.budget_left(budget, objective)])]

    def budget_left(
        self,
        budget: Budget | None,
        objective: Objective,
        *,
        spent: float | None = None,
        at_rate_of: timedelta | None = None,
    ) -> str:
        """The line on the error budget; empty where nothing is known.

        Args:
            budget: What is known of it.
            objective: Whose.
            spent: Which share of it an incident has spent, where that is to be told.
            at_rate_of: The window whose burn rate says how long it lasts, where that is to be told.
        """
        left = budget.remaining(objective) if budget else None
        if budget is None or left is None:
            return ""
        if budget.is_young(objective):
            return self.say("Error budget: {duration} of history so far.", duration=budget.history)
        window, share = objective.window, self.language.percent(max(left, 0.0))
        gone = budget.lasts_for(objective, at_rate_of) if at_rate_of else None
        if left <= 0:
            facts = self.say("none left of {window}", window=window)
        elif gone is not None:
            facts = self.say(
                "{share} left of {window}, gone in {duration} at this rate", share=share, window=window, duration=gone
            )
        else:
            facts = self.say("{share} left of {window}", share=share, window=window)
        if spent is not None:
            facts = self.say("{spent} spent, {facts}", spent=self.language.percent(spent), facts=facts)
        line = self.say("Error budget: {facts}.", facts=facts)
        if budget.history >= objective.window * WHOLE:
            return line
        return f"{line} {self.say('Known from {duration} of history.', duration=budget.history)}"

    def _held(self, incident: Incident, held: Sight, objective: Objective, now: datetime) -> list[str]:
        held_for = self.so_far(now - (incident.held_since or now))
        match held:
            case Sight.NO_TRAFFIC:
                why = self.say("no requests for {duration}", duration=held_for)
                meaning = self.say("Kept open: no traffic is not a recovery.")
            case Sight.TOO_FEW:
                why = self.say("too few requests to judge")
                meaning = self.say("Kept open: too few requests to confirm a recovery.")
            case Sight.TARGET_DOWN:
                why = self.say("the service has been down for {duration}", duration=held_for)
                meaning = self.say("Kept open: the service is down.")
            case _:
                why = self.say("no data for {duration}", duration=held_for)
                meaning = self.say("Kept open: without data a recovery cannot be confirmed.")
        value = self._against_target(replace(incident, waiting_seconds=None, value_over=None), objective)
        was = self.say("last {value}", value=value)
        lasting = self.so_far(now - incident.since)
        return [f"🔴 {self.title(incident.key)}: {was} · {lasting} · {why}", meaning]

    def _unproved_end(self, incident: Incident) -> str:
        title, number = self.title(incident.key), incident.number
        if incident.outcome is Outcome.WITHDRAWN:
            text = self.say(
                "{title}: objective removed, incident closed; this is not a recovery. #{number}",
                title=title,
                number=number,
            )
            return f"⚪️ {text}"
        since = incident.held_since or incident.last_bad_at
        text = self.say(
            "{title}: no requests since {time}. "
            "Incident #{number} expired after {duration} without data; this is not a recovery.",
            title=title,
            time=self.clock(since),
            duration=(incident.closed_at or since) - since,
            number=number,
        )
        return f"⚪️ {text}"

    def _was(self, incident: Incident) -> str:
        objective = self.objectives.of(incident.key)
        title = self.title(incident.key)
        first, last = self._first_and_last(incident)
        lasted = incident.last_bad_at - incident.since
        if incident.key.objective == DOWN:
            return self.say(
                "{job} down {first}–{last} ({duration})",
                job=shortened(_job(incident)),
                first=first,
                last=last,
                duration=lasted,
            )
        if incident.key.objective == SIGHT.objective and incident.key.labels:
            return self.say(
                "{name} not evaluated {first}–{last} ({duration})",
                name=shortened(next(value for _, value in incident.key.labels)),
                first=first,
                last=last,
                duration=lasted,
            )
        if incident.key == SIGHT:
            return self.say("monitoring lost {first}–{last} ({duration})", first=first, last=last, duration=lasted)
        if incident.key == LEDGER:
            return self.say(
                "database not writable {first}–{last} ({duration})",
                first=first,
                last=last,
                duration=lasted,
            )
        if incident.burn is not None:
            return self.say(
                "{title} error budget burn rate too high {first}–{last} ({duration})",
                title=title,
                first=first,
                last=last,
                duration=lasted,
            )
        if objective is None or incident.worst is None or objective.is_up:
            return self.say(
                "{title} in breach {first}–{last} ({duration})",
                title=title,
                first=first,
                last=last,
                duration=lasted,
            )
        return self.say(
            "{title} in breach {first}–{last} ({duration}), worst {worst}",
            title=title,
            first=first,
            last=last,
            duration=lasted,
            worst=self._number(objective, incident.worst, incident.bounds),
        )

    def _again(self, incident: Incident, objective: Objective | None, now: datetime) -> str:
        """How often an incident was opened, and what all of that comes to."""
        times = self.count(
            incident.openings,
            "In breach {n} time since {time}, {duration} in all.",
            "In breach {n} times since {time}, {duration} in all.",
            time=self.beginning(incident.began_at, incident.since),
            duration=incident.bad_for(now),
        )
        if objective is None or objective.is_up or not incident.earlier or not round(incident.total):
            return times
        return f"{times} {self._events(objective, incident.bad, incident.total)}"

    def _first_and_last(self, incident: Incident) -> tuple[str, str]:
        """The beginning and the end of the bad time."""
        last = incident.last_bad_at
        return self.beginning(incident.since, last), self.beginning(last, last)

    def _worst(self, incident: Incident, objective: Objective | None) -> str:
        if objective is None or incident.worst is None or objective.is_up:
            return ""
        value = self._number(objective, incident.worst, incident.bounds)
        if incident.worst_at is None:
            return self.say("Worst {value}.", value=value)
        return self.say("Worst {value} at {time}.", value=value, time=self.clock(incident.worst_at))

    def _counts(self, incident: Incident, objective: Objective | None) -> str:
        now = incident.this_opening
        if objective is None or objective.is_up or not round(now.total):
            return ""
        return self._events(objective, now.bad, now.total)

    def _events(self, objective: Objective, bad: float, total: float) -> str:
        """How many of how many were bad, as a sentence."""
        n, those = round(total), self.language.number(bad)
        match objective.source:
            case Latency(threshold_seconds=threshold):
                return self.count(
                    n,
                    "{bad} of {n} request over {target}.",
                    "{bad} of {n} requests over {target}.",
                    bad=those,
                    target=self.seconds(threshold),
                )
            case Up():
                return self.count(n, "{bad} of {n} scrape failed.", "{bad} of {n} scrapes failed.", bad=those)
            case _:
                return self.count(n, "{bad} of {n} request failed.", "{bad} of {n} requests failed.", bad=those)

    def _endpoints(self, incident: Incident, objective: Objective) -> list[str]:
        if not isinstance(objective.source, Latency) or incident.waiting_seconds is not None:
            return []
        threshold = objective.source.threshold_seconds
        slow: list[str] = []
        fine: list[str] = []
        for endpoint, value in incident.by_endpoint:
            if not endpoint.strip():
                continue
            those = slow if value > threshold else fine
            those.append(f"{shortened(endpoint)} {self.seconds(value, incident.bounds, apart_from=threshold)}")
        parts = []
        if slow:
            parts.append(self.say("Slow: {endpoints}.", endpoints=self._few(slow)))
        if fine:
            parts.append(self.say("Fine: {endpoints}.", endpoints=self._few(fine)))
        return [" ".join(parts)] if parts else []

    def _few(self, names: Sequence[str]) -> str:
        return self._and_more(names[:MAX_ENDPOINTS], len(names) - MAX_ENDPOINTS)

    def _foot(self, incident: Incident) -> str:
        return self.say("#{number} · {name}", number=incident.number, name=self._name(incident.key))

    def _name(self, key: Key) -> str:
        """What people type, and whether it is about the budget."""
        name = shortened(str(replace(key, alert=Alert.BREACH)))
        return name if key.alert is Alert.BREACH else self.say("{name} budget", name=name)

    def target(self, objective: Objective) -> str:
        """What a value is to be, with its sign: `≤ 1 s`."""
        match objective.source:
            case Latency(threshold_seconds=threshold):
                return f"≤ {self.seconds(threshold)}"
            case Up():
                return f"≥ {self.language.percent(objective.ratio)}"
            case _:
                return f"≤ {self.language.percent(objective.allowed_bad_ratio)}"

    def _number(self, objective: Objective, value: float, bounds: Sequence[float] = ()) -> str:
        """A value with its unit, as exact as it takes to differ from the target; for up, how much of it was up."""
        match objective.source:
            case Latency(threshold_seconds=threshold):
                return self.seconds(value, bounds, apart_from=threshold)
            case Up():
                return self.language.percent(max(0.0, 1 - value), apart_from=objective.ratio)
            case _:
                return self.language.percent(value, apart_from=objective.allowed_bad_ratio)

    def _value(self, objective: Objective, value: Value, bounds: Sequence[float] = ()) -> str:
        """A value and its time range: `p95 0.04 s (last 20 s)`."""
        what = self._measured(objective, self._number(objective, value.number, bounds))
        return what if value.over is None else self.say("{value} (last {duration})", value=what, duration=value.over)

    def _measured(self, objective: Objective, number: str) -> str:
        """A number with what it is the number of."""
        match objective.source:
            case Latency():
                return f"p{objective.ratio * 100:g} {number}"
            case Up():
                return self.say("{share} up", share=number)
            case _:
                return self.say("{share} failed", share=number)

    def _against_target(self, incident: Incident, objective: Objective, *, bold: bool = False) -> str:
        """How an incident stands against its target."""
        if incident.waiting_seconds is not None:
            waited = self.seconds(incident.waiting_seconds)
            waited = self.say("no answer for {duration}", duration=f"<b>{waited}</b>" if bold else waited)
            return self.say("{value} (target {target})", value=waited, target=self.target(objective))
        if incident.shown is None:
            return self.say("in breach (target {target})", target=self.target(objective))
        return self._kept(objective, incident.shown, incident.bounds, bold=bold)

    def _kept(self, objective: Objective, value: Value, bounds: Sequence[float] = (), *, bold: bool = False) -> str:
        """A value beside its target and its time range: `p95 2.4 s (target ≤ 1 s, last 20 s)`."""
        number = self._number(objective, value.number, bounds)
        what = self._measured(objective, f"<b>{number}</b>" if bold else number)
        target = self.target(objective)
        if value.over is None:
            return self.say("{value} (target {target})", value=what, target=target)
        return self.say("{value} (target {target}, last {duration})", value=what, target=target, duration=value.over)

    def standing(self, key: Key, state: State, now: datetime) -> str:
        """How one objective stands, in a line that begins with its sign and its title."""
        track, objective = state.tracks.get(key), self.objectives.of(key)
        if track is None or objective is None:
            return f"⚪️ {self.title(key)}"
        incident = state.incidents.get(track.incident) if track.incident is not None else None
        reading = state.readings.get(key)
        stands, sign = self._unjudged(track, objective, reading, now), "⚪️"
        if reading is not None and not stands:
            value = self._now(objective, reading, track)
            stands = "" if value is None else self._kept(objective, value, reading.bounds)
            sign = self._sign(objective, reading, track)
        if incident is None or not incident.is_open:
            return f"{sign} {self.title(key)}: {stands}"
        since = self.beginning(incident.since, now)
        breach = [*self.drill_mark(incident), self.say("in breach since {time}", time=since)]
        return f"🔴 {self.title(key)}: {stands}; {'; '.join(breach)}"

    def _status_line(self, track: KeyState, state: State, now: datetime, acts: Actions = NO_ACTIONS) -> str:
        objective = self.objectives.of(track.key)
        reading = state.readings.get(track.key)
        incident = state.incidents.get(track.incident) if track.incident is not None else None
        is_open = incident is not None and incident.is_open
        sign, stands = "⚪️", self._unjudged(track, objective, reading, now)
        if objective is not None and reading is not None and not stands:
            stands = self._stands(objective, reading, track)
            sign = self._sign(objective, reading, track)
        line = [f"{'🔴' if is_open else sign} {self._name(track.key)}: {stands}"]
        if incident is not None and is_open:
            line.append(
                self.say(
                    "#{number} since {time} ({duration})",
                    number=incident.number,
                    time=self.beginning(incident.since, now),
                    duration=now - incident.since,
                )
            )
            if (who := acts.acknowledgement(incident)) is not None:
                line.append(self.say("acknowledged by {name}", name=shortened(who.by.name)))
            line += self.drill_mark(incident)
        line += self._muted(track.key, state, now, acts)
        return " · ".join(line)

    def _muted(self, key: Key, state: State, now: datetime, acts: Actions) -> list[str]:
        """That a key is silenced, until when and by whom; nothing where it is not."""
        act = acts.silence_about(key, state.incidents, now)
        if act is None or act.silence is None:
            return []
        name = shortened(act.by.name)
        if act.silence.until is None:
            return [f"🔇 {self.say('until recovery, {name}', name=name)}"]
        return [f"🔇 {self.say('until {time}, {name}', time=self.moment(act.silence.until, now), name=name)}"]

    def _unjudged(self, track: KeyState, objective: Objective | None, reading: Reading | None, now: datetime) -> str:
        """Why nothing can be said of how it stands; empty where something can."""
        if objective is None or reading is None:
            return self.say("not evaluated since the start")
        match track.sight:
            case Sight.CLEAR:
                return "" if self._now(objective, reading, track) is not None else self._no_number(objective, reading)
            case Sight.NO_TRAFFIC:
                quiet_for = now - (track.quiet_since or track.sight_since)
                return self.say("no requests for {duration}", duration=quiet_for)
            case Sight.TOO_FEW:
                return self.language.tell(track.reason)
            case Sight.TARGET_DOWN:
                return self.say("the service has been down for {duration}", duration=now - track.sight_since)
            case _:
                return self.say("no data: {reason}", reason=self.language.tell(track.reason))

    def _stands(self, objective: Objective, reading: Reading, track: KeyState) -> str:
        """How it stands, and what of its budget is left."""
        value = self._now(objective, reading, track)
        parts = [] if value is None else [self._kept(objective, value, reading.bounds)]
        if reading.up_targets is not None and reading.up_targets.down:
            parts.append(self._targets_down(reading.up_targets.down, reading.up_targets.known))
        return " · ".join([*parts, *filter(None, [self.budget_in_short(reading.budget, objective)])])

    def _targets_down(self, down: Sequence[str], known: int) -> str:
        return self.count(
            known,
            "{down} of {n} target down ({which})",
            "{down} of {n} targets down ({which})",
            down=self.language.number(len(down)),
            which=self._few([shortened(each) for each in down]),
        )

    def budget_in_short(self, budget: Budget | None, objective: Objective) -> str:
        """What of a budget is left, as a part of a line; empty where nothing is known."""
        left = budget.remaining(objective) if budget else None
        if budget is None or left is None:
            return ""
        if budget.is_young(objective):
            return self.say("budget: {duration} of history so far", duration=budget.history)
        return self.say("budget {share}", share=self.language.percent(max(left, 0.0)))

    def _sign(self, objective: Objective, reading: Reading, track: KeyState) -> str:
        """Green where the value is within the target; where it is not, or was not just now, it is no breach yet."""
        value = self._now(objective, reading, track)
        is_fine = track.phase is not Phase.BREACHING and (value is None or value.is_within(objective))
        return "🟢" if is_fine else "🟡"

    def _no_number(self, objective: Objective, reading: Reading) -> str:
        """Why there is no value although there is data."""
        if reading.good_ratio is None and reading.latency_seconds is None:
            return self.say("no number yet")
        return self.say("no requests in the last {duration}", duration=objective.recent)

    def _now(self, objective: Objective, reading: Reading, track: KeyState) -> Value | None:
        """The value as it is now; None where there is none."""
        return value_of(objective, reading, is_met=track.phase is Phase.MET)


def _proof(incident: Incident, objective: Objective) -> Value | None:
    """The value that a recovery may name: none where it did not recover, and never one that is worse than the target.

    Older versions kept the value from before the recovery.
    """
    value = incident.shown
    if incident.outcome is not Outcome.RECOVERED or value is None or not value.is_within(objective):
        return None
    return value
