"""The service under watch: a model behind an API and a form, with its metrics.

`create_app` starts nothing; the model is loaded when the application starts. Where it cannot be, the process stays up
and says so at `/health`. With several workers, each is a process of its own that listens on the same port; they count
into one memory, so that any of them can tell Prometheus the numbers of all.
"""

import argparse
import asyncio
import gc
import logging
import multiprocessing
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial
from importlib.metadata import version
from multiprocessing.connection import wait
from multiprocessing.context import ForkProcess
from pathlib import Path
from time import perf_counter, sleep
from typing import NoReturn

from aiohttp import web
from aiohttp.typedefs import Handler
from msgspec.structs import replace

from wine_slo.config import log_setup
from wine_slo.config.environment import ServerSettings, SettingsError, read
from wine_slo.http.guarded_server import Door, Patience, Problem, Runner, is_from_elsewhere, raise_limit_of_files
from wine_slo.http.shares import Places, Room
from wine_slo.metric_names import DRILL_ENDPOINT
from wine_slo.service.metrics.instruments import Cells, ServerInstruments
from wine_slo.service.model import model_file
from wine_slo.service.model.classifier import Model
from wine_slo.service.model.features import NAMES
from wine_slo.service.predictor import Prediction, Predictor
from wine_slo.service.responses import json_response, observed, refused, unmatched
from wine_slo.service.web import form, openapi, request_body
from wine_slo.service.web.form import LANGUAGES, FormOutcome, Language
from wine_slo.service.web.form_parser import split_header

VERSION = version("wine-slo")
LARGEST_BODY = 1024 * 1024  # bytes
BODIES, SMALL_BODY = 48 * 2**20, 2**16  # bytes of all bodies that are in memory at once, and of a usual one
LONGEST_SLEEP = 10.0  # seconds
USUAL_SLEEP = 2.0  # seconds; twice the shipped latency objective
SLEEPERS_SHARED = 200  # requests to /sleep at once; one client alone gets half of them
FAILURES_SHARED = 200  # answers of /fail within a second; likewise
SHUTDOWN_TIMEOUT = LONGEST_SLEEP + 2  # seconds; what is being answered may end first
BACKLOG = 1024  # connections that wait to be accepted
LOG_WAIT = 0.2  # seconds; nobody reads faster, and one write for many requests is a tenth of the cost
WORKER_PAUSE = 1.0  # seconds before a worker is replaced that ended sooner than that after its start
FORK = multiprocessing.get_context("fork")  # workers share the memory of what is imported, and the cells
LONGEST_ECHO = 2000  # letters of what was filled in that come back in the page
UNMATCHED = "unmatched"  # the endpoint of whatever is no route of ours
SERVER_ERROR = re.compile(r"5[0-9][0-9]")
FILES = Path(__file__).parent / "web"
CONTENT_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
GIVEN = {path.name: path for path in FILES.iterdir() if path.suffix in CONTENT_TYPES}  # no other name meets the disk
PAGE_HEADERS = {
    # Everything comes from here, nothing is inline, and nobody may frame it.
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Vary": "Accept, Accept-Language",
}


INSTRUMENTS = web.AppKey("INSTRUMENTS", ServerInstruments)
MODEL = web.AppKey("MODEL", Model)
UNUSABLE = web.AppKey("UNUSABLE", str)  # why there is no model
PATIENCE = web.AppKey("PATIENCE", Patience)
ROOM = web.AppKey("ROOM", Room)
PREDICTOR = web.AppKey("PREDICTOR", Predictor)
SETTINGS = web.AppKey("SETTINGS", ServerSettings)
SLEEPERS = web.AppKey("SLEEPERS", Places)
FAILURES = web.AppKey("FAILURES", Places)
STARTED = web.AppKey("STARTED", float)

log = logging.getLogger("wine_slo.server")  # also when it is run as a script


