"""Alerting rules as objectives: several alerts on one thing are one, and recording rules are resolved."""

from collections.abc import Sequence

from wine_slo.monitor.onboarding.importing.imported import Entry, import_texts

SHARE = 'sum(rate(done_total{{job="shop", code=~"5.."}}[{0}])) / sum(rate(done_total{{job="shop"}}[{0}]))'


def entries(*rules: str, record: Sequence[str] = ()) -> list[Entry]:
    """Return what becomes of rules: each a flow mapping."""
    listed = "".join(f"      - {each}\n" for each in (*rules, *record))
    return list(import_texts([("rules.yml", f"groups:\n  - name: a\n    rules:\n{listed}")]).entries)


def alert(name: str, expression: str, more: str = "") -> str:
    return f"{{alert: {name}, expr: '{expression}'{more}}}"


def recorded(name: str, expression: str, labels: str = "") -> str:
    return f"{{record: '{name}', expr: '{expression}', labels: {{{labels}}}}}"


def burn(long: str, short: str, factor: float) -> str:
    return f"{SHARE.format(long)} > ({factor} * 0.001) and {SHARE.format(short)} > ({factor} * 0.001)"


def test_alerts_at_several_burn_rates_are_one_objective() -> None:
    rules = [
        alert("Burns", burn("1h", "5m", 14.4)),
        alert("Burns", burn("6h", "30m", 6)),
        alert("Burns", burn("3d", "6h", 1)),
    ]
    (entry,) = entries(*rules)
    assert entry.fields == {
        "name": "burns",
        "title": "Burns",
        "kind": "ratio",
        "objective": 0.999,
        "job": "shop",
        "bad": 'done_total{job="shop", code=~"5.."}',
        "total": 'done_total{job="shop"}',
    }
    assert entry.remarks == ["one objective for 3 alerts: lines 4, 5, 6"]


def test_alerts_at_several_thresholds_are_an_objective_each() -> None:
    warning = alert("Errors", f"{SHARE.format('5m')} > 0.05", ", labels: {severity: warning}")
    critical = alert("Errors", f"{SHARE.format('5m')} > 0.1", ", labels: {severity: critical}")
    found = {each.name: each.fields["objective"] for each in entries(warning, critical)}
    assert found == {"errors-warning": 0.95, "errors-critical": 0.9}


def test_the_rules_that_sloth_writes_are_resolved() -> None:
    def of(window: str) -> str:
        return recorded(
            f"slo:sli_error:ratio_rate{window}",
            f"({SHARE.format(window)})",
            f"sloth_id: shop-a, sloth_window: {window}",
        )

    name = 'slo:sli_error:ratio_rate{0}{{sloth_id="shop-a"}}'.format
    expression = (
        f"max({name('5m')} > (14.4 * 0.0009999999999999432)) without (sloth_window)"
        f" and max({name('1h')} > (14.4 * 0.0009999999999999432)) without (sloth_window)"
    )
    (entry,) = entries(alert("Shop", expression), record=[of("5m"), of("1h")])
    assert entry.fields["objective"] == 0.999
    assert entry.fields["bad"] == 'done_total{job="shop", code=~"5.."}'


def test_the_rules_that_pyrra_writes_are_resolved() -> None:
    record = [
        recorded(
            f"done:burnrate{window}",
            f'(sum(rate(a_seconds_count{{job="shop"}}[{window}])) - sum(rate(a_seconds_bucket{{job="shop", le="0.3"}}'
            f'[{window}]))) / sum(rate(a_seconds_count{{job="shop"}}[{window}]))',
            "job: shop, slo: shop-latency",
        )
        for window in ("5m", "1h")
    ]
    name = 'done:burnrate{0}{{job="shop", slo="shop-latency"}}'.format
    expression = f"{name('5m')} > (14 * (1-0.95)) and {name('1h')} > (14 * (1-0.95))"
    found = entries(
        alert("Burn", expression), alert("Absent", 'absent(a_seconds_count{job="shop"}) == 1'), record=record
    )
    assert found[0].fields["objective"] == 0.95
    assert found[0].fields["threshold"] == "300ms"
    assert found[1].remarks == ["it alerts where a_seconds_count is absent, which is reported as no data"]


def test_a_rule_that_is_made_with_several_labels_is_an_objective_for_each() -> None:
    total = 'sum(rate(a_total{{verb="{0}"}}[1h]))'
    record = [
        recorded("api:burnrate1h", f'rate(a_total{{verb="{verb}", x="1"}}[1h]) / {total.format(verb)}', f"verb: {verb}")
        for verb in ("read", "write")
    ]  # fmt: skip
    found = entries(alert("Burn", "sum by (cluster) (api:burnrate1h) > (14.4 * 0.01)"), record=record)
    assert {each.name: each.fields["total"] for each in found} == {
        "burn-read": 'a_total{verb="read"}',
        "burn-write": 'a_total{verb="write"}',
    }
    assert found[0].fields["by"] == ["cluster"]


