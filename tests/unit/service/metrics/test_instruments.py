import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from wine_slo.service.metrics.instruments import CELLS, REQUEST_BUCKETS, CellCollector, Cells, ServerInstruments
from wine_slo.service.model.features import NAMES

ENDPOINTS = {"/predict": (200, 422), "/health": (200,), "unmatched": (404,)}


def series(board: CellCollector) -> dict[tuple[str, ...], float]:
    """Return what Prometheus would read: each series by its name and the values of its labels."""
    registry = CollectorRegistry()
    registry.register(board)
    families = text_string_to_metric_families(generate_latest(registry).decode())
    return {(sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples}


@given(st.lists(st.floats(0, 20), max_size=50))
def test_a_histogram_counts_as_prometheus_defines_it(values: list[float]) -> None:
    board = CellCollector(Cells(), 0)
    histogram = board.histogram("latency", "", REQUEST_BUCKETS)[""]
    for value in values:
        histogram.observe(value)
    seen = series(board)
    for bound in REQUEST_BUCKETS:
        assert seen["latency_bucket", str(float(bound))] == sum(value <= bound for value in values)
    assert seen["latency_bucket", "+Inf"] == seen["latency_count",] == len(values)
    assert seen["latency_sum",] == pytest.approx(sum(values))


def test_the_objectives_threshold_is_a_bound_with_others_on_either_side() -> None:
    place = REQUEST_BUCKETS.index(1.0)
    assert REQUEST_BUCKETS[0] == 0.00025
    assert REQUEST_BUCKETS[place - 1] > 0.8
    assert REQUEST_BUCKETS[place + 1] < 1.2


def test_workers_are_added_up_and_a_replaced_worker_keeps_its_counts_but_not_its_open_requests() -> None:
    cells = Cells(2)
    first, second = CellCollector(cells, 0), CellCollector(cells, 1)
    tallies = [board.counter("requests", "", "endpoint", ["/"])["/"] for board in (first, second)]
    open_requests = [board.gauge("in_flight", "", "endpoint", ["/"])["/"] for board in (first, second)]
    for tally in (*tallies, *open_requests):
        tally.add()
    replaced = CellCollector(cells, 1)
    replaced.counter("requests", "", "endpoint", ["/"])["/"].add()
    replaced.gauge("in_flight", "", "endpoint", ["/"])
    assert series(first) == series(replaced) == {("requests_total", "/"): 3, ("in_flight", "/"): 1}


def test_the_oldest_request_of_any_worker_is_told() -> None:
    cells, now = Cells(2), 100.0
    workers = [ServerInstruments(ENDPOINTS, lambda: now, cells, worker) for worker in range(2)]
    ages = []
    for worker, arrived in ((0, 95.0), (1, 93.0)):
        workers[worker].endpoint("/predict").arrive("request", arrived)
        workers[worker].endpoint("/health").arrive("scrape", 10.0)
        ages.append(series(workers[0].board)["oldest_request_age_seconds",])
    workers[1].endpoint("/predict").leave("request", 7.0, 200)
    ages.append(series(workers[0].board)["oldest_request_age_seconds",])
    assert ages == [5, 7, 5]


def test_a_status_that_nobody_expected_is_counted_too() -> None:
    instruments = ServerInstruments(ENDPOINTS, lambda: 0.0, Cells(), 0)
    instruments.endpoint("/predict").arrive("request", 0.0)
    instruments.endpoint("/predict").leave("request", 0.1, 417)
    seen = series(instruments.board)
    assert seen["responses_total", "/predict", "417"] == 1
    assert seen["responses_total", "/predict", "422"] == 0
    assert ("responses_total", "/predict", "418") not in seen


def test_a_request_that_was_given_up_is_no_answer() -> None:
    instruments = ServerInstruments(ENDPOINTS, lambda: 0.0, Cells(), 0)
    instruments.endpoint("/predict").arrive("request", 0.0)
    instruments.endpoint("/predict").leave("request", 0.1, None)
    seen = series(instruments.board)
    assert seen["requests_total", "/predict"] == 1
    assert seen["request_latency_seconds_count", "/predict"] == 0
    assert seen["requests_in_flight", "/predict"] == 0
    assert seen["feature_out_of_range_total", NAMES[0]] == 0


def test_more_cells_than_there_are_is_an_error_at_the_start() -> None:
    with pytest.raises(ValueError, match=f"more than {CELLS} cells"):
        CellCollector(Cells(), 0).counter("many", "", "label", map(str, range(CELLS + 1)))
