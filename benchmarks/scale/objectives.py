"""The objectives of the benchmark, twice: as our slo.yml, and as rules in the form that Sloth documents.

For each objective seven recording rules of the share of bad events, over 5m to 3d, and one over 30 days that averages
those of five minutes; seven rules that describe it, and two alerts over several windows. Source of the form:
https://sloth.dev/introduction/architecture/ and the SRE Workbook, chapter 5. Written here, from that description.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml

WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
PAGE = ((14.4, "5m", "1h"), (6.0, "30m", "6h"))  # burn rate, short window, long window
TICKET = ((3.0, "2h", "1d"), (1.0, "6h", "3d"))


@dataclass(frozen=True)
class Wanted:
    """One objective of a job: a latency, a ratio of errors or the availability; for each route where `by_route`."""

    job: str
    kind: str
    by_route: bool = False

    @property
    def name(self) -> str:
        """Return what it is called."""
        return f"{self.job}-{self.kind}"

    @property
    def ratio(self) -> float:
        """Return the share of events that is to be good."""
        return {"latency": 0.95, "quick": 0.9, "errors": 0.99, "up": 0.995}[self.kind]

    def bad_ratio(self, window: str) -> str:
        """Return the share of bad events over a window, as a rule has it."""
        by = " by (route)" if self.by_route else ""

        def rate(metric: str, more: str = "") -> str:
            return f'sum{by} (rate({metric}{{job="{self.job}"{more}}}[{window}]))'

        if self.kind == "up":
            return f'1 - avg(avg_over_time(up{{job="{self.job}"}}[{window}]))'
        if self.kind == "errors":
            bad = rate("http_requests_total", ',code=~"5.."')
            return f"{bad} / {rate('http_requests_total')}"
        good = rate("http_request_duration_seconds_bucket", f',le="{self.threshold}"')
        return f"1 - ({good} / {rate('http_request_duration_seconds_count')})"

    @property
    def threshold(self) -> str:
        """Return the seconds that a good request takes at the most."""
        return "2.5" if self.kind == "latency" else "0.5"

    def in_slo_yml(self) -> dict[str, Any]:
        """Return the same for us."""
        found: dict[str, Any] = {"name": self.name, "job": self.job, "objective": self.ratio}
        if self.kind == "up":
            return found | {"kind": "up"}
        if self.kind == "errors":
            total = f'http_requests_total{{job="{self.job}"}}'
            bad = f'http_requests_total{{job="{self.job}", code=~"5.."}}'
            return found | {"kind": "ratio", "bad": bad, "total": total}
        found |= {"kind": "latency", "threshold": f"{self.threshold}s", "histogram": "http_request_duration_seconds"}
        return found | ({"by": ["route"]} if self.by_route else {})


def per_label_set(routes: int) -> tuple[list[Wanted], int]:
    """Return one objective with so many label sets, and how many routes each job has."""
    return [Wanted("shop", "latency", by_route=True)], routes


def many(count: int) -> tuple[list[Wanted], int]:
    """Return so many objectives, four of each job, and how many routes each job has."""
    kinds = ("latency", "quick", "errors", "up")
    return [Wanted(f"shop-{number // 4}", kinds[number % 4]) for number in range(count)], 3


def slo_yml(wanted: Sequence[Wanted]) -> str:
    """Return the objectives for us."""
    return yaml.safe_dump({"objectives": [each.in_slo_yml() for each in wanted]}, sort_keys=False)


def rules(wanted: Sequence[Wanted], every: str) -> str:
    """Return the objectives as rules of Prometheus, three groups for each."""
    groups = []
    for each in wanted:
        for name, found in (("sli", _slis(each)), ("meta", _meta(each)), ("alerts", _alerts(each))):
            groups.append({"name": f"{name}-{each.name}", "interval": every, "rules": found})
    return yaml.safe_dump({"groups": groups}, sort_keys=False)


def _sli(window: str) -> str:
    return f"slo:sli_error:ratio_rate{window}"


def _slis(each: Wanted) -> list[dict[str, Any]]:
    labels = {"sloth_id": each.name}
    found = [{"record": _sli(w), "expr": each.bad_ratio(w), "labels": labels | {"sloth_window": w}} for w in WINDOWS]
    five = f'{_sli("5m")}{{sloth_id="{each.name}"}}'
    month = f"sum_over_time({five}[30d]) / ignoring(sloth_window) count_over_time({five}[30d])"
    return [*found, {"record": _sli("30d"), "expr": month, "labels": labels | {"sloth_window": "30d"}}]


def _meta(each: Wanted) -> list[dict[str, Any]]:
    labels, of_it = {"sloth_id": each.name}, f'{{sloth_id="{each.name}"}}'
    budget = f"on(sloth_id) group_left slo:error_budget:ratio{of_it}"
    expressions = {
        "slo:objective:ratio": f"vector({each.ratio})",
        "slo:error_budget:ratio": f"vector({1 - each.ratio:.10g})",
        "slo:time_period:days": "vector(30)",
        "slo:current_burn_rate:ratio": f"{_sli('5m')}{of_it} / {budget}",
        "slo:period_burn_rate:ratio": f"{_sli('30d')}{of_it} / {budget}",
        "slo:period_error_budget_remaining:ratio": f"1 - slo:period_burn_rate:ratio{of_it}",
        "sloth_slo_info": "vector(1)",
    }
    return [{"record": name, "expr": expression, "labels": labels} for name, expression in expressions.items()]


def _alerts(each: Wanted) -> list[dict[str, Any]]:
    def holds(factor: float, window: str) -> str:
        bad = factor * (1 - each.ratio)
        return f'max by (sloth_id, route) ({_sli(window)}{{sloth_id="{each.name}"}} > {bad:.10g})'

    def alert(severity: str, windows: Sequence[tuple[float, str, str]]) -> dict[str, Any]:
        parts = [f"({holds(factor, short)} and {holds(factor, long)})" for factor, short, long in windows]
        return {"alert": each.name, "expr": " or ".join(parts), "labels": {"sloth_severity": severity}}

    return [alert("page", PAGE), alert("ticket", TICKET)]
