"""The wine service as an aiohttp application: a model behind an API and a form, with its metrics.

`create_app` starts nothing; the model is loaded when the application starts. Where it cannot be loaded, the service
stays up and `/health` gives the reason.
"""

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from importlib.metadata import version
from pathlib import Path
from time import perf_counter

from aiohttp import web
from aiohttp.typedefs import Handler

from wine_slo.http.door import is_from_elsewhere
from wine_slo.http.guarded_server import Patience
from wine_slo.http.problem import Problem
from wine_slo.http.routes import Route
from wine_slo.http.shares import Places, Room
from wine_slo.metric_names import DRILL_ENDPOINT
from wine_slo.service.keys import (
    AFTER_ANSWERS,
    FAILURES,
    INSTRUMENTS,
    MODEL,
    PATIENCE,
    PREDICTOR,
    ROOM,
    SETTINGS,
    SLEEPERS,
    STARTED,
    UNUSABLE,
)
from wine_slo.service.limits import LARGEST_BODY, LONGEST_SLEEP, USUAL_SLEEP
from wine_slo.service.metrics.after_answers import AfterAnswers
from wine_slo.service.metrics.instruments import ServerInstruments
from wine_slo.service.model import model_file
from wine_slo.service.predictor import Predictor
from wine_slo.service.responses import UNMATCHED, Health, ModelFacts, json_response, observed, unmatched
from wine_slo.service.settings import ServerSettings
from wine_slo.service.web import openapi, pages, request_body

VERSION = version("wine-slo")
BODIES, SMALL_BODY = 48 * 2**20, 2**16  # bytes of all bodies that are in memory at once, and of a usual one
SLEEPERS_SHARED = 200  # requests to /sleep at once; one client alone gets half of them
FAILURES_SHARED = 200  # responses of /fail within a second; likewise
SERVER_ERROR = re.compile(r"5[0-9][0-9]")

log = logging.getLogger("wine_slo.server")


def create_app(
    settings: ServerSettings,
    *,
    shared: Path | None = None,
    patience: Patience | None = None,
) -> web.Application:
    """Return the application; nothing runs before it is started.

    Args:
        settings: where the model is, and what is switched on.
        shared: the folder in which workers count together; None for a single process.
        patience: for how long the server waits for clients.
    """
    app = web.Application(client_max_size=LARGEST_BODY)
    routes = routes_of(settings)
    endpoints = {template: route.statuses for template, route in routes.items()} | {UNMATCHED: (400, 404, 405, 421)}
    if settings.has_fault_endpoints:
        endpoints[DRILL_ENDPOINT] = endpoints["/sleep"]
    app[SETTINGS] = settings
    app[INSTRUMENTS] = instruments = ServerInstruments(endpoints, perf_counter, shared)
    app[PATIENCE] = patience or Patience()
    app[ROOM] = Room(BODIES, SMALL_BODY)
    app[SLEEPERS], app[FAILURES] = Places(SLEEPERS_SHARED), Places(FAILURES_SHARED)
    app[STARTED] = perf_counter()
    app[AFTER_ANSWERS] = after = AfterAnswers()
    for template, (method, handler, _) in routes.items():
        counted = observed(handler, instruments.endpoint(template), after)
        if template == "/sleep":
            counted = by_drill(counted, observed(handler, instruments.endpoint(DRILL_ENDPOINT), after))
        app.add_routes([method(template, counted)])
    last_resort = observed(unmatched, instruments.endpoint(UNMATCHED), after)
    app.router.add_route("*", "/{path:.*}", last_resort)
    app.cleanup_ctx.append(load_model)
    return app


def routes_of(settings: ServerSettings) -> dict[str, Route]:
    """Return the routes by their templates."""
    routes: dict[str, Route] = {
        "/": Route(web.get, pages.redirect_to_form, (302,)),
        "/health": Route(web.get, report_health, (200, 503)),
        "/ui": Route(web.get, pages.show_form, (200, 503)),
        "/predict": Route(web.post, predict, (200, 400, 408, 413, 415, 422, 500, 503)),
        "/metrics": Route(web.get, expose_metrics, (200,)),
        "/docs": Route(web.get, show_contract, (200,)),
        "/openapi.json": Route(web.get, send_contract, (200,)),
        "/web/{file}": Route(web.get, pages.FILES.send, (200, 404)),
    }
    if settings.has_fault_endpoints:
        routes |= {
            "/sleep": Route(web.get, sleep, (200, 403, 422, 429)),
            "/fail": Route(web.get, fail, (403, 422, 429, 500, 502, 503, 504)),
        }
    return routes


