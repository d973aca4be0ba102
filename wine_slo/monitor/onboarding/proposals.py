"""What is written for a candidate: its entry with its numbers, and a comment that says where each comes from."""

from dataclasses import dataclass, replace
from datetime import timedelta

from wine_slo.monitor.onboarding.choice import Choice, Past, quantile
from wine_slo.monitor.onboarding.discovery.candidates import Candidate
from wine_slo.monitor.onboarding.slo_writer import Section
from wine_slo.slo.span import format_span, parse_span
from wine_slo.slo.text.language import ENGLISH

MOST_BOUNDS = 12  # in a comment


@dataclass(frozen=True, slots=True)
class Proposal:
    """An objective as it is proposed.

    Attributes:
        candidate: What it is made of.
        choice: Its numbers.
        past: What they are made of.
    """

    candidate: Candidate
    choice: Choice
    past: Past

    def with_numbers(self, objective: float, threshold: float | None) -> "Proposal":
        """Return the same with the numbers that somebody wants."""
        return replace(self, choice=replace(self.choice, objective=objective, threshold=threshold))

    @property
    def summary(self) -> str:
        """Return it in a line: its name, what it counts, and what the past has been."""
        return f"{self.candidate.name}. {self.candidate.about} {self.reason}"

    @property
    def reason(self) -> str:
        """Return where the numbers come from, as sentences."""
        past, choice = self.past, self.choice
        span = ENGLISH.span(past.span)
        if not choice.is_known:
            count = round(past.events)
            few = "was only 1 event" if count == 1 else f"were only {count} events" if count else "were no events"
            return f"There {few} in the last {span}, so the numbers are usual ones: see `wine-slo suggest` later."
        kept = "" if choice.is_kept else " This objective was not met."
        good = ENGLISH.percent(1 - (choice.bad or 0.0))
        if choice.threshold is None:
            return f"In the last {span} {good} of {past.events:,.0f} events were good.{kept}"
        time = quantile(past.within, choice.objective)
        p = f"{choice.objective * 100:g}"
        half = f"p{p} {ENGLISH.latency(time, self.candidate.bounds)}, " if time is not None else ""
        within = f"{good} within {bound_text(choice.threshold)}"
        return f"In the last {span}: {past.events:,.0f} events, {half}{within}.{kept}"

    def section(self, job: str | None) -> Section:
        """Return what is written.

        Args:
            job: That of the file, which an entry need not repeat; None where it has several.
        """
        fields = dict(self.candidate.fields)
        if fields["job"] == job:
            del fields["job"]
        beside = {}
        threshold = self.choice.threshold
        if threshold is not None:
            fields["threshold"] = bound_text(threshold)
            shown = [bound_text(each) for each in writable(self.candidate.bounds)]
            some = shown if len(shown) <= MOST_BOUNDS else [*shown[:MOST_BOUNDS], "…"]
            beside["threshold"] = f"one of the histogram's bounds: {', '.join(some)}"
        fields["objective"] = self.choice.objective
        order = ("name", "title", "job", "kind", "objective", "threshold", "histogram")
        first = {each: fields[each] for each in order if each in fields}
        return Section(fields=first | fields, above=[f"{self.candidate.about} {self.reason}"], beside=beside)


def writable(bounds: tuple[float, ...]) -> tuple[float, ...]:
    """Return those bounds that slo.yml can name exactly."""
    return tuple(each for each in bounds if abs(parse_span(bound_text(each)).total_seconds() - each) < 1e-9)


def bound_text(seconds: float) -> str:
    """Write a bound as people do, `2.5s` and not `2500ms`."""
    if seconds >= 1:
        return format_span(timedelta(seconds=seconds)) if seconds % 1 == 0 else f"{seconds:g}s"
    return f"{seconds * 1e3:g}ms" if seconds >= 1e-3 else f"{seconds * 1e6:g}us"
