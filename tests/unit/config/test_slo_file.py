"""The file in which people write the objectives: what it means, and every mistake with its line."""

import json
import os
import re
import sys
from collections.abc import Callable
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from time import process_time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wine_slo.config.slo_file import SloFileError, load, parse
from wine_slo.config.slo_schema import schema
from wine_slo.slo.objectives.kinds.latency import Latency
from wine_slo.slo.objectives.kinds.ratio import Ratio
from wine_slo.slo.objectives.kinds.up import Up
from wine_slo.slo.objectives.objective import BURNS, Alert, Burn, Objective
from wine_slo.slo.objectives.selector import EXAMPLE
from wine_slo.slo.objectives.window import Calendar, CalendarUnit
from wine_slo.slo.source.deployment import VersionSeries

NO_MONTH = f"month must be in 1..12{', not 13' if sys.version_info >= (3, 14) else ''}"
ROOT = Path(__file__).parents[3]
PAGE = """\
job: wine-slo
scrape_interval: 5s
blind_for: 2m
objectives:
  - name: latency
    kind: latency
    objective: 0.95
    threshold: 1s
    histogram: request_latency_seconds
  - name: errors
    kind: ratio
    objective: 0.99
    bad: bad_total
    total: all_total
"""
BURN = """\
    burns:
      - budget: 0.02
        long: 1h
        short: 5m
        alert: page
    threshold: 1s"""


NO_PAGE = "must be the address of a page, with a dot in its host, such as https://wiki.example.com/latency"


def mistakes(text: str) -> tuple[str, ...]:
    with pytest.raises(SloFileError) as caught:
        parse(text)
    return caught.value.mistakes


def written(old: str, new: str) -> str:
    """The page with one thing written otherwise."""
    assert old in PAGE
    return PAGE.replace(old, new)


# What is shipped


def test_the_shipped_file_has_the_objectives_of_the_readme() -> None:
    objectives = load(ROOT / "config" / "slo.yml").objectives()
    latency, errors, availability = objectives.all
    assert objectives.blind_for == timedelta(minutes=2)
    assert latency.source == Latency(
        "request_latency_seconds",
        1.0,
        'endpoint!~"/metrics|/health|/docs|/openapi.json|/web/.*|unmatched"',
        "oldest_request_age_seconds",
        0.75,
        budget_selector='endpoint!="/sleep?drill"',
    )
    assert isinstance(errors.source, Ratio)
    assert isinstance(availability.source, Up)
    assert [(each.name, each.title, each.ratio) for each in objectives.all] == [
        ("latency", "Latency", 0.95),
        ("errors", "Error rate", 0.99),
        ("availability", "Availability", 0.995),
    ]
    assert {each.job for each in objectives.all} == {"wine-slo"}
    assert {each.burns for each in (errors, availability)} == {BURNS}


def test_the_shipped_objectives_count_what_users_do_and_nothing_else() -> None:
    latency, errors, _ = load(ROOT / "config" / "slo.yml").objectives().all
    assert isinstance(latency.source, Latency)
    assert isinstance(errors.source, Ratio)
    machines = ("/metrics", "/health", "/docs", "/openapi.json", "/web/{file}", "unmatched")
    for selector in (latency.source.selector, *errors.source.bad, *errors.source.total):
        left_out = re.search('endpoint!~"([^"]*)"', selector)
        assert left_out
        assert all(re.fullmatch(left_out[1], each) for each in machines)
        assert not any(re.fullmatch(left_out[1], each) for each in ("/predict", "/ui", "/sleep", "/fail"))
    assert 'status!~"4.."' in errors.source.total[0], "requests that are refused could hide a failure"


def test_the_shipped_schema_is_that_of_the_program() -> None:
    assert json.loads((ROOT / "slo.schema.json").read_text()) == schema()


def test_what_is_not_said_is_as_the_objective_has_it() -> None:
    latency, _ = parse(PAGE).objectives().all
    plain = Objective(name="latency", title="latency", job="wine-slo", source=latency.source, ratio=0.95)
    for field in fields(Objective):
        if field.name != "burns":
            assert getattr(latency, field.name) == getattr(plain, field.name), field.name


