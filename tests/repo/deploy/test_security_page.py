"""What docs/explanation/security.md says is shown by a test is: each test that it names is there."""

import re

import pytest

from tests.repo.deploy.checks import ROOT

PAGE = (ROOT / "docs" / "explanation" / "security.md").read_text()
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)))


@pytest.mark.parametrize(("path", "name"), NAMED, ids=[name for _, name in NAMED])
def test_a_test_that_is_named_is_there(path: str, name: str) -> None:
    assert re.search(rf"^(async )?def {name}\(", (ROOT / path).read_text(), flags=re.MULTILINE)


def test_every_actor_has_a_test_or_is_the_operator() -> None:
    rows = [line.split(" | ") for line in PAGE.splitlines() if line.startswith("| ") and line.count(" | ") == 4]
    assert len(rows) > 15
    trusted = ("who writes ", "actor")
    assert [row[0] for row in rows if "`" not in row[4] and not row[0].removeprefix("| ").startswith(trusted)] == []
