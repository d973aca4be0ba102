"""What one that stands by knows of the leader's work: as old as it may be, and never green without evidence."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.scene import AVAILABILITY, LATENCY, Scene
from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.monitor.standby.view import StandbyView
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.objectives.objective import Objectives
from wine_slo.slo.source.clocks import WallTime
from wine_slo.slo.views.status import Process, status_of
from wine_slo.slo.views.status_schema import Judgement

OURS = datetime(2036, 6, 6, tzinfo=UTC)  # a clock that is years from the leader's
POLL = timedelta(seconds=30)


class Standby:
    """A view of a ledger, and the clocks of its machine."""

    def __init__(self, ledger: Ledger, scene: Scene) -> None:
        self.steady = 1000.0
        self.view = StandbyView(ledger, scene.objectives, lambda: WallTime(OURS), lambda: self.steady)

    def judgements(self) -> set[Judgement]:
        overdue = 3 * POLL if self.view.is_followed else timedelta(-1)
        process = Process(version="1", poll=POLL, overdue_after=overdue, has_readings=False)
        status = status_of(self.view.state, self.view.objectives, self.view.now(), process)
        return {each.verdict for each in status.objectives}


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'watchdog.db'}")
    yield ledger
    ledger.close()


@pytest.fixture
def scene(ledger: Ledger) -> Scene:
    """What the leader has written: everything is met."""
    scene = Scene()
    scene.has(0.0, 60)
    ledger.save(State(), scene.state)
    return scene


def evaluates(ledger: Ledger, scene: Scene) -> None:
    before = scene.state
    scene.has(0.0, 10)
    ledger.save(before, scene.state)


async def test_nothing_is_met_before_the_leader_was_seen_to_write(ledger: Ledger, scene: Scene) -> None:
    standby = Standby(ledger, scene)
    await standby.view.read()
    assert Judgement.MET not in standby.judgements(), "that may be of last year"
    standby.steady += 5
    evaluates(ledger, scene)
    await standby.view.read()
    assert standby.judgements() == {Judgement.MET}


async def test_what_the_leader_wrote_grows_old_by_the_standbys_own_clock(ledger: Ledger, scene: Scene) -> None:
    standby = Standby(ledger, scene)
    await standby.view.read()
    standby.steady += 5
    evaluates(ledger, scene)
    await standby.view.read()
    assert standby.view.now() == scene.now + timedelta(seconds=5), "it was written after the read before"
    standby.steady += 100
    await standby.view.read()
    assert Judgement.MET not in standby.judgements()


async def test_a_ledger_that_cannot_be_read_is_said_and_what_was_known_grows_old(
    ledger: Ledger, scene: Scene, tmp_path: Path
) -> None:
    standby = Standby(ledger, scene)
    await standby.view.read()
    with sqlite3.connect(tmp_path / "watchdog.db") as connection:
        connection.execute("UPDATE tracks SET value = '{'")
    connection.close()
    await standby.view.read()
    assert "cannot be read" in standby.view.trouble
    assert standby.view.state.tracks == scene.state.tracks


async def test_objectives_that_only_the_leader_has_are_named_once_as_a_takeover_would_end_them(
    ledger: Ledger, scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    standby = Standby(ledger, scene)
    await standby.view.read()
    assert standby.view.lacks == ""
    standby.view.objectives = Objectives.only(AVAILABILITY)  # of its own file, read anew
    await standby.view.read()
    evaluates(ledger, scene)
    await standby.view.read()
    sentence = f"the leader evaluates {LATENCY.name}, which slo.yml here lacks: a takeover would end that"
    assert standby.view.lacks == sentence
    assert caplog.messages == [sentence]
