"""Turn a share into what slo.yml counts: a latency, a ratio, a gauge, or targets that are up."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from wine_slo.monitor.onboarding.importing.promql.events import NOTHING, Events, merged
from wine_slo.monitor.onboarding.importing.promql.expression import OPPOSITE, ExpressionError, Matcher, Selector
from wine_slo.monitor.onboarding.importing.promql.share import EventShare, NativeShare, SampleShare, Share, is_flag
from wine_slo.monitor.onboarding.importing.remarks import CHANGED
from wine_slo.slo.objectives.expression import matches_all

UNITS = (
    ("s", Decimal(1), re.compile(r".*_(seconds|secs|sec|s)")),
    ("ms", Decimal("1e-3"), re.compile(r".*_(milliseconds|millis|msecs|ms)")),
    ("us", Decimal("1e-6"), re.compile(r".*_(microseconds|micros|usecs|us)")),
    ("ns", Decimal("1e-9"), re.compile(r".*_(nanoseconds|nanos|ns)")),
)  # how histograms are named, and how many seconds one is
NO_TIME = re.compile(r".*_(bytes|size|length|rows|items|count|score|ratio|percent|total)")
MOST_SECONDS = 60  # a bound above it, of a histogram that names no unit, is taken for milliseconds
BOUND = re.compile(r"\d{1,12}(\.\d{0,12})?([eE][+-]?\d)?|\.\d{1,12}")
OF_EACH = f"{CHANGED}each series is judged by itself, at each scrape"
QUANTITY = re.compile(r".*_(seconds|milliseconds|microseconds|nanoseconds|bytes|joules|meters|celsius)(?:_total|_sum)?")
FAILURES = re.compile(r"\^?\(?5")


@dataclass(frozen=True, slots=True)
class Indicator:
    """What is counted, as slo.yml says it.

    Attributes:
        suffix: Distinguishes the indicators that one expression becomes.
    """

    fields: Mapping[str, Any]
    selectors: Sequence[Selector]
    remarks: Sequence[str] = ()
    suffix: str = ""

    def named(self, words: str) -> "Indicator":
        """Return it with words before its suffix."""
        return replace(self, suffix="-".join(filter(None, [words, self.suffix])))


def indicators(found: Share, *, is_bad: bool) -> list[Indicator]:
    """Return what a share of bad or good events becomes; several where one objective cannot say it.

    Raises:
        ExpressionError: slo.yml cannot say it.
    """
    is_bad = is_bad != found.is_complement
    match found:
        case SampleShare():
            made = gauge(found.gauge, OPPOSITE[found.operator] if is_bad else found.operator, found.number)
            return [_remarked(made, [OF_EACH] if found.was_one else [])]
        case NativeShare():
            if is_bad:
                raise ExpressionError("counts what is within the bound as bad")
            return [native(found.histogram, found.bound)]
    return _of_events(found, is_bad=is_bad)


def gauge(selector: Selector, operator: str, number: float, *, is_age: bool = False) -> Indicator:
    """Return the samples of a gauge that compare so with a number; `up` is that of targets."""
    if operator == "!=" and number in (0, 1) and is_flag(selector):
        operator, number = "==", 1 - number
    means_up = (operator, number) in (("==", 1), (">=", 1), (">", 0))
    if selector.metric == "up" and means_up and not is_age:
        return Indicator({"kind": "up"}, [selector])
    condition = f"{operator} {span(Decimal(repr(number)))}" if is_age else f"{operator} {number_text(number)}"
    return Indicator({"kind": "gauge", "good": f"{'time() - ' if is_age else ''}{selector} {condition}"}, [selector])


def native(histogram: Selector, bound: float) -> Indicator:
    """Return the observations of a native histogram within a bound."""
    unit, remarks = _unit(histogram.metric, Decimal(repr(bound)))
    fields = {"kind": "latency", "histogram": histogram.metric, "native": True, **_threshold(unit, bound)}
    return Indicator(_with_selector(fields, histogram), [histogram], remarks)


def quantile(histogram: Selector, bound: float) -> Indicator:
    """Return the observations within a bound, of a histogram or of its buckets."""
    name = histogram.metric.removesuffix("_bucket")
    if name == histogram.metric:
        return native(histogram, bound)
    count = histogram.without("le").of(f"{name}_count")
    bucket = Selector(histogram.metric, (*count.matchers, Matcher("le", "=", number_text(bound))))
    return _latency(bucket, count)


def span(seconds: Decimal) -> str:
    """Write a span in the largest unit in which it is a whole number, or else in that in which it is one or more."""
    sizes = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
    for unit, size in sizes:
        if seconds >= size and seconds % size == 0:
            return f"{plain(seconds / size)}{unit}"
    unit, size_of_part = ("ms", Decimal("1e-3")) if seconds >= Decimal("1e-3") else ("us", Decimal("1e-6"))
    return f"{plain(seconds / size_of_part)}{unit}"


def plain(number: Decimal) -> str:
    """Write a number without an exponent and without zeros at its end."""
    return f"{number.normalize():f}"


def number_text(number: float) -> str:
    """Write a number as people do."""
    return plain(Decimal(repr(number))) if abs(number) < float("inf") else f"{number}"


def _of_events(found: EventShare, *, is_bad: bool) -> list[Indicator]:
    part, total, remarks = _scaled(found)
    _refuse_mean(part, total)
    if not part:
        raise ExpressionError(f"counts nothing as {'bad' if is_bad else 'good'}")
    rest = merged({each: total.get(each, 0) - part.get(each, 0) for each in {**total, **part}})
    bad, good = (part, rest) if is_bad else (rest, part)
    if is_bad and (fast := _bound_of(part, total)) is not None:
        raise ExpressionError(f"counts the requests within {fast} as bad, those that are fast: turn it round first")
    bound = _bound_of(good, total)
    if bound is not None:
        (bucket,), (count,) = good, total
        return [_remarked(_latency(bucket, count), remarks)]
    sides = (("bad", bad), ("good", good)) if is_bad else (("good", good), ("bad", bad))
    if not rest:
        what = "bad" if is_bad else "good"
        remarks = [*remarks, f"see what was meant: {what} and total are the same, so that every event is {what}"]
    for name, side in sides:
        if side and _is_plain(side):
            return [_remarked(_ratio(name, side, total), remarks)]
    return [_remarked(each, remarks) for each in _slow_and_failed(bad, total)]


def _refuse_mean(part: Events, total: Events) -> None:
    """Refuse what is measured in another unit than what it is divided by.

    Raises:
        ExpressionError: It is a mean.
    """
    units = [{each[1] if (each := QUANTITY.fullmatch(one.metric)) else "" for one in side} for side in (part, total)]
    if part and units[0] != units[1]:
        raise ExpressionError(
            "is a mean, of which no event is good or bad: write `kind: latency` with a threshold instead"
        )


def _scaled(found: EventShare) -> tuple[Events, Events, list[str]]:
    """Return the part and the total with a factor of 1 in the total, and what was changed for it.

    Raises:
        ExpressionError: The total adds up nothing.
    """
    added = {each: count for each, count in found.total.items() if count > 0}
    if not added:
        raise ExpressionError("has a total that counts nothing")
    factor = next(iter(added.values()))
    if any(abs(each / factor - 1) > NOTHING for each in added.values()):
        raise ExpressionError("adds up its total with different weights")
    remarks = []
    if left_out := [str(each) for each, count in found.total.items() if count < 0]:
        remarks.append(
            f"{CHANGED}the total is no longer less {' and '.join(left_out)}, as slo.yml adds up but subtracts nothing; "
            "the share of bad events is somewhat smaller for it"
        )
    total = {}
    for each in added:
        is_sum_of_buckets = each.metric.endswith("_bucket") and each.matcher("le") is None
        whole = each.of(f"{each.metric.removesuffix('_bucket')}_count") if is_sum_of_buckets else each
        if is_sum_of_buckets:
            remarks.append(f"{CHANGED}the total added up all buckets, each request many times; it is {whole} here")
        total[whole] = 1.0
    return {each: count / factor for each, count in found.part.items()}, total, remarks


def _is_plain(events: Events) -> bool:
    return all(abs(count - 1) < NOTHING for count in events.values())


def _bound_of(part: Events, total: Events) -> str | None:
    """Return the bound of a part that is one bucket of the histogram which the total is the count of."""
    if len(part) != 1 or len(total) != 1 or not _is_plain(part):
        return None
    (bucket,), (count,) = part, total
    name = bucket.metric.removesuffix("_bucket")
    is_of_it = name != bucket.metric and count.metric == f"{name}_count"
    if not is_of_it or NO_TIME.fullmatch(name) or bucket.matcher("le") is None:
        return None
    return plain(_bound(bucket))


def _bound(bucket: Selector) -> Decimal:
    """Return the bound that a bucket's matcher of le names, as a number or as a regular expression of one.

    Raises:
        ExpressionError: It names none, or several.
    """
    matcher = bucket.matcher("le")
    text = matcher.value if matcher is not None else ""
    if matcher is not None and matcher.operator == "=" and BOUND.fullmatch(text):
        return Decimal(text)
    if matcher is not None and matcher.operator == "=~":
        numbers = {Decimal(each) for each in re.findall(r"\d{1,12}(?:\.\d{1,12})?", text.replace("\\", ""))}
        fitting = {each for each in numbers if any(matches_all(text, form) for form in _forms(each))}
        if len(fitting) == 1:
            return fitting.pop()
    raise ExpressionError(f"has a bucket whose bound is not one number: le{matcher.operator if matcher else ''}{text}")


def _forms(number: Decimal) -> tuple[str, str]:
    text = plain(number)
    return text, f"{text}.0"


def _latency(bucket: Selector, count: Selector) -> Indicator:
    """Return the requests within a bucket, of all that are counted."""
    name = count.metric.removesuffix("_count")
    bound = _bound(bucket)
    unit, remarks = _unit(name, bound)
    fields = {"kind": "latency", "histogram": name, **_threshold(unit, bound)}
    fields = _with_selector(fields, count)
    succeeded = [each for each in bucket.without("le").matchers if each not in count.matchers]
    known = {each.name for each in bucket.matchers}
    if missing := [str(each) for each in count.matchers if each.name not in known]:
        remarks = [*remarks, f"{CHANGED}good events are of the same series as all: {', '.join(missing)} holds for both"]
    if succeeded:
        success = ", ".join(map(str, succeeded))
        fields["success_selector"] = success
        remarks = [*remarks, f"bad is what is slow or does not match {success}"]
        if any(each.operator in ("=", "=~") and FAILURES.match(each.value) for each in succeeded):
            remarks = [*remarks, f"see what was meant: only requests with {success}, failed ones, count as good"]
    return Indicator(fields, [count, bucket], remarks)


def _unit(name: str, bound: Decimal) -> tuple[tuple[str, Decimal], list[str]]:
    """Return the unit of a histogram's bounds with its seconds, and a remark where its name does not say it."""
    for unit, seconds, names in UNITS:
        if names.fullmatch(name):
            return (unit, seconds), []
    unit, seconds, _ = UNITS[1] if bound > MOST_SECONDS else UNITS[0]
    word = "milliseconds" if unit == "ms" else "seconds"
    return (unit, seconds), [f"{name} does not say its unit: taken for {word}, because of the bound {plain(bound)}"]


