"""Keys under which the application keeps what its handlers share."""

from aiohttp import web

from wine_slo.http.guarded_server import Patience
from wine_slo.http.shares import Places, Room
from wine_slo.service.metrics.after_answers import AfterAnswers
from wine_slo.service.metrics.instruments import ServerInstruments
from wine_slo.service.model.classifier import Model
from wine_slo.service.predictor import Predictor
from wine_slo.service.settings import ServerSettings

AFTER_ANSWERS = web.AppKey("AFTER_ANSWERS", AfterAnswers)
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
