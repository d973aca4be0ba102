"""GitHub Actions runs targets of the Makefile, by actions that are pinned, with no more rights than it needs."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.repo.deploy.checks import MAKEFILE, ROOT

GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
FORMS = sorted(each for each in (GITHUB / "ISSUE_TEMPLATE").glob("*.yml") if each.stem != "config")
SCHEMAS = {
    "vendor.github-workflows": WORKFLOWS,
    "vendor.dependabot": [GITHUB / "dependabot.yml"],
    "vendor.github-issue-forms": FORMS,
    "vendor.github-issue-config": [GITHUB / "ISSUE_TEMPLATE" / "config.yml"],
    "vendor.citation-file-format": [ROOT / "CITATION.cff"],
}
PINNED = re.compile(r"uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
# pull_request_target would run others' code with our rights.
TRIGGERS = {"pull_request", "push", "schedule", "workflow_dispatch"}
WIDEST = {"contents": "read", "packages": "write", "pages": "write", "id-token": "write"}

of_each = pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda each: each.stem)


def content(path: Path) -> dict[Any, Any]:
    read: dict[Any, Any] = yaml.safe_load(path.read_text())
    return read


@of_each
def test_every_action_is_pinned_by_its_commit_and_says_its_version(workflow: Path) -> None:
    used = [line.strip().removeprefix("- ") for line in workflow.read_text().splitlines() if "uses:" in line]
    assert used
    assert [each for each in used if not PINNED.fullmatch(each)] == []


def test_an_action_has_one_version_everywhere() -> None:
    pins = re.findall(r"uses: (\S+)@(.+)", "\n".join(each.read_text() for each in WORKFLOWS))
    assert len(dict(pins)) == len(set(pins))


@of_each
def test_a_workflow_reads_and_a_job_says_what_it_may_besides(workflow: Path) -> None:
    read = content(workflow)
    assert read["permissions"] == {"contents": "read"}
    assert read[True].keys() <= TRIGGERS  # YAML 1.1 reads the key `on` as true
    for job in read["jobs"].values():
        assert job.get("permissions", {}).items() <= WIDEST.items()
        checkouts = [each for each in job["steps"] if each.get("uses", "").startswith("actions/checkout@")]
        assert all(each["with"]["persist-credentials"] is False for each in checkouts)


@of_each
def test_a_workflow_ends_in_time_and_a_newer_push_ends_an_older_run(workflow: Path) -> None:
    read = content(workflow)
    assert "github.ref" in read["concurrency"]["group"]
    assert all(0 < job["timeout-minutes"] <= 60 for job in read["jobs"].values())


@of_each
def test_a_workflow_runs_targets_that_the_makefile_has(workflow: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / MAKEFILE).read_text(), flags=re.MULTILINE))
    commands = [step["run"] for job in content(workflow)["jobs"].values() for step in job["steps"] if "run" in step]
    made = {word for each in commands for word in re.findall(r"make ([a-z-]+)", each)}
    assert made - targets == set()
    assert all(each.startswith("make ") or "\n" not in each for each in commands)


def test_a_pull_request_that_touches_what_compose_runs_has_it_run() -> None:
    paths = content(GITHUB / "workflows" / "image.yml")[True]["pull_request"]["paths"]
    compose = (ROOT / "docker-compose.yml").read_text()
    mounted = re.findall(r"^ +- \./([\w/]+):", compose, flags=re.MULTILINE)
    assert {"Dockerfile", "docker-compose.yml", "tools/try_image.py", *(f"{each}/**" for each in mounted)} <= {
        *paths,
        "config/**",  # of the service, which `make test` starts
        "dashboards/provisioning/**",  # of dashboards/**
    }


def test_no_target_is_run_by_two_workflows() -> None:
    run = [
        step["run"]
        for each in WORKFLOWS
        for job in content(each)["jobs"].values()
        for step in job["steps"]
        if step.get("run", "").startswith("make ")
    ]
    assert len(run) == len(set(run))


def test_every_python_that_the_package_names_is_tested() -> None:
    named = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', (ROOT / "pyproject.toml").read_text())
    matrix = content(GITHUB / "workflows" / "ci.yml")["jobs"]["test"]["strategy"]["matrix"]
    assert matrix["python"] == named
    assert [each["machine"] for each in matrix["include"]] == ["arm64"]


@pytest.mark.parametrize("schema", SCHEMAS)
def test_files_that_others_read_are_of_the_published_schemas(schema: str, tmp_path: Path) -> None:
    assert SCHEMAS[schema]
    program = [
        str(Path(sys.executable).parent / "check-jsonschema"),
        "--default-filetype",
        "yaml",
        "--builtin-schema",
        schema,
    ]
    right = subprocess.run([*program, *map(str, SCHEMAS[schema])], capture_output=True, text=True, check=False)
    assert right.returncode == 0, right.stdout
    wrong = tmp_path / "wrong.yml"
    wrong.write_text("1: 2\n")
    assert subprocess.run([*program, str(wrong)], capture_output=True, check=False).returncode == 1
