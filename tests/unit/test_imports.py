"""What each process loads at its start: nothing big that it does not use."""

import subprocess
import sys

import pytest

LISTED = "import sys, {module}; print(*{{each.partition('.')[0] for each, found in sys.modules.items() if found}})"
TOOLS = {"babel", "click", "pygments", "rich", "typer"}  # of the command line and of developers
DRAWING = {"matplotlib", "numpy", "PIL"}  # a process of its own has them
OTHERS = {
    "wine_slo.watchdog": {*TOOLS, *DRAWING, "sklearn", "joblib"},
    "wine_slo.server": {*TOOLS, "matplotlib", "telegram", "sqlalchemy", "httpx", "apscheduler"},
}


@pytest.mark.parametrize("module", OTHERS)
def test_a_process_loads_no_library_that_it_does_not_use(module: str) -> None:
    command = [sys.executable, "-c", LISTED.format(module=module)]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert "aiohttp" in loaded
    assert OTHERS[module] & {*loaded} == set()