def create_app(
    settings: ServerSettings,
    cells: Cells | None = None,
    worker: int = 0,
    *,
    patience: Patience | None = None,
) -> web.Application:
    """Return the application; nothing runs before it is started.

    Args:
        settings: where the model is, and what is switched on.
        cells: where workers count together; None where there is only this one.
        worker: which of the workers this one is.
        patience: for how long clients are waited for.
    """
    app = web.Application(client_max_size=LARGEST_BODY)
    routes = {
        "/": (web.get, go_to_form, (302,)),
        "/health": (web.get, health, (200, 503)),
        "/ui": (web.get, show_form, (200, 503)),
        "/predict": (web.post, predict, (200, 400, 408, 413, 415, 422, 500, 503)),
        "/metrics": (web.get, give_metrics, (200,)),
        "/docs": (web.get, show_contract, (200,)),
        "/openapi.json": (web.get, give_contract, (200,)),
        "/web/{file}": (web.get, give_file, (200, 404)),
    }
    if settings.has_exercises:
        routes |= {
            "/sleep": (web.get, snooze, (200, 403, 422, 429)),
            "/fail": (web.get, fail, (403, 422, 429, 500, 502, 503, 504)),
        }
    endpoints = {template: statuses for template, (_, _, statuses) in routes.items()} | {
        UNMATCHED: (400, 404, 405, 421)
    }
    if settings.has_exercises:
        endpoints[DRILL_ENDPOINT] = endpoints["/sleep"]
    app[SETTINGS] = settings
    app[INSTRUMENTS] = instruments = ServerInstruments(endpoints, perf_counter, cells or Cells(), worker)
    app[PATIENCE] = patience or Patience()
    app[ROOM] = Room(BODIES, SMALL_BODY)
    app[SLEEPERS], app[FAILURES] = Places(SLEEPERS_SHARED), Places(FAILURES_SHARED)
    app[STARTED] = perf_counter()
    for template, (method, handler, _) in routes.items():
        counted = observed(handler, instruments.endpoint(template))
        if template == "/sleep":
            counted = told_apart(counted, observed(handler, instruments.endpoint(DRILL_ENDPOINT)))
        app.add_routes([method(template, counted)])
    last_resort = observed(unmatched, instruments.endpoint(UNMATCHED))
    app.router.add_route("*", "/{path:.*}", last_resort)
    app.cleanup_ctx.append(load_model)
    return app


async def load_model(app: web.Application) -> AsyncIterator[None]:
    """Load the model, or keep the reason why it cannot be."""
    try:
        model = model_file.load(app[SETTINGS].model)
    except model_file.ModelFileError as error:
        app[UNUSABLE] = str(error).replace(f"{app[SETTINGS].model.parent}{os.sep}", "")  # where it is, the log says
        log.error("no predictions: %s", error)  # noqa: TRY400  # the sentence is all there is to know
    else:
        app[MODEL] = model
        app[INSTRUMENTS].introduce(model)
        app[PREDICTOR] = Predictor(model, app[INSTRUMENTS])
        log.info("model %s is ready, engine: %s", model.card.version, model.engine)
    yield


# The API


async def predict(request: web.Request) -> web.Response:
    """Classify the wine, or the wines, in the body."""
    app = request.app
    predictor = app.get(PREDICTOR)
    if predictor is None:
        raise Problem(503, app[UNUSABLE])
    if wants_page(request):
        return await predict_for_page(request, predictor)
    try:
        samples = await request_body.read(request, app[PATIENCE].body, app[ROOM])
    except request_body.BodyError as error:
        raise Problem(error.status, error.detail, error.headers, errors=error.entries()) from error
    if isinstance(samples, list):
        return json_response(await predictor.predict(samples))
    return json_response((await predictor.predict([samples]))[0])


async def health(request: web.Request) -> web.Response:
    """Say whether wines can be classified, and by what."""
    about = {"version": VERSION, "uptime_seconds": round(perf_counter() - request.app[STARTED], 3)}
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


async def snooze(request: web.Request) -> web.Response:
    """Answer after a while: how a person makes the service slow.

    Whoever goes away meanwhile gives the place back at once, as that cancels this.
    """
    refuse_other_sites(request)
    text = request.query.get("seconds", str(USUAL_SLEEP))
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= LONGEST_SLEEP:
        raise Problem(422, f"seconds is a number from 0 to {LONGEST_SLEEP:g}")
    sleepers, client = request.app[SLEEPERS], request.remote
    if not sleepers.take(client):
        raise Problem(429, "too many of your requests are asleep already", {"Retry-After": "1"})
    try:
        await asyncio.sleep(seconds)
    finally:
        sleepers.give(client)
    return json_response({"status": "ok", "slept_seconds": seconds})


def told_apart(usual: Handler, drill: Handler) -> Handler:
    """Return a handler that counts a drill's requests at an endpoint of their own."""

    async def choose(request: web.Request) -> web.StreamResponse:
        return await (drill if "drill" in request.query else usual)(request)

    return choose


async def fail(request: web.Request) -> web.Response:
    """Answer with a 5xx: how a person makes the service fail."""
    refuse_other_sites(request)
    text = request.query.get("status", "500")
    if not SERVER_ERROR.fullmatch(text):
        raise Problem(422, "status is a whole number from 500 to 599")
    failures, client = request.app[FAILURES], request.remote
    if not failures.take(client):
        raise Problem(429, "too many of your requests have failed within a second", {"Retry-After": "1"})
    asyncio.get_running_loop().call_later(1.0, failures.give, client)
    raise Problem(int(text), "this failure was asked for")


