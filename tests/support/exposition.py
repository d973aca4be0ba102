"""Reads what a registry exposes, as Prometheus would."""

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families


def exposed(registry: CollectorRegistry) -> dict[tuple[str, ...], float]:
    """Return each series by its name and the values of its labels."""
    families = text_string_to_metric_families(generate_latest(registry).decode())
    return {(sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples}
