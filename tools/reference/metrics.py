"""Every metric, as the registries of both processes have it."""

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, GCCollector, Metric, PlatformCollector, ProcessCollector
from prometheus_client.metrics import MetricWrapperBase

from tools.reference.markdown import code, table
from tools.reference.processes import server, watchdog
from wine_slo.service.keys import INSTRUMENTS

HEAD = ("metric", "type", "labels", "unit", "what it is")
LABEL_HEAD = ("label", "of", "values that are there from the start")
UNITS = {  # by the end of the name, the longer end first
    "_timestamp_seconds": "seconds since 1970",
    "_start_time_seconds": "seconds since 1970",
    "_seconds_total": "seconds",
    "_seconds": "seconds",
    "_bytes": "bytes",
    "_ratio": "0 to 1",
    "_confidence": "0 to 1",
    "_total": "count",
}
ENDS_OF_HISTOGRAM = ("_bucket", "_count", "_sum")


def of_server() -> str:
    """Return the table of the server's own metrics."""
    return _page(server()[INSTRUMENTS].counts)


def of_watchdog() -> str:
    """Return the table of the watchdog's own metrics."""
    return _page(watchdog().instruments.registry)


def of_processes() -> str:
    """Return the table of what both processes say of themselves."""
    registry = CollectorRegistry()
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    return table(HEAD, map(_row, sorted(registry.collect(), key=lambda metric: metric.name)))


def names() -> frozenset[str]:
    """Return the name of every series that the two processes export."""
    registries = (server()[INSTRUMENTS].registry, watchdog().instruments.registry)
    metrics = [metric for registry in registries for metric in registry.collect()]
    return frozenset(
        {_name(metric) for metric in metrics}
        | {f"{metric.name}{end}" for metric in metrics if metric.type == "histogram" for end in ENDS_OF_HISTOGRAM}
    )


def _page(registry: CollectorRegistry) -> str:
    own = [each for each in _collectors(registry) if isinstance(each, MetricWrapperBase)]
    rows = [_row(metric, each._labelnames) for each in own for metric in each.describe()]  # noqa: SLF001 - no public name
    known: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for metric in (metric for each in own for metric in each.collect()):
        for label, values in _labels(metric):
            known.setdefault((label, values), []).append(_name(metric))
    labels = ((code(label), _codes(metrics), _codes(values)) for (label, values), metrics in known.items())
    return f"{table(HEAD, rows)}\n\n{table(LABEL_HEAD, labels)}"


def _collectors(registry: CollectorRegistry) -> list[object]:
    return list(registry._collector_to_names)  # noqa: SLF001 - only what is collected has a public name


def _row(metric: Metric, labels: tuple[str, ...] = ()) -> tuple[str, ...]:
    labels = labels or tuple(sorted({label for sample in metric.samples for label in sample.labels} - {"le"}))
    unit = next((unit for end, unit in UNITS.items() if _name(metric).endswith(end)), "")
    return code(_name(metric)), metric.type, _codes(labels), unit, metric.documentation


def _name(metric: Metric) -> str:
    return f"{metric.name}_total" if metric.type == "counter" else metric.name


def _labels(metric: Metric) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each label whose values are known before anything has happened."""
    samples = [sample.labels for sample in metric.samples]
    for label in dict.fromkeys(label for labels in samples for label in labels if label != "le"):
        values = dict.fromkeys(labels[label] for labels in samples)
        if metric.type != "gauge":
            yield label, tuple(sorted(values) if all(map(str.isdecimal, values)) else values)


def _codes(texts: Iterable[str]) -> str:
    return ", ".join(map(code, texts))
