"""Every mistake of a file in one go, each with its line; none hides another, and none only follows from another."""

import re
from typing import get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wine_slo.config.files.slo_hints import instead
from wine_slo.config.files.slo_page import stand_in
from wine_slo.config.slo_file import SloFileError, parse
from wine_slo.config.slo_schema import AnyObjectiveEntry, BurnEntry, SloFileEntry

PAGE = """\
job: api
scrape_interval: 5s
time_zone: Europe/Berlin
objectives:
  - name: latency
    kind: latency
    objective: 0.95
    bad_for: 25s
    over: 5m
    window: 30d
    threshold: 1s
    clear: 500ms
    histogram: seconds
    selector: code="200"
    burns:
      - {budget: 0.02, long: 1h, short: 5m, alert: page}
      - {budget: 0.1, long: 3d, short: 6h, alert: ticket}
  - name: errors
    kind: ratio
    objective: 0.99
    least: 5
    bad: bad_total
    total: all_total
  - {name: probes, kind: gauge, objective: 0.99, good: probe_success == 1}
"""
# What stands in the page, what somebody writes instead, and where that is wrong.
SLIPS = [
    ("job: api", "job: 5", "job"),
    ("scrape_interval: 5s", "scrape_interval: 5", "scrape_interval"),
    ("Europe/Berlin", "Europe/Berlln", "time_zone"),
    ("name: latency", "name: Latency", "objectives.0.name"),
    ("objective: 0.95", "objective: 95", "objectives.0.objective"),
    ("bad_for: 25s", "bad_for: 25 s", "objectives.0.bad_for"),
    ("over: 5m", "over: 5 minutes", "objectives.0.over"),
    ("window: 30d", "window: year", "objectives.0.window"),
    ("threshold: 1s", "threshold: 1", "objectives.0.threshold"),
    ("clear: 500ms", "clear: 0.5", "objectives.0.clear"),
    ("histogram: seconds", "histogram: seconds_bucket", "objectives.0.histogram"),
    ('selector: code="200"', "selector: code=200", "objectives.0.selector"),
    ("budget: 0.02", "budget: 2", "objectives.0.burns.0.budget"),
    ("short: 5m", "short: 0s", "objectives.0.burns.0.short"),
    ("alert: ticket", "alert: shout", "objectives.0.burns.1.alert"),
    ("name: errors", "name: probes", "objectives.2.name"),
    ("objective: 0.99\n    least", "objective: 99%\n    least", "objectives.1.objective"),
    ("least: 5", "least: 0", "objectives.1.least"),
    ("bad: bad_total", "bad: sum(bad_total)", "objectives.1.bad"),
    ("total: all_total", "totl: all_total", "objectives.1.totl"),
    ("good: probe_success == 1", "good: probe_success", "objectives.2.good"),
    ("kind: gauge, objective: 0.99", "kind: guage, objective: 0.99", "objectives.2"),
]


def mistakes(text: str) -> tuple[str, ...]:
    with pytest.raises(SloFileError) as caught:
        parse(text)
    return caught.value.mistakes


@settings(max_examples=40)
@given(st.lists(st.sampled_from(SLIPS), min_size=1, unique=True))
def test_of_any_mistakes_together_each_is_reported_once_with_its_line_and_nothing_else(
    slips: list[tuple[str, str, str]],
) -> None:
    text, wanted = PAGE, set()
    for right, wrong, place in slips:
        assert text.count(right) == 1
        text = text.replace(right, wrong)
        wanted.add(place)
        if place == "objectives.1.totl":
            wanted.add("objectives.1.total")
    if "objectives.2" in wanted:
        wanted.discard("objectives.2.good")  # of an unknown kind nobody knows what it is
    lines, found = text.splitlines(), mistakes(text)
    assert sorted(each.split(": ", 1)[1].split(" ")[0] for each in found) == sorted(wanted)
    for mistake in found:
        _, line, rest = mistake.split(":", 2)
        field = rest.strip().split(" ")[0].rpartition(".")[2]
        assert field in lines[int(line) - 1] or "is missing" in rest or "the kind" in rest or "name is 'probes'" in rest


