"""The language of a chat: `/language` shows it, offers the others, and changes it for everybody there."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from wine_slo.slo.chat.address import Address
from wine_slo.slo.chat.messages import Answer, Button, Command, Press, Question, Reaction
from wine_slo.slo.reason import phrase
from wine_slo.slo.text.command_text import Replies
from wine_slo.slo.text.language import LANGUAGES, Language

VERB = "language"


class LanguageCommand:
    """Answers who wants another language.

    Args:
        replies: How to answer in a chat, in the language that it has then.
        speak: Makes a language, by its code, that of a chat.
    """

    def __init__(self, replies: Callable[[Address], Replies], speak: Callable[[Address, str], Awaitable[None]]) -> None:
        self._replies = replies
        self._speak = speak

    def commands(self) -> tuple[Command | Reaction, ...]:
        """Return the commands and the buttons."""
        codes = " | ".join(each.code for each in LANGUAGES)
        return (
            Command(
                VERB,
                phrase("The language of this chat"),
                self._answer,
                changes=True,
                counts_late=True,
                usage=codes,
            ),
            Reaction(VERB, self._change, changes=True, counts_late=True),
        )

    async def _answer(self, question: Question) -> Answer:
        said = " ".join(question.arguments)
        language = named(said)
        if language is not None:
            await self._speak(question.chat, language.code)
        if said and language is None:
            return Answer(self._replies(question.chat).other_language(said), (tuple(map(_button, LANGUAGES)),))
        return self._shown(question.chat)

    async def _change(self, press: Press) -> Answer:
        language = named(" ".join(press.arguments))
        if language is not None:
            await self._speak(press.chat, language.code)
        return replace(self._shown(press.chat), replaces=True)

    def _shown(self, chat: Address) -> Answer:
        """Return which it is, and a button for each other one."""
        replies = self._replies(chat)
        others = (each for each in LANGUAGES if each.code != replies.fmt.language.code)
        return Answer(replies.language(), (tuple(map(_button, others)),))


def named(said: str) -> Language | None:
    """Return the language that somebody names by its code or in itself: `ru`, `ru-RU`, `русский`.

    None where we have none.
    """
    word = said.strip().casefold()
    return next(
        (
            each
            for each in LANGUAGES
            if word and word.replace("_", "-").split("-")[0] in (each.code, each.name.casefold())
        ),
        None,
    )


def _button(language: Language) -> Button:
    return Button(language.name, VERB, (language.code,))
