"""How every request is answered: with an id, counted and timed, with one line in the log, and errors in words.

Errors are `application/problem+json` documents (RFC 9457); each has the id that its line in the log has. A client that
goes away before its answer is counted without a status: it is neither good nor bad.
"""

import itertools
import logging
import re
import secrets
from datetime import datetime
from time import perf_counter
from typing import Annotated, Any, Literal

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler
from msgspec import UNSET, Meta, UnsetType
from multidict import CIMultiDict

from wine_slo.http.guarded_server import Refuse
from wine_slo.http.problem import Problem, problem_of
from wine_slo.service.metrics.after_answers import AfterAnswers
from wine_slo.service.metrics.instruments import Endpoint
from wine_slo.service.metrics.timer import TIMER, Timer
from wine_slo.service.model.classifier import Engine

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")  # what of a client's own id may go into a log
UNMATCHED = "unmatched"  # the endpoint of whatever is no route of ours
LONGEST_PATH, LONGEST_METHOD = 200, 20  # letters of them in a log line
JSON_HEADERS = CIMultiDict(  # quick to copy
    {"Content-Type": "application/json", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
)
ENCODER = msgspec.json.Encoder()
LINE = "%(method)s %(path)s %(status)s %(milliseconds).2f ms %(request_id)s"

log = logging.getLogger("wine_slo.server")
_own_ids = itertools.count(1)
_run = secrets.token_hex(4)  # so that the ids of two runs differ


class ModelFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The model that serves."""

    version: str
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    trained_at: Annotated[datetime, Meta(tz=True)]
    sklearn: str
    engine: Engine


class Health(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether the service can classify wines, and with which model."""

    status: Literal["ok", "unavailable"]
    reason: Annotated[str, Meta(description="Why it is unavailable.")] | UnsetType = UNSET
    model: ModelFacts | UnsetType = UNSET
    version: Annotated[str, Meta(description="The service's.")]
    uptime_seconds: Annotated[float, Meta(ge=0)]


def json_response(content: Any, status: int = 200) -> web.Response:
    """Return an answer that nobody may keep."""
    return web.Response(body=ENCODER.encode(content), status=status, headers=JSON_HEADERS)


def observed(handler: Handler, endpoint: Endpoint, after: AfterAnswers) -> Handler:
    """Return the handler so that each request is counted and timed, has an id, and gets its line in the log.

    Not a middleware: that would wrap every request in two more coroutines, and search its endpoint each time.
    """

    async def observe(request: web.Request) -> web.StreamResponse:
        request_id = id_of(request)
        status = None
        request[TIMER] = timer = Timer(endpoint, request)
        try:
            try:
                response = await handler(request)
            except OSError:  # the client has gone away
                raise
            except Exception as error:  # noqa: BLE001  # whatever it is, someone waits for an answer
                response = explain(error, request_id)
            response.headers["X-Request-ID"] = request_id
            status = response.status
        finally:  # without a status where it was given up
            seconds = timer.end(status, after)
            after.do(log_answer, request, request_id, status, seconds)
        return response

    return observe


def log_answer(request: web.Request, request_id: str, status: int | None, seconds: float) -> None:
    """Log one line; without a status where the request was given up."""
    log.info(
        LINE,
        {
            "method": request.method[:LONGEST_METHOD],
            "path": request.raw_path[:LONGEST_PATH],
            "status": status or "given up",
            "milliseconds": seconds * 1000,
            "request_id": request_id,
        },
    )


def id_of(request: web.BaseRequest) -> str:
    """Return the request's own id, or a new one where it has none that may go into a log."""
    given = request.headers.get("X-Request-ID")
    return given if given and REQUEST_ID.fullmatch(given) else f"{_run}-{next(_own_ids)}"


def refused(endpoint: Endpoint) -> Refuse:
    """Return what answers, counts and logs a request that comes to no route: the parser or the door refuses it."""

    def refuse(request: web.BaseRequest, problem: Problem) -> web.Response:
        request_id = id_of(request)
        endpoint.arrive(request, perf_counter())
        endpoint.leave(request, 0.0, problem.status)
        log.info("refused: %s %s %s", problem.detail, problem.status, request_id)
        response = problem.document(request_id=request_id)
        response.headers["X-Request-ID"] = request_id
        return response

    return refuse


async def unmatched(request: web.Request) -> web.Response:
    """Respond that no route has this path, or none for this method."""
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
            problem = problem_of(error)
        case _:
            log.error("request %s failed", request_id, exc_info=error)
            problem = Problem(500, "a fault of ours; the log says more")
    return problem.document(request_id=request_id)