def test_everything_that_is_said_is_taken() -> None:
    text = written(
        "    bad: bad_total",
        """\
    title: Failures
    job: other
    bad_for: 1m
    good_for: 40s
    over: 10m
    window: 1w
    least: 7
    expires_after: 1h30m
    remind_after: 8h
    by: [endpoint, instance]
    breakdown: [version]
    burns: []
    bad: bad_total""",
    )
    _, errors = parse(text).objectives().all
    assert errors == Objective(
        name="errors",
        title="Failures",
        job="other",
        source=Ratio(("bad_total",), ("all_total",)),
        ratio=0.99,
        scrape_interval=timedelta(seconds=5),
        bad_for=timedelta(minutes=1),
        good_for=timedelta(seconds=40),
        over=timedelta(minutes=10),
        window=timedelta(weeks=1),
        least_events=7,
        expires_after=timedelta(hours=1, minutes=30),
        remind_after=timedelta(hours=8),
        by=("endpoint", "instance"),
        breakdown=("version",),
        burns=(),
    )


def test_an_objective_is_broken_down_as_it_says_or_as_the_file_says() -> None:
    text = written("job: wine-slo\n", "job: wine-slo\nbreakdown: [endpoint, version]\n")
    text = text.replace("    bad: bad_total", "    breakdown: []\n    bad: bad_total")
    latency, errors = parse(text).objectives().all
    assert latency.breakdown == ("endpoint", "version")
    assert errors.breakdown == ()


def test_the_usual_burn_rates_are_alerted_on_where_they_can_be_reached() -> None:
    assert parse(PAGE).objectives().all[0].burns == BURNS
    modest = parse(written("objective: 0.95", "objective: 0.9")).objectives().all[0]
    assert all(burn.factor(modest.window) <= 10 for burn in modest.burns)
    assert len(modest.burns) == 3


def test_burn_rates_of_ones_own_are_taken() -> None:
    latency = parse(written("    threshold: 1s", BURN.replace("page", "ticket"))).objectives().all[0]
    assert latency.burns == (Burn(0.02, timedelta(hours=1), timedelta(minutes=5), Alert.TICKET),)


@pytest.mark.parametrize(("unit", "days"), [("week", 7), ("month", 30), ("quarter", 90)])
def test_a_window_of_the_calendar_begins_anew_in_the_time_zone_of_the_file(unit: str, days: int) -> None:
    text = written("blind_for: 2m", "time_zone: Europe/Berlin").replace("0.99", f"0.99\n    window: {unit}")
    latency, errors = parse(text).objectives().all
    assert errors.calendar == Calendar(CalendarUnit(unit), ZoneInfo("Europe/Berlin"))
    assert errors.window == timedelta(days=days)
    assert latency.calendar is None
    in_utc = parse(written("0.99", f"0.99\n    window: {unit}")).objectives().all[1]
    assert in_utc.calendar == Calendar(CalendarUnit(unit), ZoneInfo("UTC"))


@pytest.mark.parametrize("zone", ["Europe/Berlln", "../../etc/passwd", "/etc/localtime", "Europe", '""', "Etc/\\0"])
def test_a_time_zone_that_does_not_exist_is_reported_once(zone: str) -> None:
    (mistake,) = mistakes(written("blind_for: 2m", f"time_zone: {zone}"))
    assert mistake.startswith("slo.yml:3: time_zone is ")
    assert mistake.endswith("; it must be a time zone such as Europe/Berlin")


