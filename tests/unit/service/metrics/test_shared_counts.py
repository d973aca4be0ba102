import os
from pathlib import Path
from threading import Timer

import pytest
from prometheus_client import values

from tests.support.exposition import exposed
from wine_slo.service.metrics import shared_counts
from wine_slo.service.metrics.instruments import ServerInstruments

ENDPOINTS = {"/predict": (200, 422), "/health": (200,)}
NOW = 100.0


@pytest.fixture(autouse=True)
def _usual_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have this process count for itself again after the test."""
    monkeypatch.setattr(values, "ValueClass", values.ValueClass)
    monkeypatch.setenv(shared_counts.FOLDER, "")


def worker(folder: Path, number: int) -> ServerInstruments:
    """Return what a worker counts with."""
    shared_counts.share(folder, number)
    return ServerInstruments(ENDPOINTS, lambda: NOW, folder)


def test_workers_are_added_up(tmp_path: Path) -> None:
    workers = [worker(tmp_path, number) for number in range(2)]
    for each in workers:
        each.endpoint("/predict").arrive("request", 90.0)
        each.endpoint("/predict").leave("request", 10.0, 200)
        each.endpoint("/predict").arrive("request", 95.0)
    for each in workers:
        seen = exposed(each.registry)
        assert seen["requests_total", "/predict"] == 4
        assert seen["requests_in_flight", "/predict"] == 2
        assert seen["request_latency_seconds_bucket", "/predict", "10.0"] == 2
        assert seen["responses_total", "/predict", "200"] == 2
        assert seen["responses_total", "/predict", "422"] == 0


def test_the_oldest_open_request_of_any_worker_counts(tmp_path: Path) -> None:
    first, second = (worker(tmp_path, number) for number in range(2))
    ages = [exposed(first.registry)["oldest_request_age_seconds",]]
    for each, arrived in ((first, 95.0), (second, 93.0)):
        each.endpoint("/predict").arrive("request", arrived)
        ages.append(exposed(first.registry)["oldest_request_age_seconds",])
    second.endpoint("/predict").leave("request", 7.0, 200)
    ages.append(exposed(first.registry)["oldest_request_age_seconds",])
    assert ages == [0, 5, 7, 5]


def test_a_replaced_worker_keeps_its_counts_but_not_its_open_requests(tmp_path: Path) -> None:
    first, second = (worker(tmp_path, number) for number in range(2))
    for each in (first, second):
        each.endpoint("/predict").arrive("request", 95.0)
    files = {path.name for path in tmp_path.iterdir()}
    shared_counts.forget(tmp_path, 1)
    replaced = worker(tmp_path, 1)
    seen = exposed(replaced.registry)
    assert seen["requests_total", "/predict"] == 2
    assert seen["requests_in_flight", "/predict"] == 1
    replaced.endpoint("/predict").arrive("request", 99.0)
    assert exposed(first.registry)["requests_total", "/predict"] == 3
    assert {path.name for path in tmp_path.iterdir()} == files, "the folder grows with each replacement"
    assert os.environ[shared_counts.FOLDER] == str(tmp_path)


def test_a_single_process_and_workers_expose_the_same_series(tmp_path: Path) -> None:
    alone = exposed(ServerInstruments(ENDPOINTS, lambda: NOW).registry)
    among_workers = exposed(worker(tmp_path, 0).registry)
    assert among_workers.keys() == alone.keys()


def test_a_scrape_waits_for_a_file_that_another_worker_is_making(tmp_path: Path) -> None:
    first = worker(tmp_path, 0)
    made = tmp_path / "counter_1.db"
    made.touch()
    timer = Timer(0.003, os.truncate, [made, 65536])
    timer.start()
    assert exposed(first.registry)["requests_total", "/predict"] == 0
    timer.join()
