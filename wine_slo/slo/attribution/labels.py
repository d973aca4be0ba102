"""Which labels are worth comparing: those that may say where bad events come from, and not what is bad about them."""

from collections.abc import Iterable, Mapping

from wine_slo.slo.objectives.kinds.indicator import Events
from wine_slo.slo.objectives.objective import Objective
from wine_slo.slo.objectives.selector import Matcher, parts_of

MOST_LABELS = 10  # of one objective; each is two queries
MOST_VALUES = 200  # of one label; more are names of single users or requests
MOST_GROUPS = 2000  # of one label, where an objective has several label sets of its own
TECHNICAL = frozenset(("__name__", "le", "quantile"))
# What a request ended with: where that makes it bad, it is no cause of it.
OUTCOMES = frozenset(
    [
        "code",
        "error",
        "exception",
        "grpc_code",
        "grpc_status",
        "http_response_status_code",
        "http_status_code",
        "outcome",
        "reason",
        "response_code",
        "result",
        "status",
        "status_class",
        "status_code",
        "success",
    ]
)


def labels_to_compare(objective: Objective, series: Iterable[Mapping[str, str]]) -> tuple[str, ...]:
    """Return the labels by which the bad events of an objective are compared, those with the fewest values first.

    Args:
        objective: Its `breakdown` says which, or all of them may be where it says nothing.
        series: The labels of each of its series.
    """
    values: dict[str, set[str]] = {}
    groups: dict[str, set[tuple[str, ...]]] = {}
    for each in series:
        own = tuple(each.get(name, "") for name in objective.by)
        for label, value in each.items():
            values.setdefault(label, set()).add(value)
            groups.setdefault(label, set()).add((*own, value))
    decisive = _decisive(objective)
    left_out = {*objective.by, *decisive, *TECHNICAL}
    if objective.breakdown is None and decisive - TECHNICAL:
        left_out |= OUTCOMES
    wanted = sorted(values) if objective.breakdown is None else objective.breakdown
    usable = [
        label
        for label in wanted
        if label not in left_out and 1 < len(values.get(label, ())) <= MOST_VALUES and len(groups[label]) <= MOST_GROUPS
    ]
    return tuple(sorted(usable, key=lambda label: len(values[label]))[:MOST_LABELS])


def _decisive(objective: Objective) -> frozenset[str]:
    """Return the labels that decide which events are bad: those by which these are selected among all."""
    source, scope = objective.source, objective.scope
    total, part = source.all_events(scope), source.bad_events(scope) or source.good_events(scope)
    if total is None or part is None:
        return frozenset()
    return frozenset(each.label for each in _matchers(total) ^ _matchers(part))


def _matchers(events: Events) -> frozenset[Matcher]:
    return frozenset(matcher for each in events.selectors for matcher in parts_of(each)[1])
