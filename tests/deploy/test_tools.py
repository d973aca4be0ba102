"""The tools that know these formats have nothing to say against the files, and do against what is wrong."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.checks import COMPOSE, COMPOSED_PROMETHEUS, DOCKERFILE, PROMETHEUS, ROOT, UNITS
from tests.real.prometheus import program

PYTHON = Path(sys.executable).parent
SCHEMA = (PYTHON / "check-jsonschema", "--builtin-schema", "vendor.compose-spec")


def run(*command: str | Path, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(list(map(str, command)), cwd=folder, capture_output=True, text=True, check=False)


def compose(folder: Path) -> subprocess.CompletedProcess[str]:
    return run(program("docker-compose"), "config", "-q", folder=folder)


def test_compose_reads_its_file() -> None:
    read = compose(ROOT)
    assert (read.returncode, read.stdout, read.stderr) == (0, "", "")


def test_compose_refuses_what_is_not_declared(tmp_path: Path) -> None:
    (tmp_path / COMPOSE).write_text((ROOT / COMPOSE).read_text().replace("- grafana:/var", "- graphs:/var"))
    assert "graphs" in compose(tmp_path).stderr


def test_the_compose_file_is_of_the_published_schema(tmp_path: Path) -> None:
    checked = run(*SCHEMA, COMPOSE)
    assert checked.returncode == 0, checked.stdout
    (tmp_path / COMPOSE).write_text((ROOT / COMPOSE).read_text().replace("mem_limit:", "memory_limit:"))
    assert run(*SCHEMA, COMPOSE, folder=tmp_path).returncode != 0


def test_hadolint_has_nothing_against_the_dockerfile(tmp_path: Path) -> None:
    linted = run(PYTHON / "hadolint", DOCKERFILE)
    assert (linted.returncode, linted.stdout) == (0, "")
    (tmp_path / DOCKERFILE).write_text((ROOT / DOCKERFILE).read_text().replace("FROM ${PYTHON_IMAGE}", "FROM python"))
    assert run(PYTHON / "hadolint", DOCKERFILE, folder=tmp_path).returncode != 0


@pytest.mark.parametrize("path", [PROMETHEUS, COMPOSED_PROMETHEUS])
def test_prometheus_reads_its_configuration(path: str, tmp_path: Path) -> None:
    checked = run(program("promtool"), "check", "config", path)
    assert checked.returncode == 0, checked.stderr
    (tmp_path / "prometheus.yml").write_text((ROOT / path).read_text().replace("targets:", "target:"))
    assert run(program("promtool"), "check", "config", "prometheus.yml", folder=tmp_path).returncode != 0


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd here")
def test_systemd_reads_the_units(tmp_path: Path) -> None:
    for unit in (ROOT / UNITS).glob("*.service"):  # as if this folder were where they say the project is
        (tmp_path / unit.name).write_text(unit.read_text().replace("/opt/wine-slo", str(ROOT)))
    units = sorted(tmp_path.glob("*.service"))
    assert len(units) == 3
    verified = run("systemd-analyze", "verify", "--man=no", *units)
    assert (verified.returncode, verified.stderr) == (0, "")
    units[0].write_text(units[0].read_text().replace("NoNewPrivileges", "NoNewPrivilege"))
    assert "NoNewPrivilege" in run("systemd-analyze", "verify", "--man=no", *units).stderr


@pytest.mark.parametrize("secret", ["secrets/token", ".env", ".env.local", "data/watchdog.db"])
def test_git_takes_no_secret_and_no_database(secret: str) -> None:
    assert run("git", "check-ignore", secret).returncode == 0


def test_git_takes_the_example_of_the_settings() -> None:
    assert run("git", "check-ignore", ".env.example").returncode == 1
