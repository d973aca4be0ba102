"""From an objective as it is written to one that can be judged."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import msgspec

from wine_slo.config.files.slo_page import Entry, Page, stand_in
from wine_slo.config.slo_schema import BurnEntry, ObjectiveEntry, SloFileEntry, listed, window_of, zone_of
from wine_slo.slo.objectives.error import ObjectiveError
from wine_slo.slo.objectives.kinds import KINDS
from wine_slo.slo.objectives.kinds.indicator import Indicator
from wine_slo.slo.objectives.objective import Alert, Burn, Objective
from wine_slo.slo.objectives.scope import Scope
from wine_slo.slo.objectives.selector import wrong_with_selector
from wine_slo.slo.span import parse_span
from wine_slo.slo.usual_spans import (
    USUAL_BAD_FOR,
    USUAL_GOOD_FOR,
    least_bad_for,
    least_good_for,
    least_over,
)

OVER = timedelta(minutes=5)  # the range that is shown, where nothing else is written
NO_UP = "none"  # written for targets without `up` series
PROVISIONAL_INTERVAL = timedelta(seconds=5)  # until it is known how often a job is scraped

ANY_BURN = Burn(1e-9, timedelta(days=2), timedelta(days=1), Alert.TICKET)  # which can fire for every objective
FieldMistake = tuple[str, str]  # a field, dotted where it stands inside another, and what is wrong with it


def is_silent(file: SloFileEntry, each: ObjectiveEntry) -> bool:
    """Return whether neither a file nor the objective says how often its job is scraped."""
    return not (each.scrape_interval or file.scrape_interval)


class Judgement:
    """What is wrong with one objective beyond its fields one by one; where nothing is, the objective.

    Args:
        page: The file.
        entry: The objective in it.
        intervals: How often jobs are scraped. What is written goes before; of one that neither says it is 5 s.

    Attributes:
        job: What its targets are called.
        objective: None where anything is wrong with it.
        mistakes: All that is.
    """

    def __init__(self, page: Page, entry: Entry, intervals: Mapping[str, timedelta]) -> None:
        self.mistakes: list[FieldMistake] = []
        self._file, self._each, self._wrong = page.content, entry.content, entry.wrong
        source = self._source()
        scope = self._scope(source)
        self.job = scope.name
        burns = self._burns()
        made = self._made(source, scope, burns, intervals)
        self.objective = None if self.mistakes else made

    def _keep(self, error: ObjectiveError, inside: str = "") -> None:
        """Keep what is wrong, but for what follows from what is known."""
        found = [(f"{inside}{field}", sentence) for field, sentence in error.mistakes]
        self.mistakes += [each for each in found if not self._wrong.explains(*each)]
        self._wrong = self._wrong.and_of(field for field, _ in found)

    def _source(self) -> Indicator:
        """Return what is counted; where that cannot be, with stand-ins for what is wrong with it."""
        fields = {each.name: each for each in msgspec.structs.fields(type(self._each))}
        for _ in fields:
            try:
                return self._each.source()
            except ObjectiveError as error:
                self._keep(error)
                wrong = {field: stand_in(fields[field]) for field, _ in error.mistakes if field in fields}
                self._each = msgspec.structs.replace(self._each, **wrong)
        return KINDS["up"]()

    def _scope(self, source: Indicator) -> Scope:
        """Return the series of its targets; of a job that stands in where it does not say which they are."""
        try:
            return _scope(self._file, self._each, source)
        except ObjectiveError as error:
            self._keep(error)
            return Scope.of_jobs("stand_in")

    def _burns(self) -> tuple[Burn, ...]:
        burns: list[Burn] = []
        for number, each in enumerate(self._each.burns or ()):
            try:
                burns.append(_burn(each))
            except ObjectiveError as error:
                self._keep(error, f"burns.{number}.")
                burns.append(ANY_BURN)
        return tuple(burns)

    def _made(
        self, source: Indicator, scope: Scope, burns: tuple[Burn, ...], intervals: Mapping[str, timedelta]
    ) -> Objective | None:
        file, each = self._file, self._each
        interval, bad_for, good_for, over = _spans(file, each, intervals.get(scope.name, PROVISIONAL_INTERVAL))
        window, calendar = window_of(each.window, zone_of(file.time_zone))
        breakdown = file.breakdown if each.breakdown is None else each.breakdown
        try:
            objective = Objective(
                name=each.name,
                title=each.title or each.name,
                job=scope.name,
                source=source,
                ratio=each.objective,
                scrape_interval=interval,
                bad_for=bad_for,
                good_for=good_for,
                over=over,
                window=window,
                calendar=calendar,
                least_events=each.least,
                expires_after=parse_span(each.expires_after),
                remind_after=parse_span(each.remind_after),
                by=tuple(each.by),
                seen_in=None if scope == Scope.of_jobs(scope.name) else scope,
                breakdown=None if breakdown is None else tuple(breakdown),
                runbook=(each.runbook or "").strip(),
            )
            return objective.with_usual_burns if each.burns is None else replace(objective, burns=burns)
        except ObjectiveError as error:
            self._keep(error)
            return None


def _scope(file: SloFileEntry, each: ObjectiveEntry, source: Indicator) -> Scope:
    """Return the series of an objective's targets.

    The `up` of the file is that of its job: an objective with a job of its own has the `up` of that.

    Raises:
        ObjectiveError: It does not say which they are.
    """
    jobs = listed(each.job) or listed(file.job)
    up = each.up
    if up is None and (each.job is None or file.up == NO_UP):
        up = file.up
    if up == NO_UP:
        called = jobs if file.up == NO_UP else listed(each.job)
        return Scope.without_up(source.pulse(Scope.without_up("", jobs, ())), jobs, called)
    if up is not None:
        if (wrong := wrong_with_selector(up)) is not None:
            raise ObjectiveError("up", f"{wrong}; or write none, where targets have no `up`")
        return Scope.of_up(up, jobs)
    if not jobs:
        raise ObjectiveError("job", "is missing; write a job or several, or else `up`, or up: none for what is pushed")
    return Scope.of_jobs(*jobs)


def _spans(
    file: SloFileEntry, each: ObjectiveEntry, real: timedelta
) -> tuple[timedelta, timedelta, timedelta, timedelta]:
    """Return the scrape interval, and the spans by which it is judged: bad_for, good_for, over.

    Who does not write the scrape interval need not know it: what is too short for the real one is lengthened.
    """
    said = each.scrape_interval or file.scrape_interval
    interval = real if said is None else parse_span(said)
    bad_for = USUAL_BAD_FOR if each.bad_for is None else parse_span(each.bad_for)
    good_for = USUAL_GOOD_FOR if each.good_for is None else parse_span(each.good_for)
    if said is None:
        bad_for, good_for = max(bad_for, least_bad_for(real)), max(good_for, least_good_for(real))
    least = least_over(interval, bad_for, good_for)
    over = max(OVER, least) if each.over is None else parse_span(each.over)
    return interval, bad_for, good_for, max(over, least) if said is None else over


def _burn(burn: BurnEntry) -> Burn:
    return Burn(burn.budget, parse_span(burn.long), parse_span(burn.short), Alert(burn.alert))
