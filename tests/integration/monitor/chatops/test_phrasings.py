"""What the bot answers to a silence as people type it, in both languages: a table to be read by who changes it.

It is Monday, 30 November 2026, 18:30 in Moscow. Each line is a message, the first lines of the answer and its buttons.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from zoneinfo import ZoneInfo

import pytest

from tests.support.fakes.people import ANNA, among
from tests.support.fakes.snapshot import FakeSnapshot
from tests.support.scene import AVAILABILITY, ERRORS, LATENCY
from wine_slo.config import translations
from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.integrations.telegram.addresses import address_of
from wine_slo.monitor.chatops.oncall import OnCall
from wine_slo.monitor.chatops.router import Router
from wine_slo.monitor.notify.journal import Journal
from wine_slo.slo.chat.address import Address
from wine_slo.slo.chat.messages import Answer, Person, Question
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.objectives.objective import Objectives
from wine_slo.slo.text.command_text import Replies
from wine_slo.slo.text.formatting import Formatter
from wine_slo.slo.text.language import ENGLISH, Language

RUSSIAN = translations.load()["ru"]
MOSCOW = ZoneInfo("Europe/Moscow")
NOW = datetime(2026, 11, 30, 15, 30, tzinfo=UTC)
OBJECTIVES = Objectives.only(LATENCY, replace(ERRORS, title="Error rate"), AVAILABILITY)
EXAMPLE = "For example: /silence 1h latency deploying, or /silence until 18:00 all."
EXAMPLE_RU = "Например: /silence 1ч latency выкладка или /silence до 18:00 всё."
EACH = ["Everything", "Latency", "Error rate", "Availability"]
EACH_RU = ["Всё", "Задержка", "Доля ошибок", "Доступность"]


class Chat:
    """A conversation in one language, and what came of it."""

    def __init__(self, ledger: Ledger, language: Language) -> None:
        fmt = Formatter(OBJECTIVES, MOSCOW, language)
        self.journal = Journal(ledger, ())
        self._messages = count(1)
        self._router = Router(among(), lambda _chat: Replies(fmt), lambda: NOW, "1", lambda _reception: None)
        snapshot = FakeSnapshot(State, lambda: NOW)
        self._router.add(*OnCall(snapshot, lambda _chat: Replies(fmt), self.journal, self._revive).commands())

    async def sends(self, text: str) -> Answer:
        command, *words = text.split()
        answer = await self._router.answer(
            Question(
                address=address_of(ANNA),
                message=next(self._messages),
                person=Person(ANNA, "Anna"),
                command=command.removeprefix("/"),
                arguments=tuple(words),
                is_private=True,
                sent_at=NOW,
            )
        )
        assert answer is not None
        return answer

    @property
    def silences(self) -> int:
        return len(self.journal.actions.all)

    async def _revive(self, chat: Address) -> None:
        raise AssertionError(f"nobody has sent /start in {chat}")


@pytest.fixture(scope="module")
def chats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Chat]]:
    """Return a chat in each language."""
    ledger = Ledger.open(f"sqlite:///{tmp_path_factory.mktemp('phrasings') / 'watchdog.db'}")
    yield {each.code: Chat(ledger, each) for each in (ENGLISH, RUSSIAN)}
    ledger.close()


DONE = {  # a message: the objective and the end that it silences to
    # spans
    "/silence latency 2h": "Latency: silenced until 20:30 MSK (2 h).",
    "/silence 2h30m latency": "Latency: silenced until 21:00 MSK (2 h 30 min).",
    "/silence 2h30 latency": "Latency: silenced until 21:00 MSK (2 h 30 min).",
    "/silence 90 latency": "Latency: silenced until 20:00 MSK (1 h 30 min).",
    "/silence latency half an hour": "Latency: silenced until 19:00 MSK (30 min).",
    "/silence ½ h latency": "Latency: silenced until 19:00 MSK (30 min).",
    "/silence 2 hrs. latency": "Latency: silenced until 20:30 MSK (2 h).",
    "/silence one and a half hours latency": "Latency: silenced until 20:00 MSK (1 h 30 min).",
    "/silence for another 1 hour, 15 minutes latency": "Latency: silenced until 19:45 MSK (1 h 15 min).",
    "/silence 1\N{NO-BREAK SPACE}day latency": "Latency: silenced until 18:30 MSK tomorrow, 1 December (24 h).",
    "/silence latency 3/4 h": "Latency: silenced until 19:15 MSK (45 min).",
    "/silence latency an hour or so": "Latency: silenced until 19:30 MSK (1 h).",
    "/silence latency ~1h": "Latency: silenced until 19:30 MSK (1 h).",
    # moments
    "/silence until 18:00 latency": "Latency: silenced until 18:00 MSK tomorrow, 1 December (23 h).",
    "/silence latency until 6:30 pm": "Latency: silenced until 18:30 MSK tomorrow, 1 December (24 h).",
    "/silence 7pm latency": "Latency: silenced until 19:00 MSK (30 min).",
    "/silence until half past seven in the evening latency": "Latency: silenced until 19:30 MSK (1 h).",
    "/silence tomorrow 9am latency": "Latency: silenced until 09:00 MSK tomorrow, 1 December (14 h).",
    "/silence until monday 9:00 latency": "Latency: silenced until 09:00 MSK on Monday, 7 December (6 days).",
    "/silence until end of day latency": "Latency: silenced until 00:00 MSK tomorrow, 1 December (5 h 30 min).",
    "/silence overnight latency": "Latency: silenced until 09:00 MSK tomorrow, 1 December (14 h).",
    "/silence until dec 2nd 12:00 latency": "Latency: silenced until 12:00 MSK on Wednesday, 2 December (41 h).",
    "/silence until 18:00 UTC latency": "Latency: silenced until 21:00 MSK (2 h 30 min).",
    "/silence latency until 1/12 10:00": "Latency: silenced until 10:00 MSK tomorrow, 1 December (15 h).",
    "/silence latency until 12/1": "Latency: silenced until 09:00 MSK tomorrow, 1 December (14 h).",
    "/silence latency over the weekend": "Latency: silenced until 00:00 MSK on Monday, 7 December (6 days).",
    "/silence latency today": "Latency: silenced until 00:00 MSK tomorrow, 1 December (5 h 30 min).",
    "/silence latency tonight at 10": "Latency: silenced until 22:00 MSK (3 h 30 min).",
    # names
    "/silence Error rate 2h": "Error rate: silenced until 20:30 MSK (2 h).",
    "/silence 2h “error rate”": "Error rate: silenced until 20:30 MSK (2 h).",
    "/silence avail 2h": "Availability: silenced until 20:30 MSK (2 h).",
    "/mute 2h all": "Everything: silenced until 20:30 MSK (2 h).",
}

DONE_RU = {
    "/silence задерж 2ч": "Задержка: заглушено до 20:30 МСК (2 ч).",
    "/silence 1,5 ч задержка": "Задержка: заглушено до 20:00 МСК (1 ч 30 мин).",
    "/silence задержку на полчаса": "Задержка: заглушено до 19:00 МСК (30 мин).",
    "/silence полтора часа задержка": "Задержка: заглушено до 20:00 МСК (1 ч 30 мин).",
    "/silence 2 с половиной часа задержка": "Задержка: заглушено до 21:00 МСК (2 ч 30 мин).",
    "/silence ½ ч задержка": "Задержка: заглушено до 19:00 МСК (30 мин).",
    "/silence 30мин. задержка": "Задержка: заглушено до 19:00 МСК (30 мин).",
    "/silence минут двадцать пять задержка": "Задержка: заглушено до 18:55 МСК (25 мин).",
    "/silence ещё на часик задержка": "Задержка: заглушено до 19:30 МСК (1 ч).",
    "/silence 1 час 30 задержка": "Задержка: заглушено до 20:00 МСК (1 ч 30 мин).",
    "/silence 19.00 задержка": "Задержка: заглушено до 19:00 МСК (30 мин).",
    "/silence до 18-00 задержка": "Задержка: заглушено до 18:00 МСК завтра, 1 декабря (23 ч).",
    "/silence завтра в 9 задержка": "Задержка: заглушено до 09:00 МСК завтра, 1 декабря (14 ч).",
    "/silence до девяти утра задержка": "Задержка: заглушено до 09:00 МСК завтра, 1 декабря (14 ч).",
    "/silence до половины восьмого вечера задержка": "Задержка: заглушено до 19:30 МСК (1 ч).",
    "/silence до понедельника в 9:00 задержка": "Задержка: заглушено до 09:00 МСК, понедельник, 7 декабря (6 дней).",
    "/silence до конца дня задержка": "Задержка: заглушено до 00:00 МСК завтра, 1 декабря (5 ч 30 мин).",
    "/silence на ночь задержка": "Задержка: заглушено до 09:00 МСК завтра, 1 декабря (14 ч).",
    "/silence до 2 декабря 12:00 задержка": "Задержка: заглушено до 12:00 МСК, среда, 2 декабря (41 ч).",
    "/silence до 21:00 по Москве задержка": "Задержка: заглушено до 21:00 МСК (2 ч 30 мин).",
    "/silence задержка сегодня": "Задержка: заглушено до 00:00 МСК завтра, 1 декабря (5 ч 30 мин).",
    "/silence задержка до 5/12 18:00": "Задержка: заглушено до 18:00 МСК, суббота, 5 декабря (4 дня).",
    "/silence задержка примерно на час": "Задержка: заглушено до 19:30 МСК (1 ч).",
    "/silence «Доля ошибок» 2ч": "Доля ошибок: заглушено до 20:30 МСК (2 ч).",
    "/silence ДОСТУПНОСТЬ 2ч": "Доступность: заглушено до 20:30 МСК (2 ч).",
    "/silence 2ч error rate": "Доля ошибок: заглушено до 20:30 МСК (2 ч).",
    "/тишина 2ч всё": "Всё: заглушено до 20:30 МСК (2 ч).",
}

TONIGHT = ["5 h 30 min, until 00:00 MSK tomorrow, 1 December", "14 h, until 09:00 MSK tomorrow, 1 December"]
TONIGHT_RU = ["5 ч 30 мин, до 00:00 МСК завтра, 1 декабря", "14 ч, до 09:00 МСК завтра, 1 декабря"]
OFFERED = {  # a message: the question, and the buttons
    "/silence": (
        f"What should be silenced, and for how long? {EXAMPLE}",
        [f"{x} · 1 h, until 19:30 MSK" for x in EACH],
    ),
    "/silence prod 2h": ("“prod” is not understood. What should be silenced?\nUntil 20:30 MSK (2 h).", EACH),
    "/silence 2h latncy": (
        "There is no “latncy”. Did you mean Latency?\nUntil 20:30 MSK (2 h).",
        ["Latency", "Everything", "Error rate", "Availability"],
    ),
    "/silence latency": ("For how long?", ["30 min, until 19:00 MSK", "1 h, until 19:30 MSK", "4 h, until 22:30 MSK"]),
    "/silence 2 latency": ("“2”: until when?", ["2 min, until 18:32 MSK", "2 h, until 20:30 MSK"]),
    "/silence until 01.12 latency": (
        "“01.12”: until when?",
        ["14 h, until 09:00 MSK tomorrow, 1 December", "6 h 42 min, until 01:12 MSK tomorrow, 1 December"],
    ),
    "/silence latency from 22:00 to 23:30": (
        "“from 22:00 to 23:30”: a silence begins at once. Until when?",
        ["5 h, until 23:30 MSK"],
    ),
    "/silence latency 9:00-10:00": (
        "“9:00-10:00”: a silence begins at once. Until when?",
        ["15 h, until 10:00 MSK tomorrow, 1 December"],
    ),
    "/silence latency 19:00 - 20:00": (
        "“19:00 - 20:00”: a silence begins at once. Until when?",
        ["1 h 30 min, until 20:00 MSK"],
    ),
    "/silence latency between 9 and 10": (
        "“between 9 and 10”: a silence begins at once. Until when?",
        ["15 h, until 10:00 MSK tomorrow, 1 December"],
    ),
    "/silence latency 9-10": (
        "“9-10”: until when?",
        ["14 h, until 09:10 MSK tomorrow, 1 December", "15 h, until 10:00 MSK tomorrow, 1 December"],
    ),
    "/silence latency 9-5": (
        "“9-5”: a silence begins at once. Until when?",
        ["10 h, until 05:00 MSK tomorrow, 1 December"],
    ),
    "/silence latency 9:30-11:00 h": (
        "“9:30-11:00”: a silence begins at once. Until when?",
        ["16 h, until 11:00 MSK tomorrow, 1 December"],
    ),
    "/silence latency 1-2h": ("“1-2h”: until when?", ["1 h, until 19:30 MSK", "2 h, until 20:30 MSK"]),
    "/silence latency tonight": ("“tonight”: until when?", TONIGHT),
    "/silence latency until this evening": ("“until this evening”: until when?", TONIGHT),
    "/silence 1/12": ("What should be silenced?\nUntil 09:00 MSK tomorrow, 1 December (14 h).", EACH),
    "/silence all but errors 2h": (
        "“but” is not understood. What should be silenced?\nUntil 20:30 MSK (2 h).",
        EACH,
    ),
    "/silence latency until tomorow": (f"“tomorow” is not understood. Did you mean tomorrow? {EXAMPLE}", []),
    "/silence latency until 25:00": (f"“25:00” is not understood. {EXAMPLE}", []),
    "/silence latency 2 months": (f"2 months is too long: at most 7 days. {EXAMPLE}", []),
    "/silence latency forever": (f"forever is too long: at most 7 days. {EXAMPLE}", []),
    "/silence latency until yesterday": (f"yesterday is in the past. {EXAMPLE}", []),
    "/silence latency -5m": (f"-5m is over at once. {EXAMPLE}", []),
}

OFFERED_RU = {
    "/silence": (f"Что заглушить и на сколько? {EXAMPLE_RU}", [f"{x} · 1 ч, до 19:30 МСК" for x in EACH_RU]),
    "/silence прод 2ч": ("Не понимаю «прод». Что заглушить?\nДо 20:30 МСК (2 ч).", EACH_RU),
    "/silence 2ч задрежка": (
        "«задрежка» нет. Может быть, Задержка?\nДо 20:30 МСК (2 ч).",
        ["Задержка", "Всё", "Доля ошибок", "Доступность"],
    ),
    "/silence задержка": ("На сколько?", ["30 мин, до 19:00 МСК", "1 ч, до 19:30 МСК", "4 ч, до 22:30 МСК"]),
    "/silence задержка в понедельник 9:00": (
        "«в понедельник 9:00»: тишина начинается сразу. До какого времени?",
        ["6 дней, до 09:00 МСК, понедельник, 7 декабря"],
    ),
    "/silence задержка с 9 до 10": (
        "«с 9 до 10»: тишина начинается сразу. До какого времени?",
        ["15 ч, до 10:00 МСК завтра, 1 декабря"],
    ),
    "/silence задержка в выходные": (
        "«в выходные»: тишина начинается сразу. До какого времени?",
        ["6 дней, до 00:00 МСК, понедельник, 7 декабря"],
    ),
    "/silence задержка сегодня вечером": ("«сегодня вечером» — до какого времени?", TONIGHT_RU),
    "/silence задержка до вечера": ("«до вечера» — до какого времени?", TONIGHT_RU),
    "/silence задержка навсегда": (f"навсегда: слишком долго, самое большее 7 дней. {EXAMPLE_RU}", []),
    "/silence всё кроме ошибок 2ч": ("Не понимаю «кроме». Что заглушить?\nДо 20:30 МСК (2 ч).", EACH_RU),
}


@pytest.mark.parametrize(
    ("language", "typed", "said"),
    [("en", *each) for each in DONE.items()] + [("ru", *each) for each in DONE_RU.items()],
)
async def test_what_is_understood_is_confirmed_with_its_end(
    chats: dict[str, Chat], language: str, typed: str, said: str
) -> None:
    chat = chats[language]
    before = chat.silences
    answer = await chat.sends(typed)
    assert answer.text.splitlines()[0] == f"🔇 {said}"
    assert chat.silences == before + 1


@pytest.mark.parametrize(
    ("language", "typed", "said"),
    [("en", *each) for each in OFFERED.items()] + [("ru", *each) for each in OFFERED_RU.items()],
)
async def test_what_is_not_clear_is_offered_and_silences_nothing(
    chats: dict[str, Chat], language: str, typed: str, said: tuple[str, list[str]]
) -> None:
    chat = chats[language]
    before = chat.silences
    answer = await chat.sends(typed)
    assert (answer.text, [button.label for row in answer.buttons for button in row]) == said
    assert chat.silences == before
