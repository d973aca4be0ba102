"""Each tool's way of writing objectives down, as slo.yml has it; and what is left out, with the reason."""

from typing import Any

import pytest

from wine_slo.monitor.onboarding.importing.imported import Entry, Imported, import_texts

SLOTH = """\
version: prometheus/v1
service: shop
slos:
  - name: requests
    objective: 99.9
    sli:
      SLI
"""
PYRRA = """\
apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata: {name: shop-errors, namespace: shop}
spec:
  target: "99.5"
  window: 4w
  indicator:
    INDICATOR
"""
OPENSLO = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: shop-availability, displayName: The shop}
spec:
  service: shop
  budgetingMethod: Occurrences
  timeWindow: [{duration: 28d, isRolling: true}]
  indicator:
    spec: INDICATOR
  objectives: [{target: 0.995}]
"""
GOOD_OF_TOTAL = """\
{ratioMetric: {counter: true, good: {metricSource: {type: Prometheus, spec: {query: 'sum(done{code!~"5.."})'}}},
 total: {metricSource: {type: prometheus, spec: {query: 'sum(done)'}}}}}"""
BAD, TOTAL = 'done_total{job="shop", code=~"5.."}', 'done_total{job="shop"}'
RATIO = {"kind": "ratio", "job": "shop", "bad": BAD, "total": TOTAL}


def imported(text: str) -> Imported:
    return import_texts([("old.yml", text)])


def only(text: str) -> Entry:
    (entry,) = imported(text).entries
    return entry


def fields(text: str) -> dict[str, Any]:
    """Return the only objective without its names."""
    entry = only(text)
    assert entry.fields, entry.remarks
    return {name: value for name, value in entry.fields.items() if name not in ("name", "title")}


def reason(text: str) -> str:
    entry = only(text)
    assert not entry.fields
    (remark,) = entry.remarks
    return remark


@pytest.mark.parametrize(
    "sli",
    [
        f"events: {{error_query: 'rate({BAD}[{{{{.window}}}}])', total_query: 'rate({TOTAL}[{{{{.window}}}}])'}}",
        f"events: {{errorQuery: 'sum(rate({BAD}[5m]))', totalQuery: 'sum(rate({TOTAL}[5m]))'}}",
        f"raw: {{error_ratio_query: 'sum(rate({BAD}[{{{{.window}}}}])) / sum(rate({TOTAL}[{{{{.window}}}}]))'}}",
        f"raw: {{errorRatioQuery: 'sum(rate({BAD}[5m])) / sum(rate({TOTAL}[5m]))'}}",
    ],
)
def test_slis_of_sloth_are_taken(sli: str) -> None:
    assert fields(SLOTH.replace("SLI", sli)) == {**RATIO, "objective": 0.999}


def test_sloths_kubernetes_resource_is_taken() -> None:
    text = f"""\
apiVersion: sloth.slok.dev/v1
kind: PrometheusServiceLevel
spec:
  service: shop
  slos:
    - name: requests
      objective: 99.9
      sli: {{events: {{errorQuery: 'sum(rate({BAD}[5m]))', totalQuery: 'sum(rate({TOTAL}[5m]))'}}}}
      alerting: {{pageAlert: {{disable: true}}, ticketAlert: {{disable: true}}}}
