"""What the doctor finds of the server itself: which one it is, its clock, and how late samples can be found in it."""

from datetime import datetime, timedelta

from wine_slo.monitor.commands.finding import Findings, ok, warning, wrong
from wine_slo.slo.evaluation.rules import is_old
from wine_slo.slo.objectives import promql
from wine_slo.slo.objectives.objective import Objectives
from wine_slo.slo.source.clocks import SourceTime, WallTime, ahead
from wine_slo.slo.source.metric_source import MetricSource, MetricSourceError, SourceInfo
from wine_slo.slo.span import format_span

PROBED = timedelta(minutes=1)  # before now; VictoriaMetrics hides 30 s
PROBE_STEP = timedelta(seconds=5)
SKEW = timedelta(seconds=5)  # more between two clocks is seen in messages
ABOUT = "prometheus"
REMEDIES = {  # by what the server is
    "Prometheus": "see whether it still scrapes: its targets page, and its load",
    "VictoriaMetrics": "start it with -search.latencyOffset=1s; a proxy before it must pass `nocache` on",
}
REMEDY = "see how late what writes into it is: remote write, a sidecar, a collector"


async def server_findings(
    url: str,
    source: MetricSource,
    info: SourceInfo,
    exchange: tuple[WallTime, SourceTime | None, WallTime],
) -> Findings:
    """Yield what is found of a server that answers.

    Args:
        url: Where it is.
        source: Where samples are queried.
        info: What it says of itself.
        exchange: When a query was sent, the instant of its answer by the server's clock, and when that was there.
    """
    sent_at, at, answered_at = exchange
    yield ok(ABOUT, f"answers at {url}: {await info.server() or 'it does not say what it is'}")
    skew = ahead(at, sent_at, answered_at).total_seconds() if at is not None else 0.0
    if abs(skew) > SKEW.total_seconds():
        yield warning(
            ABOUT,
            f"its clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} this machine's",
            "let both keep time by NTP; messages have the times of Prometheus' clock",
        )
    hidden = await _hidden(source, sent_at if at is None else at)
    if hidden > 2 * PROBE_STEP:
        yield wrong(
            ABOUT,
            f"it hides the newest {hidden.total_seconds():.0f} s, and repeats older points in their place",
            f"{REMEDIES['VictoriaMetrics']}; a stall would be taken for a breach",
        )


async def lag_findings(objectives: Objectives, source: MetricSource, info: SourceInfo) -> Findings:
    """Yield of which jobs the newest sample that can be found is too old to judge by."""
    firsts = {each.scope: each for each in reversed(objectives.all)}
    for objective in reversed(firsts.values()):
        try:
            found = await source.query(promql.targets_scraped_at(objective))
        except MetricSourceError:
            continue  # the others will say so
        if found.at is None:
            continue
        age = found.at.timestamp() - max(each.value for each in found.samples)
        if is_old(objective, age):
            kind = (await info.server() or "").partition(" ")[0]
            yield wrong(
                ABOUT,
                f"the newest sample of {objective.scope.name} is {age:.0f} s old, and it is scraped every "
                f"{format_span(objective.scrape_interval)}",
                REMEDIES.get(kind, REMEDY),
            )


async def _hidden(source: MetricSource, at: datetime) -> timedelta:
    """Return how much of the newest samples a range does not show; nothing where it does not say.

    VictoriaMetrics that does not know `latency_offset` fills that part with an older value, also of the time itself.
    """
    try:
        answer = await source.query_range("time()", at - PROBED, at, PROBE_STEP)
    except MetricSourceError:
        return timedelta(0)
    return timedelta(seconds=max((at - value for each in answer for at, value in each.points.items()), default=0.0))
