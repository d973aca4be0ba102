"""Counts of several worker processes in one place: prometheus_client's multiprocess mode.

Each worker writes files of its own in a folder, and a scrape of any worker adds them up. A worker is known by its
number and not by its process id: whoever takes its place continues its counters, so that they never fall and the
folder does not grow.
"""

import os
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from time import sleep

from prometheus_client import multiprocess, values
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

ATTEMPTS, PAUSE = 5, 0.002  # seconds; blocks the event loop for as long
FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # where prometheus_client finds the folder


def share(folder: Path, worker: int) -> None:
    """Keep what this process counts from now on in files that other workers read.

    Args:
        folder: the same for all workers; empty when the first of them starts.
        worker: the number of this one.
    """
    os.environ[FOLDER] = str(folder)  # noqa: TID251  # the library takes it from nowhere else
    values.ValueClass = values.MultiProcessValue(lambda: worker)  # type: ignore[no-untyped-call]


def forget(folder: Path, worker: int) -> None:
    """Remove what a worker that has ended was doing at its end: its gauges, not its counters."""
    multiprocess.mark_process_dead(worker, folder)  # type: ignore[no-untyped-call]


class SharedCounts(Collector):
    """The sums over all workers."""

    def __init__(self, folder: Path) -> None:
        self._files = multiprocess.MultiProcessCollector(None, str(folder))  # type: ignore[no-untyped-call]

    def collect(self) -> Iterator[Metric]:
        """Return each metric."""
        for _ in range(ATTEMPTS):
            with suppress(struct.error):  # a file that another worker makes at this moment is still empty
                yield from self._files.collect()  # type: ignore[no-untyped-call]
                return
            sleep(PAUSE)
        yield from self._files.collect()  # type: ignore[no-untyped-call]