"""
    assert fields(text) == {**RATIO, "objective": 0.999, "burns": []}
    assert only(text).where == "old.yml:6"


@pytest.mark.parametrize(
    ("plugin", "expected"),
    [
        (
            "{id: sloth-common/traefik/v2/availability, options: {service_name_regex: 'a.*', filter: 'job=\"shop\"'}}",
            {
                "kind": "ratio",
                "job": "shop",
                "bad": 'traefik_service_requests_total{job="shop", service=~"a.*", code=~"5.."}',
                "total": 'traefik_service_requests_total{job="shop", service=~"a.*"}',
            },
        ),
        (
            "{id: sloth-common/istio/v1/latency, options: {service: s, namespace: n, bucket: 250, exclude_errors: 1}}",
            {
                "kind": "latency",
                "up": "none",
                "histogram": "istio_request_duration_milliseconds",
                "unit": "ms",
                "threshold": "250ms",
                "selector": 'destination_service_name="s", destination_service_namespace="n", response_code!~"5.."',
            },
        ),
        (
            "{id: sloth-common/prometheus/targets/availability, options: {filter: 'cluster=\"eu\"'}}",
            {"kind": "up", "up": 'up{cluster="eu"}'},
        ),
        (
            "{id: sloth-common/prometheus/rules/eval-availability}",
            {
                "kind": "ratio",
                "up": "none",
                "bad": "prometheus_rule_evaluation_failures_total",
                "total": "prometheus_rule_evaluations_total",
            },
        ),
    ],
)
def test_plugins_of_sloths_library_are_taken(plugin: str, expected: dict[str, Any]) -> None:
    assert fields(SLOTH.replace("SLI", f"plugin: {plugin}")) == {**expected, "objective": 0.999}


@pytest.mark.parametrize(
    ("sli", "expected"),
    [
        (
            "plugin: {id: ours/checkout}",
            "it is counted by the plugin ours/checkout, a program that cannot be read here",
        ),
        (
            "plugin: {id: sloth-common/traefik/v1/latency}",
            "it lacks the option backend_regex of the plugin sloth-common/traefik/v1/latency",
        ),
        ("events: {error_query: a}", "it has no error_query and total_query"),
        ("other: {}", "it has no sli of events, raw or plugin"),
    ],
)
def test_an_sli_of_sloth_that_cannot_be_read_is_a_reason(sli: str, expected: str) -> None:
    assert reason(SLOTH.replace("SLI", sli)).startswith(expected)


@pytest.mark.parametrize(
    ("objective", "expected"),
    [("100", "it has the objective 1; it must lie between 0 and 1"), ("x", "it has no number")],
)
def test_an_objective_without_a_budget_is_a_reason(objective: str, expected: str) -> None:
    text = SLOTH.replace("99.9", objective).replace("SLI", "raw: {error_ratio_query: a_total / b_total}")
    assert reason(text).startswith(expected)


def test_a_condition_that_a_share_is_joined_with_is_left_out_and_said() -> None:
    text = SLOTH.replace("SLI", "raw: {error_ratio_query: 'rate(a[5m]) / rate(b[5m]) and on() rate(b[5m]) > 1'}")
    assert fields(text)["total"] == "b"
    assert only(text).remarks == ["the other condition of its `and` is left out"]


def test_an_objective_that_is_written_as_a_share_is_taken_for_one() -> None:
    text = SLOTH.replace("99.9", "0.999").replace("SLI", "raw: {error_ratio_query: 'rate(a[5m]) / rate(b[5m])'}")
    assert fields(text)["objective"] == 0.999
    assert "its objective 0.999 is taken for a share, though percent are usual there" in only(text).remarks


@pytest.mark.parametrize(
    ("indicator", "expected"),
    [
        (
            f"ratio: {{errors: {{metric: '{BAD}'}}, total: {{metric: '{TOTAL}'}}, grouping: [path]}}",
            {**RATIO, "by": ["path"]},
        ),
        (
            """latency: {success: {metric: 'a_seconds_bucket{job="shop", le="0.3"}'},
      total: {metric: 'a_seconds_count{job="shop"}'}}""",
            {"kind": "latency", "job": "shop", "histogram": "a_seconds", "threshold": "300ms"},
        ),
        (
            """latencyNative: {latency: 200ms, total: {metric: 'a_seconds{job="shop", code="ok"}'}}""",
            {
                "kind": "latency",
                "job": "shop",
                "histogram": "a_seconds",
                "native": True,
                "threshold": "200ms",
                "selector": 'code="ok"',
            },
        ),
        (
            "bool_gauge: {metric: probe_success, grouping: [instance]}",
            {"kind": "gauge", "up": "none", "good": "probe_success == 1", "by": ["instance"]},
        ),
        ("boolGauge: {metric: 'up{job=\"shop\"}'}", {"kind": "up", "job": "shop"}),
    ],
)
def test_indicators_of_pyrra_are_taken(indicator: str, expected: dict[str, Any]) -> None:
    assert fields(PYRRA.replace("INDICATOR", indicator)) == {**expected, "objective": 0.995, "window": "4w"}


@pytest.mark.parametrize(
    ("indicator", "expected"),
    [
        ("other: {}", "it has none of the indicators ratio, latency, latencyNative and bool_gauge"),
        ("bool_gauge: {metric: sum(up)}", "it has an expression as its metric, where Pyrra wants a selector: sum(up)"),
        (
            "latencyNative: {latency: soon, total: {metric: a_seconds}}",
            "it has the latency 'soon', which must be a span",
        ),
    ],
)
def test_an_indicator_of_pyrra_that_cannot_be_read_is_a_reason(indicator: str, expected: str) -> None:
    assert reason(PYRRA.replace("INDICATOR", indicator)).startswith(expected)


def test_good_of_total_of_openslo_is_taken() -> None:
    text = OPENSLO.replace("INDICATOR", GOOD_OF_TOTAL)
    assert fields(text) == {
        "kind": "ratio",
        "objective": 0.995,
        "window": "28d",
        "up": "none",
        "good": 'done{code!~"5.."}',
        "total": "done",
    }
    assert only(text).fields["title"] == "The shop"


@pytest.mark.parametrize(
    ("version", "text"),
    [
        (
            "v1 by reference",
            """\
