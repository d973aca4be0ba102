"""`wine-slo suggest` over a past that the real Prometheus holds."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import chdir
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from typer.testing import CliRunner

from tests.support.real.history import Chapter, History
from tests.support.real.prometheus import Prometheus, free_port, scraping
from wine_slo.cli import app

DAYS = 2
FILE = """
job: old
objectives:
  - name: latency
    kind: latency
    objective: 0.95
    threshold: 50ms
    histogram: request_latency_seconds
  - name: errors
    kind: ratio
    objective: 0.999
    bad: responses_total{job="old", status="500"}
    total: responses_total{job="old"}
  - {name: availability, kind: up, objective: 0.9}
  - {name: young, job: young, kind: up, objective: 0.99}
"""


@dataclass
class World:
    """A Prometheus that holds some days, and a folder to run commands in."""

    prometheus: Prometheus
    folder: Path

    def says(self, *options: str, **environment: str) -> tuple[int, str, str]:
        """The exit status of `wine-slo suggest`, and what it says on either output."""
        variables = {"WINE_SLO_PROMETHEUS_URL": self.prometheus.url, "WINE_SLO_OBJECTIVES": "slo.yml", "COLUMNS": "120"}
        with chdir(self.folder):
            done = CliRunner().invoke(app, ["suggest", *options], env=variables | environment, catch_exceptions=False)
        return done.exit_code, done.stdout, done.stderr


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("suggest")
    (folder / "slo.yml").write_text(FILE)
    prometheus = Prometheus(folder / "prometheus", scraping(every="1m"), retention="90d")
    until = datetime.now(UTC).replace(second=0, microsecond=0)
    slow_at, failed_at = timedelta(hours=20), timedelta(hours=30)
    chapters = (
        Chapter(since=timedelta(0), until=timedelta(days=DAYS), slow=0.002),
        Chapter(since=slow_at, until=slow_at + timedelta(minutes=30), slow=0.4),
        Chapter(since=failed_at, until=failed_at + timedelta(minutes=20), failed=0.3),
    )
    every = timedelta(minutes=1)
    for job, span in (("old", timedelta(days=DAYS)), ("young", timedelta(hours=2))):
        past = History(begins_at=until - span, duration=span + every, every=every, job=job, chapters=chapters)
        await asyncio.to_thread(past.write, prometheus.folder / "data")
    await prometheus.start()
    yield World(prometheus, folder)
    await prometheus.kill()


def test_numbers_that_the_past_would_have_kept_are_suggested_and_replayed(world: World) -> None:
    status, said, trouble = world.says("--json")
    assert (status, trouble) == (0, "")
    content = json.loads(said)
    found = content["objectives"]
    latency = found["latency"]
    assert latency["known_seconds"] == pytest.approx(DAYS * 86400, abs=3700)
    assert latency["now"]["alerts"] >= 1
    assert latency["suggested"] == {
        "threshold_seconds": 0.5, "objective": 0.99, "alerts": 1, "breach_minutes": pytest.approx(30, abs=5),
        "budget_left": pytest.approx(1 - (30 * 0.4 + DAYS * 1440 * 0.002) / (30 * 1440 * 0.01), abs=0.02),
    }  # fmt: skip
    assert {(each["threshold_seconds"], each["objective"]) for each in latency["counts"]} == {
        (bound, objective) for bound in (0.05, 0.5, 0.75, 1.0, 2.0) for objective in (0.95, 0.99)
    }
    assert found["errors"]["suggested"]["objective"] in (0.95, 0.99), "a thousandth is exceeded by far"
    assert found["availability"]["suggested"] | {"budget_left": None} == {
        "threshold_seconds": None, "objective": 0.999, "alerts": 0, "breach_minutes": 0.0, "budget_left": None,
    }  # fmt: skip
    assert found["young"]["suggested"] is None
    assert found["young"]["why_not"].endswith("are known, and 24 h with 100 events are needed at the least")


def test_a_suggestion_is_a_sentence_with_a_table(world: World) -> None:
    status, said, _ = world.says()
    lines = said.splitlines()
    assert status == 0
    assert lines[0].startswith("latency: 500ms at 99 % would have alerted once and left 9"), said
    assert lines[1].startswith("  now: 50ms at 95 % would have alerted once and left 9"), said
    assert [each.split()[0] for each in lines if "× bad" in each and "ms" in each] == ["50ms", "500ms", "750ms"]
    young = next(each for each in lines if each.startswith("young: "))
    assert re.match("young: no suggestion: (1 h [0-9]+ min|2 h) are known, and 24 h with 100 events are needed", young)


def test_without_a_file_what_is_discovered_is_judged(world: World) -> None:
    status, said, _ = world.says("--discover", "--json")
    assert status == 0
    assert json.loads(said)["objectives"]["old-latency"]["suggested"]["objective"] == 0.99


def test_a_prometheus_that_is_away_or_knows_nothing_is_a_sentence_and_3(world: World) -> None:
    status, _, trouble = world.says(WINE_SLO_PROMETHEUS_URL=f"http://127.0.0.1:{free_port()}")
    assert (status, trouble) == (3, "Prometheus: it cannot be reached (connection refused)\n")
    (world.folder / "other.yml").write_text("job: x\nobjectives:\n  - {name: up, kind: up, objective: 0.99}\n")
    status, _, trouble = world.says("--objectives", "other.yml")
    assert status == 3
    assert trouble.startswith("Prometheus knows nothing of x")
    assert world.says("--objectives", "none.yml")[0] == 2
