"""`wine-slo init --example` copies what is to be edited, and overwrites nothing that is there."""

import stat
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from wine_slo.cli import app

ROOT = Path(__file__).parents[4]
COPIED = ("config/slo.yml", "slo.schema.json", "prometheus.yml")


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path) -> Iterator[None]:
    with chdir(tmp_path):
        yield


def init(*more: str) -> Result:
    return CliRunner().invoke(app, ["init", "--example", *more])


def test_the_files_of_the_service_are_copied_and_can_be_used() -> None:
    said = init()
    assert (said.exit_code, said.stderr) == (0, "")
    assert said.stdout == (
        "config/slo.yml, slo.schema.json, prometheus.yml and .env are written.\n"
        "Next, each in a terminal of its own:\n"
        "  prometheus --config.file=prometheus.yml\n"
        "  wine-slo server\n"
        "  wine-slo watchdog\n"
    )
    assert {each: Path(each).read_text() == (ROOT / each).read_text() for each in COPIED} == dict.fromkeys(COPIED, True)
    assert Path(".env").read_text() == (ROOT / ".env.example").read_text()
    assert stat.S_IMODE(Path(".env").stat().st_mode) == 0o600
    assert CliRunner().invoke(app, ["validate", "config/slo.yml"]).exit_code == 0


def test_a_file_that_is_there_is_overwritten_by_force_alone_and_settings_never() -> None:
    Path("prometheus.yml").write_text("mine\n")
    Path(".env").write_text("WINE_SLO_PORT=1\n")
    said = init()
    assert (said.exit_code, said.stderr) == (2, "prometheus.yml exists; --force overwrites it\n")
    assert not Path("config/slo.yml").exists()
    said = init("--force")
    assert said.exit_code == 0
    assert said.stdout.startswith(
        "config/slo.yml, slo.schema.json and prometheus.yml are written. .env is left as it is.\n"
    )
    assert Path("prometheus.yml").read_text() == (ROOT / "prometheus.yml").read_text()
    assert Path(".env").read_text() == "WINE_SLO_PORT=1\n"


def test_a_folder_that_cannot_be_made_is_a_sentence() -> None:
    Path("config").write_text("a file\n")
    said = init()
    assert (said.exit_code, said.stderr) == (2, "config cannot be made: File exists\n")


@pytest.mark.parametrize(
    "more", ["--output=mine.yml", "--from=rules.yml", "--prometheus=http://example.org", "mine.yml"]
)
def test_an_option_that_would_do_nothing_is_refused(more: str) -> None:
    said = init(more)
    assert said.exit_code == 2
    assert "beside it stands --force alone" in " ".join(said.stderr.replace("│", " ").split())
    assert not Path("config").exists()
