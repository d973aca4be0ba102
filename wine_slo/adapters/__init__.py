"""The edge: one module for one outside thing, one door for one library."""

import sys

# The command line of httpx, which python-telegram-bot uses and nobody calls: 4 MB of rich, pygments and click.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # as if its extra were not installed