apiVersion: openslo/v1
kind: SLI
metadata: {name: good-requests}
spec:
  ratioMetric:
    bad: {metricSource: {metricSourceRef: ours, spec: {query: 'a'}}}
    total: {metricSource: {spec: {query: b}}}
---
apiVersion: openslo/v1
kind: DataSource
metadata: {name: ours}
spec: {type: Prometheus}
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: shop}
spec: {indicatorRef: good-requests, timeWindow: [{duration: 30d, isRolling: true}], objectives: [{target: 0.99}]}
""",
        ),
        (
            "v1alpha",
            """\
apiVersion: openslo/v1alpha
kind: SLO
metadata: {name: shop}
spec:
  objectives:
    - ratioMetrics: {bad: {source: prometheus, queryType: promql, query: a}, total: {source: prometheus, query: b}}
      target: 0.99
  timeWindows: [{count: 30, unit: Day, isRolling: true}]
""",
        ),
        (
            "v2alpha in a list",
            """\
- apiVersion: openslo.com/v2alpha
  kind: SLO
  metadata: {name: shop}
  spec:
    sli: {spec: {ratioMetric: {bad: {dataSourceRef: x, spec: {query: a}}, total: {dataSourceRef: x, spec: {query: b}}}}}
    timeWindow: [{duration: 30d, isRolling: true}]
    objectives: [{targetPercent: 99}]
