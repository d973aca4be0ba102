"""How the bot answers what it is asked or told to do; what it says by itself is in `words`.

Texts are HTML with `<b>` only; a toast is plain and short, as Telegram shows it for a second.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from wine_slo.domain.dialogue import Command, Person
from wine_slo.domain.phrases import Hole, shortened
from wine_slo.domain.words import Speech


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
        """Somebody may ask, but not change anything. Plain."""
        return self.say("Only an admin of this bot may do that. Your id is {id}.", id=person.id)

    def stranger(self) -> str:
        """Somebody pressed a button in a chat that is not ours any more. Plain."""
        return self.say("This chat is not in the settings of this bot.")

    def too_often(self) -> str:
        """One too many in a minute. Plain."""
        return self.say("That is too much at once. Try again in a minute.")

    def asked_long_ago(self) -> str:
        """What was asked while nobody listened is not done, and is said once for all of it."""
        return self.say("I was away when this was asked, so it is not done. Ask again if it still holds.")

    def forged(self) -> str:
        """A button is not ours, or is of another chat. Plain."""
        return self.say("This button is not one of mine.")

    def failed(self) -> str:
        """A fault of ours. Plain."""
        return self.say("That went wrong by a fault of mine. What happened is in the log.")

    def conflict(self) -> str:
        """Another program hears what is said to this bot."""
        return self.say(
            "⚪️ Another program reads what is sent to this bot, so commands and buttons do not work here now. "
            "Breaches and recoveries are still told."
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
            usage = f" {shortened(each.usage)}" if each.usage else ""
            lines.append(f"/{each.name}{usage} · {self.say(each.help)}")
        return "\n".join(lines)

    def version(self, version: str) -> str:
        """What runs."""
        return self.say("wine-slo {version}", version=version)
