"""What happened over some time by what an objective counts: a few counts, good enough to begin with."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from math import inf, isnan

from wine_slo.monitor.evaluate.queries.slow_queries import known_for
from wine_slo.monitor.onboarding.choice import Past
from wine_slo.slo.objectives import promql
from wine_slo.slo.objectives.objective import Objective
from wine_slo.slo.source.metric_source import MetricSource, Sample


async def past_of(source: MetricSource, objective: Objective, longest: timedelta) -> Past:
    """Return what happened of late by what an objective counts.

    Args:
        source: Answers queries.
        objective: Its threshold does not matter.
        longest: How far back.

    Raises:
        MetricSourceError: It cannot be queried.
    """
    known = known_for(await source.query(promql.seconds_of_history(objective, longest)))
    span = longest if known is None else min(max(known, timedelta(minutes=1)), longest)
    buckets = promql.increase_by_bound(objective, longest)
    if buckets is not None:
        counted = await source.query(buckets)
        return _of_buckets(counted.samples, span, objective.source.unit_of_values)
    events, good = await asyncio.gather(
        source.query(promql.events(objective, longest)), source.query(promql.good_ratio(objective, longest))
    )
    count = {_key(each): max(0.0, each.value) for each in events.samples}
    bad = sum(count.get(_key(each), 0.0) * (1 - each.value) for each in good.samples)
    total = sum(count.values())
    return Past(span=span, events=total, bad=min(max(bad / total, 0.0), 1.0) if total else None, within={})


def _of_buckets(samples: Sequence[Sample], span: timedelta, unit: float) -> Past:
    counts = {_bound(each): each.value for each in samples}
    total = counts.get(inf, 0.0)
    if not total > 0:
        return Past(span=span, events=0.0, within={})
    finite = {each: count for each, count in counts.items() if 0 < each < inf}
    within = {float(f"{bound * unit:.12g}"): min(1.0, count / total) for bound, count in finite.items()}
    return Past(span=span, events=total, within=within)


def _bound(sample: Sample) -> float:
    try:
        bound = float(sample.labels.get("le", ""))
    except ValueError:
        return 0.0
    return 0.0 if isnan(bound) else bound


def _key(sample: Sample) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(sample.labels.items()))
