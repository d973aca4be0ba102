"""The service under watch: a model behind an API and a form, with its metrics.

`create_app` starts nothing; the model is loaded when the application starts. Where it cannot be, the process stays up
and says so at `/health`. Every error is an `application/problem+json` document (RFC 9457).
"""

import asyncio
import itertools
import logging
import os
import re
import secrets
import signal
import sys
from collections.abc import AsyncIterator
from http import HTTPStatus
from importlib.metadata import version
from time import perf_counter
from typing import Any

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from wine_slo.adapters import form_page, log_output, model_file, sample_body
from wine_slo.adapters.instruments import Cells, Endpoint, ServerInstruments
from wine_slo.domain.classifier import Model
from wine_slo.prediction import Predictor
from wine_slo.settings import ServerSettings, SettingsError, read

LARGEST_BODY = 1024 * 1024  # bytes
LONGEST_SLEEP = 10.0  # seconds
USUAL_SLEEP = 2.0  # seconds; twice the shipped latency objective
MOST_SLEEPERS = 100  # requests to /sleep at once
SHUTDOWN_TIMEOUT = LONGEST_SLEEP + 2  # seconds; what is being answered may end first
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")  # what of a client's own id may go into a log
LOG_LINE = "%(method)s %(path)s %(status)s %(milliseconds).2f ms %(request_id)s"
LOG_WAIT = 0.2  # seconds; nobody reads faster, and one write for many requests is a tenth of the cost
LONGEST_PATH = 200  # letters of it in a log line
UNMATCHED = "unmatched"  # the endpoint of whatever is no route of ours
SERVER_ERRORS = range(500, 600)
HTTP_PHRASES = {status.value: status.phrase for status in HTTPStatus}

MODEL = web.AppKey("MODEL", Model)
UNUSABLE = web.AppKey("UNUSABLE", str)  # why there is no model
PREDICTOR = web.AppKey("PREDICTOR", Predictor)
INSTRUMENTS = web.AppKey("INSTRUMENTS", ServerInstruments)
SETTINGS = web.AppKey("SETTINGS", ServerSettings)
SLEEPERS = web.AppKey("SLEEPERS", asyncio.Semaphore)
STARTED = web.AppKey("STARTED", float)

log = logging.getLogger("wine_slo.server")  # also when it is run as a script


def create_app(settings: ServerSettings, cells: Cells | None = None, worker: int = 0) -> web.Application:
    """Return the application; nothing runs before it is started.

    Args:
        settings: where the model is, and what is switched on.
        cells: where workers count together; None where there is only this one.
        worker: which of the workers this one is.
    """
    app = web.Application(client_max_size=LARGEST_BODY, middlewares=[observe])
    endpoints = {
        "/": (302,),
        "/health": (200, 503),
        "/ui": (200, 503),
        "/predict": (200, 400, 413, 415, 422, 500, 503),
        "/metrics": (200,),
        UNMATCHED: (404, 405),
    }
    if settings.sleep_enabled:
        endpoints |= {"/sleep": (200, 422, 429), "/fail": (422, 500, 502, 503, 504)}
        app.add_routes([web.get("/sleep", sleep), web.get("/fail", fail)])
    instruments = ServerInstruments(endpoints, perf_counter, cells or Cells(), worker)
    app[SETTINGS] = settings
    app[INSTRUMENTS] = instruments
    app[SLEEPERS] = asyncio.Semaphore(MOST_SLEEPERS)
    app[STARTED] = perf_counter()
    app.add_routes(
        [
            web.get("/", go_to_form),
            web.get("/health", health),
            web.get("/ui", show_form),
            web.post("/predict", predict),
            web.get("/metrics", instruments.expose),
        ]
    )
    app.cleanup_ctx.append(load_model)
    return app


async def load_model(app: web.Application) -> AsyncIterator[None]:
    """Load the model, or keep the reason why it cannot be."""
    try:
        model = model_file.load(app[SETTINGS].model)
    except model_file.ModelFileError as error:
        app[UNUSABLE] = str(error)
        log.error("no predictions: %s", error)  # noqa: TRY400  # the sentence is all there is to know
    else:
        app[MODEL] = model
        app[INSTRUMENTS].introduce(model)
        app[PREDICTOR] = Predictor(model, app[INSTRUMENTS])
        log.info("model %s is ready, engine: %s", model.card.version, model.engine)
    yield


# Answers


class Problem(web.HTTPException):
    """An error that the client is told of as `application/problem+json`."""

    def __init__(self, status: int, detail: str, **members: Any) -> None:
        self.status_code = status
        title = HTTP_PHRASES.get(status, "Server Error")
        self.members = {"title": title, "status": status, "detail": detail, **members}
        super().__init__()


def json_response(content: Any, *, status: int = 200, content_type: str = "application/json") -> web.Response:
    """Return an answer that nobody may keep."""
    body = msgspec.json.encode(content)
    return web.Response(body=body, status=status, content_type=content_type, headers={"Cache-Control": "no-store"})


async def go_to_form(_: web.Request) -> web.Response:
    """Send a browser to the form."""
    return web.Response(status=302, headers={"Location": "/ui"})


