"""Services that answer requests all the time, as their exporters show them; a process with a job on each path.

`python -m benchmarks.scale.exporter PORT ROUTES` serves `/JOB`, with so many routes, each a label set.
"""

import sys
import time

from aiohttp import web

BOUNDS = ("0.1", "0.5", "2.5", "+Inf")  # seconds
PER_SECOND = 10.0  # requests of each route, of which one in a thousand fails


def lines(routes: int) -> list[str]:
    """Return the series of a job, each but for its value."""
    found = []
    for number in range(routes):
        route = f'route="/{number}"'
        found += [f'http_request_duration_seconds_bucket{{{route},le="{bound}"}} ' for bound in BOUNDS]
        found += [f"http_request_duration_seconds_count{{{route}}} ", f'http_requests_total{{{route},code="200"}} ']
    return found


def app(routes: int, began: float) -> web.Application:
    """Return the exporters."""
    series = lines(routes)

    async def answer(_request: web.Request) -> web.Response:
        value = f"{int((time.time() - began) * PER_SECOND)}\n"
        failed = f'http_requests_total{{route="/0",code="500"}} {int((time.time() - began) / 100)}\n'
        return web.Response(text=value.join(series) + value + failed, content_type="text/plain")

    made = web.Application()
    made.router.add_get("/{job}", answer)
    return made


if __name__ == "__main__":
    port, count = map(int, sys.argv[1:])
    web.run_app(app(count, time.time()), host="127.0.0.1", port=port, print=None, access_log=None)