""",
        ),
    ],
)
def test_every_version_of_openslo_is_taken(version: str, text: str) -> None:
    expected = {"kind": "ratio", "objective": 0.99, "window": "30d", "up": "none", "bad": "a", "total": "b"}
    assert fields(text) == expected, version


@pytest.mark.parametrize(
    ("query", "op", "expected", "remark"),
    [
        ("queue_length", "lt", {"kind": "gauge", "objective": 0.995, "good": "queue_length < 5"}, None),
        (
            "histogram_quantile(0.99, sum by (le) (rate(a_seconds_bucket[5m])))",
            "lte",
            {"kind": "latency", "objective": 0.99, "histogram": "a_seconds", "threshold": "5s"},
            "changed: each request counts, of which 0.99 are to be good; before, 0.995 of the time had to be so",
        ),
    ],
)
def test_a_threshold_of_openslo_is_a_gauge_or_a_latency(
    query: str, op: str, expected: dict[str, Any], remark: str | None
) -> None:
    text = OPENSLO.replace("INDICATOR", f"{{thresholdMetric: {{metricSource: {{spec: {{query: '{query}'}}}}}}}}")
    text = text.replace("{target: 0.995}", f"{{target: 0.995, op: {op}, value: 5}}")
    assert fields(text) == {**expected, "window": "28d", "up": "none"}
    assert remark is None or remark in only(text).remarks


@pytest.mark.parametrize(
    ("window", "expected", "remark"),
    [
        ("{duration: 1w, isRolling: true}", "7d", None),
        ("{duration: 1M, isRolling: false, calendar: {startTime: 2024-01-01 00:00:00}}", "month", None),
        ("{duration: 1m, isRolling: false}", "month", None),
        ("{duration: 1Q, isRolling: false}", "quarter", None),
        (
            "{duration: 1w, isRolling: false, calendar: {startTime: 2024-01-03 12:00:00}}",
            "week",
            "changed: the week begins",
        ),
        ("{duration: 2w, isRolling: false}", "14d", "changed: the window rolls over 14d"),
        ("{duration: soon}", "30d", "changed: the window is 30d, as soon cannot be said"),
        ("{count: 1, unit: Quarter, isRolling: true}", "90d", None),
    ],
)
def test_windows_of_openslo_are_rolling_or_of_the_calendar(window: str, expected: str, remark: str | None) -> None:
    text = OPENSLO.replace("INDICATOR", GOOD_OF_TOTAL).replace("{duration: 28d, isRolling: true}", window)
    assert fields(text)["window"] == expected
    said = [each for each in only(text).remarks if "begins" in each or "window" in each]
    assert [each.startswith(remark) for each in said] == [True] if remark else not said


def test_the_calendar_of_openslo_has_its_time_zone() -> None:
    zone = "{duration: 1M, isRolling: false, calendar: {startTime: 2024-01-01 00:00:00, timeZone: Europe/Berlin}}"
    text = OPENSLO.replace("INDICATOR", GOOD_OF_TOTAL).replace("{duration: 28d, isRolling: true}", zone)
    assert imported(text).time_zone == "Europe/Berlin"
    other = text.replace("Berlin", "Madrid").replace("shop-availability", "other")
    both = imported(f"{text}---\n{other}")
    assert both.time_zone == "Europe/Berlin"
    assert both.entries[1].remarks == [
        "changed: its calendar is that of Europe/Berlin, not Europe/Madrid: a file has one time zone"
    ]


def test_timeslices_of_openslo_become_occurrences_and_that_is_said() -> None:
    text = OPENSLO.replace("INDICATOR", GOOD_OF_TOTAL).replace("Occurrences", "Timeslices")
    entry = only(text.replace("{target: 0.995}", "{target: 0.995, timeSliceTarget: 0.9, timeSliceWindow: 1m}"))
    assert entry.is_changed
    assert entry.remarks[0].startswith("changed: the budget counts events, not Timeslices of 1m")


def test_each_objective_of_openslo_is_one() -> None:
    text = OPENSLO.replace("INDICATOR", GOOD_OF_TOTAL)
    text = text.replace("[{target: 0.995}]", "[{target: 0.995, displayName: Ours}, {target: 0.99}]")
    assert [each.fields["name"] for each in imported(text).entries] == ["shop-availability-ours", "shop-availability-2"]
    assert [each.fields["title"] for each in imported(text).entries] == ["The shop: Ours", "The shop: 2"]


def test_an_slo_of_openslo_with_its_only_objective_beside_the_indicator_is_taken() -> None:
    threshold = "{thresholdMetric: {metricSource: {spec: {query: queue_length}}, operator: lte, threshold: 7}}"
    text = OPENSLO.replace("INDICATOR", threshold).replace("objectives: [{target: 0.995}]", "target: 99.5")
    assert fields(text) == {
        "kind": "gauge",
        "objective": 0.995,
        "window": "28d",
        "up": "none",
        "good": "queue_length <= 7",
    }
    assert "its target 99.5 is taken for percent" in only(text).remarks


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"type: Prometheus": "type: Datadog"}, "it is measured by Datadog, not by Prometheus"),
        ({"[{target: 0.995}]": "[]"}, "it has no objectives"),
        ({"ratioMetric": "other"}, "it has no thresholdMetric, and no ratioMetric with good or bad, and total"),
        ({"spec: {query: 'sum(done)'}": "spec: {}"}, "it has no query"),
    ],
)
def test_an_slo_of_openslo_that_cannot_be_read_is_a_reason(changes: dict[str, str], expected: str) -> None:
    text = OPENSLO.replace("INDICATOR", GOOD_OF_TOTAL)
    for old, new in changes.items():
        text = text.replace(old, new)
    assert reason(text) == expected


def test_an_sli_that_is_in_none_of_the_files_is_a_reason() -> None:
    text = OPENSLO.replace("indicator:\n    spec: INDICATOR", "indicatorRef: elsewhere")
    assert reason(text) == "it refers to the SLI elsewhere, which is in none of the files"


@pytest.mark.parametrize(
    ("sli", "expected"),
    [
        (
            "method: good_bad_ratio, service_level_indicator: {filter_good: 'a{x=\"1\"}', filter_valid: a}",
            {"kind": "ratio", "up": "none", "good": 'a{x="1"}', "total": "a"},
        ),
        (
            "method: good_bad_ratio, service_level_indicator: {filter_good: a, filter_bad: b}",
            {"kind": "ratio", "up": "none", "good": "a", "total": ["a", "b"]},
        ),
        (
            "method: query_sli, service_level_indicator: {expression: 'sum(rate(a[window])) / sum(rate(b[window]))'}",
            {"kind": "ratio", "up": "none", "good": "a", "total": "b"},
        ),
        (
            (
                "method: distribution_cut, "
                "service_level_indicator: {expression: 'a_seconds_bucket{x=\"1\"}', threshold_bucket: 0.25}"
            ),
            {"kind": "latency", "up": "none", "histogram": "a_seconds", "threshold": "250ms", "selector": 'x="1"'},
        ),
    ],
)
def test_methods_of_googles_slo_generator_are_taken(sli: str, expected: dict[str, Any]) -> None:
    text = f"kind: ServiceLevelObjective\nmetadata: {{name: shop}}\nspec: {{backend: prometheus, goal: 0.999, {sli}}}\n"
    assert fields(text) == {**expected, "objective": 0.999}
    old = sli.replace("service_level_indicator", "measurement")
    text = f"service_name: shop\nslo_name: all\nslo_target: 0.999\nbackend: {{class: Prometheus, {old}}}\n"
    assert fields(text) == {**expected, "objective": 0.999}


def test_another_backend_of_the_slo_generator_is_a_reason() -> None:
    text = "kind: ServiceLevelObjective\nmetadata: {name: a}\nspec: {backend: datadog, service_level_indicator: {}}\n"
    assert reason(text) == "it is measured by datadog, not by Prometheus"


def test_globos_slo_generator_is_taken() -> None:
    text = """\
