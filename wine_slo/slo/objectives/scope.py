"""Whose series an objective is about: those of one job, of several, or of whatever its selectors say."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from wine_slo.slo.objectives.selector import Matcher, one_of, parts_of, quoted

JOB = "job"


@dataclass(frozen=True, slots=True)
class Scope:
    """The series of an objective.

    Attributes:
        name: What people call it: the job, or several.
        matcher: Selects the series of its jobs; empty where the selectors say all.
        samples: Selects the series that have a sample at each scrape or push; each that is scraped last is the newest.
        has_up: Whether these are `up` series, which say whether a target answers.
    """

    name: str
    matcher: str
    samples: str
    has_up: bool = True

    @classmethod
    def of_jobs(cls, *jobs: str) -> "Scope":
        """Return the scope of jobs that Prometheus scrapes."""
        matcher = matcher_of(jobs)
        return cls(", ".join(jobs), matcher, f"up{{{matcher}}}")

    @classmethod
    def of_up(cls, up: str, jobs: tuple[str, ...]) -> "Scope":
        """Return the scope of the targets that a selector of their `up` series selects.

        Args:
            up: The selector.
            jobs: The jobs of the other series; none where their selectors say all.
        """
        _, matchers = parts_of(up)
        named = ", ".join([each.value for each in matchers if each.label == JOB] or jobs)
        others = ", ".join(f"{each.label}{each.operator}{each.value}" for each in matchers if each.label != JOB)
        name = f"{named} ({others})" if named and others else named or others or up
        return cls(name, matcher_of(jobs), up)

    @classmethod
    def without_up(cls, samples: str, jobs: tuple[str, ...], called: tuple[str, ...]) -> "Scope":
        """Return the scope of targets that have no `up`, as they push.

        Args:
            samples: Selects the series that show when they pushed last.
            jobs: The jobs of the series; none where their selectors say all.
            called: The jobs that are only these; where there is none, it is called what the samples are.
        """
        return cls(", ".join(called) or samples.partition("{")[0] or samples, matcher_of(jobs), samples, has_up=False)

    def covers(self, job: str) -> bool:
        """Return whether targets of a job are among its targets, as far as the names of jobs say."""
        return self.names_jobs and all(each.matches(job) for each in self._job_matchers)

    @property
    def names_jobs(self) -> bool:
        """Return whether its targets are selected by their jobs."""
        return self.has_up and bool(self._job_matchers)

    def jobs_missing(self, jobs: Collection[str]) -> tuple[str, ...]:
        """Return which of the jobs that it names, each of a list by itself, are none of these."""
        each_of_a_list = [
            replace(matcher, value=job)
            for matcher in self._job_matchers
            if matcher.is_for_a_value
            for job in (matcher.value.split("|") if matcher.operator == "=~" else [matcher.value])
            if not set("()[]") & set(matcher.value)
        ]
        return tuple(each.value.replace("\\", "") for each in each_of_a_list if not any(map(each.matches, jobs)))

    @property
    def _job_matchers(self) -> list[Matcher]:
        _, matchers = parts_of(self.samples)
        return [each for each in matchers if each.label == JOB]

    def select(self, metric: str, *matchers: str) -> str:
        """Return a selector of the series of a metric."""
        every = ", ".join(filter(None, (self.matcher, *matchers)))
        return f"{metric}{{{every}}}" if every else metric


def matcher_of(jobs: tuple[str, ...]) -> str:
    """Return what selects the series of some jobs; empty where there is none."""
    if not jobs:
        return ""
    return f"{JOB}={quoted(jobs[0])}" if len(jobs) == 1 else f"{JOB}=~{one_of(jobs)}"
