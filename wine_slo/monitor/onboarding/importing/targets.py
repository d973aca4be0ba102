"""Which targets have to be up for an indicator to be judged: what its selectors say of jobs."""

from collections.abc import Mapping, Sequence
from typing import Any

from wine_slo.monitor.onboarding.importing.promql.events import LITERAL
from wine_slo.monitor.onboarding.importing.promql.expression import Matcher, Selector

NONE = "none"  # written for `up` where nothing says whose it is


def targets(selectors: Sequence[Selector], *, are_up: bool = False) -> Mapping[str, Any]:
    """Return the fields of slo.yml for the targets that selectors name.

    Args:
        selectors: Of one indicator.
        are_up: They select `up` itself.
    """
    if are_up:
        return _of_up(selectors[0])
    named = (selector.matcher("job") for selector in selectors)
    matchers = list(dict.fromkeys(each for each in named if each is not None and each.value))
    if not matchers:
        return {"up": NONE}
    if all(map(_names, matchers)):
        return {"job": _written([name for each in matchers for name in _names(each)])}
    return {"up": str(Selector("up", tuple(matchers[:1])))}


def _of_up(selector: Selector) -> Mapping[str, Any]:
    """Return the targets of an objective that is about nothing else."""
    job = selector.matcher("job")
    if job is not None and len(selector.matchers) == 1 and (names := _names(job)):
        return {"job": _written(names)}
    return {"up": str(selector)}


def _written(names: Sequence[str]) -> str | list[str]:
    different = list(dict.fromkeys(names))
    return different[0] if len(different) == 1 else different


def _names(matcher: Matcher) -> list[str]:
    """Return the jobs that a matcher names one by one; none where it does not."""
    if matcher.operator == "=":
        return [matcher.value]
    if matcher.operator == "=~" and LITERAL.fullmatch(matcher.value) and "." not in matcher.value:
        return matcher.value.split("|")
    return []
