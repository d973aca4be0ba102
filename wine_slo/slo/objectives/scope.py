"""Whose series an objective is about: those of one job, of several, or of whatever its selectors say."""

from dataclasses import dataclass

from wine_slo.slo.objectives.selector import any_of, matchers_of, quoted

JOB = "job"


@dataclass(frozen=True, slots=True)
class Scope:
    """The series of an objective.

    Attributes:
        name: What people call it: the job, or several.
        matcher: Selects the series of its jobs; empty where the selectors say all.
        samples: Selects the series that have a sample at each scrape or push; each that is scraped last is the newest.
        has_up: Whether these are `up` series, which say whether a target answers.
        listed_jobs: The jobs all of whose targets it has, by whose names a source can list them.
    """

    name: str
    matcher: str
    samples: str
    has_up: bool = True
    listed_jobs: tuple[str, ...] = ()

    @classmethod
    def of_jobs(cls, *jobs: str) -> "Scope":
        """Return the scope of jobs that Prometheus scrapes."""
        matcher = matcher_of(jobs)
        return cls(", ".join(jobs), matcher, f"up{{{matcher}}}", listed_jobs=jobs)

    @classmethod
    def of_up(cls, up: str, jobs: tuple[str, ...]) -> "Scope":
        """Return the scope of the targets that a selector of their `up` series selects.

        Args:
            up: The selector.
            jobs: The jobs of the other series; none where their selectors say all.
        """
        matchers = matchers_of(up)
        named = ", ".join(jobs or [value for label, _, value in matchers if label == JOB])
        others = ", ".join(f"{label}{sign}{value}" for label, sign, value in matchers if label != JOB)
        name = f"{named} ({others})" if named and others else named or others or up
        return cls(name, matcher_of(jobs), up)

    @classmethod
    def without_up(cls, samples: str, jobs: tuple[str, ...]) -> "Scope":
        """Return the scope of targets that have no `up`, as they push.

        Args:
            samples: Selects the series that show when they pushed last.
            jobs: The jobs of the series; none where their selectors say all.
        """
        return cls(", ".join(jobs) or samples, matcher_of(jobs), samples, has_up=False)

    def select(self, metric: str, *matchers: str) -> str:
        """Return a selector of the series of a metric."""
        every = ", ".join(filter(None, (self.matcher, *matchers)))
        return f"{metric}{{{every}}}" if every else metric


def matcher_of(jobs: tuple[str, ...]) -> str:
    """Return what selects the series of some jobs; empty where there is none."""
    if not jobs:
        return ""
    return f"{JOB}={quoted(jobs[0])}" if len(jobs) == 1 else f"{JOB}=~{any_of(jobs)}"