def refuse_other_sites(request: web.Request) -> None:
    """Accept a person, a program or our own page; a link or a picture on another site is no way to break a service.

    Raises:
        Problem: another site has a browser ask.
    """
    if is_from_elsewhere(request.headers):
        raise Problem(403, "another site asks for this; write the address into the browser instead")


async def give_metrics(request: web.Request) -> web.StreamResponse:
    """Return the metrics, for Prometheus."""
    return await request.app[INSTRUMENTS].expose(request)


async def give_contract(request: web.Request) -> web.Response:
    """Return the API's contract."""
    return json_response(contract(request.app))


def contract(app: web.Application) -> dict[str, object]:
    """Return the contract of what is switched on."""
    return openapi.contract(VERSION, has_exercises=app[SETTINGS].has_exercises)


# The pages


async def go_to_form(_: web.Request) -> web.Response:
    """Send a browser to the form."""
    return web.Response(status=302, headers={"Location": "/ui"})


async def show_form(request: web.Request) -> web.Response:
    """Show the form, empty or filled with an example."""
    model = request.app.get(MODEL)
    if model is None:
        raise Problem(503, request.app[UNUSABLE])
    values: tuple[float, ...] = next(
        (each.values for each in model.card.examples if each.cultivar == request.query.get("example")), ()
    )
    fields = {name: f"{value:g}" for name, value in zip(NAMES, values, strict=False)}
    return page(form.render(model.card, language_of(request), fields))


async def predict_for_page(request: web.Request, predictor: Predictor) -> web.Response:
    """Classify the wine in a form that a browser sent, and answer with the page."""
    card, language = request.app[MODEL].card, language_of(request)
    try:
        given = await request_body.read_fields(request, request.app[PATIENCE].body, request.app[ROOM])
    except request_body.BodyError as error:
        raise Problem(error.status, error.detail, error.headers) from error
    fields = {name: value[:LONGEST_ECHO] for name, value in given}
    try:
        sample = request_body.read_form(given)
    except request_body.BodyError as error:
        errors = [placed.error for placed in error.errors]
        return page(form.render(card, language, fields, errors=errors), status=error.status)
    (answer,) = await predictor.predict([sample])
    fields = {name: f"{value!r}".removesuffix(".0") for name, value in zip(NAMES, sample.values, strict=True)}
    return page(form.render(card, language, fields, outcome=outcome(answer, request.app[MODEL])))


def outcome(answer: Prediction, model: Model) -> FormOutcome:
    """Return an answer by grape instead of by label."""
    shares = {each.cultivar: answer.probabilities[each.name] for each in model.card.classes}
    return FormOutcome(answer.cultivar, shares, answer.out_of_range)


def wants_page(request: web.Request) -> bool:
    """Say whether a browser sent this from a form: it asks for HTML, and API clients do not."""
    kind, _ = split_header(request.headers.get("Content-Type", ""))
    return kind in request_body.FORMS and "text/html" in request.headers.get("Accept", "")


def language_of(request: web.Request) -> Language:
    """Return the language that the address says, or else the first that the browser prefers and we have."""
    preferred = [part.partition(";")[0].strip() for part in request.headers.get("Accept-Language", "").split(",")]
    for wanted in (request.query.get("lang", ""), *preferred):
        for language in LANGUAGES:
            if wanted.lower().partition("-")[0] == language:
                return language
    return LANGUAGES[0]


def page(text: str, status: int = 200) -> web.Response:
    """Return a page that loads nothing from elsewhere."""
    return web.Response(text=text, status=status, content_type="text/html", headers=PAGE_HEADERS)


async def show_contract(request: web.Request) -> web.Response:
    """Show the API's contract as a page."""
    return page(openapi.render(contract(request.app)))


async def give_file(request: web.Request) -> web.Response:
    """Return a style, script or picture of the pages."""
    path = GIVEN.get(request.match_info["file"])
    if path is None:
        raise Problem(404, "there is no such file")
    headers = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
    return web.Response(
        body=path.read_bytes(), content_type=CONTENT_TYPES[path.suffix], charset="utf-8", headers=headers
    )


# The process


def runner_of(app: web.Application, most_connections: int | None = None) -> web.AppRunner:
    """Return what serves the application, as patient as it is."""
    return Runner(
        app,
        Door.at(app[SETTINGS].host, app[SETTINGS].allowed_hosts),
        app[PATIENCE],
        refuse=refused(app[INSTRUMENTS].endpoint(UNMATCHED)),
        shutdown_timeout=SHUTDOWN_TIMEOUT,
        gives_up=True,
        most_connections=most_connections,
    )


