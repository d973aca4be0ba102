"""One field of one objective, tried with several values: `latency.threshold=0.5..2`, `errors.bad_for=15s,25s,1m`."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta

from wine_slo.slo.objectives.error import ObjectiveError
from wine_slo.slo.objectives.objective import Objective, Objectives
from wine_slo.slo.span import format_span, parse_span

SPEC = re.compile(r"(?P<objective>[a-z][a-z0-9_-]*)\.(?P<field>[a-z_]+)=(?P<values>\S+)")
STEPS = 4  # of a range without a step
MOST = 50  # values; each is a replay of its own
ROUNDING = 1e-9

RATIOS = {"objective": "ratio"}
COUNTS = {"least": "least_events"}
SPANS = {name: name for name in ("bad_for", "good_for", "over", "window", "expires_after", "remind_after")}
SECONDS = ("threshold", "clear")  # bounds, of the kinds that have any
FIELDS = (*RATIOS, *COUNTS, *SPANS, *SECONDS)


class SweepError(ValueError):
    """The sweep is not possible; the text says why."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """A field of an objective, and the values to compare.

    Attributes:
        objective: The name of the objective.
        field: The name of the field in slo.yml.
        values: Each value; seconds for a span.
        bounds: The least and the most, where the values are the bucket bounds between; None where values are given.
    """

    objective: str
    field: str
    values: tuple[float, ...]
    bounds: tuple[float, float] | None = None

    @property
    def is_bound(self) -> bool:
        """Return whether a value must be a bucket bound."""
        return self.field in SECONDS

    def between(self, bounds: Iterable[float]) -> "Sweep":
        """Return the sweep over the bucket bounds in its range.

        Raises:
            SweepError: There are none.
        """
        if self.bounds is None:
            return self
        least, most = self.bounds
        values = tuple(sorted(each for each in set(bounds) if least <= each <= most))
        if not values:
            raise SweepError(f"no bucket ends between {least:g} s and {most:g} s")
        return replace(self, values=values, bounds=None)

    def shown(self, value: float) -> str:
        """Return a value as it is written in slo.yml."""
        if self.field in SPANS or self.field in SECONDS:
            return format_span(timedelta(seconds=value))
        return f"{value:g}"


def parse(text: str) -> Sweep:
    """Return the sweep of a text: an objective, a field, and values.

    Args:
        text: `latency.threshold=0.5..2`, with a step `latency.bad_for=15s..60s:15s`, or a list `errors.least=1,5,20`.

    Raises:
        SweepError: It is not a sweep.
    """
    found = SPEC.fullmatch(text)
    if found is None:
        raise SweepError(f"{text!r} is no sweep; it must read such as latency.threshold=0.5..2 or errors.least=1,5,20")
    objective, field, values = found["objective"], found["field"], found["values"]
    if field not in FIELDS:
        raise SweepError(f"{field!r} cannot be swept; what can be is {', '.join(FIELDS)}")
    if ".." not in values:
        return Sweep(objective, field, _few(_value(part, field) for part in values.split(",")))
    least_text, _, rest = values.partition("..")
    most_text, _, step_text = rest.partition(":")
    least, most = _value(least_text, field), _value(most_text, field)
    if not least < most:
        raise SweepError(f"{values!r} must go from less to more")
    if field in SECONDS and not step_text:
        return Sweep(objective, field, (), bounds=(least, most))
    step = _value(step_text, field) if step_text else (most - least) / STEPS
    if not step > 0:
        raise SweepError(f"the step in {values!r} must be more than 0")
    count = int((most - least) / step + ROUNDING) + 1
    return Sweep(objective, field, _few(round(least + number * step, 9) for number in range(min(count, MOST + 1))))


def _value(text: str, field: str) -> float:
    """Return a number, or the seconds of a span where the field is one."""
    is_span = field in SPANS
    try:
        return parse_span(text).total_seconds() if is_span else float(text)
    except ValueError:
        if field in SECONDS:
            return _value(text, "over")
        raise SweepError(f"{text!r} is not {'a span such as 25s or 5m' if is_span else 'a number'}") from None


def apply(objectives: Objectives, sweep: Sweep, value: float) -> Objectives:
    """Return the objectives with one value in its place.

    A threshold below `clear` lowers that too, and burn rate alerts that can never fire are left out, as they are where
    slo.yml does not name them.

    Raises:
        SweepError: The objective has no such field, or it cannot have such a value.
    """
    objective = objectives.by_name.get(sweep.objective)
    if objective is None:
        raise SweepError(f"there is no objective {sweep.objective!r}; there are {', '.join(objectives.by_name)}")
    try:
        changed = _with(objective, sweep.field, value)
    except (ObjectiveError, OverflowError) as error:
        raise SweepError(f"{sweep.objective}.{sweep.field} = {sweep.shown(value)}: {error}") from error
    return replace(objectives, all=tuple(changed if each is objective else each for each in objectives.all))


def _with(objective: Objective, field: str, value: float) -> Objective:
    if field in SECONDS:
        return replace(objective, source=objective.source.with_bound(field, value))
    if field in COUNTS:
        if value != int(value):
            raise ObjectiveError(field, "must be a whole number")
        return replace(objective, least_events=int(value))
    if field in RATIOS:
        burns = tuple(
            burn for burn in objective.burns if 0 < value < 1 and burn.factor(objective.window) <= 1 / (1 - value)
        )
        return replace(objective, ratio=value, burns=burns)
    calendar = None if field == "window" else objective.calendar
    return replace(objective, calendar=calendar, **{field: timedelta(seconds=value)})  # type: ignore[arg-type]  # a span


def _few(values: Iterable[float]) -> tuple[float, ...]:
    known = tuple(dict.fromkeys(values))
    if len(known) > MOST:
        raise SweepError(f"that is more than {MOST} values; each is a replay of its own")
    return known