# Mistakes


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        pytest.param(
            "    bad: bad_total",
            "    treshold: 1s\n    bad: bad_total",
            "13: objectives.1.treshold is not known here",
            id="an unknown key",
        ),
        pytest.param("job: w", "jbo: x\njob: w", "1: jbo is not known here", id="an unknown key at the top"),
        pytest.param(
            "objective: 0.95",
            "objective: 0.95\n    bad_for: 25",
            "8: objectives.0.bad_for is 25; write its unit: 25s or 25ms",
            id="a span that may be left out and is a number",
        ),
        pytest.param(
            "objective: 0.95",
            "objective: 0.95\n    breakdown: instance",
            "8: objectives.0.breakdown is 'instance'; write a list: [instance]",
            id="a breakdown that is no list",
        ),
        pytest.param(
            "job: wine-slo",
            "job: wine-slo\nbreakdown: [endpoint, app-version]",
            "2: breakdown must be names of labels",
            id="a breakdown by what is no label",
        ),
        pytest.param("    total: all_total\n", "", "10: objectives.1.total is missing", id="a missing key"),
        pytest.param(
            "job: wine-slo\n",
            "",
            "1: job is missing; write a job or several, or else `up`, or up: none for what is pushed",
            id="no job",
        ),
        pytest.param(
            "objective: 0.95",
            "objective: 1",
            "7: objectives.0.objective must lie between 0 and 1, both left out",
            id="an objective of one",
        ),
        pytest.param(
            "objective: 0.95",
            "objective: 95",
            "7: objectives.0.objective is 95, a percentage; write 0.95",
            id="an objective in percent",
        ),
        pytest.param(
            "objective: 0.95",
            "objective: .nan",
            "7: objectives.0.objective must lie between 0 and 1, both left out",
            id="an objective that is no number",
        ),
        pytest.param(
            "objective: 0.95",
            "objective: 95%",
            "7: objectives.0.objective is '95%'; write 0.95",
            id="an objective with a percent sign",
        ),
        pytest.param(
            "objective: 0.95",
            "objective: 0.3",
            "7: objectives.0.objective must be 0.5 or more for a latency",
            id="a quantile of the faster half",
        ),
        pytest.param(
            "    threshold: 1s",
            BURN.replace("0.02", "0.5"),
            "9: objectives.0.burns.0 can never fire: 0.5 of the budget in that window is a burn rate of 360, "
            "and where every event is bad it is 20",
            id="a burn rate that can never be reached",
        ),
        pytest.param(
            "    threshold: 1s",
            BURN.replace("5m", "2h"),
            "11: objectives.0.burns.0.short must be longer than 0 and shorter than long",
            id="a short window that is longer",
        ),
        pytest.param(
            "    threshold: 1s",
            BURN.replace("0.02", "2"),
            "9: objectives.0.burns.0.budget must be a share of the budget, more than 0 and at most 1",
            id="more than the whole budget",
        ),
        pytest.param(
            "    threshold: 1s",
            BURN.replace("page", "shout"),
            "12: objectives.0.burns.0.alert is 'shout'; it must be page or ticket",
            id="an alert that does not exist",
        ),
        pytest.param(
            "name: errors",
            "name: latency",
            "10: objectives.1.name is 'latency', as another objective's is",
            id="two objectives of one name",
        ),
        pytest.param(
            "name: errors",
            "name: sight",
            "10: objectives.1.name must not be sight, down, gap or ledger, which are the watchdog's own",
            id="a name that is taken",
        ),
        pytest.param(
            "name: errors",
            "name: My Errors",
            "10: objectives.1.name is 'My Errors'; it must be up to 100 small letters, digits, - and _, a letter first",
            id="a name that nobody can type",
        ),
        pytest.param(
            "    threshold: 1s",
            "    threshold: 1s\n    threshold: 2s",
            "8: objectives.0.threshold stands here twice",
            id="a key that stands twice",
        ),
        pytest.param(
            "kind: ratio",
            "kind: rate",
            "10: objectives.1 has the kind rate; it must be latency, ratio, gauge or up",
            id="a kind that does not exist",
        ),
        pytest.param(
            "    kind: ratio\n",
            "",
            "10: objectives.1 needs a kind: latency, ratio, gauge or up",
            id="an objective of no kind",
        ),
        pytest.param(
            "threshold: 1s",
            "threshold: 1",
            "8: objectives.0.threshold is 1; write its unit: 1s",
            id="a span without a unit",
        ),
        pytest.param(
            "threshold: 1s",
            "threshold: 99999999999999d",
            "8: objectives.0.threshold must be a span that somebody lives to see",
            id="a span that no clock can hold",
        ),
        pytest.param(
            "threshold: 1s",
            "threshold: 0s",
            "8: objectives.0.threshold must be a time longer than 0",
            id="a threshold of no time",
        ),
        pytest.param(
            "threshold: 1s",
            "threshold: 1s\n    clear: 2s",
            "9: objectives.0.clear must be a time longer than 0 and at most the threshold",
            id="clear above the threshold",
        ),
        pytest.param(
            "scrape_interval: 5s",
            "scrape_interval: 0s",
            "2: scrape_interval must be longer than 0",
            id="scrapes without a pause, once though two objectives have them",
        ),
        pytest.param(
            "    bad: bad_total",
            "    bad_for: 5s\n    bad: bad_total",
            "13: objectives.1.bad_for is 5s; with scrape_interval: 5s it must be at least 15s to keep stalls quiet",
            id="a breach of one interval",
        ),
        pytest.param(
            "    bad: bad_total",
            "    over: 30s\n    bad: bad_total",
            "13: objectives.1.over is 30s; with bad_for: 25s and good_for: 20s it must be at least 45s",
            id="a range shorter than what is judged in it",
        ),
        pytest.param(
            "    bad: bad_total",
            "    by: [a-b]\n    bad: bad_total",
            "13: objectives.1.by must be names of labels",
            id="a label that cannot be one",
        ),
        pytest.param(
            "    bad: bad_total",
            "    least: 0\n    bad: bad_total",
            "13: objectives.1.least must be 1 or more",
            id="a judgement from nothing",
        ),
    ],
)
def test_a_mistake_is_reported_with_its_line(old: str, new: str, said: str) -> None:
    assert mistakes(written(old, new)) == (f"slo.yml:{said}",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("", "1: is empty; write job and objectives", id="an empty page"),
        pytest.param("- a\n", "1: must be a mapping with objectives", id="a list"),
        pytest.param("job: x\nobjectives: []\n", "2: objectives must hold at least one objective", id="no objective"),
        pytest.param(
            "job:\n\t- a\n",
            "2: is no YAML: found character '\\t' that cannot start any token; indent with spaces",
            id="a tabulator",
        ),
        pytest.param("job: *x\n", "1: is no YAML: found undefined alias 'x'", id="an alias of nothing"),
        pytest.param("? [a]\n: b\n", "1: is no YAML: found unhashable key", id="a list as a key"),
        pytest.param(
            "job: \x00\n",
            "1: is no YAML: unacceptable character #x0000: special characters are not allowed",
            id="a character that no page holds",
        ),
        pytest.param("job: 2026-13-45\n", f"1: is no YAML: {NO_MONTH}", id="a date that never comes"),
        pytest.param(
            "job: &a [*a]\n",
            "1: something in it holds itself, or is nested more than 50 deep",
            id="a list that holds itself",
        ),
    ],
)
def test_what_is_no_mapping_is_reported_in_a_sentence(text: str, said: str) -> None:
    assert mistakes(text) == (f"slo.yml:{said}",)


