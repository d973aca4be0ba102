"""Names, files and the written slo.yml of what is imported."""

from datetime import timedelta
from pathlib import Path

import pytest

from wine_slo.config import slo_file
from wine_slo.monitor.onboarding.importing.imported import Imported, import_files, import_texts
from wine_slo.monitor.onboarding.importing.report import slo_yaml, summary


def sloth(service: str, *slos: str) -> str:
    return f"version: prometheus/v1\nservice: {service}\nslos:\n" + "".join(f"  - {each}\n" for each in slos)


def slo(name: str, job: str = "shop", objective: str = "99.9") -> str:
    bad, total = (f'rate(done_total{{job="{job}"{more}}}[5m])' for more in (', code="5xx"', ""))
    return (
        f"{{name: {name}, objective: {objective}, sli: {{events: {{error_query: '{bad}', total_query: '{total}'}}}}}}"
    )


def names(*texts: str) -> list[str]:
    return [each.name for each in imported(*texts).taken]


def imported(*texts: str) -> Imported:
    return import_texts([(f"{number}.yml", text) for number, text in enumerate(texts, start=1)])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("requests-availability", "requests-availability"),
        ("KubeAPIErrorBudgetBurn", "kube-api-error-budget-burn"),
        ("99 % of Requests", "slo-99-of-requests"),
        ("down", "slo-down"),
        ("x" * 150, "x" * 100),
    ],
)
def test_a_name_is_one_that_people_can_type(name: str, expected: str) -> None:
    assert names(sloth("shop", slo(f'"{name}"'))) == [expected]


def test_the_name_as_it_was_is_the_title_where_it_cannot_be_the_name() -> None:
    (entry,) = imported(sloth("shop", slo("KubeAPI"))).entries
    assert entry.fields["title"] == "KubeAPI"
    (entry,) = imported(sloth("shop", slo("requests"))).entries
    assert "title" not in entry.fields


def test_slos_of_one_name_have_their_service_in_it() -> None:
    assert names(sloth("shop", slo("requests")), sloth("cart", slo("requests", "cart"))) == [
        "shop-requests",
        "cart-requests",
    ]


def test_slos_of_one_name_and_service_are_numbered() -> None:
    assert names(sloth("shop", slo("requests"), slo("requests", "cart"))) == ["shop-requests", "shop-requests-2"]


def test_an_slo_that_says_the_same_as_another_is_taken_once() -> None:
    found = imported(sloth("shop", slo("requests")), sloth("shop", slo("requests")))
    assert [each.same_as for each in found.entries] == ["", "requests"]
    assert len(found.taken) == 1


def test_each_slo_has_its_file_and_line() -> None:
    text = sloth("shop", slo("a"), slo("b"))
    assert [each.where for each in imported(text, f"---\n{text}---\n{text.replace('shop', 'cart')}").entries] == [
        "1.yml:4", "1.yml:5", "2.yml:5", "2.yml:6", "2.yml:11", "2.yml:12",
    ]  # fmt: skip


def test_an_slo_with_which_slo_yml_does_not_load_is_left_out() -> None:
    text = sloth("shop", slo("a"), slo("b")).replace("done_total", "done total", 2)
    assert names(text) == ["b"]
    pyrra = (
        "kind: ServiceLevelObjective\nmetadata: {name: a}\n"
        "spec: {target: 99, window: soon, indicator: {bool_gauge: {metric: probe_success}}}\n"
    )
    (entry,) = imported(pyrra).entries
    assert entry.remarks[0].startswith("slo.yml cannot have it: objectives.0.window is 'soon'")


@pytest.mark.parametrize("seconds", [5, 15, 30, 60])
def test_what_is_written_loads_at_each_scrape_interval(seconds: int) -> None:
    file = slo_file.parse(slo_yaml(imported(sloth("shop", slo("a"), slo("b", "cart"), slo("c", objective="100")))))
    intervals = {each.name: timedelta(seconds=seconds) for each in file.silent_scopes}
    assert set(intervals) == {"shop", "cart"}
    assert list(file.objectives(intervals).by_name) == ["a", "b"]


def test_the_file_says_where_each_objective_is_from_and_what_is_left_out() -> None:
    text = slo_yaml(imported(sloth("shop", slo("requests"), slo("other", objective="100"))))
    assert text.startswith("# Written by `wine-slo init --from`")
    assert text.endswith("""
job: shop

objectives:
  # From 1.yml:4.
  - name: requests
    kind: ratio
    objective: 0.999
    bad: done_total{job="shop", code="5xx"}
    total: done_total{job="shop"}

  # other (1.yml:5) is left out: it has the objective 1; it must lie between 0 and 1, both left out.
""")


def test_an_objective_without_a_job_says_what_that_means() -> None:
    text = slo_yaml(imported(sloth("shop", slo("requests").replace('{job="shop"}', "").replace('job="shop", ', ""))))
    assert "    up: none  # names no job: fresh series count as data;" in text
    assert slo_file.parse(text).objectives().all[0].scope.has_up is False


def test_the_summary_says_what_became_of_each_and_counts_them() -> None:
    texts = (sloth("shop", slo("requests"), slo("other", objective="100")), sloth("shop", slo("requests")))
    assert list(summary(imported(*texts))) == [
        "taken     requests  1.yml:4",
        "left out  other     1.yml:5",
        "          it has the objective 1; it must lie between 0 and 1, both left out",
        "the same  requests  2.yml:4",
        "",
        "3 SLOs: 1 taken as they are, 1 the same as others, 1 left out.",
    ]


def test_a_file_that_is_no_yaml_is_a_mistake_with_its_line() -> None:
    assert imported("a: [").mistakes == ["1.yml:1: is no YAML: expected the node content, but found '<stream end>'"]


def test_a_file_without_an_slo_is_said() -> None:
    assert imported("a: 1\n").skipped == ["1.yml: no SLO or alerting rule that is known here"]


def test_folders_and_patterns_are_read_and_what_in_them_is_no_yaml_is_said(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.yaml").write_text(sloth("shop", slo("a")))
    (tmp_path / "b.yml").write_text(sloth("shop", slo("b")))
    (tmp_path / "helm.yml").write_text("{{ if .Values.x }}\n")
    (tmp_path / "c.txt").write_text(sloth("shop", slo("c")))
    found = import_files([tmp_path])
    assert [each.name for each in found.taken] == ["b", "a"]
    assert not found.mistakes
    assert found.skipped[0].startswith(f"{tmp_path / 'helm.yml'}:1: is no YAML")
    assert [each.name for each in import_files([tmp_path / "*.y*ml"]).taken] == ["b"]


def test_a_named_file_that_cannot_be_read_is_a_mistake(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yml"
    wrong.write_text("a: [")
    empty = tmp_path / "empty"
    empty.mkdir()
    assert import_files([tmp_path / "none.yml", wrong, empty]).mistakes == [
        f"{tmp_path / 'none.yml'} cannot be read: No such file or directory",
        f"{empty}: there is no YAML or JSON file",
        f"{wrong}:1: is no YAML: expected the node content, but found '<stream end>'",
    ]