class Lifeline:
    """A pipe that ends when the parent process does, however that ends; its children see it."""

    def __init__(self) -> None:
        self.end_of_child, self._end_of_parent = os.pipe()

    def hold_as_child(self) -> None:
        """Close the parent's end, of which the fork has made another."""
        os.close(self._end_of_parent)


async def serve(app: web.Application, name: str = "", lifeline: Lifeline | None = None) -> None:
    """Serve until SIGTERM or SIGINT, or until the parent process has ended; then let what is being answered end.

    Args:
        app: what is served.
        name: which of the workers this is, for the log.
        lifeline: to the parent of several workers, which share the port; None where there is only this process.

    Raises:
        OSError: the address cannot be listened on.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if lifeline:
        loop.add_reader(lifeline.end_of_child, stop.set)  # readable at its end, and nothing is ever written
    settings = app[SETTINGS]
    runner = runner_of(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, settings.host, settings.port, backlog=BACKLOG, reuse_port=lifeline is not None)
        await site.start()
        host, bound = runner.addresses[0][:2]
        log.info("listening on http://%s:%s%s", host, bound, name)
        gc.freeze()  # what is here now stays; no collection need look at it again
        gc.enable()
        await stop.wait()
        if lifeline:
            loop.remove_reader(lifeline.end_of_child)  # else it would be called for as long as the rest takes
        log.info("stopping")
    finally:
        await runner.cleanup()


def run(
    settings: ServerSettings, cells: Cells | None = None, worker: int = 0, lifeline: Lifeline | None = None
) -> None:
    """Serve in this process, alone or as one of several workers; exit with 1 where the address is taken."""
    gc.disable()  # until what stays is here: to look for garbage among imports takes scikit-learn's a tenth longer
    if lifeline:
        lifeline.hold_as_child()
    log_setup.configure(settings.log_format, wait=LOG_WAIT)
    app = create_app(settings, cells, worker)
    try:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(serve(app, f" as worker {worker}" if lifeline else "", lifeline))
    except OSError as error:
        cannot_listen(settings, error)


def run_workers(settings: ServerSettings, workers: int) -> None:
    """Serve in several processes, forked from this one; one that ends by itself is replaced."""
    log_setup.configure(settings.log_format)
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        with socket.create_server((settings.host, settings.port), family=family) as probe:
            port = probe.getsockname()[1]
    except OSError as error:  # workers share a port, so they would not notice that another server has it
        cannot_listen(settings, error)
    start = partial(start_worker, replace(settings, port=port), Cells(workers), Lifeline())
    started = [(start(worker), perf_counter()) for worker in range(workers)]
    with suppress(Stop):
        signal.signal(signal.SIGTERM, raise_stop)
        signal.signal(signal.SIGINT, raise_stop)
        while True:
            wait([process.sentinel for process, _ in started])
            for worker, (process, at) in enumerate(started):
                if not process.is_alive():
                    log.error("worker %s ended with %s; another takes its place", worker, process.exitcode)
                    if perf_counter() - at < WORKER_PAUSE:
                        sleep(WORKER_PAUSE)  # it cannot even start; to try without a pause would keep a processor busy
                    started[worker] = (start(worker), perf_counter())
    for process, _ in started:
        process.terminate()
    for process, _ in started:
        process.join()


class Stop(Exception):  # noqa: N818  # no error
    """The process was told to stop."""


def raise_stop(*_: object) -> None:
    """Leave whatever the process is doing."""
    raise Stop


def start_worker(settings: ServerSettings, cells: Cells, lifeline: Lifeline, worker: int) -> ForkProcess:
    """Return a process that serves."""
    arguments = (settings, cells, worker, lifeline)
    process = FORK.Process(target=run, args=arguments, name=f"worker {worker}", daemon=True)
    process.start()
    log.info("worker %s is process %s", worker, process.pid)
    return process


def cannot_listen(settings: ServerSettings, error: OSError) -> NoReturn:
    """Say why, and exit with 1."""
    reason = os.strerror(error.errno) if error.errno else error
    log.error("cannot listen on %s:%s: %s", settings.host, settings.port, reason)
    sys.exit(1)


def main(workers: int = 1) -> None:
    """Serve until told to stop; exit with 1 where the address is taken and with 2 where the settings are wrong."""
    try:
        settings = read(ServerSettings)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    raise_limit_of_files()
    if workers > 1:
        run_workers(settings, workers)
    else:
        run(settings)


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Return uvloop's, which is a tenth faster, or the usual one where it is not to be had."""
    try:
        import uvloop  # noqa: PLC0415  # no Windows has it
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m wine_slo.server", description=main.__doc__)
    parser.add_argument("--workers", type=int, default=1, help="processes that share the port (default: 1)")
    main(parser.parse_args().workers)
