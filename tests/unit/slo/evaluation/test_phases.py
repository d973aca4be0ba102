"""The table of the phases: what it allows, and the picture of it in the documentation."""

from pathlib import Path

import pytest

from wine_slo.slo.evaluation.phases import TRANSITIONS, Event, Phase, after, diagram

DOCS = Path(__file__).parents[4] / "docs"


@pytest.mark.parametrize("page", ["house.md", "explanation/judgement.md"])
def test_the_documentation_shows_the_table_as_it_is(page: str) -> None:
    assert f"```mermaid\n{diagram()}\n```" in (DOCS / page).read_text(encoding="utf-8")


@pytest.mark.parametrize("event", Event)
def test_every_event_moves_some_phase(event: Event) -> None:
    assert any(each is event for _, each in TRANSITIONS)


@pytest.mark.parametrize(
    ("phase", "event"),
    [(phase, event) for phase in Phase for event in Event if (phase, event) not in TRANSITIONS],
)
def test_an_event_that_the_table_does_not_have_moves_nothing(phase: Phase, event: Event) -> None:
    assert after(phase, event) is phase


def test_an_incident_opens_only_by_proof_and_closes_only_by_proof_or_expiry() -> None:
    opening = {event for (before, event), then in TRANSITIONS.items() if then.is_open and not before.is_open}
    closing = {event for (before, event), then in TRANSITIONS.items() if before.is_open and not then.is_open}
    assert opening == {Event.PROVEN, Event.BURNING}
    assert closing == {Event.RECOVERED, Event.EXPIRED, Event.BURN_ENDED}


def test_no_phase_is_written_but_from_the_table() -> None:
    sources = (Path(__file__).parents[4] / "wine_slo" / "slo" / "evaluation").glob("*.py")
    written = [
        f"{source.name}: {line.strip()}"
        for source in sources
        for line in source.read_text(encoding="utf-8").splitlines()
        if "phase=Phase." in line.replace(" ", "")
    ]
    assert not written
