"""The map of the code is the code's."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_every_module_has_its_place_on_the_map_and_only_one() -> None:
    rows = [line for line in (ROOT / "docs" / "house.md").read_text().splitlines() if line.startswith("|")]
    listed = [name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[2])]
    there = [path.stem for path in (ROOT / "wine_slo").rglob("*.py") if not path.stem.startswith("__")]
    assert sorted(listed) == sorted(there)