def test_the_page_without_slips_is_right() -> None:
    assert [each.name for each in parse(PAGE).objectives().all] == ["latency", "errors", "probes"]


@pytest.mark.parametrize(
    "kind", [SloFileEntry, BurnEntry, *get_args(AnyObjectiveEntry)], ids=lambda kind: str(kind.__name__)
)
def test_each_field_of_each_kind_has_a_value_that_stands_in_for_a_wrong_one(kind: type[msgspec.Struct]) -> None:
    values = {each.name: stand_in(each) for each in msgspec.structs.fields(kind)}
    assert isinstance(kind(**values), kind)
    for each in msgspec.structs.fields(kind):
        assert re.search(r"; it must be |; write ", instead({}, None, each.type)), each.name


@pytest.mark.parametrize(
    ("line", "said"),
    [
        pytest.param("job: off", '1: job is off; YAML reads that as true or false, so write "off"', id="off"),
        pytest.param("job: no", '1: job is no; YAML reads that as true or false, so write "no"', id="no"),
        pytest.param("job: 5", '1: job is 5; YAML reads that as a number, so write "5"', id="a number"),
        pytest.param(
            "job: 2026-01-01", '1: job is 2026-01-01; YAML reads that as a date, so write "2026-01-01"', id="a date"
        ),
        pytest.param("scrape_interval: 5", "1: scrape_interval is 5; write its unit: 5s", id="no unit"),
        pytest.param("scrape_interval: 5 s", "1: scrape_interval is '5 s'; write 5s", id="a space"),
        pytest.param("scrape_interval: 2 Minutes", "1: scrape_interval is '2 Minutes'; write 2m", id="words"),
        pytest.param("scrape_interval: 12:30:00", "1: scrape_interval is 12:30:00; it must be a span", id="a time"),
        pytest.param("objectives: 5", "1: objectives is 5; it must be a list of objectives", id="no list"),
        pytest.param("include: teams/*.yml", "1: include is 'teams/*.yml'; write a list: [teams/*.yml]", id="one file"),
        pytest.param("jobs: api", "1: jobs is not known here; write job", id="a name that is near"),
        pytest.param("job:", "1: job is missing; write a job", id="nothing"),
        pytest.param(
            "bad_for: 1m",
            "1: bad_for is not known here; write it into the objectives that it is for",
            id="a name of objectives, which is near another one of the file",
        ),
    ],
)
def test_what_yaml_takes_for_something_else_is_answered_with_what_to_write(line: str, said: str) -> None:
    key = line.partition(":")[0]
    text = f"{line}\n" + "".join(f"{each}\n" for each in PAGE.splitlines() if not each.startswith(f"{key}:"))
    found = mistakes(text if not line.startswith("objectives") else f"{line}\njob: api\n")
    assert any(each.startswith(f"slo.yml:{said}") for each in found), found


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "threshold: 1s",
            "threshold: 1s\n    blind_for: 1m",
            "blind_for is not known here; it is said once for the whole file, above objectives",
        ),
        ("threshold: 1s", "threshold: 0.5", "threshold is 0.5; write its unit: 0.5s"),
        ("threshold: 1s", "threshold: 500", "threshold is 500; write its unit: 500s or 500ms"),
        ("threshold: 1s", "threshold: 2.5e-4", "threshold is 2.5e-4; write its unit: 0.00025s"),
        ("threshold: 1s", "threshold: 0.1us", "threshold must be a span of whole microseconds"),
        ("objective: 0.95", "objective: 99.9%", "objective is '99.9%'; write 0.999"),
        ("objective: 0.95", 'objective: "0.95"', "objective is '0.95'; write 0.95, without quotes"),
        ("objective: 0.95", "objective: 0,95", "objective is '0,95'; write 0.95, without quotes"),
        ("bad_for: 25s", "by: handler", "by is 'handler'; write a list: [handler]"),
        ("bad_for: 25s", "scrape_interval: 5", "scrape_interval is 5; write its unit: 5s"),
        ("window: 30d", "window: 30", "window is 30; write its unit: 30d"),
        ("bad_for: 25s", "by: [code, code]", "by must name each label once"),
        ("bad_for: 25s", "by: [le]", "by must not name le: the buckets of a histogram are judged together"),
        ("bad_for: 25s", "breakdown: [le]", "breakdown must not name le, by which a histogram counts"),
        (
            'selector: code="200"',
            """selector: 'code!~"(?=5).."'""",
            'selector has code!~"(?=5)..", which has (?=5, which is not known in RE2, the language of Prometheus',
        ),
        ("name: latency", "name: on", 'name is on; YAML reads that as true or false, so write "on"'),
    ],
)
def test_a_value_of_another_kind_is_answered_with_what_to_write(old: str, new: str, said: str) -> None:
    (mistake,) = mistakes(PAGE.replace(old, new))
    assert mistake.endswith(f": objectives.0.{said}")