async def health(request: web.Request) -> web.Response:
    """Say whether wines can be classified, and by what."""
    about = {"version": version("wine-slo"), "uptime_seconds": round(perf_counter() - request.app[STARTED], 3)}
    model = request.app.get(MODEL)
    if model is None:
        return json_response({"status": "unavailable", "reason": request.app[UNUSABLE], **about}, status=503)
    card = model.card
    facts = {
        "version": card.version,
        "sha256": card.sha256,
        "trained_at": card.trained_at,
        "sklearn": card.sklearn,
        "engine": model.engine,
    }
    return json_response({"status": "ok", "model": facts, **about})


async def show_form(request: web.Request) -> web.Response:
    """Show the form."""
    model = request.app.get(MODEL)
    if model is None:
        raise Problem(503, request.app[UNUSABLE])
    return web.Response(text=form_page.render(model.card), content_type="text/html")


async def predict(request: web.Request) -> web.Response:
    """Classify the wine, or the wines, in the body."""
    predictor = request.app.get(PREDICTOR)
    if predictor is None:
        raise Problem(503, request.app[UNUSABLE])
    try:
        samples = await sample_body.read(request)
    except sample_body.BodyError as error:
        raise Problem(error.status, error.detail, errors=error.entries()) from error
    if isinstance(samples, list):
        return json_response(await predictor.predict(samples))
    return json_response((await predictor.predict([samples]))[0])


async def sleep(request: web.Request) -> web.Response:
    """Answer after a while: how a person makes the service slow."""
    text = request.query.get("seconds", str(USUAL_SLEEP))
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= LONGEST_SLEEP:
        raise Problem(422, f"seconds is a number from 0 to {LONGEST_SLEEP:g}")
    if request.app[SLEEPERS].locked():
        raise Problem(429, f"{MOST_SLEEPERS} requests are asleep already")
    async with request.app[SLEEPERS]:
        await asyncio.sleep(seconds)
    return json_response({"status": "ok", "slept_seconds": seconds})


async def fail(request: web.Request) -> web.Response:
    """Answer with a 5xx: how a person makes the service fail."""
    text = request.query.get("status", "500")
    if not text.isascii() or not text.isdecimal() or int(text) not in SERVER_ERRORS:
        raise Problem(422, "status is a whole number from 500 to 599")
    raise Problem(int(text), "this failure was asked for")


# What goes around every answer

_own_ids = itertools.count(1)
_run = secrets.token_hex(4)  # so that ids of two runs differ


@web.middleware
async def observe(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Count and time a request, give it an id, log its line, and put errors into words."""
    given = request.headers.get("X-Request-ID", "")
    request_id = given if REQUEST_ID.fullmatch(given) else f"{_run}-{next(_own_ids)}"
    endpoint = endpoint_of(request)
    started = perf_counter()
    endpoint.arrive(request, started)
    status = None
    try:
        response = await answer(request, handler, request_id)
        response.headers["X-Request-ID"] = request_id
        status = response.status
    finally:  # without a status where the client or the server gave up
        seconds = perf_counter() - started
        endpoint.leave(request, seconds, status)
        log_request(request, status, seconds, request_id)
    return response


def endpoint_of(request: web.Request) -> Endpoint:
    """Return what is counted where this request goes."""
    resource = request.match_info.route.resource
    return request.app[INSTRUMENTS].endpoint(resource.canonical if resource else UNMATCHED)


async def answer(request: web.Request, handler: Handler, request_id: str) -> web.StreamResponse:
    """Return the handler's answer; what it raises becomes a problem document."""
    try:
        return await handler(request)
    except Problem as error:
        problem = error.members
    except web.HTTPException as error:
        problem = {"title": error.reason, "status": error.status, "detail": error.text}
    except Exception:
        log.exception("request %s failed", request_id)
        problem = {"title": "Internal Server Error", "status": 500, "detail": "a fault of ours; the log says more"}
    return json_response(
        {"type": "about:blank", **problem, "request_id": request_id},
        status=problem["status"],
        content_type="application/problem+json",
    )


def log_request(request: web.Request, status: int | None, seconds: float, request_id: str) -> None:
    """Log the one line of a request."""
    log.info(
        LOG_LINE,
        {
            "method": request.method,
            "path": request.raw_path[:LONGEST_PATH],
            "status": status or "given up",
            "milliseconds": seconds * 1000,
            "request_id": request_id,
        },
    )


# The process


async def serve(settings: ServerSettings) -> None:
    """Serve until SIGTERM or SIGINT, then let what is being answered end.

    Raises:
        OSError: the address cannot be listened on.
    """
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    runner = web.AppRunner(create_app(settings), access_log=None, shutdown_timeout=SHUTDOWN_TIMEOUT)
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.host, settings.port).start()
        log.info("listening on http://%s:%s", *runner.addresses[0][:2])
        await stop.wait()
        log.info("stopping")
    finally:
        await runner.cleanup()


def main() -> None:
    """Serve until told to stop; exit with 1 where the address is taken and with 2 where the settings are wrong."""
    try:
        settings = read(ServerSettings)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    log_output.configure(settings.log_format, wait=LOG_WAIT)
    try:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(serve(settings))
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else error
        log.error("cannot listen on %s:%s: %s", settings.host, settings.port, reason)  # noqa: TRY400  # all there is
        sys.exit(1)


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Return uvloop's, which is a tenth faster, or the usual one where it is not to be had."""
    try:
        import uvloop  # noqa: PLC0415  # no Windows has it
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


if __name__ == "__main__":
    main()