def test_rules_that_differ_by_their_range_alone_are_one() -> None:
    record = [
        recorded("api:burnrate", f"rate(a_total[{each}]) / rate(b_total[{each}])", f"range: {each}")
        for each in ("5m", "1h")
    ]
    (entry,) = entries(alert("Burn", "api:burnrate > (14.4 * 0.01)"), record=record)
    assert entry.fields["bad"] == "a_total"


def test_matchers_of_a_recorded_series_are_those_of_what_makes_it() -> None:
    record = [recorded("job:lost:rate5m", "sum by (job, code) (rate(lost_total[5m]))"),
              recorded("job:sent:rate5m", "sum by (job) (rate(sent_total[5m]))")]  # fmt: skip
    (entry,) = entries(
        alert("Lost", 'sum(job:lost:rate5m{job="shop", code="1"}) / sum(job:sent:rate5m{job="shop"}) > 0.1'),
        record=record,
    )
    assert entry.fields["bad"] == 'lost_total{job="shop", code="1"}'
    assert entry.fields["total"] == 'sent_total{job="shop"}'


def test_rules_that_read_each_other_are_a_reason() -> None:
    record = [recorded("a:b", "a:c"), recorded("a:c", "a:b")]
    (entry,) = entries(alert("Circle", "a:b > 0.5"), record=record)
    assert entry.remarks == ["it reads recording rules that read each other"]


def test_targets_that_are_down_are_one_objective_for_each_selection() -> None:
    found = entries(
        alert("AllDown", "up == 0", ", for: 5m"),
        alert("ShopDown", 'up{job="shop"} == 0', ", for: 30s"),
        alert("ShopGone", 'absent(up{job="shop"})'),
        alert("SomeDown", "100 * (count by (job) (up == 0) / count by (job) (up)) > 10"),
    )
    assert [(each.name, each.fields["objective"], each.fields["by"]) for each in found] == [
        ("all-down", 0.99, ["instance"]),
        ("shop-down", 0.99, ["instance"]),
        ("some-down", 0.9, ["job"]),
    ]
    assert [each.fields.get("up", each.fields.get("job")) for each in found] == ["up", "shop", "up"]
    assert [each.fields.get("bad_for") for each in found] == ["5m", None, None]
    assert "the alert says no objective: 0.99 stands here until you write yours" in found[0].remarks


def test_how_long_a_share_had_to_be_bad_is_left_out_and_said() -> None:
    (entry,) = entries(alert("Errors", f"{SHARE.format('5m')} > 0.1", ", for: 15m"))
    assert entry.remarks == ["left out: `for: 15m`; the usual `bad_for` holds instead"]


def test_a_share_of_all_samples_is_judged_for_all_and_a_gauge_for_each_instance() -> None:
    found = entries(
        alert("Clients", "count(satisfaction < 0.5) / count(satisfaction) > 0.1"),
        alert("Probe", "avg_over_time(probe_success[5m]) < 0.9"),
        alert("Queue", "queue_length > 5"),
    )
    assert [each.fields.get("by") for each in found] == [None, ["instance"], ["instance"]]


def test_alerts_in_many_files_are_not_all_listed() -> None:
    texts = [(f"{each}.yml", f"rules: [{alert('Down', 'up == 0')}]\n") for each in range(5)]
    (entry,) = import_texts(texts).entries
    assert entry.remarks[0] == "one objective for 5 alerts: 0.yml:1, 1.yml:1, 2.yml:1 and 2 others"


def test_labels_that_say_what_is_bad_are_no_grouping() -> None:
    of_code = "sum by (code, job) (rate(a_total{0}[5m]))".format
    (entry,) = entries(alert("Errors", "{} / {} > 0.1".format(of_code('{code=~"5.."}'), of_code(""))))
    assert entry.fields["by"] == ["job"]


def test_a_rules_resource_and_bare_lists_are_read() -> None:
    resource = "kind: PrometheusRule\nspec: {groups: [{name: a, rules: [{alert: Down, expr: up == 0}]}]}\n"
    bare = "alerts: [{expr: up == 0, labels: {severity: page}}]\nrecordingrule: {record: a, expr: up}\n"
    for text in (resource, bare, "- {alert: Down, expr: up == 0}\n"):
        (entry,) = import_texts([("rules.yml", text)]).entries
        assert entry.fields["kind"] == "up"


def test_what_an_alert_cannot_say_is_said_with_its_line() -> None:
    down, restarts = alert("Down", "up == 0"), alert("Restarts", "increase(restarts_total[1h]) > 5")
    found = entries(down, restarts)
    assert found[1] == Entry(
        "restarts",
        "rules.yml:5",
        remarks=["it compares increase(…) with a number, without a total that it would be a share of"],
    )


def test_the_severity_is_a_part_of_the_name_only_where_alerts_have_the_same() -> None:
    both = alert("Queues", "a_length > 1 or b_length > 2", ", labels: {severity: critical}")
    assert [each.name for each in entries(both)] == ["queues", "queues-2"]
