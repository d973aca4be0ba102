"""How every request is answered: with an id, counted and timed, with one line in the log, and errors in words.

Errors are `application/problem+json` documents (RFC 9457); each has the id that its line in the log has.
"""

import itertools
import logging
import re
import secrets
from http import HTTPStatus
from time import perf_counter
from typing import Any

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler
from multidict import CIMultiDict

from wine_slo.adapters.log_output import RepeatedMessage
from wine_slo.adapters.server_instruments import Endpoint

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")  # what of a client's own id may go into a log
LONGEST_PATH = 200  # letters of it in a log line
JSON_HEADERS = CIMultiDict({"Content-Type": "application/json", "Cache-Control": "no-store"})  # quick to copy
ENCODER = msgspec.json.Encoder()
TITLES = {status.value: status.phrase for status in HTTPStatus}
LINE = "%(method)s %(path)s %(status)s %(milliseconds).2f ms %(request_id)s"

log = logging.getLogger("wine_slo.server")
_own_ids = itertools.count(1)
_run = secrets.token_hex(4)  # so that the ids of two runs differ


class Problem(Exception):  # noqa: N818  # RFC 9457's word
    """An error that the client is told of."""

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None, **members: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.members = {"title": TITLES.get(status, "Server Error"), "status": status, "detail": detail, **members}
        self.headers = headers or {}


def json_response(content: Any, status: int = 200) -> web.Response:
    """Return an answer that nobody may keep."""
    return web.Response(body=ENCODER.encode(content), status=status, headers=JSON_HEADERS)


def observed(handler: Handler, endpoint: Endpoint) -> Handler:
    """Return the handler so that each request is counted and timed, has an id, and gets its line in the log.

    Not a middleware: that would wrap every request in two more coroutines, and look its endpoint up each time.
    """
    line = RepeatedMessage(log, logging.INFO, LINE)

    async def observe(request: web.Request) -> web.StreamResponse:
        given = request.headers.get("X-Request-ID")
        request_id = given if given and REQUEST_ID.fullmatch(given) else f"{_run}-{next(_own_ids)}"
        status = None
        started = perf_counter()
        endpoint.arrive(request, started)
        try:
            try:
                response = await handler(request)
            except Exception as error:  # noqa: BLE001  # whatever it is, someone waits for an answer
                response = explain(error, request_id)
            response.headers["X-Request-ID"] = request_id
            status = response.status
        finally:  # without a status where it was given up
            seconds = perf_counter() - started
            endpoint.leave(request, seconds, status)
            line.log(
                {
                    "method": request.method,
                    "path": request.raw_path[:LONGEST_PATH],
                    "status": status or "given up",
                    "milliseconds": seconds * 1000,
                    "request_id": request_id,
                }
            )
        return response

    return observe


async def unmatched(request: web.Request) -> web.Response:
    """Say that there is nothing here, or that there is but not for this method."""
    allowed: set[str] = set()
    for resource in request.app.router.resources():
        if resource is not request.match_info.route.resource:
            allowed |= (await resource.resolve(request))[1]
    if allowed:
        raise Problem(405, f"this is for {' and '.join(sorted(allowed))}", {"Allow": ", ".join(sorted(allowed))})
    raise Problem(404, "there is nothing here; /docs shows what is")


def explain(error: Exception, request_id: str) -> web.Response:
    """Return the problem document of an error; what we did not expect is logged."""
    match error:
        case Problem():
            problem = error
        case web.HTTPException():
            problem = Problem(error.status, error.text or error.reason)
        case _:
            log.error("request %s failed", request_id, exc_info=error)
            problem = Problem(500, "a fault of ours; the log says more")
    body = msgspec.json.encode({"type": "about:blank", **problem.members, "request_id": request_id})
    headers = {"Content-Type": "application/problem+json", "Cache-Control": "no-store", **problem.headers}
    return web.Response(body=body, status=problem.status, headers=headers)
