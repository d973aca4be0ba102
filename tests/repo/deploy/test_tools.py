"""The tools that know these formats have nothing to say against the files, and do against what is wrong."""

import hashlib
import json
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import pytest

from tests.repo.deploy.checks import COMPOSE, COMPOSED_PROMETHEUS, DOCKERFILE, PROMETHEUS, ROOT, UNITS
from tests.support.real.prometheus import program
from wine_slo import metric_names

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


def test_two_watchdogs_under_compose_differ_by_their_addresses_alone_and_share_a_database() -> None:
    files = ("-f", COMPOSE, "-f", "deploy/two-watchdogs/compose.yml")
    command = ("env", "POSTGRES_PASSWORD=secret", program("docker-compose"), *files, "config", "--format", "json")
    services = json.loads(run(*command).stdout)["services"]
    first, second, database = services["watchdog"], services["standby"], services["postgres"]
    differs = {each for each in first | second if first.get(each) != second.get(each)}
    assert differs == {"build", "environment", "ports"}
    settings = first["environment"].items() ^ second["environment"].items()
    assert {name for name, _ in settings} == {"WINE_SLO_ALLOWED_HOSTS"}
    assert first["environment"]["WINE_SLO_STANDBY"] == "true"
    url = urlsplit(first["environment"]["WINE_SLO_DATABASE_URL"])
    assert (url.scheme, url.hostname, url.username) == ("postgresql+psycopg", "postgres", "wine_slo")
    assert {url.password} == {database["environment"]["POSTGRES_PASSWORD"]} == {"secret"}
    assert {url.username} == {database["environment"]["POSTGRES_USER"]}
    assert first["ports"][0]["published"] != second["ports"][0]["published"]
    hardened = (
        "read_only",
        "cap_drop",
        "security_opt",
        "pids_limit",
        "logging",
        "restart",
        "mem_limit",
        "memswap_limit",
    )
    assert {each: database[each] for each in hardened} == {each: first[each] for each in hardened}
    assert "ports" not in database, "nobody but the watchdogs needs it"
    without = run(*command[2:])
    assert "POSTGRES_PASSWORD is missing a value: set it in .env" in without.stderr


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


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def mirror(folder: Path) -> Iterator[str]:
    """Serve a folder; the address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.skipif(platform.system() != "Linux", reason="elsewhere another way comes first")
@pytest.mark.parametrize("wanted", ["prometheus", "alertmanager"])
def test_a_mirror_that_serves_another_release_and_its_sum_is_refused(wanted: str, tmp_path: Path) -> None:
    bare = tmp_path / "bin"  # where neither Debian's package nor one that is installed can be had
    bare.mkdir()
    for name in ("sh", "curl", "awk", "tr", "uname", "sha256sum", "cut", "tar", "mkdir", "dirname", "rm", "head", "ln"):
        (bare / name).symlink_to(shutil.which(name) or name)
    machine = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
    release = {"prometheus": "3.13.4", "alertmanager": "0.28.1"}[wanted]
    file = tmp_path / f"v{release}" / f"{wanted}-{release}.linux-{machine}.tar.gz"
    file.parent.mkdir()
    file.write_bytes(b"malice")
    sum_ = hashlib.sha256(b"malice").hexdigest()
    (file.parent / "sha256sums.txt").write_text(f"{sum_}  {file.name}\n")
    with mirror(tmp_path) as url:
        got = subprocess.run(
            ["sh", ROOT / "tools" / "get_prometheus.sh", tmp_path / "tools", wanted],
            env={"PATH": str(bare), "PROMETHEUS_RELEASES": url, "NO_PROXY": "127.0.0.1"},
            capture_output=True,
            text=True,
            check=False,
        )
    assert got.returncode == 1
    assert "it was not unpacked" in got.stderr or "a mirror cannot be checked" in got.stderr
    assert not list((tmp_path / "tools").glob("*.tar.gz"))


def test_the_sums_are_of_the_release_that_compose_runs() -> None:
    script, compose = (ROOT / "tools/get_prometheus.sh").read_text(), (ROOT / COMPOSE).read_text()
    assert "prometheus-3.13.4.linux-amd64.tar.gz" in script
    assert "release=3.13.4" in script
    assert "prom/prometheus:v3.13.4@" in compose


def test_what_npm_installs_is_locked_with_hashes() -> None:
    lock = json.loads((ROOT / "tools/preview/package-lock.json").read_text())
    wanted = json.loads((ROOT / "tools/preview/package.json").read_text())["dependencies"]
    assert lock["packages"][""]["dependencies"] == wanted
    assert [name for name, package in lock["packages"].items() if name and "integrity" not in package] == []
    assert "npm ci" in (ROOT / "Makefile").read_text()


def test_promtool_accepts_the_rules_about_the_watchdog_and_each_fires_when_it_should() -> None:
    rules, tests = ROOT / "deploy" / "rules" / "watchdog.yml", ROOT / "deploy" / "rules" / "watchdog_test.yml"
    checked = run(program("promtool"), "check", "rules", rules)
    assert checked.returncode == 0, checked.stderr
    tested = run(program("promtool"), "test", "rules", tests)
    assert tested.returncode == 0, tested.stderr
    alerts = re.findall(r"alert: (\w+)", rules.read_text())
    page = (ROOT / "docs" / "how-to" / "operations.md").read_text()
    assert [each for each in alerts if each not in tests.read_text()] == []
    assert re.findall(r"^\| (Watchdog\w+) \|", page, re.MULTILINE) == alerts


def test_every_metric_in_the_rules_is_one_that_the_watchdog_exports() -> None:
    text = (ROOT / "deploy" / "rules" / "watchdog.yml").read_text()
    used = {each.removesuffix("_bucket") for each in re.findall(r"\b((?:watchdog|slo)_\w+)\{", text)}
    assert len(used) > 5
    assert used - {each for each in vars(metric_names).values() if isinstance(each, str)} == set()
