"""What could be an objective, by what was found: everything of its entry in slo.yml but the numbers."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain, count
from typing import Any

from wine_slo.monitor.onboarding.discovery import conventions
from wine_slo.monitor.onboarding.discovery.conventions import Group, slug
from wine_slo.monitor.onboarding.discovery.found import Job, Metric
from wine_slo.monitor.onboarding.discovery.statuses import Status
from wine_slo.slo.objectives.scope import Scope

LEAST_BOUND = {Group.HTTP: 0.1, Group.GRPC: 0.05}  # seconds; nobody waits for less, however fast a service is
NO_UP = "none"  # what is pushed has no targets
MOST_NAMED = 8  # metrics in one comment


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One objective without its numbers.

    Attributes:
        fields: Those of slo.yml, without objective and threshold.
        about: What it is made of, a sentence for a comment.
        bounds: The bucket bounds in seconds; empty but for a latency.
        least_bound: A lower threshold is not proposed where there is a higher one; seconds.
    """

    fields: Mapping[str, Any]
    about: str
    bounds: tuple[float, ...] = ()
    least_bound: float = 0.0

    @property
    def name(self) -> str:
        """Return the objective's name."""
        return str(self.fields["name"])


def candidates(job: Job, *, is_only: bool) -> list[Candidate]:
    """Return what could be an objective of a job, the requests of users first.

    Args:
        job: What was found of it.
        is_only: Whether it is the only job of the file, so that names need not say whose they are.
    """
    names = _Names(job, is_only=is_only)
    return [*_requests(job, names), *_switches(job, names), *_availability(job, names)]


def with_distinct_names(found: Iterable[Candidate]) -> list[Candidate]:
    """Return candidates of which no two have one name, as two jobs may read the same in small letters."""
    distinct: dict[str, Candidate] = {}
    for each in found:
        names = chain([each.name], (f"{each.name}-{number}" for number in count(2)))
        name = next(name for name in names if name not in distinct)
        distinct[name] = replace(each, fields={**each.fields, "name": name})
    return list(distinct.values())


def remarks(job: Job) -> list[str]:
    """Return what a file should say of what no objective was made of, a paragraph each."""
    found = []
    used = conventions.best((conventions.points_of_histogram(each), each) for each in job.histograms).values()
    others = [each.name for each in job.histograms if each not in used and conventions.is_of_users(each)]
    if others:
        found.append(f"{job.name} has these histograms too: {_some(others)}.")
    bare = [each for each in job.bare if conventions.is_of_users(Metric(name=each))]
    if not used and bare:
        found.append(
            f"{job.name} has {_some(bare)} without buckets: how many requests were slow cannot be counted. Switch "
            "histogram buckets on in its library for a latency."
        )
    elif not used and job.targets and not job.switches:
        found.append(
            f"{job.name} has no histogram of requests. Some libraries have one from the first request on; then run "
            "`wine-slo init` again."
        )
    found += [
        f"{job.name} says by {each.name} when something last succeeded. Where that must be no longer ago than an hour, "
        f"write an objective of the kind gauge with good: 'time() - {Scope.of_jobs(job.name).select(each.name)} < 1h'."
        for each in job.moments
    ]
    return found


class _Names:
    """The names and titles of one job's objectives."""

    def __init__(self, job: Job, *, is_only: bool) -> None:
        self._job = job
        self._prefix = "" if is_only else f"{slug(job.name)[:60]}-"
        self._taken: set[str] = set()

    def fields(self, what: str, title: str, kind: str, group: Group = Group.HTTP) -> dict[str, Any]:
        """Return the first fields of an objective."""
        is_taken = f"{self._prefix}{what}" in self._taken
        name = f"{self._prefix}{group}-{what}" if is_taken else f"{self._prefix}{what}"
        self._taken.add(name)
        shown = f"{title} ({group})" if is_taken else title
        of_whom = shown if not self._prefix else f"{self._job.name} {shown[:1].lower()}{shown[1:]}"
        fields = {"name": name, "title": of_whom, "job": self._job.name, "kind": kind}
        return fields if self._job.targets else {**fields, "up": NO_UP}


def _requests(job: Job, names: _Names) -> Iterator[Candidate]:
    histograms = conventions.best((conventions.points_of_histogram(each), each) for each in job.histograms)
    for group, histogram in histograms.items():
        yield _latency(histogram, group, names)
    counted = [Metric(name=f"{each.name}_count", labels=each.labels) for each in histograms.values()]
    counters = conventions.best((conventions.points_of_counter(each), each) for each in (*counted, *job.counters))
    for group, counter in counters.items():
        status = conventions.status_in(counter.labels)
        if status is not None:
            yield _errors(job.name, counter, status, group, names)


def _latency(histogram: Metric, group: Group, names: _Names) -> Candidate:
    unit = conventions.unit_of(histogram) or "s"
    fields = names.fields("latency", "Latency", "latency", group) | {"histogram": histogram.name}
    if unit != "s":
        fields["unit"] = unit
    matchers = conventions.usual_matchers(histogram, is_of_time=True)
    if matchers:
        fields["selector"] = ", ".join(matchers)
    bounds = tuple(float(f"{each * conventions.SECONDS[unit]:.12g}") for each in histogram.bounds)
    return Candidate(
        fields=fields,
        about=f"Requests by {histogram.name}.",
        bounds=bounds,
        least_bound=LEAST_BOUND.get(group, 0.0),
    )


def _errors(job: str, counter: Metric, status: Status, group: Group, names: _Names) -> Candidate:
    matchers = conventions.usual_matchers(counter, is_of_time=False)
    of_all = [each for each in matchers if each != status.is_counted]
    scope = Scope.of_jobs(job)
    about = f"Events of {counter.name}; bad ones by its label {status.label}"
    return Candidate(
        fields=names.fields("errors", "Error rate", "ratio", group)
        | {
            "bad": scope.select(counter.name, *of_all, status.is_bad),
            "total": scope.select(counter.name, *matchers),
        },
        about=f"{about}, without those that the client made fail." if status.is_counted else f"{about}.",
    )


def _switches(job: Job, names: _Names) -> Iterator[Candidate]:
    for each in job.switches:
        is_probe = each.name == "probe_success"
        what = "probes" if is_probe else each.name.removesuffix("_up")
        series = Scope.of_jobs(job.name).select(each.name)
        fields = names.fields(slug(what), what.capitalize(), "gauge") | {"good": f"{series} == 1"}
        if is_probe:
            fields["by"] = ["instance"]
        about = "probe by probe; `up` is only the prober's" if is_probe else "as the exporter sees it"
        yield Candidate(fields=fields, about=f"{each.name}, {about}.")


def _availability(job: Job, names: _Names) -> Iterator[Candidate]:
    if job.targets:
        yield Candidate(
            fields=names.fields("availability", "Availability", "up"),
            about=f"Scrapes of the {job.targets} targets." if job.targets > 1 else "Scrapes of the one target.",
        )


def _some(names: list[str]) -> str:
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