slos:
  - name: team.shop
    objectives: {availability: 99, latency: [{le: 5.0, target: 95}, {le: 0.1, target: 90}]}
    errorRateRecord: {expr: 'sum(rate(a{job="shop", status="5xx"}[$window])) / sum(rate(a{job="shop"}[$window]))'}
    latencyRecord:
      expr: sum(rate(b_seconds_bucket{job="shop", le="$le"}[$window])) / sum(rate(b_seconds_count{job="shop"}[$window]))
"""
    found = {each.name: each.fields for each in imported(text).entries}
    assert list(found) == ["team-shop-availability", "team-shop-latency-5-0", "team-shop-latency-0-1"]
    assert [each["objective"] for each in found.values()] == [0.99, 0.95, 0.9]
    assert [each.get("threshold") for each in found.values()] == [None, "5s", "100ms"]


def test_recording_rules_in_the_files_are_resolved_for_every_tool() -> None:
    rules = """\
groups:
  - name: a
    rules:
      - {record: 'job:lost:rate5m', expr: 'sum by (job) (rate(lost_total[5m]))'}
      - {record: 'job:sent:rate5m', expr: 'sum by (job) (rate(sent_total[5m]))'}
"""
    share = 'raw: {error_ratio_query: \'job:lost:rate5m{job="shop"} / job:sent:rate5m{job="shop"}\'}'
    (entry,) = import_texts([("slo.yml", SLOTH.replace("SLI", share)), ("rules.yml", rules)]).entries
    assert entry.fields["bad"] == 'lost_total{job="shop"}'
    assert entry.fields["total"] == 'sent_total{job="shop"}'
    assert reason(SLOTH.replace("SLI", share)).startswith("it reads job:lost:rate5m, which a recording rule makes")
