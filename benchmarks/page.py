"""The page of what was measured: each benchmark writes its part, between two marks."""

import os
import platform
from datetime import UTC, datetime
from pathlib import Path

from tests.support.real.prometheus import version
from tools import marked

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"


def today() -> str:
    """Return the day, and on what it was measured; every benchmark but that of serving has a Prometheus."""
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, Prometheus {version()}"
    return f"{datetime.now(UTC):%Y-%m-%d}, {machine}"


def write(name: str, about: str, figures: str) -> None:
    """Put what the benchmark of this name has found into the page, in place of what it found before."""
    begin, end = f"<!-- {name}: written by `make benchmark-{name}` -->", f"<!-- {name}: end -->"
    PAGE.write_text(marked.put(PAGE.read_text(), begin, end, f"{about}\n\n{figures}"))
