"""What was offered in answers and waits for somebody to press: the last so many, by the message that was answered."""

from collections import OrderedDict
from typing import Generic, TypeVar

from wine_slo.slo.chat.address import Address
from wine_slo.slo.chat.messages import Press, Question

T = TypeVar("T")

MOST = 100  # that wait


class Offers(Generic[T]):
    """Keep what was offered, each for one press: the first who presses decides for all."""

    def __init__(self) -> None:
        self._offered: OrderedDict[tuple[Address, str], T] = OrderedDict()

    def keep(self, question: Question, offered: T) -> str:
        """Keep what was offered as an answer to a question, and return what its buttons carry to find it."""
        place = str(question.message)
        self._offered[question.chat, place] = offered
        if len(self._offered) > MOST:
            self._offered.popitem(last=False)
        return place

    def take(self, press: Press) -> T | None:
        """Return what a press is about, which no other press is from now on; None where that is too long ago."""
        return self._offered.pop((press.chat, press.arguments[0]), None)
