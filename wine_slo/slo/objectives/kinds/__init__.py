"""The kinds of objectives, one module for each: what it counts, and how its value reads; and how that is counted."""

from wine_slo.slo.objectives.kinds.gauge import Gauge
from wine_slo.slo.objectives.kinds.indicator import Indicator
from wine_slo.slo.objectives.kinds.latency import Latency, SlowOrFailed
from wine_slo.slo.objectives.kinds.ratio import Ratio
from wine_slo.slo.objectives.kinds.up import Up

KINDS: dict[str, type[Indicator]] = {each.kind: each for each in (Latency, SlowOrFailed, Ratio, Gauge, Up)}
