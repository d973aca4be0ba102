"""How the bot answers what it is asked or told to do; what it says by itself is in `words`.

Texts are HTML with `<b>` only; what is shown as a toast is short, as Telegram shows it for a second.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape, unescape

from wine_slo.domain.acts import LONGEST_SILENCE, UNDONE_WITHIN, Act, Deed, Silence
from wine_slo.domain.dialogue import Command, Person
from wine_slo.domain.incident import Incident
from wine_slo.domain.moments import NotUnderstoodError
from wine_slo.domain.phrases import Hole, shortened
from wine_slo.domain.wishes import SlipError, TooLongError
from wine_slo.domain.words import Speech

MAX_SILENCES = 10  # in one answer, and incidents that are named in one
MAX_LABEL = 40  # characters of a name on a button


@dataclass(frozen=True, slots=True)
class Replies:
    """The answers, for the readers of one chat."""

    speech: Speech

    def say(self, sentence: str, /, **holes: Hole) -> str:
        """A sentence in the readers' language, see `Language.say`."""
        return self.speech.say(sentence, **holes)

    # Who asks

    def ids(self, chat: int, person: Person, topic: int | None) -> str:
        """What is to be written into the settings so that this chat, or this person, is known."""
        lines = [self.say("This chat's id is {id}.", id=chat)]
        if topic is not None:
            lines.append(self.say("This topic alone is {id}.", id=f"{chat}/{topic}"))
        if person.id != chat:
            lines.append(self.say("Yours is {id}.", id=person.id))
        return "\n".join(lines)

    def not_allowed(self, person: Person) -> str:
        """Somebody may ask, but not change anything."""
        return self.say("Only an admin of this bot may do that. Your id is {id}.", id=person.id)

    def stranger(self) -> str:
        """Somebody pressed a button in a chat that is not ours any more."""
        return self.say("This chat is not in the settings of this bot.")

    def too_often(self) -> str:
        """One too many in a minute."""
        return self.say("That is too much at once. Try again in a minute.")

    def asked_long_ago(self) -> str:
        """What was asked while nobody listened is not done, and is said once for all of it."""
        return self.say("I was away when this was asked, so it is not done. Ask again if it still holds.")

    def forged(self) -> str:
        """A button is not ours, or is of another chat."""
        return self.say("This button is not one of mine.")

    def failed(self) -> str:
        """A fault of ours."""
        return self.say("That went wrong by a fault of mine. What happened is in the log.")

    def conflict(self, *, has_webhook: bool) -> str:
        """Return that what is said to this bot goes to a webhook, or else to another program."""
        if has_webhook:
            return self.say(
                "⚪️ What is sent to this bot goes to a webhook, so commands and buttons do not work here now. "
                "Breaches and recoveries are still told."
            )
        return self.say(
            "⚪️ Another program reads what is sent to this bot, so commands and buttons do not work here now. "
            "Breaches and recoveries are still told."
        )

    def unreachable(self, chat: int, reason: str) -> str:
        """Another chat of the settings is not notified, and why."""
        return self.say(
            "🟠 Chat {id} cannot be reached: {why}. It is not notified until that works again.",
            id=chat,
            why=shortened(reason),
        )

    # In which language

    def language(self) -> str:
        """Which language this chat is told in; each says so of itself."""
        return self.say("I speak English here.")

    def other_language(self, said: str) -> str:
        """Somebody wants a language that we do not have."""
        return self.say("I do not speak {language}. What I speak:", language=shortened(said))

    # What can be asked

    def unknown(self, command: str, near: str | None) -> str:
        """No such command."""
        sent = f"/{shortened(command)}"
        if near is not None:
            return self.say("I do not know {sent}. Did you mean /{near}?", sent=sent, near=near)
        return self.say("I do not know {sent}. What I know: /help", sent=sent)

    def help(self, commands: Iterable[Command]) -> str:
        """Every command in a line."""
        lines = [self.say("What I can be asked:")]
        for each in commands:
            usage = f" {shortened(self.say(each.usage))}" if each.usage else ""
            lines.append(f"/{each.name}{usage} · {self.say(each.help)}")
        return "\n".join(lines)

    def version(self, version: str) -> str:
        """What runs."""
        return self.say("wine-slo {version}", version=version)

    # Who has it

    def taken(self, incident: Incident) -> str:
        """Somebody has it from now on."""
        return self.say("You have #{number}.", number=incident.number)

    def taken_all(self, incidents: Sequence[Incident], person: Person) -> str:
        """Somebody has these from now on."""
        return self.say("{name} has it: {incidents}.", name=shortened(person.name), incidents=self._named(incidents))

    def taken_already(self, act: Act) -> str:
        """Somebody has it since then."""
        return self.say("{name} has it already ({time}).", name=shortened(act.by.name), time=self.speech.clock(act.at))

    def which(self, incidents: Sequence[Incident]) -> str:
        """There are several."""
        return self.say(
            "Which one? Open: {incidents}. Write for example /ack {number}, or /ack all.",
            incidents=self._named(incidents),
            number=incidents[0].number,
        )

    def none_open(self) -> str:
        """There is nothing to be acknowledged."""
        return self.say("Nothing is in breach.")

    def over(self, number: int) -> str:
        """An incident is over, or this is not its present time."""
        return self.say("#{number} is over, so this button does nothing any more.", number=number)

    def not_an_incident(self, word: str) -> str:
        """No open incident of that name."""
        return self.say("I did not understand “{word}”. Write for example /ack 12, or /ack all.", word=shortened(word))

    # Silences

    def hushed(self, silence: Silence, now: datetime) -> str:
        """A silence begins."""
        what = self.speech.silenced(silence)
        if silence.until is None:
            return self.say("{what}: silenced until recovery.", what=what)
        return self.say("{what}: silenced until {time}.", what=what, time=self.speech.moment(silence.until, now))

    def hushed_in_full(self, silence: Silence, now: datetime) -> str:
        """A silence begins, and what that means."""
        lines = [f"🔇 {self.hushed(silence, now)}"]
        if silence.reason:
            lines.append(self.say("Reason: {reason}", reason=shortened(silence.reason)))
        lines.append(self.say("I go on looking. Ends are still told, quietly. To take it back: /undo"))
        return "\n".join(lines)

    def silence_not_understood(self, error: NotUnderstoodError, name: str) -> str:
        """What was wrong with a silence, and a right one."""
        example = self.say(
            "Write for example /silence 1h {name} deploying, or /silence until 18:00.", name=escape(name)
        )
        word = shortened(error.word)
        match error:
            case TooLongError():
                wrong = self.say("{word} is too long: at most {span}.", word=word, span=LONGEST_SILENCE)
            case SlipError(near=near):
                wrong = self.say("I did not understand “{word}”. Did you mean {near}?", word=word, near=shortened(near))
            case _ if error.word:
                wrong = self.say("I did not understand “{word}”.", word=word)
            case _:
                wrong = self.say("For how long?")
        return f"{wrong} {example}"

    def nothing_to_wait_for(self) -> str:
        """Until recovery, and nothing is in breach."""
        return self.say("Nothing of that is in breach, so there is no recovery to wait for. Say for how long.")

    def silences(self, acts: Sequence[Act], now: datetime) -> str:
        """The silences that run."""
        if not acts:
            return self.say("No silences. To make one: /silence 1h")
        lines = [self._silence(act, now) for act in acts[:MAX_SILENCES]]
        if len(acts) > MAX_SILENCES:
            lines.append(self.speech.count(len(acts) - MAX_SILENCES, "… and {n} more.", "… and {n} more."))
        return "\n".join(lines)

    def end_of(self, silence: Silence, now: datetime) -> str:
        """The button that ends a silence. Plain."""
        what = unescape(self.speech.silenced(silence))[:MAX_LABEL]
        if silence.until is None:
            return self.say("End: {what}, until recovery", what=what)
        return self.say("End: {what}, until {time}", what=what, time=self.speech.moment(silence.until, now))

    def ended(self, silence: Silence) -> str:
        """A silence is over before its time."""
        return self.say("The silence is ended: {what}.", what=self.speech.silenced(silence))

    def no_such_silence(self) -> str:
        """It does not run any more."""
        return self.say("That silence is over already.")

    # Taking back

    def taken_back(self, act: Act) -> str:
        """One's own last act is undone."""
        if act.silence is not None:
            return self.say("Taken back: the silence of {what}.", what=self.speech.silenced(act.silence))
        return self.say("Taken back: you do not have #{number} any more.", number=act.incident or 0)

    def not_yours(self, act: Act) -> str:
        """Only who did it can take it back."""
        return self.say("Only {name} can take that back.", name=shortened(act.by.name))

    def nothing_to_take_back(self) -> str:
        """It is too long ago, or there is nothing."""
        return self.say("There is nothing of yours from the last {span} to take back.", span=UNDONE_WITHIN)

    def deed(self, act: Act, incident: Incident) -> str:
        """One thing that somebody did about an incident, for its history."""
        name, time = shortened(act.by.name), self.speech.moment(act.at, incident.began_at)
        match act.deed:
            case Deed.ACKNOWLEDGE:
                return self.say("{time} {name} had it.", time=time, name=name)
            case Deed.UNDO:
                return self.say("{time} {name} took that back.", time=time, name=name)
            case Deed.END:
                return self.say("{time} {name} ended the silence.", time=time, name=name)
            case _:
                return f"{time} {self.speech.silenced_by(act, incident.began_at)}"

    def not_written(self) -> str:
        """What was done holds, but is not kept."""
        return self.say("It holds, but the ledger cannot be written just now: a restart would forget it.")

    def _silence(self, act: Act, now: datetime) -> str:
        made = self.speech.moment(act.at, now)
        line = self.say("{silence} Made at {time}.", silence=self.speech.silenced_by(act, now), time=made)
        return f"🔇 {line}"

    def _named(self, incidents: Sequence[Incident]) -> str:
        names = [
            self.say("#{number} {name}", number=each.number, name=self.speech.title(each.key))
            for each in incidents[:MAX_SILENCES]
        ]
        return ", ".join(names) + (" …" if len(incidents) > MAX_SILENCES else "")
