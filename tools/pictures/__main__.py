"""Makes the pictures of docs/images from real runs: `python -m tools.pictures` (`make pictures`), or some by name.

`form` and `charts` take seconds, `terminal` two minutes, and `watchdog` a quarter of an hour, most of which is usual
traffic, so that the charts have something to show. The dashboards have a command of their own:
`make dashboard-preview`.
"""

import argparse
import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from tools.pictures import charts, form, terminal, watchdog

GROUPS: dict[str, Callable[[Path], Awaitable[None]]] = {
    "form": form.draw,
    "charts": charts.draw,
    "terminal": terminal.draw,
    "watchdog": watchdog.draw,
}


async def main() -> None:
    """Draw those that are named, else all."""
    parser = argparse.ArgumentParser(prog="python -m tools.pictures", description=__doc__)
    parser.add_argument("groups", nargs="*", metavar="group", help=f"{', '.join(GROUPS)}; all, if none is named")
    groups = parser.parse_args().groups or list(GROUPS)
    if unknown := set(groups) - GROUPS.keys():
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(GROUPS)}")
    for group in groups:
        print(f"{group}:", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            await GROUPS[group](Path(folder))


asyncio.run(main())