def _threshold(unit: tuple[str, Decimal], bound: Decimal | float) -> dict[str, Any]:
    number = bound if isinstance(bound, Decimal) else Decimal(repr(bound))
    threshold = {"threshold": span(number * unit[1])}
    return threshold if unit[0] == "s" else {"unit": unit[0], **threshold}


def _with_selector(fields: dict[str, Any], selector: Selector) -> dict[str, Any]:
    return {**fields, "selector": selector.inside} if selector.matchers else fields


def _ratio(name: str, part: Events, total: Events) -> Indicator:
    return Indicator(
        {"kind": "ratio", name: _written(part), "total": _written(total)},
        [*total, *part],
    )


def _written(events: Events) -> str | list[str]:
    """Return selectors as slo.yml has them, one or a list; a whole bound of a bucket is matched in both its forms."""
    texts = []
    for each in events:
        bound = each.matcher("le")
        if bound is not None and bound.operator == "=" and re.fullmatch(r"\d+(\.0+)?", bound.value):
            either = Matcher("le", "=~", rf"{bound.value.split('.')[0]}(\.0)?")
            each = Selector(each.metric, tuple(either if one == bound else one for one in each.matchers))  # noqa: PLW2901
        texts.append(str(each))
    return texts[0] if len(texts) == 1 else texts


