"""Each kind of objective as people write it: what is taken, whose series are meant, and what is refused in words."""

from datetime import timedelta

import pytest

from wine_slo.config.slo_file import SloFileError, parse
from wine_slo.slo.objectives import promql
from wine_slo.slo.objectives.kinds.gauge import Gauge
from wine_slo.slo.objectives.kinds.latency import Latency, SlowOrFailed
from wine_slo.slo.objectives.kinds.ratio import Ratio
from wine_slo.slo.objectives.objective import Objective
from wine_slo.slo.objectives.scope import Scope

LATENCY = "kind: latency, objective: 0.9, histogram: h, threshold: 500ms"
RATIO = "kind: ratio, objective: 0.99, bad: bad_total, total: all_total"
GAUGE = "kind: gauge, objective: 0.99"
UP = "kind: up, objective: 0.99"


def page(fields: str, *head: str) -> str:
    return "\n".join([*(head or ("job: api",)), "objectives:", f"  - {{name: x, {fields}}}", ""])


def objective(fields: str, *head: str) -> Objective:
    (found,) = parse(page(fields, *head)).objectives().all
    return found


def mistake(fields: str, *head: str) -> str:
    with pytest.raises(SloFileError) as caught:
        parse(page(fields, *head))
    (said,) = caught.value.mistakes
    return said


def total_and_good(found: Objective) -> tuple[str, ...]:
    source, scope = found.source, found.scope
    total, good = source.all_events(scope), source.good_events(scope)
    assert total is not None
    assert good is not None
    return (*total.selectors, *good.selectors)


# What is counted


def test_bounds_are_in_the_unit_of_the_histogram_and_the_threshold_is_a_span() -> None:
    found = objective(f"{LATENCY}, unit: ms")
    assert isinstance(found.source, Latency)
    assert found.source.threshold == 0.5
    assert total_and_good(found)[1] == 'h_bucket{job="api", le=~"500\\\\.0|500"}'
    assert str(promql.quantile(found, timedelta(minutes=1))).endswith(" * 0.001")


@pytest.mark.parametrize(
    ("unit", "threshold", "bounds"),
    [
        ("s", "1s", ["1\\\\.0", "1"]),
        ("ms", "1500ms", ["1500\\\\.0", "1500"]),
        ("us", "1s", ["1000000\\\\.0", "1000000", "1e\\\\+06"]),
        ("us", "2500ms", ["2500000\\\\.0", "2500000", "2\\\\.5e\\\\+06"]),
        ("ns", "5ms", ["5000000\\\\.0", "5000000", "5e\\\\+06"]),
        ("s", "300ms", ["0\\\\.3"]),
    ],
)
def test_a_bound_is_found_however_clients_write_it(unit: str, threshold: str, bounds: list[str]) -> None:
    found = objective(LATENCY.replace("500ms", threshold) + f", unit: {unit}")
    assert {*bounds} <= {*total_and_good(found)[1].partition("le=~")[2].strip('"}').split("|")}


def test_a_native_histogram_has_no_bounds_and_is_counted_without_buckets() -> None:
    found = objective(f"{LATENCY}, native: true, selector: 'code=\"200\"'")
    assert found.source.bounded is None
    assert promql.bucket_bounds(found) is None
    assert total_and_good(found) == ('h{job="api", code="200"}',) * 2
    assert str(promql.quantile(found, timedelta(minutes=1))).startswith("histogram_quantile(0.9, sum (rate(h{")


def test_with_a_selector_of_success_failed_requests_are_as_bad_as_slow_ones() -> None:
    found = objective(f"{LATENCY}, selector: 'verb=\"GET\"', success_selector: 'code!~\"5..\"'")
    assert isinstance(found.source, SlowOrFailed)
    assert total_and_good(found) == (
        'h_count{job="api", verb="GET"}',
        'h_bucket{job="api", verb="GET", code!~"5..", le=~"0\\\\.5"}',
    )
    assert promql.quantile(found, timedelta(minutes=1)) is None, "no quantile says how many requests failed"
    assert found.limit == pytest.approx(0.1)


