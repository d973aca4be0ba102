"""What people write after /silence, and what of it is not understood."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.scene import ALL, at, incident
from wine_slo.domain.acts import LONGEST_SILENCE
from wine_slo.domain.moments import NotUnderstoodError
from wine_slo.domain.objective import Alert, Key
from wine_slo.domain.wishes import SlipError, TooLongError, Wish, parse_silence

NOW = at(0)  # 19:40
PREDICT = Key("latency", (("endpoint", "/predict"), ("method", "POST")))
KEYS = (*(Key(name) for name in ALL.by_name), PREDICT, Key("latency", alert=Alert.PAGE))
INCIDENTS = {12: incident(key=PREDICT)}


def wish(text: str) -> Wish:
    return parse_silence(text.split(), KEYS, INCIDENTS, NOW, UTC)


@pytest.mark.parametrize(
    ("written", "until", "key", "reason"),
    [
        ("1h", at(3600), None, ""),
        ("1h latency", at(3600), Key("latency"), ""),
        ("1h latency deploying", at(3600), Key("latency"), "deploying"),
        ("1h LATENCY deploying", at(3600), Key("latency"), "deploying"),
        ("1h deploying latency fixes", at(3600), None, "deploying latency fixes"),
        ("1 hour 30 min errors", at(5400), Key("errors"), ""),
        ("until 20:00 errors we know", at(1200), Key("errors"), "we know"),
        ("until tomorrow 9:00", datetime(2026, 1, 2, 9, tzinfo=UTC), None, ""),
        ("до 20:00 errors", at(1200), Key("errors"), ""),
        ("until recovery latency", None, Key("latency"), ""),
        ("recovery", None, None, ""),
        ('1h latency{endpoint="/predict", method="POST"} slow disk', at(3600), PREDICT, "slow disk"),
        ("1h #12 looking into it", at(3600), PREDICT, "looking into it"),
    ],
)
def test_it_is_understood(written: str, until: datetime | None, key: Key | None, reason: str) -> None:
    assert wish(written) == Wish(until, key, reason)


@pytest.mark.parametrize(
    ("written", "word", "kind"),
    [
        ("", "", NotUnderstoodError),
        ("latency", "latency", NotUnderstoodError),
        ("latency 1h", "latency", NotUnderstoodError),
        ("until tomorow 9:00", "tomorow", NotUnderstoodError),
        ("untill 18:00", "untill", SlipError),
        ("1h latncy", "latncy", SlipError),
        ("1h #13", "#13", NotUnderstoodError),
        ("0m", "0m", NotUnderstoodError),
        ("31d", "31d", TooLongError),
        ("999999w", "999999w", TooLongError),
        ("999999w 999999w", "999999w", TooLongError),
    ],
)
def test_of_what_is_not_understood_the_word_is_told(written: str, word: str, kind: type[Exception]) -> None:
    with pytest.raises(NotUnderstoodError) as caught:
        wish(written)
    assert (caught.value.word, type(caught.value)) == (word, kind)


def test_a_slip_says_what_it_is_near() -> None:
    with pytest.raises(SlipError) as caught:
        wish("1h latncy")
    assert caught.value.near == "latency"


@given(st.lists(st.one_of(st.text(max_size=8), st.sampled_from(["1h", "until", "latency", "#12", "9:00"])), max_size=6))
def test_whatever_is_written_is_a_wish_of_a_bearable_length_or_is_not_understood(words: list[str]) -> None:
    try:
        found = parse_silence(words, KEYS, INCIDENTS, NOW, UTC)
    except NotUnderstoodError:
        return
    assert found.until is None or NOW < found.until <= NOW + LONGEST_SILENCE + timedelta(days=1)
