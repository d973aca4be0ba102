"""The command line: what `--help` says, word for word, and how an exit status is given."""

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.support.real.prometheus import free_port
from wine_slo.cli import app

GOLDEN = Path(__file__).parents[1] / "support" / "golden"
VERBS = ("check", "doctor", "drill", "status")
HELPED = (*VERBS, "init", "replay", "suggest", "validate")


@pytest.mark.parametrize("verb", HELPED)
def test_help_reads_as_it_was_agreed(verb: str) -> None:
    """`WINE_SLO_WRITE_GOLDEN=1` writes them anew."""
    said = CliRunner().invoke(app, [verb, "--help"], prog_name="wine-slo", env={"COLUMNS": "100"}, terminal_width=100)
    lines = "".join(f"{line.rstrip()}\n" for line in said.stdout.splitlines())
    path = GOLDEN / f"help-{verb}.txt"
    if os.environ.get("WINE_SLO_WRITE_GOLDEN"):
        path.write_text(lines)
    assert lines == path.read_text()


def test_a_watchdog_that_is_away_is_a_sentence_and_3() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    said = CliRunner().invoke(app, ["status"], env={"WINE_SLO_WATCHDOG_URL": url})
    assert said.exit_code == 3
    assert said.stderr == f"the watchdog at {url} cannot be reached: is it running?\n"
    said = CliRunner().invoke(app, ["status", "--json"], env={"WINE_SLO_WATCHDOG_URL": url})
    assert said.exit_code == 3
    assert said.stdout == f'{{\n  "trouble": "the watchdog at {url} cannot be reached: is it running?"\n}}\n'


@pytest.mark.parametrize("verb", ["check", "drill", "status"])
def test_a_wrong_setting_is_a_sentence_and_2(verb: str) -> None:
    said = CliRunner().invoke(app, [verb], env={"WINE_SLO_WATCHDOG_URL": "nowhere"})
    assert said.exit_code == 2
    assert said.stderr.startswith("WINE_SLO_WATCHDOG_URL is 'nowhere'; wanted: the root of the watchdog")


def test_a_drill_of_what_is_no_latency_is_refused() -> None:
    said = CliRunner().invoke(app, ["drill", "--objective", "errors"])
    assert said.exit_code == 2
    assert said.stderr == (
        "there is no objective of the kind latency that a drill through /sleep could break; `drill:` in slo.yml names "
        "a URL or two commands that break another one\n"
    )


def test_files_of_objectives_are_validated_without_settings_or_prometheus(tmp_path: Path) -> None:
    right, wrong = tmp_path / "right.yml", tmp_path / "wrong.yml"
    right.write_text("job: a\nobjectives:\n  - {name: up, kind: up, objective: 0.99}\n")
    wrong.write_text("job: a\nobjectives:\n  - {name: up, kind: up, objective: 99}\n  - {name: b}\n")
    settings = {"WINE_SLO_WATCHDOG_URL": "nowhere"}
    said = CliRunner().invoke(app, ["validate", str(right)], env=settings)
    assert (said.exit_code, said.stdout, said.stderr) == (0, f"{right}: up\n", "")
    said = CliRunner().invoke(app, ["validate", str(right), str(wrong), str(tmp_path / "none.yml")], env=settings)
    assert (said.exit_code, said.stdout) == (2, f"{right}: up\n")
    mistakes = [
        f"{wrong}:3: objectives.0.objective is 99, a percentage; write 0.99",
        f"{wrong}:4: objectives.1 needs a kind: latency, ratio, gauge or up",
        f"{wrong}:4: objectives.1.objective is missing",
    ]
    assert said.stderr.splitlines() == [*mistakes, f"{tmp_path}/none.yml cannot be read: No such file or directory"]
    said = CliRunner().invoke(app, ["validate", "--json", str(right), str(wrong)], env=settings)
    assert said.exit_code == 2
    document = json.loads(said.stdout)
    assert document["objectives"] == {str(right): ["up"]}
    assert document["mistakes"] == mistakes
    main = tmp_path / "slo.yml"
    main.write_text("include: [right.yml]\n")
    said = CliRunner().invoke(app, ["validate", str(main)], env=settings)
    assert (said.exit_code, said.stdout, said.stderr) == (0, f"{main}: up\n", "")
    main.write_text("include: [right.yml, wrong.yml]\n")
    said = CliRunner().invoke(app, ["validate", str(main)], env=settings)
    assert said.exit_code == 2
    repeated = f"{wrong}:3: objectives.0.name is 'up', as another objective's is, {right}:3"
    assert sorted(said.stderr.splitlines()) == sorted([*mistakes, repeated])
