"""The queries behind the quick counts, chunk by chunk and kept on disk as those of a replay are."""

import asyncio
from collections import defaultdict
from datetime import datetime
from math import inf, isnan

import numpy as np

from wine_slo.monitor.onboarding.suggest.grid import STEP, Counts
from wine_slo.monitor.replay.range_cache import EPOCH, Labels, Lattice, Numbers, RangeCache, milliseconds
from wine_slo.slo.evaluation.sampling import key_of
from wine_slo.slo.objectives import promql
from wine_slo.slo.objectives.objective import Key, Objective

LE = "le"


async def counts(cache: RangeCache, objective: Objective, since: datetime, until: datetime) -> list[Counts]:
    """Return the events of each label set of an objective in steps of five minutes.

    Args:
        cache: The answers of Prometheus.
        objective: Its threshold does not matter, as every bucket bound is counted.
        since: The beginning.
        until: The end.

    Raises:
        MetricSourceError: An answer is missing.
    """
    buckets = promql.increase_by_bound(objective, STEP)
    if buckets is not None:
        by_bound = await _rows(cache, buckets, since, until)
        return _of_buckets(objective, by_bound)
    events, good = await asyncio.gather(
        _rows(cache, promql.events(objective, STEP), since, until),
        _rows(cache, promql.good_ratio(objective, STEP), since, until),
    )
    shares = {key_of(objective, dict(labels)): row for labels, row in good.items()}
    totals = {key_of(objective, dict(labels)): row for labels, row in events.items()}
    return [Counts(total, {None: total * (1 - shares[key])}) for key, total in totals.items() if key in shares]


def _of_buckets(objective: Objective, rows: dict[Labels, Numbers]) -> list[Counts]:
    unit = objective.source.unit_of_values
    by_key: defaultdict[Key, dict[float, Numbers]] = defaultdict(dict)
    for labels, row in rows.items():
        bound = _number(dict(labels).get(LE, ""))
        if bound > 0:
            by_key[key_of(objective, dict(labels))][bound] = row
    return [
        Counts(each[inf], {float(f"{b * unit:.12g}"): each[inf] - row for b, row in sorted(each.items()) if b != inf})
        for each in by_key.values()
        if inf in each and len(each) > 1
    ]


async def _rows(cache: RangeCache, query: str, since: datetime, until: datetime) -> dict[Labels, Numbers]:
    """Return a row for each label set over the whole time."""
    step = milliseconds(STEP)
    lattice = Lattice.of_long_chunks(0, step)
    first, last = lattice.chunk(milliseconds(since - EPOCH)), lattice.chunk(milliseconds(until - EPOCH))
    tables = await asyncio.gather(*(cache.tables([query], lattice, chunk) for chunk in range(first, last + 1)))
    found: dict[Labels, Numbers] = {}
    for number, (table,) in enumerate(tables):
        for labels, row in table.rows.items():
            whole = found.setdefault(labels, np.full(len(tables) * lattice.count, np.nan))
            whole[number * lattice.count : (number + 1) * lattice.count] = row
    return found


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        return 0.0
    return 0.0 if isnan(number) else number