def test_counters_are_one_or_a_list_and_each_is_summed() -> None:
    found = objective("kind: ratio, objective: 0.9, good: [a_total, 'b_total{x=\"1\"}'], total: c_total")
    assert found.source == Ratio((), ("c_total",), ("a_total", 'b_total{x="1"}'))
    rate = str(promql.good_per_interval(found))
    assert 'label_replace(irate(a_total[20s]) and present_over_time(a_total[5s]), "slo_part", "0", "", "")' in rate
    assert ' or label_replace(irate(b_total{x="1"}[20s])' in rate


@pytest.mark.parametrize(
    ("good", "query"),
    [
        ("up_time > 0.5", "(up_time > bool 0.5 and up_time == up_time)"),
        ('probe_success{job="b"} == 1', '(probe_success{job="b"} == bool 1 and probe_success{job="b"} == probe_'),
        ("x!=-1e3", "(x != bool -1000 and x == x)"),
        ("time() - last_seconds < 1h30m", "(time() - last_seconds < bool 5400 and last_seconds == last_seconds)"),
        ("time()-last_seconds <= 90", "(time() - last_seconds <= bool 90 and last_seconds == last_seconds)"),
        ('{"a.b", job=~"x|y"} >= 7', '({"a.b", job=~"x|y"} >= bool 7 and {"a.b", job=~"x|y"} == {"a.b", job=~"x|y"})'),
    ],
)
def test_a_gauge_is_good_by_a_comparison(good: str, query: str) -> None:
    found = objective(f"{GAUGE}, good: '{good}'")
    assert isinstance(found.source, Gauge)
    assert found.source.good_scrape(found.scope).startswith(query)
    assert found.least_events == 1


def test_a_condition_is_shown_without_labels_and_an_age_as_a_span() -> None:
    assert objective(f"{GAUGE}, good: 'q{{a=\"b\"}} < 30'").source.condition == "q < 30"
    assert objective(f"{GAUGE}, good: time() - t < 5400").source.condition == "time() - t < 90m"


# Whose series


@pytest.mark.parametrize(
    ("fields", "head", "scope"),
    [
        pytest.param(UP, "job: api", Scope.of_jobs("api"), id="one job"),
        pytest.param(
            UP, "job: [api, w.b]", Scope("api, w.b", 'job=~"api|w\\\\.b"', 'up{job=~"api|w\\\\.b"}'), id="several jobs"
        ),
        pytest.param(
            UP,
            'up: \'up{job=~"api-.*", cluster="eu"}\'',
            Scope("api-.* (cluster=eu)", "", 'up{job=~"api-.*", cluster="eu"}'),
            id="a selector in the file",
        ),
        pytest.param(
            f'{LATENCY}, job: api, up: \'up{{job="api", cluster="eu"}}\'',
            "job: other",
            Scope("api (cluster=eu)", 'job="api"', 'up{job="api", cluster="eu"}'),
            id="a selector and a job",
        ),
        pytest.param(
            f"{UP}, job: own", "up: 'up{cluster=\"eu\"}'", Scope.of_jobs("own"), id="a job of its own has its own up"
        ),
        pytest.param(RATIO, "up: none", Scope("all_total", "", "all_total", has_up=False), id="pushed, without a job"),
        pytest.param(
            f"{LATENCY}, job: batch",
            "up: none",
            Scope("batch", 'job="batch"', 'h_count{job="batch"}', has_up=False),
            id="pushed, with a job",
        ),
        pytest.param(
            f"{RATIO}, up: none",
            "job: api",
            Scope("all_total", 'job="api"', "all_total", has_up=False),
            id="one of all",
        ),
    ],
)
def test_it_is_said_whose_series_are_meant(fields: str, head: str, scope: Scope) -> None:
    found = objective(fields, head)
    assert found.scope == scope
    assert found.job == scope.name


def test_a_selector_covers_the_jobs_that_it_matches() -> None:
    scope = objective(UP, 'up: \'up{job=~"api-.*", job!="api-old"}\'').scope
    assert [job for job in ("api-a", "api-old", "other") if scope.covers(job)] == ["api-a"]
    assert not objective(UP, "up: 'up{cluster=\"eu\"}'").scope.covers("anything")


