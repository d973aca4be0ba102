"""Series with a sample at each scrape that differ while something is broken, as text for `write_blocks`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

PHASE = timedelta(seconds=3)  # from the start to the first scrape


@dataclass(frozen=True, kw_only=True)
class Outage:
    """When something is broken.

    Attributes:
        starts_at: The instant from which the others count.
        breaks: From when on it is broken.
        mends: From when on it is well again.
        ends: From when on there are no samples but `up`.
        up_ends: From when on there is no `up` either.
        every: How far apart scrapes are.
    """

    starts_at: datetime
    breaks: timedelta
    mends: timedelta
    ends: timedelta
    up_ends: timedelta
    every: timedelta

    def scrapes(self, until: timedelta) -> Iterator[timedelta]:
        """Yield when the scrapes are."""
        at = PHASE
        while at < until:
            yield at
            at += self.every

    def is_broken(self, at: timedelta) -> bool:
        return self.breaks <= at < self.mends


class OutageSeries:
    """The series of services over one outage."""

    def __init__(self, outage: Outage) -> None:
        self._outage = outage
        self._lines: dict[str, list[str]] = {}

    def has(self, series: str, well: float, broken: float) -> None:
        """Add a gauge."""
        outage = self._outage
        self.add(series, {at: broken if outage.is_broken(at) else well for at in outage.scrapes(outage.ends)})

    def grows(self, series: str, well: float, broken: float) -> None:
        """Add a counter, by how much it grows from scrape to scrape."""
        count, values = 0.0, {}
        for at in self._outage.scrapes(self._outage.ends):
            count += broken if self._outage.is_broken(at) else well
            values[at] = count
        self.add(series, values)

    def histogram(self, name: str, labels: str, bounds: Mapping[str, tuple[float, float]]) -> None:
        """Add a histogram: by how much each bucket grows where all is well, and where it is not."""
        comma = f"{labels}," if labels else ""
        for bound, grown in bounds.items():
            self.grows(f'{name}_bucket{{{comma}le="{bound}"}}', *grown)
        self.grows(f"{name}_count{{{labels}}}", *bounds["+Inf"])

    def is_up(self, labels: str, *, breaks: bool = False) -> None:
        """Add a target, which goes on for longer than all else."""
        is_down = self._outage.is_broken if breaks else lambda _: False
        self.add(
            f"up{{{labels}}}", {at: 0.0 if is_down(at) else 1.0 for at in self._outage.scrapes(self._outage.up_ends)}
        )

    def add(self, series: str, values: Mapping[timedelta, float]) -> None:
        """Add a series by its values after the start."""
        lines = self._lines.setdefault(series.partition("{")[0], [])
        start = self._outage.starts_at
        lines += [f"{series} {value:.12g} {(start + at).timestamp():.3f}" for at, value in values.items()]

    @property
    def text(self) -> str:
        families = (line for name, lines in self._lines.items() for line in (f"# TYPE {name} unknown", *lines))
        return "\n".join([*families, "# EOF\n"])
