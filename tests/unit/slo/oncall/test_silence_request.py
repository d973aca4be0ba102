"""What people write after /silence, and what of it is not understood."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.scene import AVAILABILITY, ERRORS, LATENCY, at, incident
from wine_slo.slo.objectives.objective import Key, Objectives
from wine_slo.slo.oncall.actions import LONGEST_REASON, LONGEST_SILENCE
from wine_slo.slo.oncall.lookup import Names, UnknownNameError
from wine_slo.slo.oncall.not_understood import NotUnderstoodError, PastError, SlipError, TooLongError, TooShortError
from wine_slo.slo.oncall.silence_request import Missing, NoNumberError, SilenceRequest, UnclearError, parse_silence

NOW = at(0)  # Thursday, 1 January 2026, 19:40
RATE = replace(ERRORS, title="Error rate")
ALL = Objectives.only(LATENCY, RATE, AVAILABILITY)
BY_LABELS = Objectives.only(replace(LATENCY, by=("endpoint", "method")), RATE, AVAILABILITY)
PREDICT, GET, HEALTH = (
    Key("latency", (("endpoint", endpoint), ("method", method)))
    for endpoint, method in (("/predict", "POST"), ("/predict", "GET"), ("/health", "GET"))
)
LATE, BAD, UP = Key("latency"), Key("errors"), Key("availability")
ENDPOINT = Key("latency", (("endpoint", "/predict"),))
INCIDENTS = {12: incident(key=LATE), 13: incident(number=13, key=PREDICT)}
PLAIN = Names(ALL, (LATE, BAD, UP), INCIDENTS)
LABELLED = Names(BY_LABELS, (PREDICT, GET, HEALTH, BAD, UP), INCIDENTS)


def request(text: str, names: Names = PLAIN) -> SilenceRequest:
    return parse_silence(text.split(), names, NOW, UTC)


def on(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 1, day, hour, minute, tzinfo=UTC)


IN_AN_HOUR = at(3600)


@pytest.mark.parametrize(
    ("written", "until"),
    [
        ("1h", at(3600)),
        ("1h30m", at(5400)),
        ("1 hour 30 min", at(5400)),
        ("1 hour and 30 minutes", at(5400)),
        ("1,5 ч", at(5400)),
        ("1.5 h", at(5400)),
        ("1,5ч", at(5400)),
        ("1 ч 30 мин.", at(5400)),
        ("на час", at(3600)),
        ("на 1 час", at(3600)),
        ("на полтора часа", at(5400)),
        ("час", at(3600)),
        ("час с половиной", at(5400)),
        ("полчаса", at(1800)),
        ("на полчаса", at(1800)),
        ("сутки", at(86400)),
        ("пару часов", at(7200)),
        ("30 минут", at(1800)),
        ("half an hour", at(1800)),
        ("an hour", at(3600)),
        ("an hour and a half", at(5400)),
        ("for two hours", at(7200)),
        ("for the next hour", at(3600)),
        ("for 2 hours", at(7200)),
        ("until 20:00", on(1, 20)),
        ("till 20.00", on(1, 20)),
        ("until 9pm", on(1, 21)),
        ("until 9 pm", on(1, 21)),
        ("9pm", on(1, 21)),
        ("until 9:30 am", on(2, 9, 30)),
        ("until 7", on(2, 7)),
        ("20:00", on(1, 20)),
        ("до 20.00", on(1, 20)),
        ("до 21", on(1, 21)),
        ("до 21 часа", on(1, 21)),
        ("до 9 утра", on(2, 9)),
        ("до 10 вечера", on(1, 22)),
        ("до утра", on(2, 9)),
        ("до полуночи", on(2, 0)),
        ("завтра 8:00", on(2, 8)),
        ("до завтра", on(2, 9)),
        ("tomorrow", on(2, 9)),
        ("until tomorrow", on(2, 9)),
        ("until tomorrow at 8:30", on(2, 8, 30)),
        ("until 8:30 tomorrow", on(2, 8, 30)),
        ("завтра в 8", on(2, 8)),
        ("до послезавтра", on(3, 9)),
        ("until monday 8:00", on(5, 8)),
        ("until monday", on(5, 9)),
        ("до понедельника", on(5, 9)),
        ("до пт 18.00", on(2, 18)),
        ("until thursday 20:00", on(1, 20)),
        ("until thursday 9:00", on(8, 9)),
        ("until 2026-01-03 12:00", on(3, 12)),
        ("час пятнадцать", at(4500)),
        ("в течение часа", at(3600)),
        ("within 2 hours", at(7200)),
        ("минут на двадцать", at(1200)),
        ("часа на два", at(7200)),
        ("1:30h", at(5400)),
        (".5h", at(1800)),
        ("1h+30m", at(5400)),
        ("for 1:30", at(5400)),
        ("ещё на час", at(3600)),
        ("three quarters of an hour", at(2700)),
        ("2 hours from now", at(7200)),
        ("until 8 tomorrow morning", on(2, 8)),
        ("завтра вечером в 8", on(2, 20)),
        ("until half past nine in the evening", on(1, 21, 30)),
        ("until quarter to ten in the evening", on(1, 21, 45)),
        ("until end of day", on(2, 0)),
        ("до конца недели", on(5, 0)),
        ("until the weekend", on(3, 0)),
        ("на выходные", on(5, 0)),
        ("на ночь", on(2, 9)),
        ("the day after tomorrow", on(3, 9)),
        ("until january 3rd 12:00", on(3, 12)),
        ("до 3 января 12:00", on(3, 12)),
        ("до понедельника, 8:00", on(5, 8)),
        ("пока не починим", None),
        ("until recovery", None),
        ("until it recovers", None),
        ("до восстановления", None),
        ("recovery", None),
    ],
)
def test_an_end_is_understood_before_and_after_what_it_is_about(written: str, until: datetime | None) -> None:
    assert request(f"{written} latency") == request(f"latency {written}") == SilenceRequest(until, (LATE,))
    assert (
        request(f"{written} all deploying")
        == request(f"всё {written} deploying")
        == SilenceRequest(until, (), "deploying")
    )


@pytest.mark.parametrize(
    ("written", "keys"),
    [
        ("latency", (LATE,)),
        ("LATENCY", (LATE,)),
        ("lat", (LATE,)),
        ("задержка", (LATE,)),
        ("Задержку", (LATE,)),
        ("для задержки", (LATE,)),
        ("Error rate", (BAD,)),
        ("error", (BAD,)),
        ("ошибки", (BAD,)),
        ("Доля ошибок", (BAD,)),
        ("долю ошибок", (BAD,)),
        ("доступность", (UP,)),
        ("«Доступность»", (UP,)),
        ("for the latency", (LATE,)),
        ("latency,errors", (LATE, BAD)),
        ("latency, errors", (LATE, BAD)),
        ("latency , Error rate", (LATE, BAD)),
        ("latency errors", (LATE, BAD)),
        ("latency and errors", (LATE, BAD)),
        ("задержка и ошибки", (LATE, BAD)),
        ("#12", (LATE,)),
        ("№12", (LATE,)),
        ("№ 12", (LATE,)),
        ("#12, errors", (LATE, BAD)),
        ("all", ()),
        ("Everything", ()),
        ("all!", ()),
        ("Latency.", (LATE,)),
        ("всё", ()),
        ("ВСЕ", ()),
    ],
)
def test_what_it_is_about_is_understood_before_and_after_the_end(written: str, keys: tuple[Key, ...]) -> None:
    assert (
        request(f"1h {written}")
        == request(f"{written} 1h")
        == request(f"1h, {written}")
        == SilenceRequest(IN_AN_HOUR, keys)
    )


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ('latency{endpoint="/predict", method="POST"}', PREDICT),
        ('latency{method="POST",endpoint="/predict"}', PREDICT),
        ("latency{endpoint=/health}", HEALTH),
        ("latency{endpoint=“/health”}", HEALTH),
        ('latency{endpoint="/predict"}', ENDPOINT),
        ("latency /predict", ENDPOINT),
        ("latency predict", ENDPOINT),
        ("latency /health", HEALTH),
        ('задержка{endpoint="/health"}', HEALTH),
        ("#13", PREDICT),
    ],
)
def test_a_label_set_is_understood(written: str, key: Key) -> None:
    assert request(f"1h {written} slow disk", LABELLED) == SilenceRequest(IN_AN_HOUR, (key,), "slow disk")
    assert request(f"{written} 1h", LABELLED) == SilenceRequest(IN_AN_HOUR, (key,))


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("1h latency deploying", "deploying"),
        ("1h latency: deploying", "deploying"),
        ("1h latency - deploying, again", "deploying, again"),
        ("latency 1h deploying", "deploying"),
        ("1h latency errors are known", "errors are known"),
        ("1h latency " + "a" * 500, "a" * LONGEST_REASON),
    ],
)
def test_what_follows_is_the_reason(written: str, reason: str) -> None:
    assert request(written) == SilenceRequest(IN_AN_HOUR, (LATE,), reason)


@pytest.mark.parametrize(
    ("written", "word", "near"),
    [
        ("1h", "", ""),
        ("1h deploying", "deploying", ""),
        ("1h deploying latency fixes", "deploying", ""),
        ("1h prod deploy", "prod", ""),
        ("1h predict", "predict", ""),
        ("1h latncy", "latncy", "latency"),
        ("1h latency,foo", "foo", ""),
        ("1h latency, foo", "foo", ""),
        ('1h latency{endpoint="/predict"}', 'latency{endpoint="/predict"}', "latency"),
        ("1h latency /predict", "latency /predict", "latency"),
        ("1h a bug", "a", ""),
        ("1h 1", "1", ""),
        ("1h sight", "sight", ""),
        ("1h: deploying", "", ""),
        ("on 1h", "", ""),
        ("prod 1h", "prod", ""),
        ("до завтра прод", "прод", ""),
        ("1h all but latency", "but", ""),
        ("1h everything except errors", "except", ""),
        ("час всё кроме задержки", "кроме", ""),
        ("1h all endpoints of latency", "endpoints", ""),
        ("1h all, latency", "", ""),
        ("all and latency 1h", "", ""),
    ],
)
def test_a_name_that_is_not_known_is_not_understood_and_never_a_reason_to_silence_everything(
    written: str, word: str, near: str
) -> None:
    with pytest.raises(UnclearError) as caught:
        request(written)
    error = caught.value
    assert (error.missing, error.word, error.near) == (Missing.WHAT, word, near)
    likeliest = [(Key(near),)] if near else []
    others = [(key,) for key in (LATE, BAD, UP) if key.objective != near]
    assert [each.keys for each in error.choices] == [*likeliest, (), *others]
    assert len({each.until for each in error.choices}) == 1
    assert {each.reason for each in error.choices} == {"deploying" if ":" in written else ""}


@pytest.mark.parametrize(
    ("written", "keys"),
    [
        ("1h all errors", (BAD,)),
        ("1h all of the latency alerts", (LATE,)),
        ("1h every error", (BAD,)),
        ("на 1 час все ошибки", (BAD,)),
        ("все задержки 1ч", (LATE,)),
        ("1h all latency, errors", (LATE, BAD)),
        ("1h all deploying", ()),
        ("1h all: errors are known", ()),
    ],
)
def test_all_of_something_is_not_everything(written: str, keys: tuple[Key, ...]) -> None:
    assert request(written).keys == keys


@pytest.mark.parametrize(
    ("written", "word", "near"),
    [
        ("1h latency and errrs", "errrs", "errors"),
        ("1h latency & errrs", "errrs", "errors"),
        ("1h latency errrs", "errrs", "errors"),
        ("1h latency и ошыбки", "ошыбки", "errors"),
        ("1h latency: errrs", "errrs", "errors"),
        ("1h latency errors availabilty", "availabilty", "availability"),
        ("latency errrs 1h", "errrs", "errors"),
        ("latency and errrs 1h", "errrs", "errors"),
        ("1h latency and deploy", "deploy", ""),
        ("1h latency and everything else", "else", ""),
        ("1h latency and", "", ""),
        ("1h latency on prod", "prod", ""),
        ("1h latency for /predict", "/predict", ""),
        ("1h latency at /nowhere", "/nowhere", ""),
        ("1h latency: /predict", "/predict", ""),
        ("1h latency endpoint=/predict deploying", "endpoint=/predict", ""),
        ("1h latency except /predict", "/predict", ""),
        ("1h latency but not errors", "", ""),
        ("1h latency 12", "12", ""),
        ("1h latency prdict", "prdict", ""),
        ("1h latency endpoints", "endpoints", ""),
        ("1h задержка кроме /predict", "/predict", ""),
        ("latency 1h errors", "", ""),
        ("errors till 20:00 and latency", "", ""),
    ],
)
def test_what_may_be_more_or_less_than_was_understood_is_offered_and_is_no_reason(
    written: str, word: str, near: str
) -> None:
    with pytest.raises(UnclearError) as caught:
        request(written, LABELLED)
    assert (caught.value.missing, caught.value.word, caught.value.near) == (Missing.WHAT, word, near)
    assert caught.value.choices[0].keys != (), "everything was not said"
    if near:
        assert {each.objective for each in caught.value.choices[0].keys} >= {"latency", near}


@pytest.mark.parametrize(
    ("written", "word"),
    [
        ("1h every endpoint", "endpoint"),
        ("1h all endpoints", "endpoints"),
        ("1h all requests", "requests"),
        ("1h все ручки", "ручки"),
        ("1h all predict", "predict"),
        ("1h all /predict", "/predict"),
        ("1h all of /nowhere", "/nowhere"),
        ("1h all on prod", "prod"),
        ("1h all for prod", "prod"),
        ("1h all from prod", "prod"),
        ('1h all {endpoint="/predict"}', '{endpoint="/predict"}'),
        ("1h all endpoint=/predict", "endpoint=/predict"),
        ("1h all errrs", "errrs"),
        ("1h all: latency", ""),
        ("1h everything (except errors)", "(except"),
        ("1h all alerts but latency", "but"),
        ("1h всё на /predict", "/predict"),
    ],
)
def test_what_may_be_less_than_everything_silences_nothing(written: str, word: str) -> None:
    with pytest.raises(UnclearError) as caught:
        request(written, LABELLED)
    assert (caught.value.missing, caught.value.word) == (Missing.WHAT, word)


@pytest.mark.parametrize(
    ("written", "keys", "reason"),
    [
        ("1h all alerts", (), ""),
        ("1h every objective deploying", (), "deploying"),
        ("1h все алерты", (), ""),
        ("1h «всё»", (), ""),
        ("1h all while deploying", (), "while deploying"),
        ("1h всё из-за релиза", (), "из-за релиза"),
        ("1h only latency", (LATE,), ""),
        ("1h latency only", (LATE,), ""),
        ("1h latency please", (LATE,), ""),
        ("1h ошибки, пожалуйста", (BAD,), ""),
        ("1h `latency`", (LATE,), ""),
        ("1h (latency)", (LATE,), ""),
        ("1h latency, and the errors", (LATE, BAD), ""),
        ("1h both latency and errors", (LATE, BAD), ""),
        ("1h latency plus errors", (LATE, BAD), ""),
        ("1h latency https://tracker.example/12", (LATE,), "https://tracker.example/12"),
        ("1h latency - /predict was slow before", (LATE,), "/predict was slow before"),
        ("latency deploying 1h", (LATE,), "deploying"),
        ("1h latency for maintenance", (LATE,), "for maintenance"),
        ("all: deploying for 1h", (), "deploying"),
        ("1h latency (/predict)", (ENDPOINT,), ""),
    ],
)
def test_what_can_be_meant_in_one_way_only_is_done(written: str, keys: tuple[Key, ...], reason: str) -> None:
    assert request(written, LABELLED) == SilenceRequest(IN_AN_HOUR, keys, reason)


@pytest.mark.parametrize("written", ["1h latency 2h", "1h latency until 20:00", "until 20:00 latency 1h deploying"])
def test_of_two_ends_neither_is_taken_but_both_are_offered(written: str) -> None:
    with pytest.raises(UnclearError) as caught:
        request(written)
    assert caught.value.missing is Missing.WHEN
    assert len({each.until for each in caught.value.choices}) == 2
    assert {each.keys for each in caught.value.choices} == {(LATE,)}


def test_of_two_ends_one_that_is_too_far_away_is_not_offered() -> None:
    with pytest.raises(UnclearError) as caught:
        request("1h latency 1 year")
    assert caught.value.choices == (SilenceRequest(IN_AN_HOUR, (LATE,)),)


@pytest.mark.parametrize("written", ["1h all 2h", "all 1h until 20:00"])
def test_everything_is_not_silenced_where_two_ends_are_said(written: str) -> None:
    with pytest.raises(UnclearError):
        request(written)


def test_a_path_that_is_only_a_slash_is_a_label_like_any_other() -> None:
    root = Key("latency", (("endpoint", "/"),))
    names = Names(BY_LABELS, (root, PREDICT), INCIDENTS)
    assert request("1h latency /", names).keys == (root,)


@pytest.mark.parametrize("written", ['1h latency{endpoint="/nowhere"}', "1h latency /nowhere", "1h latency{x"])
def test_a_label_set_that_there_is_not_does_not_widen_a_silence(written: str) -> None:
    with pytest.raises(UnclearError):
        request(written, LABELLED)


def test_a_number_without_a_unit_is_of_minutes_where_as_many_hours_are_not_usual() -> None:
    assert request("90 latency deploying") == SilenceRequest(at(5400), (LATE,), "deploying")
    assert request("latency 90") == SilenceRequest(at(5400), (LATE,))
    for number in (2, 24):
        with pytest.raises(UnclearError) as caught:
            request(f"{number} latency deploying")
        assert (caught.value.missing, caught.value.word) == (Missing.WHEN, str(number))
        assert caught.value.choices == (
            SilenceRequest(NOW + timedelta(minutes=number), (LATE,), "deploying"),
            SilenceRequest(NOW + timedelta(hours=number), (LATE,), "deploying"),
        )
    with pytest.raises(UnclearError) as caught:
        request("2")
    assert [each.keys for each in caught.value.choices] == [
        each for keys in ((), (LATE,), (BAD,), (UP,)) for each in (keys, keys)
    ]


@pytest.mark.parametrize("written", ["", "hello", "латенси", "deploying the new model"])
def test_of_words_that_say_nothing_an_hour_of_each_is_offered_and_nothing_is_silenced(written: str) -> None:
    with pytest.raises(UnclearError) as caught:
        request(written)
    assert caught.value.missing is Missing.BOTH
    assert caught.value.word == written.partition(" ")[0]
    assert [each.keys for each in caught.value.choices] == [(), (LATE,), (BAD,), (UP,)]
    assert {each.until for each in caught.value.choices} == {IN_AN_HOUR}


@pytest.mark.parametrize("written", ["checkout 1h", "1h checkout", "1h check", "1h checkout deploying"])
def test_a_word_that_several_names_have_offers_these_alone_and_everything_last(written: str) -> None:
    those = [
        replace(LATENCY, name=f"{name}-{kind}") for name in ("search", "checkout") for kind in ("latency", "ratio")
    ]
    with pytest.raises(UnclearError) as caught:
        request(written, Names(Objectives.only(*those)))
    assert caught.value.is_short
    assert [each.keys for each in caught.value.choices] == [(Key("checkout-latency"),), (Key("checkout-ratio"),), ()]


@pytest.mark.parametrize(
    ("written", "end"),
    [
        ("at 22:00 latency", on(1, 22)),
        ("в понедельник 9:00 latency", on(5, 9)),
        ("in 2 hours latency", at(7200)),
        ("через 2 часа latency", at(7200)),
        ("from 22:00 to 23:30 latency", on(1, 23, 30)),
        ("latency с 22:00 до 23:30", on(1, 23, 30)),
    ],
)
def test_a_beginning_that_is_to_come_silences_nothing_and_its_end_is_offered(written: str, end: datetime) -> None:
    with pytest.raises(UnclearError) as caught:
        request(written)
    assert caught.value.begins_later
    assert caught.value.choices == (SilenceRequest(end, (LATE,)),)


def test_what_may_be_a_date_or_a_time_of_day_is_offered_as_both() -> None:
    with pytest.raises(UnclearError) as caught:
        request("until 02.01 latency")
    assert caught.value.choices == (SilenceRequest(on(2, 9), (LATE,)), SilenceRequest(on(2, 2, 1), (LATE,)))
    assert request("until 02.11 latency").until == on(2, 2, 11), "that date is too far away for a silence"
    assert request("until 03.01 18:00 latency").until == on(3, 18)


@pytest.mark.parametrize("written", ["latency", "all", "latency deploying", "#12"])
def test_a_silence_without_an_end_offers_durations(written: str) -> None:
    with pytest.raises(UnclearError) as caught:
        request(written)
    assert caught.value.missing is Missing.WHEN
    assert [each.until for each in caught.value.choices] == [at(1800), at(3600), at(4 * 3600)]


@pytest.mark.parametrize(
    ("written", "word", "kind"),
    [
        ("tomorow", "tomorow", SlipError),
        ("until tomorow 9:00", "tomorow", SlipError),
        ("until yesterday", "yesterday", PastError),
        ("вчера", "вчера", PastError),
        ("until", "", NotUnderstoodError),
        ("untli 18:00", "untli", SlipError),
        ("1h #99", "#99", NoNumberError),
        ("№99 1h", "#99", NoNumberError),
        ("0m all", "0m", TooShortError),
        ("-5m", "-5m", TooShortError),
        ("8d all", "8d", TooLongError),
        ("until 2026-02-01 all", "until 2026-02-01", TooLongError),
        ("999999w", "999999w", TooLongError),
        ("999999w 999999w", "999999w 999999w", TooLongError),
        ("forever", "forever", TooLongError),
        ("1 month latency", "1 month", TooLongError),
        ("999999999999999 latency", "999999999999999", TooLongError),
        ("навсегда всё", "навсегда", TooLongError),
    ],
)
def test_of_what_is_not_understood_the_word_is_quoted(written: str, word: str, kind: type[Exception]) -> None:
    with pytest.raises(NotUnderstoodError) as caught:
        request(written)
    assert (caught.value.word, type(caught.value)) == (word, kind)


SAID = [
    "1h",
    "until",
    "latency",
    "#12",
    "9:00",
    "всё",
    ",",
    ":",
    "до",
    "monday",
    "90",
    "half",
    "{",
    "latency{",
    "1,5",
    "ч",
    *(
        "year",
        "error",
        "rate",
        "availability",
        "until",
        "tomorrow",
        "18.00",
        "but",
        "and",
        "кроме",
        "ошибки",
        "а",
        "for",
        "2",
    ),
]


def named_in(words: list[str], names: Names) -> set[str]:
    """Return every objective that some of the words name."""
    tokens, found = " ".join(words).replace(",", " ").replace(":", " ").split(), set()
    for number in range(len(tokens)):
        try:
            found.add(names.resolve(tokens[number:]).objective)
        except UnknownNameError:
            continue
    return found


@given(st.lists(st.one_of(st.text(max_size=8), st.sampled_from(SAID)), max_size=6), st.sampled_from([PLAIN, LABELLED]))
def test_whatever_is_written_is_a_request_of_a_bearable_length_or_is_not_understood(
    words: list[str], names: Names
) -> None:
    try:
        found = parse_silence(words, names, NOW, UTC)
    except NotUnderstoodError as error:
        requests = error.choices if isinstance(error, UnclearError) else ()
    else:
        requests = (found,)
        assert found.keys or any(each.casefold().strip(",:") in ("all", "всё", "все", "*") for each in words)
        assert {each.objective for each in found.keys} <= named_in(words, names), "it silences what nobody named"
    for each in requests:
        assert each.until is None or NOW < each.until <= NOW + LONGEST_SILENCE
        assert len(each.reason) <= LONGEST_REASON