def test_without_up_the_newest_sample_says_how_fresh_it_is_and_its_distance_how_often_it_comes() -> None:
    found = objective(f"{RATIO}, up: none, by: [zone]")
    assert promql.targets_scraped_at(found) == "max by (zone) (timestamp(all_total))"
    assert promql.targets_up(found) == "max by (zone) (timestamp(all_total)) * 0 + 1"
    assert "count_over_time(all_total[10m])" in promql.measured_interval(found.scope)
    assert "count(all_total)" in promql.seconds_of_history(found)
    several = objective(f"{RATIO.replace('total: all_total', 'total: [a_total, b_total]')}, up: none")
    newest = [
        f'label_replace(timestamp({name}), "slo_part", "{n}", "", "")' for n, name in enumerate(("a_total", "b_total"))
    ]
    assert promql.targets_scraped_at(several) == f"max ({' or '.join(newest)})", "any of them shows that it is alive"


# What is refused


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        pytest.param(
            f"{RATIO}, good: good_total",
            "3: objectives.0.good stands here beside bad; write exactly one of bad and good",
            id="bad and good",
        ),
        pytest.param(
            "kind: ratio, objective: 0.9, total: all_total",
            "3: objectives.0.bad is missing; write exactly one of bad and good",
            id="neither",
        ),
        pytest.param(
            "kind: ratio, objective: 0.9, bad: [], total: all_total",
            "3: objectives.0.bad is []; it must be a selector or a list of selectors",
            id="an empty list",
        ),
        pytest.param(
            "kind: ratio, objective: 0.9, bad: [a_total, 'b - c'], total: all_total",
            '3: objectives.0.bad must be a selector, such as http_requests_total{code=~"5.."}: a metric with label '
            "matchers in braces",
            id="an expression in a list",
        ),
        pytest.param(
            f"{LATENCY}, unit: h", "3: objectives.0.unit is 'h'; it must be s, ms, us or ns", id="an odd unit"
        ),
        pytest.param(
            f"{LATENCY}, native: 1", "3: objectives.0.native is 1; it must be true or false", id="native is no number"
        ),
        pytest.param(
            f"{LATENCY}, success_selector: ''",
            '3: objectives.0.success_selector must be label matchers, such as code!~"5.."; leave it out where every '
            "request counts as successful",
            id="every request is successful",
        ),
        pytest.param(
            f"{UP}, up: none",
            "3: objectives.0.up is none, but kind: up counts the scrapes of `up`; leave it out",
            id="up",
        ),
        pytest.param(
            f"{UP}, up: sum(up)",
            "3: objectives.0.up is an expression; write the counter alone, as a selector such as "
            'http_requests_total{code=~"5.."}: rates are made of it; or write none, where targets have no `up`',
            id="an expression for up",
        ),
        pytest.param(f"{UP}, job: []", "3: objectives.0.job is []; it must be a name or a list of names", id="no job"),
        pytest.param(
            f"{UP}, job: ''", "3: objectives.0.job is ''; it must be a name or a list of names", id="a nameless job"
        ),
    ],
)
def test_what_cannot_be_counted_is_refused_with_its_line(fields: str, said: str) -> None:
    assert mistake(fields) == f"slo.yml:{said}"


@pytest.mark.parametrize(
    ("good", "said"),
    [
        ("probe_success", "compares nothing; write what a good value is, such as"),
        ("a == 1 and b == 1", "joins conditions; write one objective for each"),
        ("avg_over_time(x[5m]) > 1", "is an expression; write a selector and one comparison, such as"),
        ("x < 1h", "compares with 1h; write a number after <, such as"),
        ("x < nan", "compares with nan; write a number after <, such as"),
        ("time() - x < soon", "compares an age with soon, which must be a span such as"),
        ("time() - timestamp(x) < 1h", "is an expression; write a selector and one comparison, such as"),
        ("x / y > 1", "must be a selector and one comparison with a number, such as"),
        ("x = 1", "compares with =; write ==, such as"),
        ('x{a="b"} = 1', "compares with =; write ==, such as"),
        ("1 < x", "must be a selector and one comparison with a number, such as"),
    ],
)
def test_what_is_no_condition_of_a_gauge_is_refused_in_words(good: str, said: str) -> None:
    assert mistake(f"{GAUGE}, good: '{good}'").startswith(f"slo.yml:3: objectives.0.good {said}")


def test_who_is_meant_must_be_said() -> None:
    said = "is missing; write a job or several, or else `up`, or up: none for what is pushed"
    assert mistake(UP, "blind_for: 2m") == f"slo.yml:1: job {said}"
