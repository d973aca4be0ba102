"""The checks of the takeovers find each violation, and nothing in a run that was right."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.support.takeovers import checks
from tests.support.takeovers.history import Blow, Breach, Call, History, Tenure, Write

BREACH = Breach(name="/e1", since=100, until=130)
BEGIN = "🔴 Errors /e1: 100 %\n#1 errors"
END = "🟢 Errors /e1 resolved\n#1 errors"
LATE = "⚪️ Delivered late (messages could not be sent): Errors /e1, resolved since. #1"
TOOK_OVER = "🔄 Another watchdog took over"
MARK = "\nThis may be a duplicate: the first delivery was not confirmed."


def says(who: str, at: float, text: str) -> Call:
    return Call(who=who, method="sendmessage", at=at, ended_at=at, text=text)


def polls(who: str, at: float) -> Call:
    return Call(who=who, method="getupdates", at=at)


def right() -> History:
    """A leads and is killed at 110 in mid-incident, B takes over after 11 s and frees the lease at 200 for A."""
    return History(
        lease=10,
        breaches=[BREACH],
        calls=[
            polls("a", 50),
            says("a", 107, BEGIN),
            polls("b", 121.1),
            says("b", 121.5, TOOK_OVER),
            says("b", 137, END),
            polls("a", 200.2),
        ],
        tenures=[
            Tenure(number=1, who="a", since=0, until=121),
            Tenure(number=2, who="b", since=121, until=200.1, is_freed=True),
            Tenure(number=3, who="a", since=200.1),
        ],
        writes=[Write(who="a", leader="a", at=106.9, table="told"), Write(who="b", leader="b", at=137, table="told")],
        blows=[
            Blow(kind="kill -9", who="a", at=110, until=111, within=15),
            Blow(kind="SIGTERM", who="b", at=200, until=201, within=2),
        ],
        logs={"a": "listening", "b": "listening"},
    )


def spread(seconds: float) -> str:
    return f"{seconds} / {seconds} / {seconds} s (min / median / max)"


def found(history: History) -> str:
    return "\n".join(checks.violations(history))


def test_nothing_is_found_in_a_run_that_was_right() -> None:
    assert found(right()) == ""
    assert checks.figures(right()) == [
        "2 takeovers, 1 breaches, 3 messages (0 marked as perhaps repeated), 2 rows",
        "two watchdogs polled Telegram at once for 0.00 s at the longest",
        f"   1 kill -9: leads after {spread(11.0)}, polls after {spread(11.1)}",
        f"   1 SIGTERM: leads after {spread(0.1)}, polls after {spread(0.2)}",
    ]


def test_a_repeat_that_says_so_and_a_breach_that_was_delivered_late_are_right() -> None:
    history = right()
    history.calls += [says("b", 122, BEGIN + MARK), says("b", 138, END + MARK)]
    history.calls.sort(key=lambda each: each.at)
    assert found(history) == ""
    history.calls = [each for each in history.calls if "/e1" not in each.text] + [says("b", 140, LATE)]
    assert found(history) == ""


def without(text: str) -> Callable[[History], None]:
    def change(history: History) -> None:
        history.calls = [each for each in history.calls if each.text != text]

    return change


def with_call(call: Call) -> Callable[[History], None]:
    return lambda history: history.calls.append(call)


def later(seconds: float) -> Callable[[History], None]:
    """The first takeover comes so much later, and with it what is said of it."""

    def change(history: History) -> None:
        first, second, third = history.tenures
        history.tenures = [
            replace(first, until=first.until + seconds),
            replace(second, since=second.since + seconds),
            third,
        ]
        history.calls = [replace(each, at=each.at + seconds) if each.who == "b" else each for each in history.calls]

    return change


def held(history: History) -> None:
    history.tenures = [replace(history.tenures[0], until=float("inf"))]


def test_a_breach_that_came_into_the_message_of_another_one_was_announced() -> None:
    history = right()
    history.calls = [replace(each, method="editmessagetext") if each.text == BEGIN else each for each in history.calls]
    assert "never announced" not in found(history)


def test_who_was_struck_before_telegram_was_back_need_not_have_said_that_it_took_over() -> None:
    history = right()
    history.calls = [each for each in history.calls if each.text != TOOK_OVER]
    assert "0 messages of a takeover" in found(history)
    history.blows[0] = replace(history.blows[0], kind="kill -9, Telegram away")
    assert "messages of a takeover" not in found(history)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        pytest.param(without(BEGIN), "was never announced", id="a breach is not announced"),
        pytest.param(without(END), "nobody was notified of the end", id="an end is not announced"),
        pytest.param(with_call(says("b", 150, BEGIN.replace("1", "2"))), "invented", id="a breach that never was"),
        pytest.param(with_call(says("b", 122, BEGIN)), "repeated without a mark", id="the same text again"),
        pytest.param(
            with_call(says("b", 122, BEGIN.replace("100 %", "99 %"))),
            "repeated without a mark",
            id="the same breach in other words",
        ),
        pytest.param(
            with_call(says("b", 139, END.replace("resolved", "resolved: 1 %"))),
            "repeated without a mark",
            id="the same end in other words",
        ),
        pytest.param(with_call(polls("a", 132)), "two pollers: a polls 11.0 s after b", id="two pollers for too long"),
        pytest.param(
            with_call(Call(who="a", method="getupdates", at=109, ended_at=140)),
            "two pollers: two of them polled at once for 18.9 s",
            id="a poll that goes on beside another one's",
        ),
        pytest.param(with_call(says("a", 121.2, "⏱")), "spoke while b leads since 0.20 s", id="an old leader speaks"),
        pytest.param(
            with_call(Call(who="a", method="editmessagetext", at=130, is_done=False)),
            "spoke while b leads since 9.00 s",
            id="an old leader tries to edit",
        ),
        pytest.param(
            lambda history: history.writes.append(Write(who="a", leader="b", at=122, table="acts")),
            "written by a into acts while b led",
            id="an old leader writes",
        ),
        pytest.param(
            lambda history: history.tenures.append(Tenure(number=3, who="b", since=300)),
            "the number went from 3 (a) to 3 (b)",
            id="a number is used twice",
        ),
        pytest.param(later(4.5), "b took over 15.50 s after kill -9 of a", id="a takeover that takes too long"),
        pytest.param(held, "nobody took over after kill -9 of a", id="no takeover"),
        pytest.param(
            lambda history: history.blows.pop(),
            "a took over from b at 200.10, to whom nothing had been done",
            id="a takeover without need",
        ),
        pytest.param(without(TOOK_OVER), "0 messages of a takeover instead of 1", id="a takeover without a message"),
        pytest.param(
            with_call(says("b", 122, f"{TOOK_OVER} again")),
            "2 messages of a takeover instead of 1",
            id="a takeover with two messages",
        ),
        pytest.param(
            with_call(says("a", 201, f"{TOOK_OVER}, as planned")),
            "1 messages of a takeover instead of 0",
            id="a handover with a message",
        ),
        pytest.param(lambda history: history.ended.append("a with 1"), "ended by itself: a with 1", id="an end"),
        pytest.param(
            lambda history: history.logs.update(b="INFO\nTraceback (most recent call last):\nKeyError"),
            "b said a traceback",
            id="a fault of ours",
        ),
    ],
)
def test_each_violation_is_found(change: Callable[[History], None], sentence: str) -> None:
    history = right()
    change(history)
    assert sentence in found(history)
