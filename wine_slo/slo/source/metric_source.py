"""The port to whatever keeps the metrics and answers PromQL: what it returns, and how it says that it cannot.

A folder in `integrations/` implements it, and `monitor/evaluate/source.py` says which one is used.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Protocol

from wine_slo.slo.reason import Reason, ReasonedError
from wine_slo.slo.source.clocks import SourceTime

MAX_POINTS = 11_000  # of one series in one answer; Prometheus refuses more
CLOCK_FORMAT = "%Y-%m-%d %H:%M"  # not to the second, so that a message that says it is not edited all the time
MAX_INSTANT = 1e11  # seconds since the epoch, the year 5138; later instants do not fit into a datetime

Points = Mapping[float, float]  # a value by seconds since the epoch


class MetricSourceError(ReasonedError):
    """There is no answer, or none that can be trusted; the reason is a sentence about "it", the source.

    Attributes:
        is_refused: The query itself is wrong, so that a retry cannot help.
        is_too_much: A query over less time might be answered.
        is_of_query: Only this query has no answer; others may have one.
        is_of_trust: A certificate is not accepted, by it or by us.
        status: The HTTP status of the answer; None where there was none.
    """

    def __init__(
        self,
        sentence: str,
        *,
        is_refused: bool = False,
        is_too_much: bool = False,
        is_of_query: bool = False,
        is_of_trust: bool = False,
        **holes: str | int | Reason,
    ) -> None:
        super().__init__(sentence, **holes)
        self.is_refused = is_refused
        self.is_too_much = is_too_much
        self.is_of_query = is_of_query
        self.is_of_trust = is_of_trust
        status = holes.get("status")
        self.status = status if isinstance(status, int) else None


def instant_of(seconds: float) -> datetime:
    """Return an instant that an answer gives in seconds since the epoch.

    Raises:
        MetricSourceError: It is none that can be.
    """
    if not 0 <= seconds <= MAX_INSTANT:
        raise MetricSourceError("its answer has {text} where a time belongs", text=f"{seconds:g}")
    return datetime.fromtimestamp(seconds, UTC)


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of one label set."""

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class Vector:
    """The finite values of an instant query, and the instant by the source's own clock; None when there are none."""

    samples: tuple[Sample, ...]
    at: SourceTime | None


@dataclass(frozen=True, slots=True)
class Series:
    """The finite values of one label set over a range, by seconds since the epoch."""

    labels: Mapping[str, str]
    points: dict[float, float]


class MetricSource(Protocol):
    """Answers queries in PromQL."""

    async def query(self, promql: str, at: datetime | None = None) -> Vector:
        """Return the answer at an instant of the past, or now.

        Raises:
            MetricSourceError: There is none that can be trusted.
        """
        ...

    async def query_range(self, promql: str, start: datetime, end: datetime, step: timedelta) -> list[Series]:
        """Return the answer for every `step` from `start` to `end`, both included.

        Raises:
            MetricSourceError: There is none that can be trusted.
        """
        ...


@dataclass(frozen=True, slots=True)
class Target:
    """One target that is scraped.

    Attributes:
        job: Its job.
        url: What is fetched.
        is_up: Whether the last scrape was answered.
        trouble: Why not.
        interval: How often it is scraped; None where that is not known.
    """

    job: str
    url: str
    is_up: bool
    trouble: str
    interval: timedelta | None


class SourceInfo(Protocol):
    """Describes the source itself; what is not known is None."""

    async def server(self) -> str | None:
        """Return what it is, and its version: `VictoriaMetrics 1.145.0`."""
        ...

    async def retention(self) -> timedelta | None:
        """Return for how long it keeps samples."""
        ...

    async def targets(self) -> list[Target] | None:
        """Return what it scrapes."""
        ...


def finite_bounds(answer: Iterable[Sample], unit: float = 1.0) -> tuple[float, ...]:
    """Return the finite bucket bounds in the answer of `promql.bucket_bounds` in seconds, ascending.

    Args:
        answer: The answer.
        unit: How many seconds a bound of 1 is.
    """
    bounds = set()
    for each in answer:
        with suppress(ValueError):  # a label that is called `le` may hold anything
            bounds.add(float(f"{float(each.labels.get('le', '')) * unit:.12g}"))
    return tuple(sorted(bound for bound in bounds if 0 < bound < inf))
