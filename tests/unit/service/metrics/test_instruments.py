from collections.abc import Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.exposition import exposed
from wine_slo.service.metrics.instruments import REQUEST_BUCKETS, ServerInstruments
from wine_slo.service.model import model_file
from wine_slo.service.model.features import NAMES

ENDPOINTS = {"/predict": (200, 422), "/health": (200,), "unmatched": (404,)}
EXPOSITION = Path("tests/support/golden/exposition.txt").resolve()
SHIPPED = Path("models/model.pkl").resolve()


def described(registry: CollectorRegistry) -> Iterator[str]:
    """Return each metric with its type, and its labels and buckets; those of the process itself are left out."""
    for family in text_string_to_metric_families(generate_latest(registry).decode()):
        if family.name.startswith(("process_", "python_")):
            continue
        yield f"{family.name} {family.type}: {family.documentation}"
        buckets = dict.fromkeys(sample.labels["le"] for sample in family.samples if "le" in sample.labels)
        if buckets:
            yield f"    le={','.join(buckets)}"
        series = dict.fromkeys(
            f"    {sample.name}{ {name: value for name, value in sorted(sample.labels.items()) if name != 'le'} or '' }"
            for sample in family.samples
        )
        yield from sorted(series)


def test_the_exposition_has_the_names_labels_types_and_buckets_that_dashboards_rely_on() -> None:
    instruments = ServerInstruments(ENDPOINTS, lambda: 0.0)
    model = model_file.load(SHIPPED)
    instruments.introduce(model)
    text = "\n".join(described(instruments.registry)) + "\n"
    for changing in (model.card.version, model.card.sha256, model.card.sklearn):
        text = text.replace(f"'{changing}'", "...")
    assert text == EXPOSITION.read_text()


def test_the_objectives_threshold_is_a_bound_with_others_on_either_side() -> None:
    place = REQUEST_BUCKETS.index(1.0)
    assert REQUEST_BUCKETS[0] == 0.00025
    assert REQUEST_BUCKETS[place - 1] > 0.8
    assert REQUEST_BUCKETS[place + 1] < 1.2


def test_the_age_of_the_oldest_open_request_leaves_out_requests_of_machines() -> None:
    now = 100.0
    instruments = ServerInstruments(ENDPOINTS, lambda: now)
    predict, health = instruments.endpoint("/predict"), instruments.endpoint("/health")
    ages = [exposed(instruments.registry)["oldest_request_age_seconds",]]
    for endpoint, request, arrived in ((health, "probe", 10.0), (predict, "first", 93.0), (predict, "second", 95.0)):
        endpoint.arrive(request, arrived)
        ages.append(exposed(instruments.registry)["oldest_request_age_seconds",])
    for request in ("first", "second"):
        predict.leave(request, 1.0, 200)
        ages.append(exposed(instruments.registry)["oldest_request_age_seconds",])
    assert ages == [0, 0, 7, 7, 5, 0]


def test_a_status_that_is_not_known_in_advance_is_counted_too() -> None:
    instruments = ServerInstruments(ENDPOINTS, lambda: 0.0)
    instruments.endpoint("/predict").arrive("request", 0.0)
    instruments.endpoint("/predict").leave("request", 0.1, 417)
    seen = exposed(instruments.registry)
    assert seen["responses_total", "/predict", "417"] == 1
    assert seen["responses_total", "/predict", "422"] == 0
    assert ("responses_total", "/predict", "418") not in seen


def test_a_request_whose_client_disconnects_is_counted_without_a_response() -> None:
    instruments = ServerInstruments(ENDPOINTS, lambda: 0.0)
    instruments.endpoint("/predict").arrive("request", 0.0)
    instruments.endpoint("/predict").leave("request", 0.1, None)
    seen = exposed(instruments.registry)
    assert seen["requests_total", "/predict"] == 1
    assert seen["request_latency_seconds_count", "/predict"] == 0
    assert seen["requests_in_flight", "/predict"] == 0
    assert seen["feature_out_of_range_total", NAMES[0]] == 0
