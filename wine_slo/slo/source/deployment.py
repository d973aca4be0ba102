"""Deployments shortly before an incident: often its cause, and always worth checking.

They show in the metrics, as a new value of a label that is the version or as processes that have just started, or
somebody reports them.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from wine_slo.slo.source.metric_source import instant_of

WITHIN = timedelta(minutes=30)  # a deployment longer before is not reported as a reason
STARTED_WITHIN = timedelta(minutes=10)  # nor are starts without a version, as autoscaling makes many
LOOKBACK = 2 * WITHIN  # what served before must be seen too

# What is a version, the best first.
VERSION_LABELS = (
    "version", "app_version", "service_version", "revision", "git_commit", "commit", "sha256", "image_tag", "tag",
    "release", "build",
)  # fmt: skip
# Their versions are those of what the service is built on.
OF_OTHERS = re.compile(r"(go|python|jvm|jvm_runtime|nodejs_version|node_uname|node_os|node_dmi|process_runtime)_info")


@dataclass(frozen=True, slots=True)
class VersionSeries:
    """Gauges of which one label is the version that runs.

    Attributes:
        selector: Selects them.
        label: The label.
    """

    selector: str
    label: str


@dataclass(frozen=True, slots=True)
class Deployment:
    """Another version began to run, or targets have started.

    Attributes:
        at: When it was first seen, or as it was reported.
        before: The version that ran before; empty where that is not known.
        after: Its own; empty where only starts of targets are known.
        started: How many targets have started, where no version is known.
        targets: Of how many.
    """

    at: datetime
    before: str
    after: str
    started: int = 0
    targets: int = 0

    def may_have_caused(self, since: datetime) -> bool:
        """Return whether it came so shortly before something began that it is worth checking."""
        return timedelta(0) <= since - self.at <= (WITHIN if self.after else STARTED_WITHIN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """A deployment that somebody reported.

    Attributes:
        job: Of what.
        version: The version that runs since then.
        at: When it was deployed.
    """

    job: str
    version: str
    at: datetime


def last_reported(reports: Iterable[Reported], job: str) -> Deployment | None:
    """Return the last deployment of a job that was reported, with the version that was reported before it."""
    mine = sorted((each for each in reports if each.job == job), key=lambda each: each.at)
    if not mine:
        return None
    others = [each.version for each in mine if each.version != mine[-1].version]
    return Deployment(mine[-1].at, before=others[-1] if others else "", after=mine[-1].version)


def last_change(first_seen: Mapping[str, float]) -> Deployment | None:
    """Return the last change of the version; None where only one was seen.

    Args:
        first_seen: When each version was first seen in the lookback, in seconds since the epoch.

    Raises:
        MetricSourceError: A time is none that can be.
    """
    ordered = sorted(filter(None, first_seen), key=lambda each: first_seen[each])
    if len(ordered) < 2:
        return None
    return Deployment(instant_of(first_seen[ordered[-1]]), before=ordered[-2], after=ordered[-1])


def last_starts(started_at: Collection[float]) -> Deployment | None:
    """Return how many targets have started of late; None where it is not known when any has.

    Args:
        started_at: When the process of each target started, in seconds since the epoch.

    Raises:
        MetricSourceError: A time is none that can be.
    """
    if not started_at:
        return None
    newest = max(started_at)
    of_late = [each for each in started_at if newest - each <= STARTED_WITHIN.total_seconds()]
    return Deployment(instant_of(newest), before="", after="", started=len(of_late), targets=len(started_at))


def last_of(found: Iterable[Deployment | None], now: datetime) -> Deployment | None:
    """Return the last deployment: one with a version, unless none is of late."""
    ordered = sorted((each for each in found if each is not None and each.at <= now), key=lambda each: each.at)
    versions = [each for each in ordered if each.after]
    if versions and now - versions[-1].at <= WITHIN:
        return versions[-1]
    return ordered[-1] if ordered else None


def version_series(found: Iterable[Mapping[str, str]]) -> VersionSeries | None:
    """Return the gauges that most likely hold the version of the service itself; None where none does.

    Args:
        found: The labels of all gauges that are called `…_info`, with their names.
    """
    ranked = [
        (not name.endswith("build_info"), VERSION_LABELS.index(label), name, label)
        for each in found
        if (name := each.get("__name__", "")) and not OF_OTHERS.fullmatch(name)
        for label in VERSION_LABELS
        if each.get(label)
    ]
    if not ranked:
        return None
    _, _, name, label = min(ranked)
    return VersionSeries(name, label)