async def load_model(app: web.Application) -> AsyncIterator[None]:
    """Load the model, or keep the reason why it cannot be loaded."""
    try:
        model = model_file.load(app[SETTINGS].model)
    except model_file.ModelFileError as error:
        app[UNUSABLE] = str(error).replace(f"{app[SETTINGS].model.parent}/", "")  # where it is, the log says
        log.error("no predictions: %s", error)  # noqa: TRY400  # the sentence is all there is to know
    else:
        app[MODEL] = model
        app[INSTRUMENTS].introduce(model)
        app[PREDICTOR] = Predictor(model, app[INSTRUMENTS], app[AFTER_ANSWERS])
        log.info("model %s is ready, engine: %s", model.card.version, model.engine)
    yield


async def predict(request: web.Request) -> web.Response:
    """Classify the wine, or the wines, in the body."""
    app = request.app
    predictor = app.get(PREDICTOR)
    if predictor is None:
        raise Problem(503, app[UNUSABLE])
    if pages.wants_page(request):
        return await pages.predict(request, predictor)
    try:
        samples = await request_body.read(request, app[PATIENCE].body, app[ROOM])
    except request_body.BodyError as error:
        raise Problem(error.status, error.detail, error.headers, errors=error.entries()) from error
    if isinstance(samples, list):
        return json_response(await predictor.predict(samples))
    return json_response((await predictor.predict([samples]))[0])


async def report_health(request: web.Request) -> web.Response:
    """Report whether wines can be classified, and by which model."""
    uptime = round(perf_counter() - request.app[STARTED], 3)
    model = request.app.get(MODEL)
    if model is None:
        reason = request.app[UNUSABLE]
        health = Health(status="unavailable", reason=reason, version=VERSION, uptime_seconds=uptime)
        return json_response(health, status=503)
    card = model.card
    facts = ModelFacts(card.version, card.sha256, card.trained_at, card.sklearn, model.engine)
    return json_response(Health(status="ok", model=facts, version=VERSION, uptime_seconds=uptime))


async def expose_metrics(request: web.Request) -> web.StreamResponse:
    """Return the metrics, for Prometheus."""
    return await request.app[INSTRUMENTS].exposition.answer(request)


async def send_contract(request: web.Request) -> web.Response:
    """Return the API's contract as JSON."""
    return json_response(contract_of(request.app))


async def show_contract(request: web.Request) -> web.Response:
    """Return the API's contract as a page."""
    return pages.page(openapi.render(contract_of(request.app)))


def contract_of(app: web.Application) -> dict[str, object]:
    """Return the contract of what is switched on."""
    return openapi.contract(VERSION, has_fault_endpoints=app[SETTINGS].has_fault_endpoints)


# Exercises: how a person makes the service slow, or makes it fail


async def sleep(request: web.Request) -> web.Response:
    """Respond after a while.

    A client that disconnects meanwhile frees its place at once, because that cancels this handler.
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


def by_drill(usual: Handler, drill: Handler) -> Handler:
    """Return a handler that counts the requests of a drill at an endpoint of their own."""

    async def choose(request: web.Request) -> web.StreamResponse:
        return await (drill if "drill" in request.query else usual)(request)

    return choose


async def fail(request: web.Request) -> web.Response:
    """Respond with a 5xx."""
    refuse_other_sites(request)
    text = request.query.get("status", "500")
    if not SERVER_ERROR.fullmatch(text):
        raise Problem(422, "status is a whole number from 500 to 599")
    failures, client = request.app[FAILURES], request.remote
    if not failures.take(client):
        raise Problem(429, "too many of your requests have failed within a second", {"Retry-After": "1"})
    asyncio.get_running_loop().call_later(1.0, failures.give, client)
    raise Problem(int(text), "this failure was requested")


def refuse_other_sites(request: web.Request) -> None:
    """Accept a person, a program or our own page; a link or a picture on another site must not break the service.

    Raises:
        Problem: a browser sends this request on behalf of another site.
    """
    if is_from_elsewhere(request.headers):
        raise Problem(403, "this request comes from another site; enter the address in the browser instead")
