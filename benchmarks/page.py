"""The page of what was measured: each benchmark writes its part, between two marks."""

import os
import platform
from datetime import UTC, datetime
from pathlib import Path

from tests.support.real.prometheus import version

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"


def today() -> str:
    """Return the day, and on what it was measured; every benchmark but that of serving has a Prometheus."""
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, Prometheus {version()}"
    return f"{datetime.now(UTC):%Y-%m-%d}, {machine}"


def write(name: str, about: str, figures: str) -> None:
    """Put what the benchmark of this name has found into the page, in place of what it found before."""
    begin, end = f"<!-- {name}: written by `make benchmark-{name}` -->", f"<!-- {name}: end -->"
    before, found, rest = PAGE.read_text().partition(begin)
    _, ended, after = rest.partition(end)
    if not (found and ended):
        raise ValueError(f"{PAGE} has no part for {name}, or no end of it")
    PAGE.write_text(f"{before}{begin}\n{about}\n\n{figures}\n{end}{after}")