def test_a_kind_that_is_misspelt_is_quoted_with_the_one_that_is_meant() -> None:
    assert mistakes(PAGE.replace("kind: latency", "kind: latancy")) == (
        "slo.yml:5: objectives.0 has the kind latancy; write latency",
    )


def test_deployments_that_are_no_list_of_mappings_are_answered_with_one() -> None:
    assert mistakes(f"deployments: app_info\n{PAGE}") == (
        (
            "slo.yml:1: deployments is 'app_info'; it must be a list of selectors and labels, such as "
            "[{selector: app_info, label: version}]"
        ),
    )


def test_a_drill_of_an_objective_whose_name_is_wrong_is_no_second_mistake() -> None:
    drill = "drill: {objective: speed, url: 'http://shop/slow'}\n"
    assert mistakes(drill + PAGE) == ("slo.yml:1: drill names speed, which is none of the objectives",)
    (mistake,) = mistakes(drill + PAGE.replace("name: latency", "name: Speed"))
    assert mistake.startswith("slo.yml:6: objectives.0.name is 'Speed'; ")


# How the file may be written


def test_a_byte_order_mark_and_the_line_ends_of_windows_are_no_mistake() -> None:
    assert parse("\ufeff" + PAGE.replace("\n", "\r\n")).objectives() == parse(PAGE).objectives()


def test_parts_that_are_shared_stand_under_a_key_of_ones_own() -> None:
    text = """\
x-usual: &usual
  objective: 0.99
  window: month
  by: [handler]
x-list: [&bad 'bad_total{code=~"5.."}']
job: api
objectives:
  - {<<: *usual, name: a, kind: ratio, bad: *bad, total: all_total}
  - {<<: *usual, name: b, kind: up, objective: 0.9}
"""
    first, second = parse(text).objectives().all
    assert (first.ratio, second.ratio) == (0.99, 0.9)
    assert first.by == second.by == ("handler",)
    assert first.calendar == second.calendar
    assert mistakes(text.replace("x-usual", "usual")) == ("slo.yml:1: usual is not known here",)


def test_a_mistake_in_a_shared_part_has_the_line_of_that_part() -> None:
    text = """\
x-usual: &usual
  objective: 99
x-more: &more {<<: *usual, least: 0}
job: api
objectives:
  - {<<: [*more], name: a, kind: up}
  - {<<: *usual, objective: 0.9, name: b, kind: up, least: 1}
"""
    assert mistakes(text) == (
        "slo.yml:2: objectives.0.objective is 99, a percentage; write 0.99",
        "slo.yml:3: objectives.0.least must be 1 or more",
    )
