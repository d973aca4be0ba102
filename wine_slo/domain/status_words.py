"""How a status reads on the status page and in a terminal; plain text, for who runs the watchdog."""

from datetime import timedelta

from wine_slo.domain.phrases import ENGLISH
from wine_slo.domain.status import ObjectiveStatus

percent, seconds, span = ENGLISH.percent, ENGLISH.seconds, ENGLISH.span


def value(slo: ObjectiveStatus) -> str:
    """The number to read; empty where there is none."""
    if slo.kind == "latency":
        return "" if slo.latency_seconds is None else seconds(slo.latency_seconds)
    if slo.good_ratio is None:
        return ""
    return percent(slo.good_ratio) if slo.kind == "up" else percent(1 - slo.good_ratio)


def meaning(slo: ObjectiveStatus) -> str:
    """What the number is: `p95`, `bad over 5 min`, `up over 5 min`."""
    if slo.kind == "latency":
        return f"p{(slo.latency_quantile or 0) * 100:g}"
    return f"{'up' if slo.kind == 'up' else 'bad'} over {span(timedelta(seconds=slo.over_seconds))}"


def promise(slo: ObjectiveStatus) -> str:
    """What the number should be."""
    match slo.kind:
        case "latency":
            return f"promised {seconds(slo.threshold_seconds or 0)}"
        case "ratio":
            return f"promised at most {percent(1 - slo.objective_ratio)}"
        case _:
            return f"promised {percent(slo.objective_ratio)}"


def number(as_seconds: float | None, as_ratio: float | None) -> str:
    """A value of which only one kind is known, or none."""
    if as_seconds is not None:
        return seconds(as_seconds)
    return "" if as_ratio is None else percent(as_ratio)


def budget(slo: ObjectiveStatus) -> str:
    """What is left of the error budget, and from how much history that is known."""
    left, history = slo.budget_remaining_ratio, slo.budget_history_seconds
    window = span(timedelta(seconds=slo.budget_window_seconds))
    if left is None or history is None:
        return f"The error budget of {window} is not known yet."
    known = "" if history >= slo.budget_window_seconds else f", from {span(timedelta(seconds=history))} of history"
    if left < 0:
        return f"The error budget of {window} is overspent by {percent(-left)}{known}."
    return f"{percent(left)} of the error budget of {window} left{known}."