def bomb(last: str) -> str:
    """Lists in which each names the one before nine times: together 9 to the power of 10."""
    lists = ["a0: &a0 [x, x, x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 11)]
    return "\n".join([*lists, last, ""])


TOO_MUCH = "1: it holds more than 50,000 keys and values"
TOO_DEEP = "1: something in it holds itself, or is nested more than 50 deep"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(bomb(PAGE), TOO_MUCH, id="lists that name each other"),
        pytest.param(bomb("objectives: *a10"), TOO_MUCH, id="such lists instead of the objectives"),
        pytest.param(bomb("job: *a10"), TOO_MUCH, id="such lists instead of a text"),
        pytest.param(
            "m0: &m0 {k: v}\n" + "".join(f"m{n}: &m{n} {{a: *m{n - 1}, b: *m{n - 1}}}\n" for n in range(1, 20)),
            TOO_MUCH,
            id="mappings that name each other",
        ),
        pytest.param(
            "m0: &m0 {k: v}\n"
            + "".join(f"m{n}: &m{n} {{<<: [*m{n - 1}, *m{n - 1}], a{n}: 1}}\n" for n in range(1, 20)),
            TOO_MUCH,
            id="mappings that take each other in",
        ),
        pytest.param("job: [" + "a, " * 50_000 + "a]\n", TOO_MUCH, id="more values than people write"),
        pytest.param("job: " + "[" * 100_000, TOO_DEEP, id="lists that never end"),
        pytest.param("job: " + "{a: " * 60 + "1" + "}" * 60, TOO_DEEP, id="mappings in mappings"),
        pytest.param("objectives: &a {x: *a}\n", TOO_DEEP, id="a mapping that holds itself"),
    ],
)
def test_what_would_hold_up_whoever_reads_it_is_refused(text: str, said: str) -> None:
    assert mistakes(text) == (f"slo.yml:{said}",)


