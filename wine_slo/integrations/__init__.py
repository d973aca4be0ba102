"""One folder or module for each outside thing."""

import sys

# The command line of httpx, which nobody calls: 4 MB of rich, pygments and click. It is left out here, above all that
# imports httpx, as the first import decides.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # as if its extra were not installed
