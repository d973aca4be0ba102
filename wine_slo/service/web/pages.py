"""The handlers of the service's pages: the form, its result, and the files that pages load."""

from pathlib import Path

from aiohttp import web

from wine_slo.http import pages
from wine_slo.http.pages import SHARED, StaticFiles
from wine_slo.http.problem import Problem
from wine_slo.service.keys import MODEL, PATIENCE, ROOM, UNUSABLE
from wine_slo.service.model.classifier import Model
from wine_slo.service.model.features import NAMES
from wine_slo.service.predictor import Prediction, Predictor
from wine_slo.service.web import form, request_body
from wine_slo.service.web.form import LANGUAGES, FormOutcome
from wine_slo.service.web.form_parser import split_header

LONGEST_ECHO = 2000  # letters of what was filled in that come back in the page
VARY = "Accept, Accept-Language"
FILES = StaticFiles(SHARED, Path(__file__).parent / "static")


async def redirect_to_form(_: web.Request) -> web.Response:
    """Redirect a browser to the form."""
    return web.Response(status=302, headers={"Location": "/ui"})


async def show_form(request: web.Request) -> web.Response:
    """Return the form, empty or filled with an example."""
    model = request.app.get(MODEL)
    if model is None:
        raise Problem(503, request.app[UNUSABLE])
    values: tuple[float, ...] = next(
        (each.values for each in model.card.examples if each.cultivar == request.query.get("example")), ()
    )
    fields = {name: f"{value:g}" for name, value in zip(NAMES, values, strict=False)}
    return page(form.render(model.card, language_of(request), fields))


async def predict(request: web.Request, predictor: Predictor) -> web.Response:
    """Classify the wine in a form that a browser sent, and return the page with the result."""
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
    (prediction,) = await predictor.predict([sample])
    fields = {name: f"{value!r}".removesuffix(".0") for name, value in zip(NAMES, sample.values, strict=True)}
    return page(form.render(card, language, fields, outcome=outcome(prediction, request.app[MODEL])))


def outcome(prediction: Prediction, model: Model) -> FormOutcome:
    """Return a prediction by grape instead of by label."""
    shares = {each.cultivar: prediction.probabilities[each.name] for each in model.card.classes}
    return FormOutcome(prediction.cultivar, shares, prediction.out_of_range)


def wants_page(request: web.Request) -> bool:
    """Return whether a browser sent this from a form: it accepts HTML, and API clients do not."""
    headers = request.headers
    return (
        "text/html" in headers.get("Accept", "")
        and split_header(headers.get("Content-Type", ""))[0] in request_body.FORMS
    )


def language_of(request: web.Request) -> str:
    """Return the language that the address names, or else the first that the browser prefers and we have."""
    preferred = [part.partition(";")[0].strip() for part in request.headers.get("Accept-Language", "").split(",")]
    for wanted in (request.query.get("lang", ""), *preferred):
        for language in LANGUAGES:
            if wanted.lower().partition("-")[0] == language:
                return language
    return LANGUAGES[0]


def page(text: str, status: int = 200) -> web.Response:
    """Return a page of the service."""
    return pages.page(text, status, interactive=True, vary=VARY)