def test_a_file_larger_than_people_write_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "slo.yml"
    path.write_text(PAGE + "#" * 2**20)
    with pytest.raises(SloFileError, match=r"slo\.yml cannot be read: it is larger than 1 MiB"):
        load(path)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        pytest.param(
            "blind_for: 2m",
            f"blind_for: {'x' * 10_000}",
            f"3: blind_for is '{'x' * 199}…; it must be a span such as 25s, 5m or 30d",
            id="a long value",
        ),
        pytest.param("job: wine-slo", f'job: wine-slo\n? "{"k" * 500}"\n: 1', f"2: {'k' * 200}… ", id="a long key"),
        pytest.param("job: wine-slo", 'job: wine-slo\n"a\\n\\e[31m": 1', "2: a\\n\\x1b[31m ", id="a key of two lines"),
        pytest.param("job: wine-slo", "job: wine-slo\n~: 1", "1: None ", id="a key that is none"),
        pytest.param("    kind: ratio", f"    kind: ratio\n    title: {'x' * 201}", "", id="a title that is none"),
        pytest.param("name: errors", f"name: {'x' * 101}", "", id="a name that nobody types"),
        pytest.param("blind_for: 2m", "blind_for: 0s", "3: blind_for ", id="no patience"),
        pytest.param("blind_for: 2m", "blind_for: ٣m", "3: blind_for ", id="digits of another script"),
        pytest.param(
            "blind_for: 2m",
            f"blind_for: {'9' * 15}w",
            "3: blind_for must be a span that somebody lives to see",
            id="a span of ages",
        ),
        pytest.param("blind_for: 2m", f"blind_for: {'9' * 5000}s", "3: blind_for must be a span", id="a long one"),
    ],
)
def test_a_mistake_is_a_short_line_whatever_is_written_there(old: str, new: str, said: str) -> None:
    (mistake,) = mistakes(written(old, new))
    assert mistake.startswith(f"slo.yml:{said}")
    assert mistake.isprintable()
    assert len(mistake) < 500


def test_where_the_fields_of_many_objectives_stand_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "slo.yml"
    lines = [f"  - {{name: n{n}, kind: up, objective: 0.5}}\n" for n in range(1000)]
    path.write_text("job: w\nobjectives:\n" + "".join(lines))
    before = process_time()
    file = load(path)
    sentences = file.left_out(file.objectives())
    assert process_time() - before < 20  # one reading is two seconds of a busy machine
    assert [each.split(":")[1] for each in sentences] == [str(n + 3) for n in range(1000)]


def test_all_mistakes_are_reported_at_once() -> None:
    text = written("name: errors", "name: latency").replace("0.95", "1").replace("0.99", "2")
    assert [each.split(":")[1] for each in mistakes(text)] == ["7", "10", "12"]
    text = written("threshold: 1s", "treshold: 1s").replace("kind: ratio", "kind: rate")
    assert [each.split(":")[1] for each in mistakes(text)] == ["5", "8", "10"]


@given(st.text(max_size=80) | st.sampled_from(PAGE.split("\n")).map(lambda line: PAGE.replace(line, line[::-1])))
def test_whatever_is_written_there_it_loads_or_is_reported_in_sentences(text: str) -> None:
    said: tuple[str, ...] = ("slo.yml:",)
    try:
        parse(text)
    except SloFileError as error:
        said = error.mistakes
    assert said
    assert all(each.startswith("slo.yml:") and "\n" not in each for each in said)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        pytest.param(lambda _: None, "cannot be read: No such file or directory", id="no file"),
        pytest.param(lambda path: path.mkdir(), "cannot be read: Is a directory", id="a folder"),
        pytest.param(lambda path: path.write_bytes(b"\xff\xfe"), "cannot be read: it is not UTF-8", id="no text"),
        pytest.param(os.mkfifo, "cannot be read: it is no regular file", id="a pipe"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, make: Callable[[Path], object], said: str) -> None:
    path = tmp_path / "slo.yml"
    make(path)
    with pytest.raises(SloFileError) as caught:
        load(path)
    assert str(caught.value) == f"{path} {said}"


# What is not what it is taken for

