"""Days of history for the real Prometheus, made in seconds: what a service did is written down, `promtool` writes the
blocks.

Everything is exact: scrapes are in step and counts are whole, so that what must be read can be said to the request.
"""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.real.prometheus import program

BOUNDS = ("0.05", "0.5", "0.75", "1.0", "2.0", "+Inf")
ENDPOINTS = {"/predict": 0.75, "/sleep": 0.25}  # and their share of the requests
PIECE = 43_200  # scrapes; the samples of more would not fit into memory


@dataclass(frozen=True, kw_only=True)
class Chapter:
    """A time in which something was not as usual; what two of them say of one time, the later says.

    Attributes:
        since: When it began, after the start of the history.
        until: When it was over.
        slow: The share of requests that took 1.6 s.
        failed: The share of requests that got a 500.
        endpoint: Whose requests were slow or failed; everybody's where it is empty.
        rate: Requests per second; as usual where it is None.
        is_down: The service did not answer its scrapes, and its counters begin anew after that.
        is_away: Prometheus itself was away: there is not even `up`.
    """

    since: timedelta
    until: timedelta
    slow: float = 0.0
    failed: float = 0.0
    endpoint: str = ""
    rate: float | None = None
    is_down: bool = False
    is_away: bool = False


@dataclass(frozen=True, kw_only=True)
class History:
    """What one service did.

    Attributes:
        begins_at: The first scrape comes `phase` after it.
        duration: For how long there are scrapes.
        chapters: When it was not as usual.
        restarts: When its counters began anew though no scrape was missed, after `begins_at`.
        every: How far apart the scrapes are.
        phase: Where between two multiples of `every` they are.
        rate: Requests per second.
        instance: The label of the target.
    """

    begins_at: datetime
    duration: timedelta
    chapters: tuple[Chapter, ...] = ()
    restarts: tuple[timedelta, ...] = ()
    every: timedelta = timedelta(seconds=5)
    phase: timedelta = timedelta(seconds=1.25)
    rate: float = 10.0
    job: str = "wine-slo"
    instance: str = "service:8000"

    def write(self, data: Path) -> None:
        """Make the blocks in the data folder of a Prometheus that does not run."""
        for lines in self._pieces():
            write_blocks(lines, data)

    def _pieces(self) -> Iterator[str]:
        """OpenMetrics, some of the scrapes at a time."""
        up: list[str] = []
        samples: dict[str, list[str]] = {}
        counts = _Counts()
        owed, at = 0.0, self.phase
        restarts = sorted(self.restarts, reverse=True)
        chapters = sorted(self.chapters, key=lambda each: each.since)
        usual = Chapter(since=timedelta(0), until=self.duration)
        ends = PIECE * self.every
        while at < self.duration:
            chapter = next((each for each in reversed(chapters) if each.since <= at < each.until), usual)
            if restarts and at >= restarts[-1]:
                restarts.pop()
                counts = _Counts()
            if chapter.is_down:
                counts, owed = _Counts(), 0.0
            else:
                owed += (self.rate if chapter.rate is None else chapter.rate) * self.every.total_seconds()
                owed -= counts.serve(int(owed), chapter)
            if not chapter.is_away:
                second = f"{(self.begins_at + at).timestamp():.3f}"
                up.append(f"{'0' if chapter.is_down else '1'} {second}")
                for name, value in () if chapter.is_down else counts.samples():
                    samples.setdefault(name, []).append(f"{value:.12g} {second}")
            at += self.every
            if at >= min(ends, self.duration):
                yield self._text(up, samples)
                up, samples, ends = [], {}, ends + PIECE * self.every

    def _text(self, up: list[str], samples: dict[str, list[str]]) -> str:
        target = f'job="{self.job}",instance="{self.instance}"'
        lines = ["# TYPE up gauge", *(f"up{{{target}}} {each}" for each in up)]
        family = ""
        for name, values in sorted(samples.items()):
            metric, _, labels = name.partition("{")
            kind, is_new = _family(metric), _family(metric) != family
            if is_new:
                family = kind
                lines.append(f"# TYPE {kind}")
            full = f"{metric}{{{target}{',' if labels else ''}{labels or '}'}"
            lines += [f"{full} {each}" for each in values]
        return "\n".join([*lines, "# EOF\n"])


def write_blocks(openmetrics: str, data: Path) -> None:
    """Make blocks of samples in the data folder of a Prometheus that does not run."""
    data.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=data.parent) as folder:
        text = Path(folder) / "samples.om"
        text.write_text(openmetrics)
        command = [program("promtool"), "tsdb", "create-blocks-from", "openmetrics", "--quiet"]
        command += ["--max-block-duration=744h", str(text), str(data)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _family(metric: str) -> str:
    if metric.startswith("request_latency_seconds"):
        return "request_latency_seconds histogram"
    return "responses counter" if metric == "responses_total" else f"{metric} gauge"


class _Counts:
    """The counters of one life of the service."""

    def __init__(self) -> None:
        self._fast = dict.fromkeys(ENDPOINTS, 0)
        self._slow = dict.fromkeys(ENDPOINTS, 0)
        self._failed = dict.fromkeys(ENDPOINTS, 0)
        self._owed = dict.fromkeys((*ENDPOINTS, "slow", "failed"), 0.0)

    def serve(self, count: int, chapter: Chapter) -> int:
        """Answer so many requests; which of them are slow or failed is spread evenly."""
        served = 0
        for endpoint, share in ENDPOINTS.items():
            requests = self._whole(endpoint, count * share)
            touched = requests if chapter.endpoint in ("", endpoint) else 0
            slow = min(requests, self._whole("slow", touched * chapter.slow))
            self._failed[endpoint] += min(requests, self._whole("failed", touched * chapter.failed))
            self._slow[endpoint] += slow
            self._fast[endpoint] += requests - slow
            served += requests
        return count

    def _whole(self, what: str, count: float) -> int:
        self._owed[what] += count
        whole = int(self._owed[what] + 1e-9)
        self._owed[what] -= whole
        return whole

    def samples(self) -> Iterator[tuple[str, float]]:
        for endpoint in ENDPOINTS:
            label = f'endpoint="{endpoint}"'
            fast, slow, failed = self._fast[endpoint], self._slow[endpoint], self._failed[endpoint]
            for bound in BOUNDS:
                count = fast + slow if float(bound) >= 1.6 else fast if float(bound) >= 0.05 else 0
                yield f'request_latency_seconds_bucket{{{label},le="{bound}"}}', count
            yield f"request_latency_seconds_count{{{label}}}", fast + slow
            yield f"request_latency_seconds_sum{{{label}}}", 0.03 * fast + 1.6 * slow
            yield f'responses_total{{{label},status="200"}}', fast + slow - failed
            yield f'responses_total{{{label},status="500"}}', failed
        yield "oldest_request_age_seconds", 0.0
