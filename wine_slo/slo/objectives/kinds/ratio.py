"""The kind ratio: events of counters, how many were bad, or good, of how many in all."""

from dataclasses import dataclass
from typing import ClassVar

from wine_slo.slo.objectives.error import ObjectiveError
from wine_slo.slo.objectives.kinds.indicator import Events, Indicator, KindText, RequiredSeries, Unit
from wine_slo.slo.objectives.scope import Scope
from wine_slo.slo.reason import phrase, plural


@dataclass(frozen=True, slots=True)
class Ratio(Indicator):
    """Events of counters, given as selectors, which name the job themselves; several of them are summed.

    Either bad events are counted or good ones, and `total` counts all.
    """

    bad: tuple[str, ...]
    total: tuple[str, ...]
    good: tuple[str, ...] = ()

    kind: ClassVar[str] = "ratio"
    unit: ClassVar[Unit] = Unit.BAD_SHARE
    text: ClassVar[KindText] = KindText(
        objective=phrase("Objective: {share} of requests succeed, over {window}."),
        attained=phrase("{share} succeeded (target ≥ {target})"),
        events=plural("{bad} of {n} request failed.", "{bad} of {n} requests failed."),
        measured=phrase("{share} failed"),
        chart=phrase("{title}: share of failed requests"),
        value="failed",
        bad="failed",
    )

    def __post_init__(self) -> None:
        """Refuse what does not say which events are bad."""
        if self.bad and self.good:
            raise ObjectiveError("good", "stands here beside bad; write exactly one of bad and good")
        if not self.bad and not self.good:
            raise ObjectiveError("bad", "is missing; write exactly one of bad and good")
        if not self.total:
            raise ObjectiveError("total", "must name a counter at least")

    def all_events(self, scope: Scope) -> Events:  # noqa: ARG002 - the selectors name it
        """Return what counts all events."""
        return Events(self.total)

    def good_events(self, scope: Scope) -> Events | None:  # noqa: ARG002 - the selectors name it
        """Return what counts good events; None where bad ones are counted."""
        return Events(self.good) if self.good else None

    def bad_events(self, scope: Scope) -> Events | None:  # noqa: ARG002 - the selectors name it
        """Return what counts bad events; None where good ones are counted."""
        return Events(self.bad) if self.bad else None

    @property
    def required(self) -> tuple[RequiredSeries, ...]:
        """Return every counter; one of bad events may be absent until the first of them."""
        fields = (("bad", self.bad), ("good", self.good), ("total", self.total))
        return tuple(
            RequiredSeries(field, each, appear_late=field == "bad") for field, selectors in fields for each in selectors
        )
