"""How the bot answers commands and buttons; what it sends by itself is in `incidents`.

Texts are HTML with `<b>` only; what is shown as a toast is short, as Telegram shows it for a second.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape, unescape

from wine_slo.slo.chat.address import Address
from wine_slo.slo.chat.messages import Command, Person, Refusal
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.incident import Incident
from wine_slo.slo.objectives.objective import Key
from wine_slo.slo.oncall.actions import UNDONE_WITHIN, Action, ActionKind, Silence
from wine_slo.slo.oncall.lookup import Names, UnknownNameError, UnknownNumberError
from wine_slo.slo.text.formatting import Formatter
from wine_slo.slo.text.language import Hole, shortened
from wine_slo.slo.text.refusals import refusal
from wine_slo.slo.text.silences import MAX_LABEL, end_text, silence_line, silence_scope

MAX_SILENCES = 10  # in one answer, and incidents that are named in one


@dataclass(frozen=True, slots=True)
class Replies:
    """The answers, for the readers of one chat."""

    fmt: Formatter

    def say(self, sentence: str, /, **holes: Hole) -> str:
        """Return a sentence in the readers' language, see `Language.say`."""
        return self.fmt.say(sentence, **holes)

    # Who sends

    def ids(self, address: Address, person: Person) -> str:
        """Return what is to be written into the settings so that this chat, or this person, is known."""
        lines = [self.say("This chat's id is {id}.", id=address.chat.place)]
        if address.thread is not None:
            lines.append(self.say("This topic alone is {id}.", id=address.place))
        if str(person.id) != address.place:
            lines.append(self.say("Yours is {id}.", id=person.id))
        return "\n".join(lines)

    def names(self, state: State) -> Names:
        """Return everything that can be named here."""
        return Names(self.fmt.objectives, tuple(state.tracks), state.incidents, self.fmt.title)

    def refused(self, refusal: Refusal, person: Person) -> str:
        """Say that somebody may query, but not change anything, and why."""
        match refusal:
            case Refusal.NOBODY:
                return self.say("This needs a person: write as yourself, not as a group or a channel.")
            case Refusal.FORWARDED:
                return self.say("A forwarded message changes nothing: write it yourself.")
            case Refusal.SECOND_CHAT:
                return self.say("Only an admin of this bot may do that from an escalation chat.")
            case Refusal.NO_ADMIN:
                return self.say("Only an admin of this bot may do that. Your id is {id}.", id=person.id)

    def stranger(self) -> str:
        """Say that a button was pressed in a chat that is not ours any more."""
        return self.say("This chat is not in the settings of this bot.")

    def too_often(self, seconds: int) -> str:
        """Say that this was one too many in a minute."""
        return self.say("Too many commands at once: try again in {seconds} s.", seconds=seconds)

    def too_old(self) -> str:
        """Return what was sent while nobody listened is not done; one answer for all of it."""
        return self.say(
            "This was sent while the bot was offline, so it was not carried out. Send it again if it still applies."
        )

    def forged(self) -> str:
        """Return a button is not ours, or is of another chat."""
        return self.say("This button does not belong to this bot.")

    def failed(self) -> str:
        """Return a fault of ours."""
        return self.say("Internal error: the command failed. Details are in the log.")

    def conflict(self, *, has_webhook: bool) -> str:
        """Return that what is said to this bot goes to a webhook, or else to another program."""
        if has_webhook:
            return self.say(
                "⚪️ Messages to this bot go to a webhook, so commands and buttons do not work here now. "
                "Alerts and recoveries are still sent."
            )
        return self.say(
            "⚪️ Another program reads the messages to this bot, so commands and buttons do not work here now. "
            "Alerts and recoveries are still sent."
        )

    def unreachable(self, chat: Address, reason: str) -> str:
        """Say that another chat of the settings is not notified, and why."""
        return self.say(
            "🟠 Chat {id} cannot be reached: {why}. It is not notified until that works again.",
            id=chat.place,
            why=refusal(self.fmt, reason),
        )

    # In which language

    def language(self) -> str:
        """Return the language of this chat; each says so of itself."""
        return self.say("I speak English here.")

    def other_language(self, said: str) -> str:
        """Say that we do not have the language that somebody wants."""
        return self.say("{language} is not available. Available languages:", language=shortened(said))

    # The commands

    def introduction(self) -> str:
        """Return who this is, for who has just met it."""
        jobs = ", ".join(dict.fromkeys(shortened(each.job) for each in self.fmt.objectives.all))
        titles = ", ".join(self.fmt.title(Key(each)) for each in list(self.fmt.objectives.by_name)[:MAX_SILENCES])
        if len(self.fmt.objectives.all) > MAX_SILENCES:
            titles += " …"
        lines = (
            self.say("This is wine-slo. It monitors the objectives of {jobs}: {titles}.", jobs=jobs, titles=titles),
            self.say(
                "Alerts and recoveries are sent to this chat; the buttons under an alert acknowledge or silence it."
            ),
            self.say("Status of every objective: /status. All commands: /help"),
        )
        return "\n".join(lines)

    def no_command(self, near: str | None) -> str:
        """Answer words without a slash."""
        if near is not None:
            return self.say("Commands begin with a slash. Did you mean /{near}?", near=near)
        return self.say("Commands begin with a slash. All commands: /help")

    def unknown(self, command: str, near: str | None) -> str:
        """Say that there is no such command."""
        sent = f"/{shortened(command)}"
        if near is not None:
            return self.say("There is no command {sent}. Did you mean /{near}?", sent=sent, near=near)
        return self.say("There is no command {sent}. All commands: /help", sent=sent)

    def help(self, commands: Iterable[Command]) -> str:
        """Return every command in a line."""
        lines = [self.say("Commands:")]
        for each in commands:
            usage = f" {shortened(self.say(each.usage))}" if each.usage else ""
            lines.append(f"/{each.name}{usage} · {self.say(each.help)}")
        return "\n".join(lines)

    def version(self, version: str) -> str:
        """Return what runs."""
        return self.say("wine-slo {version}", version=version)

    def unknown_name(self, error: UnknownNameError) -> str:
        """Say that words meant no objective, or several."""
        if isinstance(error, UnknownNumberError):
            return self.no_number(error.word)
        names = ", ".join(shortened(each) for each in error.known[:MAX_SILENCES])
        if len(error.known) > MAX_SILENCES:
            names += " …"
        if not error.word:
            return self.say("Which one? Objectives: {names}.", names=names)
        word = shortened(error.word)
        if error.among:
            return self.say("“{word}” can mean {names}. Which one?", word=word, names=names)
        if error.near:
            return self.say("There is no {word}. Did you mean {near}?", word=word, near=shortened(error.near))
        return self.say("There is no {word}. Objectives: {names}.", word=word, names=names)

    # Who has it

    def taken(self, incident: Incident) -> str:
        """Say that somebody has it from now on."""
        return self.say("You acknowledged #{number}.", number=incident.number)

    def taken_many(self, count: int) -> str:
        """Say that somebody has so many from now on."""
        return self.fmt.count(
            count,
            "You acknowledged {n} incident. To undo: /undo",
            "You acknowledged {n} incidents. To undo: /undo",
        )

    def taken_all(self, incidents: Sequence[Incident], person: Person) -> str:
        """Say that somebody has these from now on."""
        return self.say(
            "Acknowledged by {name}: {incidents}.", name=shortened(person.name), incidents=self._named(incidents)
        )

    def taken_already(self, action: Action) -> str:
        """Say that somebody has it, and since when."""
        return self.say(
            "Already acknowledged by {name} at {time}.", name=shortened(action.by.name), time=self.fmt.clock(action.at)
        )

    def which(self, incidents: Sequence[Incident]) -> str:
        """Say that there are several, and offer them."""
        return self.say(
            "Which one? Open: {incidents}. For example: /ack {number}, or /ack all.",
            incidents=self._named(incidents),
            number=incidents[0].number,
        )

    def none_open(self) -> str:
        """Say that there is nothing to be acknowledged."""
        return self.say("Nothing is in breach.")

    def over(self, number: int) -> str:
        """Return an incident is over, or this is not its present time."""
        return self.say("#{number} is closed; this button no longer applies.", number=number)

    def not_an_incident(self, word: str, near: str = "") -> str:
        """Say that no open incident has that name."""
        if near:
            return self.say(
                "“{word}” is not understood. Did you mean {near}?", word=shortened(word), near=shortened(near)
            )
        return self.say("“{word}” is not understood. For example: /ack 12, or /ack all.", word=shortened(word))

    def no_number(self, word: str) -> str:
        """Say that no incident has that number."""
        return self.say("There is no {number}.", number=shortened(word))

    def not_in_breach(self, key: Key) -> str:
        """Return an objective of which nothing is open."""
        return self.say("{title} is not in breach.", title=self.fmt.title(key))

    def closed_already(self, number: int) -> str:
        """Return an incident that is over."""
        return self.say("#{number} is closed.", number=number)

    def not_here(self) -> str:
        """Say that this was not escalated to the chat in which somebody wants it."""
        return self.say("In this chat you can act only on escalated incidents: give the number, such as #12.")

    # Silences

    def silenced(self, silence: Silence, now: datetime) -> str:
        """Return a silence begins."""
        what = silence_scope(self.fmt, silence)
        if silence.until is None:
            return self.say("{what}: silenced until recovery.", what=what)
        return self.say("{what}: silenced until {time}.", what=what, time=end_text(self.fmt, silence.until, now))

    def silenced_in_full(self, silences: Sequence[Silence], now: datetime) -> str:
        """Say which silences begin that were wanted together, and what that means."""
        lines = [f"🔇 {self.silenced(each, now)}" for each in silences]
        if silences[0].reason:
            lines.append(self.say("Reason: {reason}", reason=escape(silences[0].reason)))
        if any(not each.objective for each in silences):
            lines.append(self.say("Never silenced by this: lost monitoring, and an outage of the whole service."))
        lines.append(self.say("Evaluation continues; recoveries are still sent, without sound. To undo: /undo"))
        return "\n".join(lines)

    def chosen_already(self) -> str:
        """Say that another of these buttons has been pressed, or that it is too long ago."""
        return self.say("These buttons have expired. Send the command again.")

    def nothing_to_wait_for(self) -> str:
        """Say that nothing is in breach, where a silence was to last until recovery."""
        return self.say("It is not in breach, so there is no recovery to wait for. Give a duration.")

    def silences(self, actions: Sequence[Action], now: datetime) -> str:
        """Return the silences that run."""
        if not actions:
            return self.say("No silences. To make one: /silence 1h all")
        lines = [self._silence(action, now) for action in actions[:MAX_SILENCES]]
        if len(actions) > MAX_SILENCES:
            lines.append(self.fmt.count(len(actions) - MAX_SILENCES, "… and {n} more.", "… and {n} more."))
        return "\n".join(lines)

    def end_of(self, silence: Silence, now: datetime) -> str:
        """Return the button that ends a silence. Plain."""
        what = unescape(silence_scope(self.fmt, silence))[:MAX_LABEL]
        if silence.until is None:
            return self.say("End: {what}, until recovery", what=what)
        return self.say("End: {what}, until {time}", what=what, time=self.fmt.moment(silence.until, now))

    def ended(self, silence: Silence) -> str:
        """Return a silence is over before its time."""
        return self.say("Silence ended: {what}.", what=silence_scope(self.fmt, silence))

    def no_such_silence(self) -> str:
        """Say that a silence does not run any more."""
        return self.say("That silence has already ended.")

    # Taking back

    def taken_back(self, action: Action) -> str:
        """Say that one's own last action is undone."""
        if action.silence is not None:
            return self.say("Undone: the silence of {what}.", what=silence_scope(self.fmt, action.silence))
        return self.say("Undone: your acknowledgement of #{number}.", number=action.incident or 0)

    def taken_back_all(self, actions: Sequence[Action]) -> str:
        """Say that what one did last by one message is undone, however much that is."""
        lines = [self.taken_back(each) for each in actions[:MAX_SILENCES]]
        if (rest := len(actions) - MAX_SILENCES) > 0:
            lines.append(self.fmt.count(rest, "… and {n} more.", "… and {n} more."))
        return "\n".join(lines)

    def not_yours(self, action: Action) -> str:
        """Say that only who did it can take it back."""
        return self.say("Only {name} can undo that.", name=shortened(action.by.name))

    def nothing_to_take_back(self) -> str:
        """Say that it is too long ago, or that there is nothing of that person."""
        return self.say("You have no action of the last {span} to undo.", span=UNDONE_WITHIN)

    def action(self, action: Action, incident: Incident) -> str:
        """Return one thing that somebody did about an incident, for its history."""
        name = self.say("{name} ({id})", name=shortened(action.by.name), id=action.by.id)
        time = self.fmt.moment(action.at, incident.began_at)
        match action.deed:
            case ActionKind.ACKNOWLEDGE:
                return self.say("{time} {name} acknowledged.", time=time, name=name)
            case ActionKind.UNDO:
                return self.say("{time} {name} undid that.", time=time, name=name)
            case ActionKind.END:
                return self.say("{time} {name} ended the silence.", time=time, name=name)
            case _:
                return f"{time} {silence_line(self.fmt, action, incident.began_at)} ({name})"

    # What every chat reads of what somebody does in one

    def announced(self, actions: Sequence[Action], now: datetime) -> str:
        """Announce silences that somebody has begun, or that go on."""
        return "\n".join(f"🔇 {silence_line(self.fmt, each, now)}" for each in actions)

    def announced_end(self, person: Person, actions: Sequence[Action]) -> str:
        """Announce silences that somebody has ended."""
        what = ", ".join(silence_scope(self.fmt, each.silence) for each in actions if each.silence)
        return f"🔔 {self.say('{name} ended the silence: {what}.', name=shortened(person.name), what=what)}"

    def not_written(self) -> str:
        """Return what was done holds, but is not kept."""
        return self.say("Done, but the database cannot be written: a restart would lose it.")

    def _silence(self, action: Action, now: datetime) -> str:
        made = self.fmt.moment(action.at, now)
        line = self.say("{silence} Made at {time}.", silence=silence_line(self.fmt, action, now), time=made)
        return f"🔇 {line}"

    def _named(self, incidents: Sequence[Incident]) -> str:
        names = [
            self.say("#{number} {name}", number=each.number, name=self.fmt.title(each.key))
            for each in incidents[:MAX_SILENCES]
        ]
        return ", ".join(names) + (" …" if len(incidents) > MAX_SILENCES else "")