RATES = ": rates are made of it"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("objective: 0.95", "objective: 99.9", "7: objectives.0.objective is 99.9, a percentage; write 0.999"),
        ("objective: 0.99", "objective: 95", "12: objectives.1.objective is 95, a percentage; write 0.95"),
        ("objective: 0.95", "objective: 100", "7: objectives.0.objective must lie between 0 and 1, both left out"),
        (
            "histogram: request_latency_seconds",
            "histogram: seconds_bucket",
            "9: objectives.0.histogram is seconds_bucket; write seconds, without _bucket",
        ),
        (
            "histogram: request_latency_seconds",
            "histogram: rate(request_latency_seconds[5m])",
            "9: objectives.0.histogram must be the name of a histogram, without _bucket, labels and functions",
        ),
        (
            "    histogram: request",
            "    oldest_age: max(age)\n    histogram: request",
            "9: objectives.0.oldest_age must be the name of a metric, without labels and functions",
        ),
        (
            "    histogram: request",
            "    selector: '{code=\"200\"}'\n    histogram: request",
            "9: objectives.0.selector must be label matchers without the braces",
        ),
        (
            "    histogram: request",
            "    selector: code=200\n    histogram: request",
            '9: objectives.0.selector must be label matchers, such as endpoint!~"/metrics|/health", code="200"',
        ),
        (
            "bad: bad_total",
            "bad: sum(rate(bad_total[5m]))",
            f"13: objectives.1.bad is an expression; write the counter alone, as a selector such as {EXAMPLE}" + RATES,
        ),
        (
            "total: all_total",
            "total: all_total[5m]",
            f"14: objectives.1.total has a time range; write the counter alone, as a selector such as {EXAMPLE}",
        ),
        (
            "total: all_total",
            "total: all_total{code=200}",
            f"14: objectives.1.total must be a selector, such as {EXAMPLE}: a metric with label matchers in braces",
        ),
    ],
)
def test_what_cannot_be_judged_is_answered_with_what_to_write(old: str, new: str, said: str) -> None:
    assert mistakes(written(old, new)) == (f"slo.yml:{said}",)


def test_everything_that_is_wrong_with_an_objective_is_reported_at_once() -> None:
    text = written("bad: bad_total", "bad: sum(bad_total)").replace("total: all_total", "total: rate(all_total[1m])")
    assert [each.split(" ")[1] for each in mistakes(text)] == ["objectives.1.bad", "objectives.1.total"]


# Spans that follow the scrape interval


@pytest.mark.parametrize(
    ("interval", "over"), [("1s", 300), ("5s", 300), ("15s", 300), ("30s", 300), ("1m", 300), ("2m", 600)]
)
def test_a_file_loads_at_every_scrape_interval_with_the_same_spans_and_a_range_that_holds_some_scrapes(
    interval: str, over: int
) -> None:
    for objective in parse(written("scrape_interval: 5s", f"scrape_interval: {interval}")).objectives().all:
        spans = (objective.bad_for, objective.good_for, objective.over)
        assert spans == tuple(timedelta(seconds=each) for each in (25, 20, over))


def test_spans_too_short_for_the_scrape_interval_are_reported_all_at_once_each_with_its_line_and_numbers() -> None:
    text = written("scrape_interval: 5s", "scrape_interval: 30s").replace(
        "    objective: 0.95", "    objective: 0.95\n    bad_for: 14s\n    good_for: 9s\n    over: 1m"
    )
    least = "with scrape_interval: 30s it must be at least"
    assert mistakes(text) == (
        f"slo.yml:8: objectives.0.bad_for is 14s; {least} 15s to keep stalls quiet",
        f"slo.yml:9: objectives.0.good_for is 9s; {least} 10s to prove a recovery",
        f"slo.yml:10: objectives.0.over is 1m; {least} 150s",
    )


# The drill


