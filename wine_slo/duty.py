"""What people on call ask and do: how everything stands, who has what, what is to be hushed."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from wine_slo.domain.dialogue import Answer, Command, Question, Reaction
from wine_slo.domain.phrases import phrase
from wine_slo.domain.watch import State
from wine_slo.domain.words import Speech


class Duty:
    """Answers who is on call.

    Args:
        state: What is known now.
        speech: How things read in a chat.
        now: The instant, by the clock of the state.
        revive: Called with the id of a chat in which somebody has sent `/start`.
    """

    def __init__(
        self,
        state: Callable[[], State],
        speech: Callable[[int], Speech],
        now: Callable[[], datetime],
        revive: Callable[[int], Awaitable[None]],
    ) -> None:
        self._state = state
        self._speech = speech
        self._now = now
        self._revive = revive

    def commands(self) -> tuple[Command | Reaction, ...]:
        """What can be asked and pressed."""
        return (
            Command("status", phrase("How every objective stands, live"), self._status),
            Command("start", phrase("Tell this chat again, where it was closed"), self._start, counts_late=True),
        )

    async def _status(self, question: Question) -> Answer:
        return Answer(self._speech(question.chat).status(self._state(), self._now()))

    async def _start(self, question: Question) -> Answer:
        await self._revive(question.chat)
        return await self._status(question)