def _slow_and_failed(bad: Events, total: Events) -> list[Indicator]:
    """Return requests that are slow by one metric and failed by another as an indicator each.

    Raises:
        ExpressionError: They are something else.
    """
    subtracted = {each: -count for each, count in bad.items() if count < 0}
    added = {each: count for each, count in bad.items() if count > 0}
    names = {each.metric.removesuffix("_bucket") for each in subtracted}
    slow_total = {each: count for each, count in added.items() if each.metric.removesuffix("_count") in names}
    failed = {each: count for each, count in added.items() if each not in slow_total}
    if not (subtracted and slow_total and all(map(_is_plain, (subtracted, slow_total, failed)))):
        raise ExpressionError("adds and subtracts in a way that slo.yml has no words for")
    if _bound_of(subtracted, slow_total) is not None:
        (bucket,), (count,) = subtracted, slow_total
        slow = _latency(bucket, count)
    else:
        slow = _ratio("good", subtracted, slow_total)
    if not failed:
        return [_remarked(slow, [f"{CHANGED}its total is the count of its own histogram"])]
    remark = (
        f"{CHANGED}slow and failed requests are counted by different metrics, so each has an objective of its own, "
        "with the whole error budget"
    )
    return [
        replace(_remarked(slow, [remark]), suffix="slow"),
        replace(_remarked(_ratio("bad", failed, total), [remark]), suffix="failed"),
    ]


def _remarked(indicator: Indicator, remarks: Sequence[str]) -> Indicator:
    return replace(indicator, remarks=(*indicator.remarks, *remarks))