@pytest.mark.parametrize(
    ("drill", "mistake"),
    [
        ("{url: 'http://shop/slow?seconds=2', parallel: 20, objective: up}", None),
        ("{start: [docker, stop, shop], stop: docker start shop}", None),
        ("{start: break}", "drill must have both a start and a stop"),
        ("{}", "drill must have either a url, or a start and a stop"),
        ("{url: 'http://shop', start: a, stop: b}", "drill must have either a url, or a start and a stop"),
        ("{url: shop}", "drill has the url shop, which is none; write http://HOST/PATH"),
        ("{url: 'http://shop', parallel: 0}", "drill has 0 parallel requests; 1 to 100 can be made"),
        ("{start: 'a \"b', stop: c}", "drill has a command that cannot be split into words: No closing quotation"),
        ("{start: '', stop: c}", "drill has a command without a word"),
        ("{url: 'http://shop', objective: speed}", "drill names speed, which is none of the objectives"),
        ("sometimes", "drill is 'sometimes'; it must be a url, or a start and a stop"),
    ],
)
def test_a_drill_is_a_url_or_two_commands(drill: str, mistake: str | None) -> None:
    text = f"job: shop\ndrill: {drill}\nobjectives: [{{name: up, kind: up, objective: 0.9}}]\n"
    if mistake is None:
        assert parse(text).drill is not None
        return
    with pytest.raises(SloFileError) as refused:
        parse(text)
    assert str(refused.value) == f"slo.yml:2: {mistake}"


def test_a_command_is_words_whichever_way_it_is_written() -> None:
    file = parse(
        "job: shop\ndrill: {start: \"sh -c 'a; b'\", stop: [c, d e]}\n"
        "objectives: [{name: up, kind: up, objective: 0.9}]\n"
    )
    assert file.drill is not None
    assert (file.drill.start_words, file.drill.stop_words) == (["sh", "-c", "a; b"], ["c", "d e"])


@pytest.mark.parametrize(
    ("written", "is_on"), [("", True), ("on", True), ("off", False), ("'off'", False), ("true", True)]
)
def test_an_outage_of_all_targets_is_an_incident_unless_it_is_switched_off(written: str, *, is_on: bool) -> None:
    line = f"target_down: {written}\n" if written else ""
    file = parse(f"job: shop\n{line}objectives: [{{name: up, kind: up, objective: 0.9}}]\n")
    assert file.objectives().target_down is is_on


def test_anything_else_than_on_or_off_is_a_mistake() -> None:
    with pytest.raises(SloFileError) as refused:
        parse("job: shop\ntarget_down: never\nobjectives: [{name: up, kind: up, objective: 0.9}]\n")
    assert str(refused.value) == "slo.yml:2: target_down is 'never'; it must be on or off"


def test_deployments_are_selectors_with_the_label_that_is_the_version() -> None:
    line = "deployments: [{selector: 'build_info{env=\"prod\"}', label: version}]\n"
    file = parse(f"job: shop\n{line}objectives: [{{name: up, kind: up, objective: 0.9}}]\n")
    assert file.objectives().deployments == (VersionSeries('build_info{env="prod"}', "version"),)
    assert parse("job: shop\nobjectives: [{name: up, kind: up, objective: 0.9}]\n").objectives().deployments is None


def test_each_mistake_in_a_deployment_has_its_line() -> None:
    with pytest.raises(SloFileError) as refused:
        parse(
            "job: shop\ndeployments:\n  - {selector: build_info, label: version}\n  - selector: sum(x)\n"
            "    label: a-b\nobjectives: [{name: up, kind: up, objective: 0.9}]\n"
        )
    assert [line.split(" is ")[0] for line in str(refused.value).splitlines()] == [
        "slo.yml:4: deployments.1.selector",
        "slo.yml:5: deployments.1.label",
    ]


def test_an_objective_may_have_a_page_of_its_own_for_its_alerts() -> None:
    page = "https://wiki.example.com/runbooks/latency#slow"
    latency, errors = parse(written("    threshold: 1s", f"    threshold: 1s\n    runbook: {page}")).objectives().all
    assert (latency.runbook, errors.runbook) == (page, "")


@pytest.mark.parametrize(
    "page",
    [
        "wiki/latency",
        "http://wiki/latency",
        "https://bob:hunter2@example.com",
        "ftp://example.com",
        "https://wiki.example.com:99999/",
        "''",
    ],
)
def test_a_page_that_no_alert_can_link_is_a_mistake_with_its_line(page: str) -> None:
    (mistake,) = mistakes(written("    threshold: 1s", f"    threshold: 1s\n    runbook: {page}"))
    assert mistake.startswith("slo.yml:9: objectives.0.runbook is ")
    assert mistake.endswith(NO_PAGE)
